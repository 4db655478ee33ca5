import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { PAYMENT_POLICY } from './payment_policy.ts';
import type { AttemptState } from './attempt_state.ts';

export interface Attempt {
  id: string;
  account_id: string;
  wallet_id: bigint;
  currency: string;
  amount_micros: bigint;
  purpose: 'top_up' | 'auto_top_up' | 'retry';
  provider: 'local' | 'stripe';
  provider_payment: string | null;
  method_id: string | null;
  checkout_url: string | null;
  save_method: boolean;
  state: AttemptState;
  failure: string | null;
  refunded_micros: bigint;
  policy_version: string;
  created_at: Date;
  changed_at: Date;
}

type AttemptRow = Omit<Attempt, 'wallet_id' | 'amount_micros' | 'refunded_micros'> & {
  wallet_id: string;
  amount_micros: string;
  refunded_micros: string;
};

const COLUMNS = `id, account_id, wallet_id, currency, amount_micros, purpose, provider, provider_payment, method_id, checkout_url,
  save_method, state, failure, refunded_micros, policy_version, created_at, changed_at`;

const attemptOf = (row: AttemptRow): Attempt => ({
  ...row,
  wallet_id: BigInt(row.wallet_id),
  amount_micros: BigInt(row.amount_micros),
  refunded_micros: BigInt(row.refunded_micros),
});

export type NewAttempt = Pick<
  Attempt,
  | 'id'
  | 'account_id'
  | 'wallet_id'
  | 'currency'
  | 'amount_micros'
  | 'purpose'
  | 'provider'
  | 'method_id'
  | 'save_method'
>;

/** False where it is there already, or one that fills the same wallet by itself is under way. */
export async function insertAttempt(db: Queryable, attempt: NewAttempt, now: Date): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into payment_attempt (id, account_id, wallet_id, currency, amount_micros, purpose, provider, method_id, save_method,
                                  policy_version, created_at, changed_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) on conflict do nothing`,
    [
      ...[attempt.id, attempt.account_id, attempt.wallet_id.toString(), attempt.currency],
      ...[attempt.amount_micros.toString(), attempt.purpose, attempt.provider, attempt.method_id, attempt.save_method],
      ...[PAYMENT_POLICY.version, now],
    ],
  );
  return (rowCount ?? 0) > 0;
}

export async function findAttempt(db: Queryable, id: string): Promise<Attempt | null> {
  const { rows } = await db.query<AttemptRow>(`select ${COLUMNS} from payment_attempt where id = $1`, [id]);
  return rows[0] === undefined ? null : attemptOf(rows[0]);
}

/**
 * By our id or by the provider's, with its wallet: both locked, the wallet first as everywhere, so that what is told about one payment is
 * taken one after the other.
 */
export async function lockAttempt(
  tx: Transaction,
  known: { payment_id: string | null; provider: string; provider_payment: string | null },
): Promise<Attempt | null> {
  const found = await tx.query<{ id: string; wallet_id: string }>(
    `select id, wallet_id from payment_attempt where id = $1::uuid and provider = $2
     union all select id, wallet_id from payment_attempt where provider = $2 and provider_payment = $3 limit 1`,
    [known.payment_id, known.provider, known.provider_payment],
  );
  const [row] = found.rows;
  if (row === undefined) return null;
  await tx.query('select 1 from wallet where id = $1 for no key update', [row.wallet_id]);
  const { rows } = await tx.query<AttemptRow>(
    `select ${COLUMNS} from payment_attempt where id = $1 for no key update`,
    [row.id],
  );
  return rows[0] === undefined ? null : attemptOf(rows[0]);
}

export async function listAttempts(
  db: Queryable,
  account_id: string,
  before: readonly [string, string] | null,
  rows_max: number,
): Promise<Attempt[]> {
  const { rows } = await db.query<AttemptRow>(
    `select ${COLUMNS} from payment_attempt
      where account_id = $1 and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))
      order by created_at desc, id desc limit $4`,
    [account_id, before?.[0] ?? null, before?.[1] ?? null, rows_max],
  );
  return rows.map(attemptOf);
}

/** What the provider answered to the wish for a payment. */
export async function saveStart(
  db: Queryable,
  id: string,
  { provider_payment, checkout_url }: { provider_payment: string | null; checkout_url: string | null },
): Promise<void> {
  await db.query(
    `update payment_attempt set provider_payment = coalesce(provider_payment, $2), checkout_url = $3 where id = $1`,
    [id, provider_payment, checkout_url],
  );
}

export interface Change {
  event: string;
  to: AttemptState;
  failure: string | null;
  provider_payment: string | null;
  at: Date;
}

export async function changeAttempt(tx: Transaction, attempt: Attempt, change: Change): Promise<void> {
  await tx.query(
    `update payment_attempt set state = $2, failure = $3, changed_at = $4, provider_payment = coalesce(provider_payment, $5) where id = $1`,
    [attempt.id, change.to, change.failure, change.at, change.provider_payment],
  );
  await tx.query(
    'insert into payment_attempt_change (attempt_id, at, event, from_state, to_state) values ($1, $2, $3, $4, $5)',
    [attempt.id, change.at, change.event, attempt.state, change.to],
  );
}

/** The wallet that an account pays from: its first. */
export async function payingWallet(
  db: Queryable,
  account_id: string,
): Promise<{ wallet_id: bigint; currency: string } | null> {
  const { rows } = await db.query<{ id: string; currency: string }>(
    'select id, currency from wallet where account_id = $1 order by id limit 1',
    [account_id],
  );
  return rows[0] === undefined ? null : { wallet_id: BigInt(rows[0].id), currency: rows[0].currency };
}
