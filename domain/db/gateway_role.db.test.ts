import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseLogin } from '../../deploy/parts/database_login.ts';
import { takeLease } from '../lease/lease.ts';
import { brokenInvariants } from '../ledger/invariants.ts';
import { acceptMessages } from '../texts/accept_messages.ts';
import { abandonedParts, receiveMessages, receivePart } from '../texts/arrivals.ts';
import { cancelMessage, decideHeldMessage } from '../texts/decisions.ts';
import { ensureMessageMonths } from '../texts/message_months.ts';
import { recordOutcomes } from '../texts/outcomes.ts';
import { loadTextPrices } from '../texts/prices/text_prices.ts';
import {
  claimMessages,
  claimStranded,
  expireMessages,
  markSending,
  recoverMessages,
  releaseMessages,
} from '../texts/queue.ts';
import { receiveReceipts, sweepParked } from '../texts/receipts.ts';
import { balanceOf, receiptOf, stateOf, submitted, textBooks } from '../texts/testing/texts.ts';
import type { TextBooks } from '../texts/testing/texts.ts';

/** Of the superuser, who owns the tables. */
let books: TextBooks;
/** Logged in as the gateway is. */
let pool: pg.Pool;

beforeAll(async () => {
  books = await textBooks();
  const { password } = new URL(books.database_url);
  const url = await databaseLogin({ database_url: books.database_url, group: 'letsdial_gateway', password });
  pool = new pg.Pool({ connectionString: url, max: 2 });
});

afterAll(async () => {
  expect(await brokenInvariants(books.pool)).toEqual([]);
  await pool.end();
  await books.end();
});

const now = new Date();

async function refusal(sql: string): Promise<string> {
  return pool.query(sql).then(
    () => 'done',
    (error: unknown) => (error instanceof pg.DatabaseError ? `${error.code}: ${error.message}` : String(error)),
  );
}

