import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Customer } from '../../deploy/world/people.ts';
import { brokenInvariants } from '../ledger/invariants.ts';
import { acceptMessages } from './accept_messages.ts';
import type { NewMessage } from './accept_messages.ts';
import { receiveMessages, receivePart } from './arrivals.ts';
import type { Arrival } from './arrivals.ts';
import { decideHeldMessage } from './decisions.ts';
import { recordOutcomes } from './outcomes.ts';
import type { Outcome } from './outcomes.ts';
import { claimMessages, expireMessages, recoverMessages } from './queue.ts';
import { receiveReceipts } from './receipts.ts';
import { balanceOf, eventsOf, receiptOf, stateOf, submitted, takeOver, textBooks } from './testing/texts.ts';
import type { TextBooks } from './testing/texts.ts';

let books: TextBooks;

beforeAll(async () => {
  books = await textBooks();
});

afterAll(async () => {
  expect(await brokenInvariants(books.pool)).toEqual([]);
  await books.end();
});

const now = (): Date => new Date();

async function accept(...messages: NewMessage[]): Promise<string[]> {
  return (await acceptMessages(books.pool, now(), messages)).map(({ verdict }) => verdict);
}

/** Asks for it twice, as whoever did not hear the answer. */
async function twice<T>(ask: () => Promise<T>): Promise<[T, T]> {
  return [await ask(), await ask()];
}

async function hookOf(customer: Customer): Promise<void> {
  await books.pool.query(
    `insert into webhook_endpoint (id, account_id, url, secret) values ($1, $2, 'http://127.0.0.1:1/', $3)`,
    [randomUUID(), customer.account_id, `whsec_${'a'.repeat(40)}`],
  );
}

async function toldOf(customer: Customer): Promise<number> {
  const { rows } = await books.pool.query('select 1 from customer_delivery where account_id = $1', [
    customer.account_id,
  ]);
  return rows.length;
}

function arrival(to: Customer, more: Partial<Arrival> = {}): Arrival {
  return {
    ...{ id: books.text(to).id, carrier_id: books.carrier_id, sender: '+447700900555', recipient: to.number },
    ...{ body: 'Hi', encoding: 'gsm7', segments: 1, keyword: null, concatenation: null },
    ...more,
  };
}

