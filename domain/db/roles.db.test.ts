import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseLogin } from '../../deploy/parts/database_login.ts';
import { freshDatabase, type FreshDatabase } from '../../deploy/testing/database.ts';
import { makeCarrier, makeCustomer } from '../../deploy/world/people.ts';
import type { Customer } from '../../deploy/world/people.ts';
import { calleeProfiles } from '../accounts/callee_profile.ts';
import { callerProfiles } from '../accounts/caller_profile.ts';
import { ensureCdrMonths } from '../calls/cdr_months.ts';
import { answerCalls, authorizeCalls, recordUnheldCalls, renewCalls, settleCalls } from '../calls/hold.ts';
import type { AuthorizeItem, CallRecord, HoldAnswer, Lease } from '../calls/hold.ts';
import { purgeSettledHolds, saveRecordPosition } from '../calls/settled_calls.ts';
import { openHoldDetails, openHolds } from '../calls/open_holds.ts';
import {
  selectCarrierTrunks,
  selectEmergencyTrunks,
  selectTrunkHosts,
  selectTrunkNetworks,
} from '../carriers/trunks.ts';
import { leaseOwner, takeLease } from '../lease/lease.ts';
import { brokenInvariants } from '../ledger/invariants.ts';
import { selectFxRates } from '../rating/fx_rates.ts';
import { loadIndex } from '../rating/index/load_index.ts';
import { privilegesOf } from './testing/privileges.ts';
import type { Privileges } from './testing/privileges.ts';

const PATH = 'as its owner search_path=public, pg_temp';
/** No statement of theirs has a choice of plans (0029_planned_once.sql). */
const PLANNED_ONCE = 'plan_cache_mode=force_generic_plan';

/** Whoever widens one of these says in a review what it is needed for. */
const controller: Privileges = {
  tables: [
    'insert speaker',
    'select account: home_country, id, sell_deck, state, tax_ppm, time_zone',
    'select call_command: asked_at, call_id, done_at, id, switch_id',
    'select call_grant: granted_at, leg_id',
    'select call_hold: answered_at, answered_attempt, call_id, channel_id, deadline_at, grant_no, held_micros, leg_id, pack_seconds_held, seconds_granted, snapshot, state, switch_id',
    'select call_limit',
    'select carrier: code, enabled, id',
    'select cdr: call_id',
    'select did',
    'select emergency_route',
    'select fx_rate',
    'select minute_pack: expires_at, id, prefixes, seconds_held, seconds_left, spend_order, wallet_id',
    'select number_device',
    'select rate',
    'select rate_deck: carrier_id, currency, id, name, service, side, state, version',
    'select restriction: account_id, ends_at, scope, starts_at',
    'select sip_device: account_id, caller_number, created_at, enabled, id, username',
    'select speaker',
    'select spoken_code: asked_at, box, id, state, switch_id',
    'select switch_lease: epoch, owner, switch_id',
    'select trunk: carrier_id, enabled, host, id, max_channels',
    'select trunk_address',
    'select verified_caller: account_id, number',
    'select wallet: account_id, currency, id',
    'update call_command: done_at',
    'update speaker',
    'update spoken_code: begun_at, box, call_id, ended_at, failure, state',
  ],
  functions: [
    `answer_batch ${PATH} enable_seqscan=off enable_bitmapscan=off ${PLANNED_ONCE}`,
    `authorize_batch ${PATH} enable_seqscan=off enable_bitmapscan=off ${PLANNED_ONCE}`,
    `ensure_cdr_month ${PATH}`,
    `owes_terms ${PATH}`,
    `purge_settled_holds ${PATH}`,
    `record_unheld_batch ${PATH}`,
    `renew_batch ${PATH} enable_seqscan=off enable_bitmapscan=off ${PLANNED_ONCE}`,
    `save_record_position ${PATH}`,
    `settle_batch ${PATH} enable_seqscan=off enable_bitmapscan=off ${PLANNED_ONCE}`,
    `take_lease ${PATH}`,
  ],
  powers: [],
};

