import type { Transaction } from '../../../domain/db/transaction.ts';
import { saveDispute } from './dispute_rows.ts';
import type { Dispute } from './dispute_rows.ts';
import { nextDisputeState } from './dispute_state.ts';
import { leaveWithHolder } from './leave_with_holder.ts';
import { tellBoth } from './open_dispute.ts';

/** By the claimant, or by whoever closed the claimant's account; null where it is closed. The number's row is locked. */
export async function withdrawDispute(
  tx: Transaction,
  dispute: Dispute,
  closed_by: string,
  now: Date,
): Promise<Dispute | null> {
  const state = nextDisputeState(dispute.state, 'withdraw');
  if (state === null) return null;
  const closed = await saveDispute(tx, { ...dispute, state, closed_by, closed_at: now, answer: null });
  await tellBoth(tx, closed);
  await leaveWithHolder(tx, closed, null, now);
  return closed;
}
