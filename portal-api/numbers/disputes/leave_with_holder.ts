import type { Transaction } from '../../../domain/db/transaction.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { pendingCancellation } from '../holdings/cancel_number.ts';
import { moveHolding, openHolding } from '../holdings/holding_rows.ts';
import { isDisputedByOthers } from './dispute_rows.ts';
import type { Dispute } from './dispute_rows.ts';

/**
 * A dispute is over, and the number stays with whom has it: he is told so, unless somebody else still says that it is his, or it ends now
 * that nothing keeps it. One that he did not pay for he may pay for once more for as long as any other. The number's row is locked.
 * @param why null where nobody decided
 */
export async function leaveWithHolder(tx: Transaction, dispute: Dispute, why: string | null, now: Date): Promise<void> {
  const { number, holder_account_id: account_id } = dispute;
  const holding = await openHolding(tx, number);
  if (holding === null || (await isDisputedByOthers(tx, dispute))) return;
  const pending = await pendingCancellation(tx, holding.id);
  if (pending !== null && pending.effective_at <= now) return;
  if (holding.state === 'suspended') await moveHolding(tx, holding, 'suspended', now);
  const facts = why === null ? { number } : { number, why };
  await queueNotice(tx, { to: { account_id }, template: 'ownership_kept', facts });
}
