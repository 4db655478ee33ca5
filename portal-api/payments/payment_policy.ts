/**
 * What a customer is told before paying. Each attempt and each charge that the portal makes carries the version, so it changes whenever
 * anything here does.
 */
export const PAYMENT_POLICY = {
  version: '2026-01',
  /** Unspent money goes back to a payment that is not older. */
  refund_days: 180,
  /** A payment that failed without the customer present is tried again on these days after it. */
  retry_days: [1, 3, 5],
} as const;

const DAY_MS = 86_400_000;

export const refundableSince = (now: Date): Date => new Date(now.getTime() - PAYMENT_POLICY.refund_days * DAY_MS);

/** When a failed payment is tried for the n-th time again, from 0; null when it is given up. */
export function retryAt(opened_at: Date, n: number): Date | null {
  const days = PAYMENT_POLICY.retry_days[n];
  return days === undefined ? null : new Date(opened_at.getTime() + days * DAY_MS);
}
