import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../ledger/invariants.ts';
import { acceptMessages } from './accept_messages.ts';
import { cancelMessage } from './decisions.ts';
import { MessageIds } from './message_id.ts';
import { ensureMessageMonths } from './message_months.ts';
import { recordOutcomes } from './outcomes.ts';
import { receiveReceipts } from './receipts.ts';
import { eraseBodies, forgetTextsPast } from './retention.ts';
import { receiptOf, submitted, takeOver, textBooks } from './testing/texts.ts';
import type { TextBooks } from './testing/texts.ts';

let books: TextBooks;

beforeAll(async () => {
  books = await textBooks();
});

afterAll(async () => {
  expect(await brokenInvariants(books.pool)).toEqual([]);
  await books.end();
});

const HOUR_MS = 3_600_000;
const start = new Date('2026-01-15T12:30:00Z');
const later = (hours: number): Date => new Date(start.getTime() + hours * HOUR_MS);

/** Accepted at that hour; a carrier has it, or it waits. */
async function accepted(hours: number, is_sent: boolean): Promise<{ id: string; account_id: string }> {
  const customer = await books.customer(10_000n);
  const id = new MessageIds(() => later(hours).getTime()).next();
  const epoch = is_sent ? books.lease.epoch : null;
  await acceptMessages(books.pool, later(hours), [books.text(customer, { id, epoch, valid_until: later(10_000) })]);
  if (is_sent) await recordOutcomes(books.pool, books.lease, randomUUID(), later(hours), [submitted(books, id, id)]);
  return { id, account_id: customer.account_id };
}

async function bodiesOf(ids: readonly string[]): Promise<(string | null)[]> {
  const { rows } = await books.pool.query<{ id: string; body: string | null }>(
    'select id, body from message where id = any($1)',
    [ids],
  );
  return ids.map((id) => rows.find((row) => row.id === id)?.body ?? null);
}

/** Until nothing is left to do; says how many steps it took. */
async function eraseAll(before: Date): Promise<number> {
  let steps = 0;
  while ((await eraseBodies(books.pool, books.lease, before)) !== null) steps += 1;
  return steps;
}

describe('what texts said', () => {
  it('is erased when its time is over, an hour at a time, and no earlier', async () => {
    await ensureMessageMonths(books.pool, start);
    expect(await eraseAll(start)).toBe(0);
    const texts = [await accepted(0, true), await accepted(1, true), await accepted(4, true)];
    const waits = await accepted(2, false);
    const ids = [...texts, waits].map(({ id }) => id);
    // From the full hour before the first of them on.
    expect(await eraseAll(later(1))).toBe(2);
    expect(await bodiesOf(ids)).toEqual([null, 'Hello', 'Hello', 'Hello']);
    expect(await eraseAll(later(3))).toBe(2);
    expect(await bodiesOf(ids)).toEqual([null, null, 'Hello', 'Hello']);
    // What waited is erased once it waits no more, and what others are not to have does nothing.
    expect(await cancelMessage(books.pool, waits.account_id, waits.id, later(3))).toBe('cancelled');
    const stale = { ...books.lease, epoch: books.lease.epoch - 1 };
    expect(await eraseBodies(books.pool, stale, later(100))).toBeNull();
    expect(await bodiesOf(ids)).toEqual([null, null, 'Hello', 'Hello']);
    expect(await eraseAll(later(3))).toBe(0);
    expect(await bodiesOf(ids)).toEqual([null, null, 'Hello', null]);
    await eraseAll(later(10));
    expect(await bodiesOf(ids)).toEqual([null, null, null, null]);
  });
});

describe('what is kept for repeats, late receipts and dead letters', () => {
  it('is forgotten when nobody asks for it any more, so many at a time', async () => {
    const customer = await books.customer(100_000n);
    for (const hours of [0, 1, 2]) {
      const idempotency = { key: `key ${hours}`, content_sha256: 'x' };
      await acceptMessages(books.pool, later(hours), [books.text(customer, { idempotency })]);
      await receiveReceipts(books.pool, books.lease, later(hours), [receiptOf(books, `nobody's ${hours}`)]);
      await books.pool.query(
        `insert into customer_delivery (account_id, kind, message_id, channel, target, due_at, dead_at)
         values ($1, 'receipt', $2, 'smpp', 'somebody', $3, $3)`,
        [customer.account_id, randomUUID(), later(hours)],
      );
    }
    await books.pool.query(
      `insert into customer_delivery (account_id, kind, message_id, channel, target, due_at)
       values ($1, 'receipt', $2, 'smpp', 'somebody', $3)`,
      [customer.account_id, randomUUID(), start],
    );
    const forget = (hours: number, rows_max: number) =>
      forgetTextsPast(books.pool, books.lease, { keys_before: later(hours), letters_before: later(hours), rows_max });
    const left = async (): Promise<number[]> => {
      const { rows } = await books.pool.query<{ count: string }>(
        `select count(*) from message_key union all select count(*) from parked_receipt union all select count(*) from customer_delivery`,
      );
      return rows.map(({ count }) => Number(count));
    };
    expect(await forget(1.5, 1)).toBe(3);
    expect(await left()).toEqual([2, 2, 3]);
    expect(await forget(1.5, 100)).toBe(3);
    expect(await forget(1.5, 100)).toBe(0);
    expect(await left()).toEqual([1, 1, 2]);
    const old = books.lease;
    await takeOver(books);
    expect(
      await forgetTextsPast(books.pool, old, { keys_before: later(9), letters_before: later(9), rows_max: 9 }),
    ).toBe(0);
    // What is still to be told is never forgotten.
    expect(await forget(1_000, 100)).toBe(3);
    expect(await left()).toEqual([0, 0, 1]);
  });
});
