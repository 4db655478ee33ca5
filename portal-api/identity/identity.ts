/** What a person may do for an account. `owner`: everything; `billing`: money; `member`: calls, texts, what is there. */
export type CustomerRole = 'owner' | 'billing' | 'member';

export const ADMIN_ROLES = ['support', 'kyc', 'finance', 'privacy', 'operations', 'owner'] as const;
export type AdminRole = (typeof ADMIN_ROLES)[number];

/** What an API key may be used for; a key has some of these. */
export const SCOPES = [
  'texts',
  'account:read',
  'numbers:read',
  'numbers:write',
  'wallet:read',
  'calls:read',
  'devices:write',
] as const;
export type Scope = (typeof SCOPES)[number];

/** Somebody's sign-in that a browser or an app holds. */
export interface SignedIn {
  user_id: string;
  session_id: string;
  /** When it was last proven who it is, by password or passkey: sensitive changes ask for it anew. */
  proven_at_ms: number;
}

/** Who asks. */
export type Identity =
  | { kind: 'anonymous' }
  | ({ kind: 'customer'; account_id: string; role: CustomerRole } & SignedIn)
  | ({ kind: 'admin'; roles: readonly AdminRole[] } & SignedIn)
  | { kind: 'api_key'; key_id: string; account_id: string; scopes: readonly string[] };

export type Customer = Extract<Identity, { kind: 'customer' }>;
export type Admin = Extract<Identity, { kind: 'admin' }>;
export type ApiKey = Extract<Identity, { kind: 'api_key' }>;

/** Names whoever asks, for limits, idempotency and logs; of somebody who did not sign in, by the address. */
export function actorOf(identity: Identity, address: string): string {
  switch (identity.kind) {
    case 'anonymous':
      return `anonymous:${address}`;
    case 'customer':
      return `customer:${identity.user_id}`;
    case 'admin':
      return `admin:${identity.user_id}`;
    case 'api_key':
      return `api_key:${identity.key_id}`;
  }
}