const gateway: Privileges = {
  tables: [
    'delete customer_delivery',
    'delete text_volume',
    'insert text_quality',
    'insert text_volume',
    'select account: home_country, id, state, tax_ppm, text_deck, time_zone',
    'select api_key: account_id, id, revoked_at, scopes, secret_sha256',
    'select call_limit: account_id, blocked_prefixes',
    'select carrier: code, enabled, id',
    'select carrier_bind',
    'select content_rule: action, country, enabled, id, kind, pattern, reason',
    'select country_text_rule',
    'select customer_delivery',
    'select esme',
    'select fx_rate',
    'select message',
    'select message_event',
    'select message_key: account_id, content_sha256, idempotency_key, message_id',
    'select message_queue',
    'select message_state',
    'select mo_part',
    'select opt_out: account_id, recipient, sender',
    'select parked_receipt: carrier_id, id, received_at',
    'select ported_number: number, routing_number',
    'select rate_deck: carrier_id, currency, id, name, service, side, state, version',
    'select switch_lease: epoch, owner, switch_id',
    'select text_limit',
    'select text_quality',
    'select text_rate',
    'select text_trust: account_id, country, trusted_until',
    'select text_volume',
    'select unreadable_receipt: bind_id, carrier_id, id, received_at, why',
    'select wallet: account_id, currency, id',
    'select webhook_endpoint',
    'update customer_delivery',
    'update text_quality',
    'update text_volume',
    'update webhook_endpoint: enabled',
  ],
  functions: [
    `accept_messages ${PATH}`,
    `accept_texts ${PATH} enable_seqscan=off ${PLANNED_ONCE}`,
    `cancel_message ${PATH}`,
    `claim_messages as its owner enable_seqscan=off enable_bitmapscan=off search_path=public, pg_temp`,
    `claim_stranded as its owner enable_seqscan=off enable_bitmapscan=off search_path=public, pg_temp`,
    `count_queued_texts search_path=public, pg_temp enable_seqscan=off ${PLANNED_ONCE}`,
    `decide_held_message ${PATH}`,
    `end_unheard_texts ${PATH} enable_seqscan=off ${PLANNED_ONCE}`,
    `ensure_message_month ${PATH}`,
    `erase_bodies ${PATH} enable_seqscan=off`,
    `expire_messages ${PATH}`,
    `forget_texts_past ${PATH}`,
    `forget_unreadable_receipts ${PATH}`,
    `keep_unreadable_receipts ${PATH}`,
    `mark_sending ${PATH}`,
    `receive_messages ${PATH}`,
    `receive_part ${PATH}`,
    `receive_receipts ${PATH} enable_seqscan=off ${PLANNED_ONCE}`,
    `record_outcomes ${PATH} enable_seqscan=off ${PLANNED_ONCE}`,
    `record_screenings ${PATH} enable_seqscan=off ${PLANNED_ONCE}`,
    `recover_messages ${PATH}`,
    `recover_strays ${PATH} enable_seqscan=off`,
    `release_messages ${PATH} enable_seqscan=off enable_hashjoin=off enable_mergejoin=off`,
    `replace_message ${PATH}`,
    `sweep_parked ${PATH} enable_seqscan=off`,
    `take_ended_texts ${PATH} enable_seqscan=off ${PLANNED_ONCE}`,
    `take_lease ${PATH}`,
  ],
  powers: [],
};

const explain: Privileges = {
  tables: [
    'select account: id, time_zone',
    'select audit_head',
    'select audit_log',
    'select call_grant',
    'select call_hold: answered_at, answered_attempt, authorized_at, call_id, deadline_at, held_micros, leg_id, pack_seconds_held, seconds_granted, snapshot, state',
    'select carrier: code, id',
    'select cdr: answered_at, attempts, blame, call_id, callee, caller, cause, cost_currency, cost_micros, currency, destination, device, dialled, direction, duration_ms, duration_source, ended_at, grants, leg_id, net_micros, operator_loss_micros, pack_seconds, pdd_ms, refusal, result, seconds_billed, seconds_charged, snapshot, started_at, tax_micros, trunk_id',
    'select customer_delivery',
    'select ledger_account: carrier_id, id, kind, wallet_id',
    'select ledger_tx: id, kind, ref',
    'select message',
    'select message_event',
    'select message_queue',
    'select message_state',
    'select posting',
    'select rate_deck: currency, id, name, version',
    'select text_rate',
    'select unheld_text: account_id, copy_id, decided_at, decision, message_id, reason',
    'select unreadable_receipt',
  ],
  functions: [],
  powers: [],
};

