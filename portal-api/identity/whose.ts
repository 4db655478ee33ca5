import type { AuditActor } from '../../domain/audit/append_audit.ts';
import type { Admin, Customer, Identity, SignedIn } from './identity.ts';

/** What a policy has already said about whoever asks, for the compiler. */

export function customerOf(identity: Identity): Customer {
  if (identity.kind === 'customer') return identity;
  throw new Error('The policy let somebody in who is no customer.');
}

export function adminOf(identity: Identity): Admin {
  if (identity.kind === 'admin') return identity;
  throw new Error('The policy let somebody in who is no admin.');
}

export type SignedInIdentity = Extract<Identity, SignedIn>;

/** Whoever is signed in, as a customer or as one of the operator's. */
export function signedInOf(identity: Identity): SignedInIdentity {
  if (identity.kind === 'customer' || identity.kind === 'admin') return identity;
  throw new Error('The policy let somebody in who is not signed in.');
}

/** The account that a customer or a program of theirs acts for. */
export function accountOf(identity: Identity): string {
  if (identity.kind === 'customer' || identity.kind === 'api_key') return identity.account_id;
  throw new Error('The policy let somebody in who acts for no account.');
}

export function adminActor(identity: Identity): AuditActor {
  return { kind: 'admin', id: adminOf(identity).user_id };
}
