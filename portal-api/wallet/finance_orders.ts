import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { issueNote } from '../invoices/issue_note.ts';
import { chargeWallet } from '../../domain/ledger/charge_wallet.ts';
import { ledgerAccount, post } from '../../domain/ledger/post.ts';
import { tellCustomer } from '../live/tell_customer.ts';
import { approve } from '../payments/approvals.ts';
import { payDebt } from '../payments/debts.ts';
import { PAYMENT_POLICY } from '../payments/payment_policy.ts';
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
  /** Of a correction, what it corrects; null where it is about the wallet as a whole. */
  corrects_invoice_id: string | null;
  /** The credit note or debit note of a correction that is posted. */
  document_id: string | null;
}

type OrderRow = Omit<FinanceOrder, 'wallet_id' | 'net_micros' | 'tax_micros'> & {
  wallet_id: string;
  net_micros: string;
  tax_micros: string;
};

export interface OrderSearch {
  id?: string;
  account_id?: string | undefined;
  state?: FinanceOrder['state'];
}

export async function readOrders(
  db: Queryable,
  which: OrderSearch,
  before: readonly [string, string] | null,
  rows_max: number,
): Promise<FinanceOrder[]> {
  const { rows } = await db.query<OrderRow>(
    `select o.id, o.account_id, o.wallet_id, w.currency, o.kind, o.net_micros, o.tax_micros, o.expires_at, o.reason, o.state,
            o.approvals_needed, o.requested_by, o.requested_at, o.corrects_invoice_id,
            (select l.invoice_id from ledger_tx t join invoice_line l on l.tx_id = t.id where t.kind = 'adjustment' and t.ref = o.id) as document_id
       from finance_order o join wallet w on w.id = o.wallet_id
      where ($1::uuid is null or o.id = $1) and ($2::uuid is null or o.account_id = $2) and ($3::text is null or o.state = $3)
        and ($4::timestamptz is null or (o.requested_at, o.id) < ($4, $5::uuid))
      order by o.requested_at desc, o.id desc limit $6`,
    [
      ...[which.id ?? null, which.account_id ?? null, which.state ?? null],
      ...[before?.[0] ?? null, before?.[1] ?? null, rows_max],
    ],
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
  context: PortalContext,
  tx: Transaction,
  order: Posted,
  now: Date,
): Promise<OrderVerdict> {
  await lockWallet(tx, order.wallet_id);
  const { rowCount } = await tx.query(
    `insert into finance_order (id, account_id, wallet_id, kind, net_micros, tax_micros, expires_at, reason, state, approvals_needed,
                                requested_by, requested_at, corrects_invoice_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', $9, $10, $11, $12) on conflict do nothing`,
    [
      ...[order.id, order.account_id, order.wallet_id.toString(), order.kind, order.net_micros.toString()],
      ...[order.tax_micros.toString(), order.expires_at, order.reason, order.approvals_needed, order.requested_by, now],
      order.corrects_invoice_id,
    ],
  );
  if (rowCount === 0) return 'taken';
  const approvals = await approve(tx, order.id, order.requested_by, now);
  return (approvals ?? 0) >= order.approvals_needed ? postOrder(context, tx, order, now) : 'taken';
}

export async function approveOrder(
  context: PortalContext,
  tx: Transaction,
  id: string,
  admin_id: string,
  now: Date,
): Promise<{ verdict: ApprovalVerdict | 'no_money'; account_id: string | null }> {
  const [found] = await readOrders(tx, { id }, null, 1);
  if (found === undefined) return { verdict: 'not_found', account_id: null };
  await lockWallet(tx, found.wallet_id);
  // Whoever rejects it meanwhile comes before this, or finds it posted.
  await tx.query('select 1 from finance_order where id = $1 for no key update', [id]);
  const [order] = await readOrders(tx, { id }, null, 1);
  const { account_id } = found;
  if (order?.state !== 'waiting') return { verdict: 'not_waiting', account_id };
  if (order.requested_by === admin_id) return { verdict: 'own', account_id };
  const approvals = await approve(tx, id, admin_id, now);
  if (approvals === null) return { verdict: 'twice', account_id };
  if (approvals < order.approvals_needed) return { verdict: 'approved', account_id };
  return { verdict: (await postOrder(context, tx, order, now)) === 'taken' ? 'approved' : 'no_money', account_id };
}

/** The account that it was for; null where none of this id waits. */
export async function rejectOrder(tx: Transaction, id: string): Promise<string | null> {
  const { rows } = await tx.query<{ account_id: string }>(
    `update finance_order set state = 'rejected' where id = $1 and state = 'waiting' returning account_id`,
    [id],
  );
  return rows[0]?.account_id ?? null;
}

type Posted = Omit<FinanceOrder, 'state' | 'requested_at' | 'document_id'>;

async function postOrder(context: PortalContext, tx: Transaction, order: Posted, now: Date): Promise<OrderVerdict> {
  const { id, wallet_id, kind, net_micros, tax_micros, reason, currency, account_id } = order;
  const content = { what: reason };
  if (kind === 'debit') {
    const verdict = await chargeWallet(tx, {
      ...{ kind: 'adjustment', ref: id, wallet_id, net_micros, tax_micros, content, now },
      policy_version: PAYMENT_POLICY.version,
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
  if (kind !== 'promo') await issueOrderNote(context, tx, order, now);
  await tx.query(`select pg_notify('wallet', $1)`, [wallet_id.toString()]);
  await tellCustomer(tx, account_id, { type: 'wallet', id: wallet_id.toString() });
  return 'taken';
}

/** A correction has a document of its own; promo credit is a gift, and is told where it is spent. */
async function issueOrderNote(context: PortalContext, tx: Transaction, order: Posted, now: Date): Promise<void> {
  const { id, account_id, wallet_id, currency, kind, reason, corrects_invoice_id } = order;
  const sign = kind === 'debit' ? 1n : -1n;
  const amounts = { net_micros: sign * order.net_micros, tax_micros: sign * order.tax_micros };
  const line = { tx: { kind: 'adjustment' as const, ref: id }, item: id, what: `Correction: ${reason}` };
  // What is charged is so under a policy; what is given is not.
  const explained = kind === 'debit' ? { policy_version: PAYMENT_POLICY.version } : {};
  const lines = [{ ...line, ...amounts, explained }];
  await issueNote(
    context,
    tx,
    { account_id, wallet_id, currency, corrects_invoice_id, corrects: 'charges', lines },
    now,
  );
}
