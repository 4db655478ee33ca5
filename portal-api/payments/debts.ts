import { randomUUID } from 'node:crypto';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { ledgerAccount, post } from '../../domain/ledger/post.ts';
import { tellCustomer } from '../live/tell_customer.ts';

/** What an account owes beyond its wallet, whose floor never breaks: what a dispute took that was not there any more. */

export interface PayingWallet {
  account_id: string;
  wallet_id: bigint;
  currency: string;
}

/** Cash that neither a call holds nor another bucket is; never what is lent. Of a wallet that is locked. */
export async function freeCash(db: Queryable, wallet_id: bigint, now: Date): Promise<bigint> {
  const { rows } = await db.query<{ free: string }>(
    `select greatest(0, least(w.balance_micros - w.promo_micros,
              w.balance_micros - w.held_micros - (select coalesce(sum(p.balance_micros), 0) from promo_credit p
                where p.wallet_id = w.id and p.balance_micros > 0 and p.expires_at <= $2)))::bigint as free
       from wallet w where w.id = $1`,
    [wallet_id.toString(), now],
  );
  return BigInt(rows[0]?.free ?? 0);
}

/** What is owed beside the wallet that this SQL names. */
export const owedBeside = (wallet_id: string): string =>
  `(select coalesce(-sum(p.amount_micros), 0)::bigint
      from ledger_account a join posting p on p.account_id = a.id where a.kind = 'receivable' and a.wallet_id = ${wallet_id})`;

export async function owedBy(db: Queryable, wallet_id: bigint): Promise<bigint> {
  const { rows } = await db.query<{ owed: string }>({
    name: 'owed_by',
    text: `select ${owedBeside('$1')} as owed`,
    values: [wallet_id.toString()],
  });
  return BigInt(rows[0]?.owed ?? 0);
}

/** Pays of a debt what cash there is, once for what brought the cash. The wallet is locked. */
export async function payDebt(tx: Transaction, wallet: PayingWallet, cause_id: string, now: Date): Promise<void> {
  const { wallet_id, currency } = wallet;
  const owed = await owedBy(tx, wallet_id);
  if (owed === 0n) return;
  const free = await freeCash(tx, wallet_id, now);
  const paid = owed < free ? owed : free;
  if (paid > 0n) {
    const content = { wallet_id: wallet_id.toString(), paid_micros: paid.toString() };
    await post(tx, 'receivable', cause_id, content, [
      { account_id: await ledgerAccount(tx, 'wallet_cash', currency, wallet_id), amount_micros: -paid },
      { account_id: await ledgerAccount(tx, 'receivable', currency, wallet_id), amount_micros: paid },
    ]);
  }
  if (paid === owed) await liftDebtRestriction(tx, wallet.account_id, now);
}

const DEBT_REASON = 'A payment was taken back by your bank, and what it had paid for is owed. Top up to pay it.';

/** Whether this account's debt keeps it from buying at the moment `$now`: one of us may have lifted that. */
export const isRestrictedForDebt = (account_id: string, now: string): string =>
  `exists (select 1 from debt_restriction d join restriction r on r.id = d.restriction_id
            where d.account_id = ${account_id} and (r.ends_at is null or r.ends_at > ${now}))`;

export async function restrictForDebt(tx: Transaction, account_id: string, now: Date): Promise<void> {
  const { rows } = await tx.query<{ is_restricted: boolean }>(
    `select ${isRestrictedForDebt('$1', '$2')} as is_restricted`,
    [account_id, now],
  );
  if (rows[0]?.is_restricted === true) return;
  const restriction_id = randomUUID();
  await tx.query(
    `insert into restriction (id, account_id, scope, reason, starts_at) values ($1, $2, 'purchases', $3, $4)`,
    [restriction_id, account_id, DEBT_REASON, now],
  );
  // One that was lifted is not what paying this debt ends.
  await tx.query('delete from debt_restriction where account_id = $1', [account_id]);
  await tx.query('insert into debt_restriction (account_id, restriction_id) values ($1, $2)', [
    account_id,
    restriction_id,
  ]);
  await tellCustomer(tx, account_id, { type: 'restriction', id: restriction_id, state: 'in_force' });
}

export async function liftDebtRestriction(tx: Transaction, account_id: string, now: Date): Promise<void> {
  const { rows } = await tx.query<{ restriction_id: string }>(
    'delete from debt_restriction where account_id = $1 returning restriction_id',
    [account_id],
  );
  const [restriction] = rows;
  if (restriction === undefined) return;
  // A restriction never ends before it began, were both at one moment.
  await tx.query(
    `update restriction set ends_at = greatest($2::timestamptz, starts_at + interval '1 millisecond')
      where id = $1 and (ends_at is null or ends_at > $2)`,
    [restriction.restriction_id, now],
  );
  await tellCustomer(tx, account_id, { type: 'restriction', id: restriction.restriction_id, state: 'ended' });
}