const now = new Date('2026-01-15T12:00:00Z');
const spend = { spend_hour: now, spend_hour_max: 10n ** 9n, spend_day: '2026-01-15', spend_day_max: 10n ** 9n };
const record: CallRecord = {
  ...{ started_at: now, direction: 'outbound', device: null, dialled: '+4420', caller: null, callee: null },
  ...{ destination: null, answered_at: now, ended_at: now, duration_ms: 1, duration_source: 'record' },
  ...{ seconds_charged: 1, seconds_billed: 1, cost_micros: 2n, cost_currency: 'EUR', result: 'answered' },
  ...{ refusal: null, cause: 16, blame: 'nobody', pdd_ms: null, carrier_id: 1, trunk_id: null, attempts: [] },
};

let database: FreshDatabase;
/** Of the superuser, who owns the tables. */
let owner: pg.Pool;
/** Logged in as the controller is. */
let pool: pg.Pool;
let customer: Customer;
let lease: Lease;

beforeAll(async () => {
  database = await freshDatabase();
  owner = new pg.Pool({ connectionString: database.url, max: 2 });
  const { password } = new URL(database.url);
  const url = await databaseLogin({ database_url: database.url, group: 'letsdial_controller', password });
  pool = new pg.Pool({ connectionString: url, max: 2 });
  await makeCarrier(owner, { carrier: 'alpha', trunk: 'trunk-alpha', address: '127.0.0.5', port: 5060 });
  customer = await makeCustomer(owner, { balance_micros: 1000n, number: '+49301234567' });
  const { epoch } = await takeLease(pool, 'switch', randomUUID(), now);
  lease = { switch_id: 'switch', epoch };
});

afterAll(async () => {
  expect(await brokenInvariants(owner)).toEqual([]);
  await pool.end();
  await owner.end();
  await database.drop();
});

function callOf(leg_id: string): AuthorizeItem {
  return {
    ...{ leg_id, call_id: leg_id, wallet_id: customer.wallet_id, channel_id: leg_id, hold_micros: 10n, seconds: 5 },
    ...{ pack_id: null, pack_seconds: 0, deadline_at: now, now_at: now, concurrent_calls_max: 10, snapshot: {} },
    ...spend,
  };
}

const verdictsOf = (answers: readonly HoldAnswer[]): string[] => answers.map(({ verdict }) => verdict);

async function balance(): Promise<unknown> {
  const { rows } = await owner.query('select balance_micros, held_micros, open_calls from wallet where id = $1', [
    customer.wallet_id.toString(),
  ]);
  return rows[0];
}

async function refusal(sql: string): Promise<string> {
  return pool.query(sql).then(
    () => 'done',
    (error: unknown) => (error instanceof pg.DatabaseError ? `${error.code}: ${error.message}` : String(error)),
  );
}

describe('the rights', () => {
  it.each([
    ['letsdial_controller', controller],
    ['letsdial_gateway', gateway],
    ['letsdial_explain', explain],
  ])('of %s are those that are written here', async (role, rights) => {
    expect(await privilegesOf(owner, role)).toEqual(rights);
  });

  it('of the controller are those of its login, which adds nothing', async () => {
    const { rows } = await pool.query<{ user: string }>('select current_user as user');
    const login = rows[0]?.user ?? '';
    expect(await privilegesOf(owner, login)).toEqual({ ...controller, powers: ['member of letsdial_controller'] });
  });

  it.each([
    'grant update (held_micros) on wallet to letsdial_controller',
    // Of a table that it may read whole.
    'grant update (concurrent_calls_max) on call_limit to letsdial_controller',
    'grant insert on posting to public',
    'grant execute on function post_transaction to public',
    'alter function settle_batch reset search_path',
    'create or replace function added() returns void language sql as $$ select $$',
  ])('are seen to be others after: %s', async (widening) => {
    const client = await owner.connect();
    try {
      await client.query('begin');
      await client.query(widening);
      expect(await privilegesOf(client, 'letsdial_controller')).not.toEqual(controller);
    } finally {
      await client.query('rollback');
      client.release();
    }
  });
});

