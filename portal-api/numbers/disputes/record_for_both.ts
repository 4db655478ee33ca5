import { appendAudit } from '../../../domain/audit/append_audit.ts';
import type { AuditActor } from '../../../domain/audit/append_audit.ts';
import type { Transaction } from '../../../domain/db/transaction.ts';
import type { Dispute } from './dispute_rows.ts';

/** Each side sees who of us looked at what it said, and what was decided on it: a row for each. */
export async function recordForBoth(
  tx: Transaction,
  { id, holder_account_id, claimant_account_id }: Dispute,
  {
    actor,
    action,
    purpose,
    detail,
    now,
  }: {
    actor: AuditActor;
    action: string;
    purpose?: string;
    detail?: Readonly<Record<string, unknown>>;
    now: Date;
  },
): Promise<void> {
  const subject = `ownership_dispute:${id}`;
  for (const account_id of [holder_account_id, claimant_account_id]) {
    await appendAudit(tx, {
      ...{ at: now, actor, action, account_id, subject },
      ...(purpose === undefined ? {} : { purpose }),
      ...(detail === undefined ? {} : { detail }),
    });
  }
}
