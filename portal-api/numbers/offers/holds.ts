import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { lockNumber } from '../lock_number.ts';
import { CLOCKS_APART_MAX_MS, HOLD_MS, HOLDS_MAX } from '../terms.ts';
import { selectOffer } from './offer_rows.ts';

export interface NumberHold {
  number: string;
  expires_at: Date;
}

export type HoldResult = { kind: 'held'; hold: NumberHold } | { kind: 'not_available' } | { kind: 'too_many' };

/** Keeps a number from everybody else for a while. Whoever already does so keeps the time that it has. */
export async function holdNumber(
  tx: Transaction,
  { number, account_id, now }: { number: string; account_id: string; now: Date },
): Promise<HoldResult> {
  if ((await lockNumber(tx, number)) === null) return { kind: 'not_available' };
  const own = (await liveHolds(tx, account_id, now)).find((one) => one.number === number);
  if (own !== undefined) return { kind: 'held', hold: own };
  // As nobody in particular, so that one that has just ended is not renewed again and again while it is still kept from others.
  if ((await selectOffer(tx, number, null, now)) === null) return { kind: 'not_available' };
  // Two of the same account would each count the other's not.
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 21))', [account_id]);
  if ((await liveHolds(tx, account_id, now)).length >= HOLDS_MAX) return { kind: 'too_many' };
  const expires_at = new Date(now.getTime() + HOLD_MS);
  await tx.query(
    `insert into number_hold (number, account_id, expires_at) values ($1, $2, $3)
     on conflict (number) do update set account_id = excluded.account_id, expires_at = excluded.expires_at`,
    [number, account_id, expires_at],
  );
  await tellCustomer(tx, account_id, { type: 'number', id: number, state: 'held' });
  return { kind: 'held', hold: { number, expires_at } };
}

export async function liveHolds(db: Queryable, account_id: string, now: Date): Promise<NumberHold[]> {
  const { rows } = await db.query<NumberHold>(
    'select number, expires_at from number_hold where account_id = $1 and expires_at > $2 order by expires_at, number',
    [account_id, now],
  );
  return rows;
}

/** False where the account holds no such number back. */
export async function dropHold(tx: Transaction, number: string, account_id: string): Promise<boolean> {
  const { rowCount } = await tx.query('delete from number_hold where number = $1 and account_id = $2', [
    number,
    account_id,
  ]);
  if ((rowCount ?? 0) === 0) return false;
  await tellCustomer(tx, account_id, { type: 'number', id: number, state: 'let_go' });
  return true;
}

export async function sweepHolds(db: Queryable, now: Date): Promise<void> {
  await db.query('delete from number_hold where expires_at <= $1', [new Date(now.getTime() - CLOCKS_APART_MAX_MS)]);
}
