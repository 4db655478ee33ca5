import type { Queryable } from '../db/transaction.ts';

/**
 * The life of a hold, in Postgres (domain/migrations/0004_call_charging.sql, 0017_calls_in_sets.sql):
 *
 *     authorize ──> open ──renew──> open ──settle──> settled
 *
 * Each function takes a batch and is one statement, hence one transaction: all of its items are durable when it resolves,
 * none when it throws. A repeated item is answered `replay` and changes nothing.
 */

/** The fence: what an owner of an older epoch asks for is answered `fenced`. */
export interface Lease {
  switch_id: string;
  epoch: number;
}

/** The account's spend limits, and the hour (UTC) and day (account's zone, YYYY-MM-DD) that they are counted in. */
export interface SpendWindow {
  spend_hour: Date;
  spend_hour_max: bigint;
  spend_day: string;
  spend_day_max: bigint;
}

export interface AuthorizeItem extends SpendWindow {
  leg_id: string;
  call_id: string;
  wallet_id: bigint;
  channel_id: string;
  hold_micros: bigint;
  seconds: number;
  pack_id: bigint | null;
  pack_seconds: number;
  /** The latest moment at which the first grant can be used up: ringing and granted seconds from now. */
  deadline_at: Date;
  now_at: Date;
  concurrent_calls_max: number;
  snapshot: unknown;
}

export interface RenewItem extends SpendWindow {
  leg_id: string;
  wallet_id: bigint;
  /** 2 for the first renewal; the number makes a renewal whose answer was lost repeatable. */
  grant_no: number;
  micros: bigint;
  seconds: number;
  pack_seconds: number;
  deadline_at: Date;
  now_at: Date;
}

export interface AnswerItem {
  leg_id: string;
  /** The number of the attempt that answered; counts from 1. */
  attempt: number;
  answered_at: Date;
  deadline_at: Date;
}

export interface SettleItem {
  leg_id: string;
  wallet_id: bigint;
  /** Charged to the wallet; with the tax at most what is held. */
  net_micros: bigint;
  tax_micros: bigint;
  /** What the call cost beyond the hold: booked to the operator. */
  loss_micros: bigint;
  pack_seconds: number;
  spend_hour: Date;
  spend_day: string;
  /** Columns of the table cdr that the function does not know from the hold. */
  cdr: CallRecord;
}

/** What a record says besides the money; times are the switch's own. */
export interface CallRecord {
  started_at: Date;
  direction: 'outbound' | 'inbound' | 'emergency';
  device: string | null;
  dialled: string;
  caller: string | null;
  callee: string | null;
  destination: string | null;
  answered_at: Date | null;
  ended_at: Date;
  duration_ms: number;
  duration_source: 'record' | 'events' | 'monotonic' | 'proof_of_life' | 'none';
  seconds_charged: number;
  seconds_billed: number;
  cost_micros: bigint;
  cost_currency: string | null;
  result: 'answered' | 'no_answer' | 'busy' | 'cancelled' | 'failed' | 'refused';
  refusal: string | null;
  cause: number;
  blame: 'nobody' | 'caller' | 'callee' | 'carrier' | 'us';
  pdd_ms: number | null;
  carrier_id: number | null;
  trunk_id: string | null;
  attempts: readonly unknown[];
}

/** The record of a call for which no money was ever held. */
export interface UnheldRecord extends CallRecord {
  leg_id: string;
  call_id: string;
  account_id: string | null;
  snapshot: unknown;
}

export type HoldVerdict =
  | 'granted'
  | 'settled'
  | 'replay'
  /** A refusal is not recorded where money is or was held for the leg: its settlement makes the record. */
  | 'held'
  /** The wallet, an hour's or a day's spend limit leaves too little: see `free_micros`. */
  | 'short'
  | 'spend_hour'
  | 'spend_day'
  | 'pack_short'
  | 'too_many_calls'
  | 'no_wallet'
  | 'closed'
  | 'unknown'
  | 'over_held'
  | 'fenced';

export interface HoldAnswer {
  verdict: HoldVerdict;
  /** What can still be held after the decision; meaningful for the verdicts about money. */
  free_micros: bigint;
  open_calls: number;
  held_micros: bigint;
  seconds_granted: number;
}

interface HoldRow {
  n: number;
  verdict: HoldVerdict;
  free_micros: string;
  open_calls: number;
  held_micros: string;
  seconds_granted: number;
}

type BatchFunction = 'authorize_batch' | 'renew_batch' | 'answer_batch' | 'settle_batch' | 'record_unheld_batch';

async function runBatch(
  db: Queryable,
  call: BatchFunction,
  lease: Lease,
  items: readonly object[],
): Promise<HoldAnswer[]> {
  const numbered = items.map((item, n) => ({ ...item, n }));
  const result = await db.query<HoldRow>({
    name: call,
    text: `select n, verdict, free_micros, open_calls, held_micros, seconds_granted from ${call}($1, $2, $3)`,
    values: [lease.switch_id, lease.epoch, JSON.stringify(numbered, bigintAsText)],
  });
  const answers: HoldAnswer[] = new Array<HoldAnswer>(items.length);
  for (const row of result.rows) {
    answers[row.n] = {
      verdict: row.verdict,
      free_micros: BigInt(row.free_micros),
      open_calls: row.open_calls,
      held_micros: BigInt(row.held_micros),
      seconds_granted: row.seconds_granted,
    };
  }
  if (result.rows.length !== items.length)
    throw new Error(`${call} answered ${result.rows.length} of ${items.length} items`);
  return answers;
}

/** JSON has no integer beyond 2^53; Postgres reads a bigint from text as well. */
function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

export function authorizeCalls(db: Queryable, lease: Lease, items: readonly AuthorizeItem[]): Promise<HoldAnswer[]> {
  return runBatch(db, 'authorize_batch', lease, items);
}

export function renewCalls(db: Queryable, lease: Lease, items: readonly RenewItem[]): Promise<HoldAnswer[]> {
  return runBatch(db, 'renew_batch', lease, items);
}

export function answerCalls(db: Queryable, lease: Lease, items: readonly AnswerItem[]): Promise<HoldAnswer[]> {
  return runBatch(db, 'answer_batch', lease, items);
}

export function settleCalls(db: Queryable, lease: Lease, items: readonly SettleItem[]): Promise<HoldAnswer[]> {
  return runBatch(db, 'settle_batch', lease, items);
}

export function recordUnheldCalls(db: Queryable, lease: Lease, items: readonly UnheldRecord[]): Promise<HoldAnswer[]> {
  return runBatch(
    db,
    'record_unheld_batch',
    lease,
    items.map((cdr) => ({
      cdr: { ...cdr, net_micros: 0, tax_micros: 0, operator_loss_micros: 0, pack_seconds: 0, grants: [] },
    })),
  );
}
