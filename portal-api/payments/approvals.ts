import type { Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';

/** Above this it takes two of us. */
export function secondApprovalAbove({ settings }: Pick<PortalContext, 'settings'>): bigint {
  return BigInt(settings.SECOND_APPROVAL_ABOVE_UNITS) * 1_000_000n;
}

/** Who agreed before is not counted again: null. Else how many have agreed by now. */
export async function approve(
  tx: Transaction,
  subject_id: string,
  admin_id: string,
  now: Date,
): Promise<number | null> {
  const { rowCount } = await tx.query(
    'insert into money_approval (subject_id, admin_id, at) values ($1, $2, $3) on conflict do nothing',
    [subject_id, admin_id, now],
  );
  if (rowCount === 0) return null;
  const { rows } = await tx.query<{ approvals: number }>(
    'select count(*)::int as approvals from money_approval where subject_id = $1',
    [subject_id],
  );
  return rows[0]?.approvals ?? 0;
}
