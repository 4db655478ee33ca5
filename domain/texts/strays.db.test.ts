import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { brokenInvariants } from '../ledger/invariants.ts';
import { acceptMessages } from './accept_messages.ts';
import { recordOutcomes } from './outcomes.ts';
import { allOwnClaims, claimMessages, markSending, recoverStrays } from './queue.ts';
import { eventsOf, stateOf, submitted, takeOver, textBooks } from './testing/texts.ts';
import type { TextBooks } from './testing/texts.ts';

let books: TextBooks;

beforeAll(async () => {
  books = await textBooks();
});

afterAll(async () => {
  expect(await brokenInvariants(books.pool)).toEqual([]);
  await books.end();
});

const now = new Date();

it('what is claimed in our name and not in our hands waits again, flagged where it may have been sent, or is held', async () => {
  const customer = await books.customer(100_000n);
  const [resend, marked, unmarked, in_hand] = [
    books.text(customer),
    books.text(customer, { on_doubt: 'hold' }),
    books.text(customer, { on_doubt: 'hold' }),
    books.text(customer),
  ];
  const sent = books.text(customer);
  const all = [resend, marked, unmarked, in_hand, sent];
  await acceptMessages(books.pool, now, all);
  await markSending(books.pool, books.lease, [marked.id]);
  await recordOutcomes(books.pool, books.lease, randomUUID(), now, [submitted(books, sent.id, 'x')]);
  expect((await allOwnClaims(books.pool, books.lease)).sort()).toEqual(
    [resend, marked, unmarked, in_hand].map(({ id }) => id).sort(),
  );

  const strays = [resend, marked, unmarked, sent].map(({ id }) => id);
  const stale = { ...books.lease, epoch: books.lease.epoch - 1 };
  expect(await recoverStrays(books.pool, stale, now, strays)).toBe(0);
  expect(await recoverStrays(books.pool, books.lease, now, strays)).toBe(3);
  expect(await recoverStrays(books.pool, books.lease, now, strays)).toBe(0);
  expect(await allOwnClaims(books.pool, books.lease)).toEqual([in_hand.id]);
  expect(await Promise.all(all.map(({ id }) => stateOf(books.pool, id)))).toEqual([
    ...['queued', 'in_doubt', 'queued', 'queued', 'submitted'],
  ]);
  expect(await Promise.all(all.map(({ id }) => eventsOf(books.pool, id)))).toEqual([
    ...[['in_doubt'], ['in_doubt'], [], [], ['submitted']],
  ]);
  const claimed = await claimMessages(books.pool, books.lease, books.carrier_id, new Date(), 10);
  expect(claimed.map(({ message_id, attempt }) => [message_id, attempt]).sort()).toEqual(
    [
      [resend.id, 2],
      [unmarked.id, 2],
    ].sort(),
  );
});

it('what a newer gateway has is not touched', async () => {
  const customer = await books.customer(100_000n);
  const text = books.text(customer);
  await acceptMessages(books.pool, now, [text]);
  const old = books.lease;
  await takeOver(books);
  expect(await recoverStrays(books.pool, old, now, [text.id])).toBe(0);
  expect(await allOwnClaims(books.pool, books.lease)).toEqual([]);
});
