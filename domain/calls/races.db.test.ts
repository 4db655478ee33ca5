import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type FreshDatabase } from '../../deploy/testing/database.ts';
import { inTransaction } from '../db/transaction.ts';
import { brokenInvariants } from '../ledger/invariants.ts';
import { topUp } from '../ledger/top_up.ts';
import { authorizeCalls, recordUnheldCalls, renewCalls, settleCalls } from './hold.ts';
import type { AuthorizeItem, CallRecord, HoldAnswer, Lease, SettleItem } from './hold.ts';
import { takeLease } from '../lease/lease.ts';
import { givePromo, setStage } from './testing/ledger_rows.ts';
import type { Stage } from './testing/ledger_rows.ts';

/** So many connections ask at the same moment. */
const SIDES = 12;
const now = new Date('2026-01-15T12:00:00Z');
const window = {
  spend_hour: now,
  spend_hour_max: 10n ** 9n,
  spend_day: '2026-01-15',
  spend_day_max: 10n ** 9n,
};

let database: FreshDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: SIDES });
  // Connected beforehand, so that all of them really ask at once.
  const clients = await Promise.all(Array.from({ length: SIDES }, () => pool.connect()));
  for (const client of clients) client.release();
});

afterAll(async () => {
  expect(await brokenInvariants(pool)).toEqual([]);
  await pool.end();
  await database.drop();
});

interface Scene {
  stage: Stage;
  lease: Lease;
  wallet_id: bigint;
}

async function scene(cash_micros: bigint): Promise<Scene> {
  const stage = await setStage(pool, { credit_limit_micros: 0n, pack_seconds: 10, pack_expires_at: now });
  const { epoch } = await takeLease(pool, stage.switch_id, randomUUID(), now);
  const [wallet_id] = stage.wallet_ids;
  const payment_id = randomUUID();
  await inTransaction(pool, (tx) => topUp(tx, { payment_id, wallet_id, amount_micros: cash_micros, reason: 'test' }));
  return { stage, lease: { switch_id: stage.switch_id, epoch }, wallet_id };
}

function callOf({ wallet_id }: Scene, leg_id: string): AuthorizeItem {
  return {
    ...{ leg_id, call_id: leg_id, wallet_id, channel_id: leg_id, hold_micros: 10n, seconds: 5 },
    ...{ pack_id: null, pack_seconds: 0, deadline_at: now, now_at: now, concurrent_calls_max: 1000, snapshot: {} },
    ...window,
  };
}

const record: CallRecord = {
  ...{ started_at: now, direction: 'outbound', device: null, dialled: '+4420', caller: null, callee: null },
  ...{ destination: null, answered_at: now, ended_at: now, duration_ms: 1, duration_source: 'record' },
  ...{ seconds_charged: 1, seconds_billed: 1, cost_micros: 0n, cost_currency: null, result: 'answered' },
  ...{ refusal: null, cause: 16, blame: 'nobody', pdd_ms: null, carrier_id: null, trunk_id: null, attempts: [] },
};

function settlementOf({ wallet_id }: Scene, leg_id: string): SettleItem {
  const { spend_hour, spend_day } = window;
  return {
    ...{ leg_id, wallet_id, net_micros: 7n, tax_micros: 0n, loss_micros: 0n, pack_seconds: 0 },
    ...{ spend_hour, spend_day, cdr: record },
  };
}

/** Asks from every side while the wallet is locked, and lets go when all of them wait, so that they really meet. */
async function atOnce({ wallet_id }: Scene, ask: () => Promise<readonly HoldAnswer[]>): Promise<HoldAnswer[]> {
  const gate = new pg.Client({ connectionString: database.url });
  await gate.connect();
  try {
    await gate.query('begin');
    await gate.query('select 1 from wallet where id = $1 for update', [wallet_id.toString()]);
    const asked = Promise.all(Array.from({ length: SIDES }, ask));
    const waiting = async () => {
      const { rows } = await gate.query<{ sides: number }>(
        `select count(distinct pid)::int as sides from pg_locks
          where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`,
      );
      return rows[0]?.sides;
    };
    await expect.poll(waiting).toBe(SIDES);
    await gate.query('commit');
    return (await asked).flat();
  } finally {
    await gate.end();
  }
}

/** How often each verdict was given. */
function tally(answers: readonly HoldAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { verdict } of answers) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return counts;
}

describe('many sides at once', () => {
  it('hold what a wallet has and no more, and nothing of promo credit that has expired', async () => {
    const world = await scene(300n);
    const promo = { wallet_id: world.wallet_id, currency: 'EUR', micros: 200n, spend_order: 50 } as const;
    await givePromo(pool, { ...promo, expires_at: now });
    const legs = Array.from({ length: 20 * SIDES }, () => randomUUID());
    const answers = await Promise.all(legs.map((leg) => authorizeCalls(pool, world.lease, [callOf(world, leg)])));
    expect(tally(answers.flat())).toEqual({ granted: 30, short: legs.length - 30 });
  });

  it('hold, renew and settle one leg once', async () => {
    const world = await scene(1000n);
    const leg_id = randomUUID();
    const held = await atOnce(world, () => authorizeCalls(pool, world.lease, [callOf(world, leg_id)]));
    expect(tally(held)).toEqual({ granted: 1, replay: SIDES - 1 });
    const { wallet_id } = world;
    const grant = { leg_id, wallet_id, grant_no: 2, micros: 10n, seconds: 5, pack_seconds: 0 };
    const renewal = { ...grant, deadline_at: now, now_at: now, ...window };
    const renewed = await atOnce(world, () => renewCalls(pool, world.lease, [renewal]));
    expect(tally(renewed)).toEqual({ granted: 1, replay: SIDES - 1 });
    const settled = await atOnce(world, () => settleCalls(pool, world.lease, [settlementOf(world, leg_id)]));
    expect(tally(settled)).toEqual({ settled: 1, replay: SIDES - 1 });
    const { rows } = await pool.query('select balance_micros, held_micros, open_calls from wallet where id = $1', [
      wallet_id.toString(),
    ]);
    expect(rows).toEqual([{ balance_micros: '993', held_micros: '0', open_calls: 0 }]);
  });

  it('leave the record of the settlement, whatever was said of a refusal before, after or meanwhile', async () => {
    const world = await scene(10_000n);
    const legs = Array.from({ length: 10 * SIDES }, () => randomUUID());
    const refused = { ...record, answered_at: null, result: 'refused', refusal: 'outage' } as const;
    const refuse = (leg_id: string) =>
      recordUnheldCalls(pool, world.lease, [{ ...refused, leg_id, call_id: leg_id, account_id: null, snapshot: {} }]);
    const hold = async (leg_id: string) => {
      await authorizeCalls(pool, world.lease, [callOf(world, leg_id)]);
      return settleCalls(pool, world.lease, [settlementOf(world, leg_id)]);
    };
    await Promise.all(legs.flatMap((leg, n) => (n % 2 === 0 ? [refuse(leg), hold(leg)] : [hold(leg), refuse(leg)])));
    const { rows } = await pool.query(
      `select result, net_micros, count(*)::int as records from cdr where leg_id = any($1) group by 1, 2`,
      [legs],
    );
    expect(rows).toEqual([{ result: 'answered', net_micros: '7', records: legs.length }]);
  });
});
