import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { databaseLogin } from '../../deploy/parts/database_login.ts';
import { freshDatabase } from '../../deploy/testing/database.ts';
import { makeCarrier, makeCustomer } from '../../deploy/world/people.ts';
import type { Customer } from '../../deploy/world/people.ts';
import { answerCalls, authorizeCalls, recordUnheldCalls, renewCalls, settleCalls } from '../../domain/calls/hold.ts';
import type { Lease } from '../../domain/calls/hold.ts';
import { takeLease } from '../../domain/lease/lease.ts';
import type { CallPlan } from '../call/plan.ts';
import { settlementOf, unheldRecord } from '../call/settlement.ts';
import { spendWindow } from '../call/spend_window.ts';
import { legPrice } from '../../domain/rating/leg_price.ts';
import { explainCall } from './explain_call.ts';
import { newestCall } from './newest_call.ts';
import type { Story } from './story.ts';
import { tellCall } from './tell_call.ts';
import { ARRIVED_AT_MS, failedOver, samplePlan, sampleSettling } from './testing/sample_call.ts';

let pool: pg.Pool;
/** Logged in as the command is. */
let reader: pg.Pool;
let drop: () => Promise<void>;
let lease: Lease;
let customer: Customer;
let plan: CallPlan;
const NOW_MS = ARRIVED_AT_MS + 2_500;

beforeAll(async () => {
  const database = await freshDatabase();
  drop = database.drop;
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  const { password } = new URL(database.url);
  const url = await databaseLogin({ database_url: database.url, group: 'letsdial_explain', password });
  reader = new pg.Pool({ connectionString: url, max: 2 });
  const { epoch } = await takeLease(pool, 'asterisk-1', randomUUID(), new Date(ARRIVED_AT_MS));
  lease = { switch_id: 'asterisk-1', epoch };
  for (const name of ['alpha', 'beta']) {
    await makeCarrier(pool, { carrier: name, trunk: `trunk-${name}`, address: '127.0.0.5', port: 5060 });
  }
  customer = await makeCustomer(pool, { balance_micros: 5_000_000n, number: '+49301234567' });
  const { account_id, wallet_id } = customer;
  plan = samplePlan({ account_id, wallet_id, tax_ppm: 190_000 });
});

afterAll(async () => {
  await reader.end();
  await pool.end();
  await drop();
});

/** Money is held for three seconds, and for three more; the call is answered after a second. */
async function begin(leg_id: string, call_id: string): Promise<bigint> {
  const first = legPrice(plan.tariff, 3, 0).gross;
  const both = legPrice(plan.tariff, 6, 0).gross;
  const window = spendWindow(plan, ARRIVED_AT_MS);
  const at = { now_at: new Date(ARRIVED_AT_MS), deadline_at: new Date(ARRIVED_AT_MS + 93_000) };
  const common = { leg_id, wallet_id: plan.wallet_id, seconds: 3, pack_seconds: 0, ...at, ...window };
  const hold = {
    ...common,
    call_id,
    channel_id: 'c',
    hold_micros: first,
    pack_id: null,
    concurrent_calls_max: 10,
    snapshot: plan,
  };
  const verdicts = [
    ...(await authorizeCalls(pool, lease, [hold])),
    ...(await answerCalls(pool, lease, [
      { leg_id, attempt: 1, answered_at: new Date(ARRIVED_AT_MS + 1_000), deadline_at: at.deadline_at },
    ])),
    ...(await renewCalls(pool, lease, [{ ...common, grant_no: 2, micros: both - first }])),
  ];
  expect(verdicts.map((one) => one.verdict)).toEqual(['granted', 'granted', 'granted']);
  return both;
}

async function settle(leg_id: string, call_id: string, duration_ms: number): Promise<void> {
  const micros = legPrice(plan.tariff, 6, 0).gross;
  const state = sampleSettling(plan, { seconds: 6, micros, pack_seconds: 0 }, failedOver, leg_id, call_id);
  const answered_at_ms = ARRIVED_AT_MS + 1_000;
  const item = settlementOf(state, {
    duration_ms,
    source: 'record',
    started_at_ms: ARRIVED_AT_MS,
    answered_at_ms,
    ended_at_ms: answered_at_ms + duration_ms,
    cause: 16,
  });
  expect((await settleCalls(pool, lease, [item])).map((one) => one.verdict)).toEqual(['settled']);
}

async function theStory(id: string): Promise<Story> {
  const explanation = await explainCall(reader, id, NOW_MS);
  if (explanation.kind !== 'told' || explanation.stories[0] === undefined)
    throw new Error(`${id} is ${explanation.kind}`);
  expect(explanation.stories).toHaveLength(1);
  return explanation.stories[0];
}

