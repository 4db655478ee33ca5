import type { Identity, SignedIn } from '../identity/identity.ts';
import { EVERY_ADMIN, EVERY_CUSTOMER } from '../identity/policy.ts';
import type { Policy } from '../identity/policy.ts';

/** Whoever is signed in, as a customer or as one of the operator's. */
export const SIGNED_IN: Policy = { customer: EVERY_CUSTOMER, admin: EVERY_ADMIN };
/** The same, and it was proven just now that it is still them. */
export const PROVEN: Policy = { ...SIGNED_IN, step_up: true };

export type SignedInIdentity = Extract<Identity, SignedIn>;

export function signedInOf(identity: Identity): SignedInIdentity {
  if (identity.kind === 'customer' || identity.kind === 'admin') return identity;
  throw new Error('The policy let somebody in who is not signed in.');
}
