import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';

/** Above this it takes two of us. */
export function secondApprovalAbove({ settings }: Pick<PortalContext, 'settings'>): bigint {
  return BigInt(settings.SECOND_APPROVAL_ABOVE_UNITS) * 1_000_000n;
}

const DAY_MS = 86_400_000;

/**
 * Whether it takes two of us to give an account so much, with what it was given in the last day: several gifts are not several limits. What a
 * customer gets back of their own is counted by itself. To be asked once the wallet is locked, or two requests at once have a limit each.
 */
export async function needsSecond(
  context: Pick<PortalContext, 'settings'>,
  db: Queryable,
  { account_id, amount_micros, by }: { account_id: string; amount_micros: bigint; by: 'customer' | 'admin' },
  now: Date,
): Promise<boolean> {
  if (amount_micros === 0n) return false;
  const { rows } = await db.query<{ given: string }>(
    `select (select coalesce(sum(r.amount_micros), 0) from refund r
              where r.account_id = $1 and r.requested_at > $2 and r.state in ('waiting', 'sending', 'paid') and r.requested_by_kind = $3)
          + (select coalesce(sum(o.net_micros + o.tax_micros), 0) from finance_order o
              where o.account_id = $1 and o.requested_at > $2 and o.kind in ('credit', 'promo') and o.state <> 'rejected' and $3 = 'admin')
          + (select coalesce(sum((t.content ->> 'net_micros')::bigint + (t.content ->> 'tax_micros')::bigint), 0)
               from invoice i join invoice_line l on l.invoice_id = i.id join ledger_tx t on t.id = l.tx_id
              where i.account_id = $1 and i.issued_at > $2 and i.kind = 'credit_note' and i.month is null and t.kind = 'credit_note'
                and $3 = 'admin')
            as given`,
    [account_id, new Date(now.getTime() - DAY_MS), by],
  );
  return amount_micros + BigInt(rows[0]?.given ?? 0) > secondApprovalAbove(context);
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