it('knows the newest call, whether it lives or is over', async () => {
  expect(await newestCall(reader)).toBeNull();
  const [live, refused, older] = [randomUUID(), randomUUID(), randomUUID()];
  await begin(randomUUID(), live);
  expect(await newestCall(reader)).toEqual({ call_id: live, at: new Date(ARRIVED_AT_MS) });
  const { arrival } = sampleSettling(plan, { seconds: 0, micros: 0n, pack_seconds: 0 }, []);
  const later = { ...arrival, arrived_at_ms: ARRIVED_AT_MS + 60_000 };
  const refusal = { kind: 'refuse', reason: 'no_money', account_id: customer.account_id, facts: {} } as const;
  const at = { at_ms: later.arrived_at_ms, cause: 21 };
  const record = unheldRecord({ call_id: refused, leg_id: randomUUID(), arrival: later }, refusal, null, at);
  await recordUnheldCalls(pool, lease, [record]);
  await begin(randomUUID(), older);
  expect(await newestCall(reader)).toEqual({ call_id: refused, at: new Date(later.arrived_at_ms) });
});

it('tells a call that lives, and the same call once it is settled', async () => {
  const [leg_id, call_id] = [randomUUID(), randomUUID()];
  const held = await begin(leg_id, call_id);
  const live = await theStory(call_id);
  expect(live).toMatchObject({ state: 'talking', held_micros: held, seconds_charged: 2 });
  await settle(leg_id, call_id, 4_200);
  const story = await theStory(call_id);
  expect(story.contradictions).toEqual([]);
  expect(story).toMatchObject({
    state: 'over',
    result: 'answered',
    seconds_billed: 5,
    charged_micros: 65_450n,
    held_micros: held,
  });
  expect(story.grants.map(({ no, seconds }) => [no, seconds])).toEqual([
    [1, 3],
    [2, 3],
  ]);
  expect(story.attempts.map(({ carrier, answered }) => [carrier, answered])).toEqual([
    ['alpha', false],
    ['beta', true],
  ]);
  expect(story.postings.map(({ account, carrier, amount_micros }) => [account, carrier, amount_micros])).toEqual([
    ['wallet_cash', null, -65_450n],
    ['revenue', null, 55_000n],
    ['tax_payable', null, 10_450n],
    ['carrier_cost', 'beta', -5_000n],
    ['carrier_payable', 'beta', 5_000n],
  ]);
  expect(tellCall(story).join('\n')).toContain('Sum');
});

it('finds it by the leg and by the beginning of either id, in capitals and without hyphens too', async () => {
  const [leg_id, call_id] = [randomUUID(), randomUUID()];
  await begin(leg_id, call_id);
  await settle(leg_id, call_id, 4_200);
  for (const id of [
    leg_id,
    leg_id.slice(0, 8),
    call_id.slice(0, 13),
    call_id.toUpperCase(),
    leg_id.replaceAll('-', ''),
  ]) {
    expect((await theStory(id)).leg_id).toBe(leg_id);
  }
});

it('books what a late hang-up cost to the operator, and the story still adds up', async () => {
  const [leg_id, call_id] = [randomUUID(), randomUUID()];
  await begin(leg_id, call_id);
  await settle(leg_id, call_id, 7_900);
  const story = await theStory(leg_id);
  expect(story.contradictions).toEqual([]);
  expect(story).toMatchObject({ seconds_charged: 6, operator_loss_micros: 20_000n });
});

it('tells why a call was refused', async () => {
  const [leg_id, call_id] = [randomUUID(), randomUUID()];
  const { arrival } = sampleSettling(plan, { seconds: 0, micros: 0n, pack_seconds: 0 }, []);
  const refusal = {
    kind: 'refuse',
    reason: 'prefix_blocked',
    account_id: customer.account_id,
    facts: { prefix: '44' },
  } as const;
  const record = unheldRecord({ call_id, leg_id, arrival }, refusal, null, { at_ms: NOW_MS, cause: 21 });
  await recordUnheldCalls(pool, lease, [record]);
  const story = await theStory(call_id);
  expect(story).toMatchObject({
    refusal: 'prefix_blocked',
    facts: { prefix: '44' },
    charged_micros: 0n,
    contradictions: [],
  });
});

it('says which calls begin alike, that there is none, or that this is no id', async () => {
  const twins = ['abcdef01-0000-4000-8000-000000000001', 'abcdef01-0000-4000-8000-000000000002'];
  for (const call_id of twins) {
    const leg_id = randomUUID();
    await begin(leg_id, call_id);
    await settle(leg_id, call_id, 1_000);
  }
  expect(await explainCall(reader, 'abcdef01', NOW_MS)).toEqual({ kind: 'ambiguous', call_ids: twins });
  expect((await theStory('abcdef01-0000-4000-8000-000000000002')).call_id).toBe(twins[1]);
  expect(await explainCall(reader, randomUUID(), NOW_MS)).toEqual({ kind: 'unknown' });
  for (const id of ['abcdef0', 'not a call', `${randomUUID()}0`]) {
    expect(await explainCall(reader, id, NOW_MS)).toEqual({ kind: 'not_an_id' });
  }
});