describe('the controller', () => {
  it('charges a call and keeps house', async () => {
    const { wallet_id } = customer;
    const leg_id = randomUUID();
    expect(verdictsOf(await authorizeCalls(pool, lease, [callOf(leg_id)]))).toEqual(['granted']);
    expect(await openHolds(pool, lease.switch_id)).toHaveLength(1);
    expect(await openHoldDetails(pool, [leg_id])).toMatchObject([{ leg_id, held_micros: 10n }]);
    const renewal = { ...{ leg_id, wallet_id, grant_no: 2, micros: 5n, seconds: 5, pack_seconds: 0 }, ...spend };
    expect(verdictsOf(await renewCalls(pool, lease, [{ ...renewal, deadline_at: now, now_at: now }]))).toEqual([
      'granted',
    ]);
    const answered = { leg_id, attempt: 2, answered_at: now, deadline_at: now };
    expect(verdictsOf(await answerCalls(pool, lease, [answered]))).toEqual(['granted']);
    expect(await purgeSettledHolds(pool, new Date('2027-01-01T00:00:00Z'), 10)).toBe(0);
    const amounts = { net_micros: 6n, tax_micros: 1n, loss_micros: 1n, pack_seconds: 0 };
    const { spend_hour, spend_day } = spend;
    const settlement = { leg_id, wallet_id, ...amounts, spend_hour, spend_day, cdr: record };
    expect(verdictsOf(await settleCalls(pool, lease, [settlement]))).toEqual(['settled']);
    expect(await balance()).toEqual({ balance_micros: '993', held_micros: '0', open_calls: 0 });

    expect(await saveRecordPosition(pool, lease.switch_id, lease.epoch, 'line 7')).toBe(true);
    expect(await saveRecordPosition(pool, lease.switch_id, lease.epoch + 1, 'line 8')).toBe(false);
    expect(await leaseOwner(pool, lease.switch_id)).toMatchObject({ epoch: lease.epoch });
    await ensureCdrMonths(pool, new Date('2031-05-05T00:00:00Z'));
    expect(await purgeSettledHolds(pool, new Date('2027-01-01T00:00:00Z'), 10)).toBe(1);
    expect(await purgeSettledHolds(pool, new Date('2027-01-01T00:00:00Z'), 10)).toBe(0);
  });

  it('reads what a call is decided by', async () => {
    const { device, number, account_id } = customer;
    const question = { device: device.username, claimed_caller: number };
    expect(await callerProfiles(pool, [question])).toMatchObject([{ account_id, caller_number: number }]);
    expect(await calleeProfiles(pool, [number])).toMatchObject([{ account_id, devices: [device.username] }]);
    expect(await selectCarrierTrunks(pool)).toMatchObject([{ code: 'alpha', trunks: [{ id: 'trunk-alpha' }] }]);
    expect(await selectTrunkNetworks(pool)).toEqual(['127.0.0.5/32']);
    expect(await selectTrunkHosts(pool)).toEqual(['127.0.0.5']);
    expect(await selectEmergencyTrunks(pool)).toEqual(new Map());
    expect(await selectFxRates(pool, now)).toEqual(new Map());
    expect((await loadIndex(pool, now.getTime())).next_change_at_ms).toBeNull();
  });

  it('records a refused call, but no charge that was never held', async () => {
    const leg_id = randomUUID();
    const refused = { ...record, leg_id, call_id: leg_id, account_id: customer.account_id, snapshot: {} };
    const unheld = { ...refused, result: 'refused' as const, refusal: 'no_money' };
    const forged = { cdr: { ...unheld, leg_id: randomUUID(), cost_micros: 0, grants: [], operator_loss_micros: 0 } };
    for (const charge of [
      { wallet_id: 1, net_micros: 0, tax_micros: 0, pack_seconds: 0 },
      { net_micros: 5, tax_micros: 0, pack_seconds: 0 },
      { net_micros: 0, tax_micros: 0, pack_seconds: 0, grants: [{ no: 1 }] },
    ]) {
      const items = JSON.stringify([{ n: 0, cdr: { ...forged.cdr, ...charge } }]);
      await expect(pool.query('select * from record_unheld_batch($1, $2, $3)', ['switch', 1, items])).rejects.toThrow(
        /charges nobody/,
      );
    }
    expect(verdictsOf(await recordUnheldCalls(pool, lease, [unheld]))).toEqual(['settled']);
    expect(verdictsOf(await recordUnheldCalls(pool, lease, [unheld]))).toEqual(['replay']);
  });

  it('cannot put a table of its own in the place of ours', async () => {
    const client = await pool.connect();
    try {
      await client.query('create temporary table switch_lease as select $1::text as switch_id, 99 as epoch', [
        lease.switch_id,
      ]);
      const answers = await authorizeCalls(client, { ...lease, epoch: 99 }, [callOf(randomUUID())]);
      expect(verdictsOf(answers)).toEqual(['fenced']);
    } finally {
      client.release(true);
    }
  });

  it.each([
    ['update wallet set held_micros = 0', 'table wallet'],
    ['update wallet set credit_limit_micros = 1000000', 'table wallet'],
    ['select balance_micros from wallet', 'table wallet'],
    ['select id from wallet for no key update', 'table wallet'],
    [`insert into wallet (account_id, currency) select id, 'USD' from account`, 'table wallet'],
    ['delete from wallet', 'table wallet'],
    [`update call_hold set state = 's'`, 'table call_hold'],
    ['delete from call_hold', 'table call_hold'],
    ['delete from call_grant', 'table call_grant'],
    ['insert into posting values (1, 1, $$EUR$$, 1)', 'table posting'],
    [`insert into ledger_tx (kind, ref, content) values ('topup', gen_random_uuid(), '{}')`, 'table ledger_tx'],
    ['truncate ledger_tx cascade', 'table ledger_tx'],
    [`insert into ledger_account (kind, currency) values ('rounding', 'EUR')`, 'table ledger_account'],
    ['update promo_credit set expires_at = now()', 'table promo_credit'],
    ['update minute_pack set seconds_left = 1000', 'table minute_pack'],
    ['update cdr set net_micros = 0', 'table cdr'],
    ['delete from cdr_default', 'table cdr_default'],
    ['update switch_lease set epoch = 1', 'table switch_lease'],
    ['update call_limit set concurrent_calls_max = 1000', 'table call_limit'],
    ['delete from outbox', 'table outbox'],
    ['select ha1_md5 from sip_device', 'table sip_device'],
    ['select ha1_sha256 from sip_device', 'table sip_device'],
    ['select auth_secret from trunk', 'table trunk'],
    ['select password_digest from ps_auths', 'view ps_auths'],
    ['select name from account', 'table account'],
    [`select post_transaction('topup', gen_random_uuid(), '{}', '{}', '{}')`, 'function post_transaction'],
    ['select settle_one(null)', 'function settle_one'],
    [`select ledger_account_id('rounding', 'EUR', null, null)`, 'function ledger_account_id'],
    ['create table public.ours (id integer)', 'schema public'],
    ['create schema ours', 'database'],
    ['alter role asterisk nologin', 'alter role'],
    ['set role letsdial', 'set role'],
    ['set session_replication_role = replica', 'set parameter "session_replication_role"'],
  ])('is refused: %s', async (sql, what) => {
    expect(await refusal(sql)).toMatch(new RegExp(`^42501: permission denied (for|to) ${what}`));
  });

  it.each([
    'drop table posting',
    'alter table wallet drop constraint wallet_floor',
    'drop trigger append_only on posting',
  ])('is refused: %s', async (sql) => {
    expect(await refusal(sql)).toMatch(/^42501: must be owner of /);
  });
});
