import type pg from 'pg';
import { setTimeout as wait } from 'node:timers/promises';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';

/** The record of a call as the database has it: the verdict, not what the controller says of itself. */
export interface CdrVerdict {
  leg_id: string;
  call_id: string;
  direction: string;
  result: string;
  refusal: string | null;
  cause: number;
  blame: string;
  duration_ms: number;
  duration_source: string;
  seconds_charged: number;
  seconds_billed: number;
  net_micros: bigint;
  tax_micros: bigint;
  operator_loss_micros: bigint;
  cost_micros: bigint;
  caller: string | null;
  callee: string | null;
  carrier_id: number | null;
  pdd_ms: number | null;
  grants: { no: number; seconds: number; micros: number }[];
  attempts: { attempt: number; trunk_id: string | null; sip_status: number | null; blame: string | null }[];
}

interface CdrRow extends Omit<
  CdrVerdict,
  'duration_ms' | 'net_micros' | 'tax_micros' | 'operator_loss_micros' | 'cost_micros'
> {
  duration_ms: string;
  net_micros: string;
  tax_micros: string;
  operator_loss_micros: string;
  cost_micros: string;
}

/** All records of an account, oldest first. */
export async function cdrsOf(pool: pg.Pool, account_id: string): Promise<CdrVerdict[]> {
  const { rows } = await pool.query<CdrRow>('select * from cdr where account_id = $1 order by started_at, ended_at', [
    account_id,
  ]);
  return rows.map((row) => ({
    ...row,
    duration_ms: Number(row.duration_ms),
    net_micros: BigInt(row.net_micros),
    tax_micros: BigInt(row.tax_micros),
    operator_loss_micros: BigInt(row.operator_loss_micros),
    cost_micros: BigInt(row.cost_micros),
  }));
}

/** Waits until the account has that many records. */
export async function settledCalls(
  pool: pg.Pool,
  account_id: string,
  count: number,
  within_ms = 15_000,
): Promise<CdrVerdict[]> {
  return eventually(`${count} records of the account`, within_ms, async () => {
    const cdrs = await cdrsOf(pool, account_id);
    return cdrs.length >= count ? cdrs : null;
  });
}

export interface WalletVerdict {
  balance_micros: bigint;
  held_micros: bigint;
  open_calls: number;
}

export async function walletOf(pool: pg.Pool, wallet_id: bigint): Promise<WalletVerdict> {
  const { rows } = await pool.query<{ balance_micros: string; held_micros: string; open_calls: number }>(
    'select balance_micros, held_micros, open_calls from wallet where id = $1',
    [wallet_id.toString()],
  );
  const row = rows[0];
  if (row === undefined) throw new Error('there is no such wallet');
  return {
    balance_micros: BigInt(row.balance_micros),
    held_micros: BigInt(row.held_micros),
    open_calls: row.open_calls,
  };
}

/** Throws unless the books are right and nothing is held. */
export async function booksAreRight(pool: pg.Pool): Promise<void> {
  const broken = await brokenInvariants(pool);
  if (broken.length > 0) throw new Error(`Invariants of the money are broken: ${JSON.stringify(broken)}`);
}

/** Asks again and again until there is an answer; a condition, not a pause. */
export async function eventually<T>(
  what: string,
  within_ms: number,
  ask: () => Promise<T | null> | T | null,
): Promise<T> {
  const until_ms = performance.now() + within_ms;
  for (;;) {
    const answer = await ask();
    if (answer !== null) return answer;
    if (performance.now() > until_ms) throw new Error(`Waited ${within_ms} ms in vain for: ${what}.`);
    await wait(20);
  }
}
