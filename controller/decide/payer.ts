import type { CallLimits, PayerProfile } from '../../domain/accounts/caller_profile.ts';
import type { RefusalReason } from '../call/refusal.ts';

/** A payer that may pay: it has a wallet and limits. */
export type Payer = PayerProfile & { wallet_id: bigint; currency: string; limits: CallLimits };

/** Whether this account may have this call at all, before any price is looked at. */
export function checkPayer(
  profile: PayerProfile,
  scope: 'calls_out' | 'calls_in',
): { payer: Payer } | { reason: RefusalReason } {
  if (profile.state !== 'active') return { reason: 'account_inactive' };
  if (profile.restrictions.includes(scope) || profile.restrictions.includes('all')) return { reason: 'restricted' };
  if (profile.owes_terms) return { reason: 'terms_required' };
  const { wallet_id, currency, limits } = profile;
  if (wallet_id === null || currency === null || limits === null) return { reason: 'no_wallet' };
  return { payer: { ...profile, wallet_id, currency, limits } };
}