describe('the gateway', () => {
  it('takes the lease, makes months and sends a text', async () => {
    await ensureMessageMonths(pool, now);
    const { epoch } = await takeLease(pool, books.lease.gateway_id, randomUUID(), now);
    books.lease = { ...books.lease, epoch };
    expect(await recoverMessages(pool, books.lease, now)).toEqual({ waiting: 0, resent: 0, held: 0 });
    const customer = await books.customer(9_000n);
    const [goes, stays] = [books.text(customer, { on_doubt: 'hold' }), books.text(customer, { epoch: null })];
    expect(await acceptMessages(pool, now, [goes, stays])).toMatchObject([
      { verdict: 'accepted' },
      { verdict: 'accepted', free_micros: 7_000n },
    ]);
    expect(await markSending(pool, books.lease, [goes.id])).toEqual(new Set([goes.id]));
    expect(await receiveReceipts(pool, books.lease, now, [receiptOf(books, 'early')])).toEqual(['parked']);
    expect(await recordOutcomes(pool, books.lease, randomUUID(), now, [submitted(books, goes.id, 'early')])).toBe(true);
    expect(await sweepParked(pool, books.lease, now, 10)).toBe(0);
    expect(await stateOf(pool, goes.id)).toBe('delivered');

    expect(await claimMessages(pool, books.lease, books.carrier_id, now, 9)).toMatchObject([{ message_id: stays.id }]);
    const back = { message_id: stays.id, carrier_id: books.carrier_id, due_at: null, attempt: 1 };
    expect(await releaseMessages(pool, books.lease, [back])).toBe(1);
    expect(await claimStranded(pool, books.lease, books.carrier_id, now, now, 9)).toMatchObject([
      { message_id: stays.id },
    ]);
    expect(await releaseMessages(pool, books.lease, [back])).toBe(1);
    expect(await cancelMessage(pool, customer.account_id, stays.id, now)).toBe('cancelled');
    expect(await balanceOf(books.pool, customer)).toBe(8_000n);
  });

  it('decides on what was held, and ends what is stale', async () => {
    const customer = await books.customer(9_000n);
    const held = books.text(customer, { hold_reason: 'a look at it first', valid_until: now });
    await acceptMessages(pool, now, [held]);
    const decision = { message_id: held.id, release: true, by: 'Ann', reason: 'harmless' };
    expect(await decideHeldMessage(pool, decision, now)).toBe('released');
    expect(await expireMessages(pool, books.lease, now, 10)).toBe(1);
    expect(await balanceOf(books.pool, customer)).toBe(9_000n);
  });

  it('takes in what arrives, whole or in parts', async () => {
    const customer = await books.customer(0n);
    const from = { carrier_id: books.carrier_id, sender: '+447700900123', recipient: customer.number };
    const part = { ...from, reference: 1, part_count: 2, part_no: 1, data_coding: 0, payload: Buffer.from('x') };
    expect(await receivePart(pool, books.lease, now, part)).toBeNull();
    expect(await abandonedParts(pool, new Date(now.getTime() + 1), 9)).toHaveLength(1);
    const whole = { body: 'x', encoding: 'gsm7', segments: 1, keyword: 'stop' } as const;
    const concatenation = { reference: 1, part_count: 2 };
    const arrival = { id: books.text(customer).id, ...from, ...whole, concatenation };
    expect(await receiveMessages(pool, books.lease, now, [arrival])).toEqual([{ account_id: customer.account_id }]);
  });

  it('reads prices, and whom and how it sends by', async () => {
    expect((await loadTextPrices(pool, now.getTime())).size).toEqual({ decks: 1, rates: 1 });
    for (const sql of [
      'select id, account_id, secret_sha256, scopes from api_key where revoked_at is null',
      'select * from esme',
      'select * from carrier_bind',
      'select id, code from carrier where enabled',
      'select * from fx_rate',
      'select id, state, home_country, time_zone, tax_ppm, text_deck from account',
      'select account_id, blocked_prefixes from call_limit',
      'select id, account_id, currency from wallet',
      'select epoch, owner from switch_lease',
      'select * from webhook_endpoint',
      'select * from message_event',
      'select id, carrier_id, received_at from parked_receipt',
      'select id, carrier_id, bind_id, why, received_at from unreadable_receipt',
      'select * from count_queued_texts(now())',
    ])
      expect(await refusal(sql)).toBe('done');
  });

  it('strikes what a customer was told off the list, and an endpoint that is never there', async () => {
    expect(await refusal(`update customer_delivery set attempts = attempts + 1, due_at = now()`)).toBe('done');
    expect(await refusal('delete from customer_delivery')).toBe('done');
    expect(await refusal('update webhook_endpoint set enabled = false')).toBe('done');
  });

  it('cannot put a table of its own in the place of ours', async () => {
    const client = await pool.connect();
    try {
      await client.query('create temporary table switch_lease as select $1::text as switch_id, 99 as epoch', [
        books.lease.gateway_id,
      ]);
      const forged = { ...books.lease, epoch: 99 };
      expect(await receiveReceipts(client, forged, now, [receiptOf(books, 'forged')])).toEqual(['fenced']);
    } finally {
      client.release(true);
    }
  });

  it.each([
    ['update wallet set held_micros = 0', 'table wallet'],
    ['select balance_micros from wallet', 'table wallet'],
    ['select id from wallet for no key update', 'table wallet'],
    ['insert into posting values (1, 1, $$EUR$$, 1)', 'table posting'],
    [`insert into ledger_tx (kind, ref, content) values ('text', gen_random_uuid(), '{}')`, 'table ledger_tx'],
    ['select * from ledger_account', 'table ledger_account'],
    ['insert into message select * from message', 'table message'],
    ['update message set body = null', 'table message'],
    ['delete from message', 'table message'],
    ['truncate message', 'table message'],
    [
      `insert into message_event (message_id, at, kind) values (gen_random_uuid(), now(), 'held')`,
      'table message_event',
    ],
    ['update message_event set cost_micros = 0', 'table message_event'],
    ['delete from message_event', 'table message_event'],
    ['select * from message_event_default', 'table message_event_default'],
    [`update message_queue set state = 'w'`, 'table message_queue'],
    ['delete from message_queue', 'table message_queue'],
    ['select * from message_key', 'table message_key'],
    ['delete from message_key', 'table message_key'],
    ['delete from parked_receipt', 'table parked_receipt'],
    ['select pdu from unreadable_receipt', 'table unreadable_receipt'],
    ['delete from unreadable_receipt', 'table unreadable_receipt'],
    ['select * from ended_text', 'table ended_text'],
    ['delete from mo_part', 'table mo_part'],
    ['delete from opt_out', 'table opt_out'],
    [`insert into text_sender select id, 'Bank' from account`, 'table text_sender'],
    [`update api_key set scopes = '{everything}'`, 'table api_key'],
    ['update esme set enabled = true', 'table esme'],
    [`update webhook_endpoint set url = 'http://127.0.0.1/'`, 'table webhook_endpoint'],
    [`update carrier_bind set host = '127.0.0.1'`, 'table carrier_bind'],
    ['update text_rate set rate_micros_per_segment = 0', 'table text_rate'],
    [`update rate_deck set state = 'retired'`, 'table rate_deck'],
    ['update switch_lease set epoch = 1', 'table switch_lease'],
    [`update account set text_deck = 'free'`, 'table account'],
    ['select name from account', 'table account'],
    ['update call_limit set spend_micros_per_day_max = 1000', 'table call_limit'],
    ['select ha1_md5 from sip_device', 'table sip_device'],
    ['select ha1_sha256 from sip_device', 'table sip_device'],
    ['select auth_secret from trunk', 'table trunk'],
    ['select password_digest from ps_auths', 'view ps_auths'],
    ['select * from call_hold', 'table call_hold'],
    ['select * from cdr', 'table cdr'],
    ['delete from outbox', 'table outbox'],
    [`select post_transaction('topup', gen_random_uuid(), '{}', '{}', '{}')`, 'function post_transaction'],
    ['select refund_message(gen_random_uuid(), 1, now())', 'function refund_message'],
    [`select end_messages('{}', '{}', '{}', now())`, 'function end_messages'],
    [`select store_accepted('{}', '{}', '{}', '{}', false, now())`, 'function store_accepted'],
    [`select * from record_receipts(now(), '{}')`, 'function record_receipts'],
    [`select count_parked('{}', now())`, 'function count_parked'],
    [`select settle_batch('sms', 1, '[]')`, 'function settle_batch'],
    ['create table public.ours (id integer)', 'schema public'],
    ['create schema ours', 'database'],
    ['set role letsdial', 'set role'],
    ['set session_replication_role = replica', 'set parameter "session_replication_role"'],
  ])('is refused: %s', async (sql, what) => {
    expect(await refusal(sql)).toMatch(new RegExp(`^42501: permission denied (for|to) ${what}`));
  });

  it.each([
    'drop table message',
    'alter table wallet drop constraint wallet_floor',
    'drop trigger message_is_written_once on message',
  ])('is refused: %s', async (sql) => {
    expect(await refusal(sql)).toMatch(/^42501: must be owner of /);
  });
});
