import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptMessages } from './accept_messages.ts';
import { recordOutcomes } from './outcomes.ts';
import { countQueuedTexts } from './queued_texts.ts';
import { submitted, textBooks } from './testing/texts.ts';
import type { TextBooks } from './testing/texts.ts';

let books: TextBooks;

beforeAll(async () => {
  books = await textBooks();
});

afterAll(async () => {
  await books.end();
});

const now = new Date('2026-01-15T12:00:00Z');
const later = (ms: number): Date => new Date(now.getTime() + ms);

it('what waits is counted by account, what is scheduled apart until its time has come, and nothing else', async () => {
  const [one, other] = [await books.customer(100_000n), await books.customer(100_000n)];
  const in_lane = { epoch: null };
  const [sent, ...texts] = [
    // In a gateway's hands, of which one is sent.
    books.text(one),
    books.text(one),
    books.text(one, in_lane),
    books.text(one, { ...in_lane, carrier_id: null }),
    books.text(one, { ...in_lane, due_at: later(1_000), valid_until: later(60_000) }),
    books.text(one, { ...in_lane, hold_reason: 'a look at it first' }),
    books.text(other, in_lane),
  ];
  await acceptMessages(books.pool, now, [sent, ...texts]);
  await recordOutcomes(books.pool, books.lease, randomUUID(), now, [submitted(books, sent.id, 'x')]);
  const counted = async (at: Date): Promise<unknown> =>
    (await countQueuedTexts(books.pool, at)).toSorted((a, b) => b.waiting - a.waiting);
  expect(await counted(later(999))).toEqual([
    { account_id: one.account_id, waiting: 3, scheduled: 1 },
    { account_id: other.account_id, waiting: 1, scheduled: 0 },
  ]);
  expect(await counted(later(1_000))).toEqual([
    { account_id: one.account_id, waiting: 4, scheduled: 0 },
    { account_id: other.account_id, waiting: 1, scheduled: 0 },
  ]);
});
