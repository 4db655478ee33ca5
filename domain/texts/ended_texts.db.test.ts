import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { databaseLogin } from '../../deploy/parts/database_login.ts';
import { makeCarrier } from '../../deploy/world/people.ts';
import type { Customer } from '../../deploy/world/people.ts';
import { acceptMessages } from './accept_messages.ts';
import type { NewMessage } from './accept_messages.ts';
import { cancelMessage, decideHeldMessage } from './decisions.ts';
import { takeEndedTexts } from './ended_texts.ts';
import type { EndedText } from './ended_texts.ts';
import { recordOutcomes } from './outcomes.ts';
import { expireMessages } from './queue.ts';
import { receiveReceipts } from './receipts.ts';
import { receiptOf, submitted, textBooks } from './testing/texts.ts';
import type { TextBooks } from './testing/texts.ts';

const start = new Date('2026-01-15T12:00:00Z');
const after = (ms: number): Date => new Date(start.getTime() + ms);

let books: TextBooks;
/** Logged in as the gateway is. */
let pool: pg.Pool;
let customer: Customer;

beforeAll(async () => {
  books = await textBooks();
  const { password } = new URL(books.database_url);
  const url = await databaseLogin({ database_url: books.database_url, group: 'letsdial_gateway', password });
  pool = new pg.Pool({ connectionString: url, max: 2 });
});

afterAll(async () => {
  await pool.end();
  await books.end();
});

beforeEach(async () => {
  customer = await books.customer(1_000_000n);
  await books.pool.query('delete from ended_text');
});

async function accepted(recipient: string, wishes: Partial<NewMessage> = {}): Promise<string> {
  const text = books.text(customer, { recipient, valid_until: after(60_000), ...wishes });
  await acceptMessages(pool, start, [text]);
  return text.id;
}

const taken = async (rows_max = 100, carriers_max = 100): Promise<EndedText[]> => {
  const texts = await takeEndedTexts(pool, books.lease, rows_max, carriers_max);
  return texts.sort((a, b) => a.recipient.localeCompare(b.recipient));
};

it('a text that has ended is given once, however it ended and whoever ended it, with how long it took', async () => {
  const { account_id } = customer;
  const [one, two] = [await accepted('+447700900001'), await accepted('+447700900002', { segments: 2 })];
  const early = await accepted('+447700900003');
  const refused = await accepted('+447700900004');
  const waits = { epoch: null };
  const cancelled = await accepted('+447700900005', { ...waits, due_at: after(50_000) });
  const held = await accepted('+447700900006', { hold_reason: 'a look at it first' });
  await accepted('+447700900007', { ...waits, valid_until: after(9_000) });
  await accepted('+447700900008', waits);

  const no = { kind: 'refused', carrier_message_id: null, cost: null, status: 8 } as const;
  expect(await receiveReceipts(pool, books.lease, after(500), [receiptOf(books, 'early')])).toEqual(['parked']);
  await recordOutcomes(pool, books.lease, randomUUID(), after(1_000), [
    submitted(books, one, 'one'),
    submitted(books, two, 'two-1', { then_state: null }),
    submitted(books, two, 'two-2', { part_no: 2 }),
    submitted(books, early, 'early'),
    submitted(books, refused, '', { ...no, then_state: 'rejected', refund_segments: 1 }),
  ]);
  const undelivered = { state: 'undeliverable', error: '001' } as const;
  const receipts = [receiptOf(books, 'one'), receiptOf(books, 'two-1'), receiptOf(books, 'two-2', undelivered)];
  await receiveReceipts(pool, books.lease, after(2_000), receipts);
  await receiveReceipts(pool, books.lease, after(3_000), receipts);
  await cancelMessage(pool, account_id, cancelled, after(4_000));
  await decideHeldMessage(pool, { message_id: held, release: false, by: 'Ann', reason: 'no' }, after(5_000));
  await expireMessages(pool, books.lease, after(10_000), 100);

  const ends = [
    ['+447700900001', 'delivered', 2_000, books.carrier_id],
    ['+447700900002', 'undeliverable', 2_000, books.carrier_id],
    ['+447700900003', 'delivered', 1_000, books.carrier_id],
    ['+447700900004', 'rejected', 1_000],
    // Before it was to go.
    ['+447700900005', 'cancelled', 0],
    ['+447700900006', 'rejected', 5_000],
    ['+447700900007', 'expired', 10_000],
  ].map(([recipient, state, waited_ms, carrier_id = null]) => ({
    ...{ account_id, recipient, state, waited_ms, carrier_id },
  }));
  expect(await takeEndedTexts(pool, { ...books.lease, epoch: books.lease.epoch - 1 }, 100, 100)).toEqual([]);
  expect(await taken()).toEqual(ends);
  expect(await taken()).toEqual([]);
});

it('texts that have ended are given as many as are asked for', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 5; n += 1) ids.push(await accepted(`+44770090000${n}`, { epoch: null }));
  for (const id of ids) await cancelMessage(pool, customer.account_id, id, start);
  const given = [await taken(2), await taken(2), await taken(2)];
  expect(given.map((texts) => texts.length)).toEqual([2, 2, 1]);
  expect(new Set(given.flat().map(({ recipient }) => recipient)).size).toBe(5);
});

it('the carrier is looked up of so many of them, and is the one that took it last', async () => {
  const beta_id = await makeCarrier(books.pool, {
    carrier: 'beta',
    trunk: 'trunk-beta',
    address: '127.0.0.6',
    port: 1,
  });
  for (let n = 0; n < 5; n += 1) {
    const id = await accepted(`+44770090001${n}`);
    await recordOutcomes(pool, books.lease, randomUUID(), after(1_000), [submitted(books, id, `first-${n}`)]);
    await recordOutcomes(pool, books.lease, randomUUID(), after(2_000), [
      submitted({ ...books, carrier_id: beta_id }, id, `last-${n}`, { attempt: 2 }),
    ]);
    await receiveReceipts(pool, books.lease, after(3_000), [{ ...receiptOf(books, `last-${n}`), carrier_id: beta_id }]);
  }
  const carriers = (await taken(100, 3)).map(({ carrier_id }) => carrier_id);
  expect(carriers.filter((carrier_id) => carrier_id === beta_id)).toHaveLength(3);
  expect(carriers.filter((carrier_id) => carrier_id === null)).toHaveLength(2);
});
