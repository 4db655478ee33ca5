import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { chargeWallet } from '../../domain/ledger/charge_wallet.ts';
import { ledgerAccount, post } from '../../domain/ledger/post.ts';
import { tellCustomer } from '../live/tell_customer.ts';
import { approve } from '../payments/approvals.ts';
import { payDebt } from '../payments/debts.ts';
import type { PayingWallet } from '../payments/debts.ts';
import type { ApprovalVerdict } from '../payments/refunds.ts';
import { lockWallet } from '../payments/refunds.ts';

/**
 * A correction, or promo credit that is given:
 *
 *     waiting ──enough approvals──> posted
 *        └──rejected──> rejected
 *
 * One admin may do so up to the limit, and whoever asks counts as one.
 */
export interface FinanceOrder extends PayingWallet {
  id: string;
  kind: 'credit' | 'debit' | 'promo';
  net_micros: bigint;
  tax_micros: bigint;
  expires_at: Date | null;
  reason: string;
  state: 'waiting' | 'posted' | 'rejected';
  approvals_needed: number;
  requested_by: string;
  requested_at: Date;
}

type OrderRow = Omit<FinanceOrder, 'wallet_id' | 'net_micros' | 'tax_micros'> & {
  wallet_id: string;
  net_micros: string;
  tax_micros: string;
};

export async function readOrders(
  db: Queryable,
  which: { id: string } | { state: FinanceOrder['state'] },
  before: readonly [string, string] | null,
  rows_max: number,
): Promise<FinanceOrder[]> {
  const { rows } = await db.query<OrderRow>(
    `select o.id, o.account_id, o.wallet_id, w.currency, o.kind, o.net_micros, o.tax_micros, o.expires_at, o.reason, o.state,
            o.approvals_needed, o.requested_by, o.requested_at
       from finance_order o join wallet w on w.id = o.wallet_id
      where ${'id' in which ? 'o.id' : 'o.state'} = $1 and ($2::timestamptz is null or (o.requested_at, o.id) < ($2, $3::uuid))
      order by o.requested_at desc, o.id desc limit $4`,
    ['id' in which ? which.id : which.state, before?.[0] ?? null, before?.[1] ?? null, rows_max],
  );
  return rows.map((row) => ({
    ...row,
    wallet_id: BigInt(row.wallet_id),
    net_micros: BigInt(row.net_micros),
    tax_micros: BigInt(row.tax_micros),
  }));
}

export type OrderVerdict = 'taken' | 'no_money';

/** Posted at once where whoever asks may do so alone. */
export async function giveOrder(
  tx: Transaction,
  order: Omit<FinanceOrder, 'state' | 'requested_at'>,
  now: Date,
): Promise<OrderVerdict> {
  await lockWallet(tx, order.wallet_id);
  const { rowCount } = await tx.query(
    `insert into finance_order (id, account_id, wallet_id, kind, net_micros, tax_micros, expires_at, reason, state, approvals_needed,
                                requested_by, requested_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', $9, $10, $11) on conflict do nothing`,
    [
      ...[order.id, order.account_id, order.wallet_id.toString(), order.kind, order.net_micros.toString()],
      ...[order.tax_micros.toString(), order.expires_at, order.reason, order.approvals_needed, order.requested_by, now],
    ],
  );
  if (rowCount === 0) return 'taken';
  const approvals = await approve(tx, order.id, order.requested_by, now);
  return (approvals ?? 0) >= order.approvals_needed ? postOrder(tx, order, now) : 'taken';
}

export async function approveOrder(
  tx: Transaction,
  id: string,
  admin_id: string,
  now: Date,
): Promise<{ verdict: ApprovalVerdict | 'no_money'; account_id: string | null }> {
  const [found] = await readOrders(tx, { id }, null, 1);
  if (found === undefined) return { verdict: 'not_found', account_id: null };
  await lockWallet(tx, found.wallet_id);
  const [order] = await readOrders(tx, { id }, null, 1);
  const { account_id } = found;
  if (order?.state !== 'waiting') return { verdict: 'not_waiting', account_id };
  if (order.requested_by === admin_id) return { verdict: 'own', account_id };
  const approvals = await approve(tx, id, admin_id, now);
  if (approvals === null) return { verdict: 'twice', account_id };
  if (approvals < order.approvals_needed) return { verdict: 'approved', account_id };
  return { verdict: (await postOrder(tx, order, now)) === 'taken' ? 'approved' : 'no_money', account_id };
}

/** The account that it was for; null where none of this id waits. */
export async function rejectOrder(tx: Transaction, id: string): Promise<string | null> {
  const { rows } = await tx.query<{ account_id: string }>(
    `update finance_order set state = 'rejected' where id = $1 and state = 'waiting' returning account_id`,
    [id],
  );
  return rows[0]?.account_id ?? null;
}

type Posted = Omit<FinanceOrder, 'state' | 'requested_at'>;

async function postOrder(tx: Transaction, order: Posted, now: Date): Promise<OrderVerdict> {
  const { id, wallet_id, kind, net_micros, tax_micros, reason, currency, account_id } = order;
  const content = { what: reason };
  if (kind === 'debit') {
    const verdict = await chargeWallet(tx, {
      ...{ kind: 'adjustment', ref: id, wallet_id, net_micros, tax_micros, content, now },
    });
    if (verdict !== 'posted') return 'no_money';
  } else if (kind === 'promo') {
    await tx.query('select grant_promo($1, $2, $3, $4, $5)', [
      ...[id, wallet_id.toString(), net_micros.toString(), order.expires_at, JSON.stringify(content)],
    ]);
  } else {
    const told = { net_micros: (-net_micros).toString(), tax_micros: (-tax_micros).toString() };
    await post(tx, 'adjustment', id, { ...content, ...told, wallet_id: wallet_id.toString() }, [
      {
        account_id: await ledgerAccount(tx, 'wallet_cash', currency, wallet_id),
        amount_micros: net_micros + tax_micros,
      },
      { account_id: await ledgerAccount(tx, 'revenue', currency, null), amount_micros: -net_micros },
      { account_id: await ledgerAccount(tx, 'tax_payable', currency, null), amount_micros: -tax_micros },
    ]);
    await payDebt(tx, order, id, now);
  }
  await tx.query(`update finance_order set state = 'posted' where id = $1`, [id]);
  await tx.query(`select pg_notify('wallet', $1)`, [wallet_id.toString()]);
  await tellCustomer(tx, account_id, { type: 'wallet', id: wallet_id.toString() });
  return 'taken';
}