describe('a batch of which the answer was lost, and which comes again, changes nothing:', () => {
  it('texts that took the last of the money were accepted, whatever would be said of them now', async () => {
    const customer = await books.customer(2_000n);
    const texts = [books.text(customer), books.text(customer)];
    expect(await accept(...texts)).toEqual(['accepted', 'accepted']);
    await books.pool.query(`insert into opt_out values ($1, $2, '*', now())`, [customer.account_id, '+447700900123']);
    expect(await accept(...texts)).toEqual(['replay', 'replay']);
    expect(await balanceOf(books.pool, customer)).toBe(0n);
  });

  it('what was refused is given back once, and stands in the story once', async () => {
    const customer = await books.customer(9_000n);
    const text = books.text(customer, { segments: 3 });
    await accept(text);
    const nothing: Partial<Outcome> = { carrier_message_id: null, cost: null, then_state: null };
    const batch = [
      submitted(books, text.id, 'again-1', { then_state: null }),
      submitted(books, text.id, '', { ...nothing, part_no: 2, kind: 'throttled', status: 0x58 }),
      submitted(books, text.id, '', { ...nothing, part_no: 2, kind: 'refused', status: 0x0b }),
      submitted(books, text.id, '', { ...nothing, part_no: 3, kind: 'in_doubt', status: null }),
      submitted(books, text.id, '', { ...nothing, part_no: 3, kind: 'resent', status: null }),
      submitted(books, text.id, '', { part_no: 0, kind: null, then_state: 'rejected', refund_segments: 2 }),
    ];
    const id = randomUUID();
    expect(await twice(() => recordOutcomes(books.pool, books.lease, id, now(), batch))).toEqual([true, true]);
    expect(await balanceOf(books.pool, customer)).toBe(9_000n - 1_000n);
    expect(await eventsOf(books.pool, text.id)).toEqual(
      ['submitted', 'throttled', 'refused', 'in_doubt', 'resent', 'final', 'refunded'].sort(),
    );
  });

  it('a carrier that says the same twice is heard twice, when it is not the same batch', async () => {
    const text = books.text(await books.customer(9_000n));
    await accept(text);
    const throttled = (at: Date) =>
      submitted(books, text.id, '', { kind: 'throttled', cost: null, then_state: null, at });
    const first = now();
    await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [throttled(first)]);
    await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [throttled(new Date(first.getTime() + 1))]);
    expect(await eventsOf(books.pool, text.id)).toEqual(['throttled', 'throttled']);
    const done = submitted(books, text.id, 'throttled-1');
    await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [done]);
  });

  it('a text that was put in doubt and let go meanwhile is not put in doubt again', async () => {
    const customer = await books.customer(9_000n);
    const text = books.text(customer, { on_doubt: 'hold' });
    await accept(text);
    const doubt = submitted(books, text.id, '', { kind: 'in_doubt', cost: null, then_state: 'doubt' });
    const id = randomUUID();
    const record = () => recordOutcomes(books.pool, books.lease, id, now(), [doubt]);
    expect(await twice(record)).toEqual([true, true]);
    expect(await stateOf(books.pool, text.id)).toBe('in_doubt');
    const decision = { message_id: text.id, release: true, by: 'Ann', reason: 'harmless' };
    expect(await twice(() => decideHeldMessage(books.pool, decision, now()))).toEqual(['released', 'not_held']);
    expect(await claimMessages(books.pool, books.lease, books.carrier_id, now(), 100)).toMatchObject([{ attempt: 2 }]);
    await record();
    expect(await stateOf(books.pool, text.id)).toBe('queued');
    expect(await eventsOf(books.pool, text.id)).toEqual(['in_doubt', 'resent']);
  });

  it('receipts end a text once, and the customer hears of it once', async () => {
    const customer = await books.customer(9_000n);
    await hookOf(customer);
    const text = books.text(customer);
    await accept(text);
    await recordOutcomes(books.pool, books.lease, randomUUID(), now(), [submitted(books, text.id, 'told-1')]);
    const receive = () => receiveReceipts(books.pool, books.lease, now(), [receiptOf(books, 'told-1')]);
    expect(await twice(receive)).toEqual([['matched'], ['repeated']]);
    expect(await toldOf(customer)).toBe(1);
  });

  it('texts that arrived are stored once, and the customer hears of them once', async () => {
    const customer = await books.customer(0n);
    await hookOf(customer);
    const batch = [arrival(customer), arrival(customer)];
    const [first, second] = await twice(() => receiveMessages(books.pool, books.lease, now(), batch));
    expect(second).toEqual(first);
    expect(await toldOf(customer)).toBe(2);
  });

  it('a STOP that comes again does not undo the START that came after it', async () => {
    const customer = await books.customer(9_000n);
    const stop = [arrival(customer, { keyword: 'stop' })];
    await receiveMessages(books.pool, books.lease, now(), stop);
    await receiveMessages(books.pool, books.lease, now(), [arrival(customer, { keyword: 'start' })]);
    await receiveMessages(books.pool, books.lease, now(), stop);
    expect(await accept(books.text(customer, { recipient: '+447700900555' }))).toEqual(['accepted']);
  });

  it('the parts of a text that is stored are gone, so that one that comes again makes no second text', async () => {
    const customer = await books.customer(0n);
    const part = {
      ...{ carrier_id: books.carrier_id, sender: '+447700900556', recipient: customer.number },
      reference: 7,
    };
    const parts = [1, 2].map((part_no) => ({
      ...part,
      part_count: 2,
      part_no,
      data_coding: 0,
      payload: Buffer.from('x'),
    }));
    for (const one of parts) await receivePart(books.pool, books.lease, now(), one);
    const whole = { sender: part.sender, concatenation: { reference: 7, part_count: 2 } };
    // Two who heard of the last part at the same moment, each of whom makes a text of it.
    await receiveMessages(books.pool, books.lease, now(), [arrival(customer, whole)]);
    await receiveMessages(books.pool, books.lease, now(), [arrival(customer, whole)]);
    const { rows } = await books.pool.query('select 1 from message where account_id = $1', [customer.account_id]);
    expect(rows).toHaveLength(1);
  });

  it('what was recovered, or has expired, is so once', async () => {
    const customer = await books.customer(9_000n);
    const text = books.text(customer, { valid_until: new Date(Date.now() - 1) });
    await accept(text);
    await takeOver(books);
    const [first, second] = await twice(() => recoverMessages(books.pool, books.lease, now()));
    expect(first.resent).toBeGreaterThan(0);
    expect(second).toEqual({ waiting: 0, resent: 0, held: 0 });
    expect(await twice(() => expireMessages(books.pool, books.lease, now(), 100))).toEqual([1, 0]);
    expect(await balanceOf(books.pool, customer)).toBe(9_000n);
  });
});

describe('what a STOP and a START in one batch leave behind is what was said last:', () => {
  it.each([
    [['stop', 'start'], 'accepted'],
    [['start', 'stop'], 'opted_out'],
    [['stop', 'start', 'stop'], 'opted_out'],
  ] as const)('%j: %s', async (keywords, verdict) => {
    for (const before of ['stop', 'start'] as const) {
      const customer = await books.customer(9_000n);
      await receiveMessages(books.pool, books.lease, now(), [arrival(customer, { keyword: before })]);
      const batch = keywords.map((keyword) => arrival(customer, { keyword }));
      await receiveMessages(books.pool, books.lease, now(), batch);
      expect(await accept(books.text(customer, { recipient: '+447700900555' })), before).toEqual([verdict]);
    }
  });
});
