import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { takeOver, textBooks } from './testing/texts.ts';
import type { TextBooks } from './testing/texts.ts';
import { forgetUnreadableReceipts, keepUnreadableReceipts, listUnreadableReceipts } from './unreadable_receipts.ts';
import type { UnreadableReceipt } from './unreadable_receipts.ts';

let books: TextBooks;

beforeAll(async () => {
  books = await textBooks();
});

beforeEach(async () => {
  await books.pool.query('delete from unreadable_receipt');
});

afterAll(async () => {
  await books.end();
});

const now = new Date('2026-01-15T12:00:00Z');
const later = (ms: number): Date => new Date(now.getTime() + ms);

function receipt(why: string, last = 0): UnreadableReceipt {
  const pdu = Buffer.from([...Array.from({ length: 16 }, (_, n) => n), 0, 255, last]);
  return { carrier_id: books.carrier_id, bind_id: 'alpha-1', why, pdu };
}

const keep = (receipts: readonly UnreadableReceipt[], at = now, rows_max = 100): Promise<boolean> =>
  keepUnreadableReceipts(books.pool, books.lease, at, receipts, rows_max);

const whys = async (): Promise<string[]> => (await listUnreadableReceipts(books.pool, 100)).map(({ why }) => why);

it('a receipt that nobody could read is kept to the octet, with its bind and its time, whatever stands in it', async () => {
  expect(await keep([receipt('It names no message.'), receipt(`stat:\0\n'"\\{,} ${'x'.repeat(600)}`, 7)])).toBe(true);
  const { rows } = await books.pool.query<{ pdu: Buffer; why: string }>(
    'select pdu, why from unreadable_receipt order by id',
  );
  expect(rows.map(({ pdu }) => pdu)).toEqual([receipt('').pdu, receipt('', 7).pdu]);
  expect(rows[1]?.why).toMatch(/^stat:\?\?'"\\\{,\} x{486}$/u);
  expect(await listUnreadableReceipts(books.pool, 1)).toMatchObject([{ why: rows[1]?.why }]);
  expect((await listUnreadableReceipts(books.pool, 9))[1]).toEqual({
    ...{ id: expect.any(String) as string, carrier: 'alpha', bind: 'alpha-1', why: 'It names no message.' },
    received_at: now.toISOString(),
  });
});

it('so many are kept, and the oldest go', async () => {
  await keep(
    ['a', 'b', 'c'].map((why) => receipt(why)),
    now,
    4,
  );
  await keep(
    ['d', 'e', 'f'].map((why) => receipt(why)),
    now,
    4,
  );
  expect(await whys()).toEqual(['f', 'e', 'd', 'c']);
});

it('they go when their time is over, so many at a time', async () => {
  for (const [n, why] of ['a', 'b', 'c', 'd'].entries()) await keep([receipt(why)], later(n * 1_000));
  const forget = (rows_max: number) => forgetUnreadableReceipts(books.pool, books.lease, later(3_000), rows_max);
  expect(await forget(2)).toBe(2);
  expect(await whys()).toEqual(['d', 'c']);
  expect([await forget(9), await forget(9)]).toEqual([1, 0]);
  expect(await whys()).toEqual(['d']);
});

it('a gateway that was succeeded keeps none and forgets none', async () => {
  await keep([receipt('a')]);
  const old = books.lease;
  await takeOver(books);
  expect(await keepUnreadableReceipts(books.pool, old, now, [receipt('b')], 100)).toBe(false);
  expect(await forgetUnreadableReceipts(books.pool, old, later(1), 9)).toBe(0);
  expect(await whys()).toEqual(['a']);
});
