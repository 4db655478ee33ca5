import type { Admin, Identity } from '../identity/identity.ts';

/** Whose account it is about. */
export function accountOf(identity: Identity): string {
  if (identity.kind === 'customer' || identity.kind === 'api_key') return identity.account_id;
  throw new Error('The policy let somebody in who has no account.');
}

export function adminOf(identity: Identity): Admin {
  if (identity.kind === 'admin') return identity;
  throw new Error('The policy let somebody in who is no admin.');
}
