import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptMessages } from './accept_messages.ts';
import type { NewMessage } from './accept_messages.ts';
import { recordOutcomes } from './outcomes.ts';
import { receiveReceipts } from './receipts.ts';
import { balanceOf, receiptOf, stateOf, submitted, textBooks } from './testing/texts.ts';
import type { TextBooks } from './testing/texts.ts';
import { endUnheardTexts } from './unheard_texts.ts';

const HOUR_MS = 3_600_000;
const WAIT_MS = 72 * HOUR_MS;

let books: TextBooks;
beforeAll(async () => {
  books = await textBooks();
});
afterAll(() => books.end());

/** So long after everything was accepted. */
const after = (ms: number): Date => new Date(Date.now() + ms);
const look = (now: Date, rows_max = 100) => endUnheardTexts(books.pool, books.lease, now, WAIT_MS, rows_max);

async function accepted(texts: readonly NewMessage[]): Promise<void> {
  const answers = await acceptMessages(books.pool, new Date(), texts);
  expect(new Set(answers.map(({ verdict }) => verdict))).toEqual(new Set(['accepted']));
}

const sent = (text: NewMessage, more: Parameters<typeof submitted>[3] = {}) =>
  recordOutcomes(books.pool, books.lease, randomUUID(), new Date(), [submitted(books, text.id, text.id, more)]);

it('a text whose receipt never comes ends as unknown, once, and its price stays', async () => {
  const customer = await books.customer(100_000n);
  const [unheard, delivered, waiting, long, doubted] = [
    ...[books.text(customer), books.text(customer), books.text(customer, { epoch: null })],
    ...[books.text(customer, { valid_until: after(1_000 * HOUR_MS) }), books.text(customer)],
  ] as [NewMessage, NewMessage, NewMessage, NewMessage, NewMessage];
  await accepted([unheard, delivered, waiting, long, doubted]);
  await sent(unheard);
  await sent(delivered);
  await sent(long);
  await sent(doubted, { kind: 'in_doubt', carrier_message_id: null, status: null, cost: null, then_state: 'doubt' });
  await receiveReceipts(books.pool, books.lease, new Date(), [receiptOf(books, delivered.id)]);
  const paid = await balanceOf(books.pool, customer);

  // Nothing is old enough.
  expect(await look(after(0))).toMatchObject({ looked_at: 0, ended: 0 });
  // Accepted so long ago, and still valid.
  expect(await look(after(WAIT_MS + HOUR_MS))).toMatchObject({ looked_at: 5, ended: 0 });
  expect(await stateOf(books.pool, unheard.id)).toBe('submitted');
  // In doubt, too, as nobody decided.
  const over = await look(after(24 * HOUR_MS + WAIT_MS + HOUR_MS));
  expect(over).toEqual({ looked_at: 2, ended: 2, by_carrier: new Map([[books.carrier_id, 1]]) });
  const states = () =>
    Promise.all([unheard, delivered, waiting, long, doubted].map(({ id }) => stateOf(books.pool, id)));
  expect(await states()).toEqual(['unknown', 'delivered', 'queued', 'submitted', 'unknown']);
  expect(await look(after(24 * HOUR_MS + WAIT_MS + HOUR_MS))).toMatchObject({ looked_at: 0, ended: 0 });
  // And so is the one that still waits, for as long as it does.
  expect(await look(after(1_000 * HOUR_MS + WAIT_MS + HOUR_MS))).toMatchObject({ looked_at: 2, ended: 1 });
  expect(await states()).toEqual(['unknown', 'delivered', 'queued', 'unknown', 'unknown']);
  expect(await balanceOf(books.pool, customer)).toBe(paid);
  // One that comes all the same is kept, and ends nothing twice.
  await receiveReceipts(books.pool, books.lease, new Date(), [receiptOf(books, unheard.id)]);
  expect(await stateOf(books.pool, unheard.id)).toBe('unknown');
});

it('one that still waited when it was looked at is looked at again, and ends once it was sent and nothing is heard', async () => {
  const customer = await books.customer(100_000n);
  const for_later = { epoch: null, due_at: after(100 * HOUR_MS), valid_until: after(124 * HOUR_MS) };
  const [scheduled, held, delivered] = [
    books.text(customer, for_later),
    books.text(customer, { hold_reason: 'odd' }),
    books.text(customer, for_later),
  ];
  await accepted([scheduled, held, delivered]);
  const states = () => Promise.all([scheduled, held].map(({ id }) => stateOf(books.pool, id)));
  expect(await look(after(WAIT_MS + HOUR_MS))).toMatchObject({ looked_at: 3, ended: 0 });
  for (const text of [scheduled, delivered]) await sent(text);
  await receiveReceipts(books.pool, books.lease, new Date(), [receiptOf(books, delivered.id)]);
  // The validity of the one that is held ended before it was looked at, so its wait began with the look.
  const held_again = 2 * WAIT_MS + HOUR_MS;
  expect(await look(after(held_again - HOUR_MS))).toMatchObject({ looked_at: 0 });
  expect(await look(after(held_again))).toMatchObject({ looked_at: 1, ended: 0 });
  expect(await states()).toEqual(['submitted', 'held']);
  await sent(held);
  const over = await look(after(124 * HOUR_MS + WAIT_MS));
  expect(over).toEqual({ looked_at: 2, ended: 1, by_carrier: new Map([[books.carrier_id, 1]]) });
  expect(await look(after(held_again + WAIT_MS))).toMatchObject({ looked_at: 1, ended: 1 });
  expect(await states()).toEqual(['unknown', 'unknown']);
});

it('as many are looked at as are asked for, and the others the next time', async () => {
  const customer = await books.customer(100_000n);
  const texts = Array.from({ length: 5 }, () => books.text(customer, { valid_until: after(HOUR_MS) }));
  await accepted(texts);
  for (const text of texts) await sent(text);
  const late = after(HOUR_MS + WAIT_MS + HOUR_MS);
  expect((await look(late, 2)).looked_at).toBe(2);
  expect((await look(late, 2)).looked_at).toBe(2);
  expect((await look(late, 2)).looked_at).toBe(1);
  expect(await Promise.all(texts.map(({ id }) => stateOf(books.pool, id)))).toEqual(texts.map(() => 'unknown'));
});
