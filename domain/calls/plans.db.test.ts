import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase, type FreshDatabase } from '../../deploy/testing/database.ts';
import { takeLease } from '../lease/lease.ts';
import { answerCalls, authorizeCalls, renewCalls, settleCalls } from './hold.ts';
import type { CallRecord, Lease } from './hold.ts';
import { setStage } from './testing/ledger_rows.ts';
import type { Stage } from './testing/ledger_rows.ts';

/** So many wallets there are, and as many open holds, settled calls and transactions. */
const ROWS = 1_500;
const now = new Date('2026-01-15T12:00:00Z');
const spend = { spend_hour: now, spend_hour_max: 10n ** 9n, spend_day: '2026-01-15', spend_day_max: 10n ** 9n };
const record: CallRecord = {
  ...{ started_at: now, direction: 'outbound', device: null, dialled: '+4420', caller: null, callee: null },
  ...{ destination: null, answered_at: now, ended_at: now, duration_ms: 1, duration_source: 'record' },
  ...{ seconds_charged: 1, seconds_billed: 1, cost_micros: 3n, cost_currency: 'EUR', result: 'answered' },
  ...{ refusal: null, cause: 16, blame: 'nobody', pdd_ms: null, carrier_id: 1, trunk_id: null, attempts: [] },
};

let database: FreshDatabase;
let pool: pg.Pool;
let stage: Stage;
let lease: Lease;
/** Makes its plans while the tables are nearly empty. */
let early: pg.Client;
/** The plans of all statements that were carried out, those within functions, too. */
let plans: string[] = [];

async function connect(): Promise<pg.Client> {
  // As the controller keeps its plans.
  const client = new pg.Client({ connectionString: database.url, options: '-c plan_cache_mode=force_generic_plan' });
  await client.connect();
  await client.query(`load 'auto_explain'`);
  await client.query(
    `set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on;
     set auto_explain.log_timing = off; set auto_explain.log_level = notice`,
  );
  client.on('notice', ({ message = '' }) => plans.push(message));
  return client;
}

/** Three calls, two of them of one wallet, and a single one, from their beginning to their end. */
async function live(client: pg.Client): Promise<string[]> {
  const verdicts: string[] = [];
  const told = (answers: readonly { verdict: string }[]) => verdicts.push(...answers.map(({ verdict }) => verdict));
  const [euro, dollar] = stage.wallet_ids;
  for (const wallets of [[dollar, euro, dollar], [euro]]) {
    const legs = wallets.map((wallet_id) => ({ leg_id: randomUUID(), wallet_id }));
    const hold = { channel_id: 'x', hold_micros: 10n, pack_id: null, concurrent_calls_max: 9, snapshot: {}, ...spend };
    const grant = { seconds: 5, pack_seconds: 0, deadline_at: now, now_at: now };
    const calls = legs.map((leg) => ({ ...leg, ...hold, ...grant, call_id: leg.leg_id }));
    told(await authorizeCalls(client, lease, calls));
    told(await answerCalls(client, lease, legs.map(({ leg_id }) => ({ leg_id, attempt: 1, answered_at: now, deadline_at: now })))); // prettier-ignore
    told(await renewCalls(client, lease, legs.map((leg) => ({ ...leg, ...spend, ...grant, grant_no: 2, micros: 9n })))); // prettier-ignore
    const price = { net_micros: 7n, tax_micros: 2n, loss_micros: 1n, pack_seconds: 0, cdr: record };
    told(await settleCalls(client, lease, legs.map((leg) => ({ ...leg, ...spend, ...price })))); // prettier-ignore
  }
  return verdicts;
}

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
  await pool.query(`insert into carrier (id, code, name, currency) values (1, 'alpha', 'Alpha', 'EUR')`);
  stage = await setStage(pool, { credit_limit_micros: 10_000n, pack_seconds: 1, pack_expires_at: now });
  lease = { switch_id: stage.switch_id, epoch: (await takeLease(pool, stage.switch_id, randomUUID(), now)).epoch };
  early = await connect();
  await live(early);
  await pool.query(
    `with a as (insert into account (id, name, home_country) select gen_random_uuid(), 'other', 'DE' from generate_series(1, ${ROWS}) returning id)
     insert into wallet (account_id, currency) select id, 'EUR' from a`,
  );
  await pool.query(
    `with h as (insert into call_hold (leg_id, call_id, wallet_id, switch_id, channel_id, held_micros, seconds_granted, authorized_at, deadline_at, snapshot)
                select gen_random_uuid(), gen_random_uuid(), w.id, '${stage.switch_id}', 'x', 1, 1, now(), now(), '{}' from wallet w returning leg_id)
     insert into call_grant (leg_id, grant_no, seconds, micros, granted_at) select leg_id, 1, 1, 1, now() from h`,
  );
  await pool.query(
    `insert into cdr select (jsonb_populate_record(null::cdr, to_jsonb(c) || jsonb_build_object('leg_id', gen_random_uuid()))).*
       from (select * from cdr limit 1) c, generate_series(1, ${ROWS})`,
  );
  await pool.query(
    `with t as (insert into ledger_tx (kind, ref, content) select 'adjustment', gen_random_uuid(), '{}' from generate_series(1, ${ROWS}) returning id)
     insert into posting select t.id, a.id, 'EUR', a.sign from t,
       (select id, case kind when 'revenue' then 1 else -1 end as sign from ledger_account
         where kind in ('revenue', 'tax_payable') and currency = 'EUR') a`,
  );
});

afterAll(async () => {
  await early.end();
  await pool.end();
  await database.drop();
});

/** Steps of the plans that looked at far more rows than they were asked for. */
function wasteful(): string[] {
  return plans
    .flatMap((plan) => plan.split('\n'))
    .filter((line) => {
      const [, read, removed] = /actual rows=(\d+)|Rows Removed by .*: (\d+)/u.exec(line) ?? [];
      return Number(read ?? removed ?? 0) > 100;
    });
}

describe(`with ${ROWS} wallets and calls the tables are asked by their indexes alone`, () => {
  async function lives(client: pg.Client): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) {
      plans = [];
      expect(new Set(await live(client))).toEqual(new Set(['granted', 'settled']));
      expect(plans.length).toBeGreaterThan(20);
      expect(wasteful()).toEqual([]);
    }
  }

  it('by whoever planned while they were empty', () => lives(early));

  it('by whoever comes when they are full', async () => {
    await pool.query('analyze');
    const late = await connect();
    await lives(late);
    await late.end();
  });
});
