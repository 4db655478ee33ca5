import type { AdminRole, CustomerRole, Identity, Scope } from './identity.ts';

/** Who may ask a route. Whoever is not named is refused; a route without a policy does not compile. */
export interface Policy {
  /** Whoever comes, signed in or not. */
  anyone?: true;
  customer?: readonly CustomerRole[];
  admin?: readonly AdminRole[];
  api_key?: Scope;
  /** Asks who it is anew where that was proven longer ago than the setting says. */
  step_up?: true;
}

export const EVERY_CUSTOMER: readonly CustomerRole[] = ['owner', 'billing', 'member'];
export const WHO_PAYS: readonly CustomerRole[] = ['owner', 'billing'];
export const OWNER: readonly CustomerRole[] = ['owner'];
export const EVERY_ADMIN: readonly AdminRole[] = ['support', 'kyc', 'finance', 'privacy', 'operations', 'owner'];

export type Judgement = 'permitted' | 'sign_in_required' | 'not_permitted' | 'step_up_required';

export function judge(policy: Policy, identity: Identity, now_ms: number, step_up_ms: number): Judgement {
  if (policy.anyone === true) return 'permitted';
  switch (identity.kind) {
    case 'anonymous':
      return 'sign_in_required';
    case 'api_key':
      return policy.api_key !== undefined && identity.scopes.includes(policy.api_key) ? 'permitted' : 'not_permitted';
    case 'customer':
      if (policy.customer?.includes(identity.role) !== true) return 'not_permitted';
      break;
    case 'admin':
      if (policy.admin?.some((role) => identity.roles.includes(role)) !== true) return 'not_permitted';
      break;
  }
  const is_stale = now_ms - identity.proven_at_ms > step_up_ms;
  return policy.step_up === true && is_stale ? 'step_up_required' : 'permitted';
}
