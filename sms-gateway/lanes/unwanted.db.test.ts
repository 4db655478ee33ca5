import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import { receiveMessages } from '../../domain/texts/arrivals.ts';
import { takeOver, textBooks } from '../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../domain/texts/testing/texts.ts';
import { Unwanted } from './unwanted.ts';

const PERSON = '+447700900123';

let books: TextBooks;

beforeAll(async () => {
  books = await textBooks();
});

afterAll(() => books.end());

/** @param db away while the test says so. */
function gateway(db: Pick<pg.Pool, 'query'> = books.pool): { unwanted: Unwanted; given_back: string[] } {
  const given_back: string[] = [];
  const giveBack = (message_id: string): Promise<void> => {
    given_back.push(message_id);
    return Promise.resolve();
  };
  return { unwanted: new Unwanted({ db, lease: () => books.lease, giveBack }), given_back };
}

/** As it is after the desk handed it on. */
async function saidStop(sender: string): Promise<void> {
  const whole = { segments: 1, encoding: 'gsm7' as const, concatenation: null };
  await receiveMessages(books.pool, books.lease, new Date(), [
    { id: randomUUID(), carrier_id: 1, sender: PERSON, recipient: sender, body: 'STOP', keyword: 'stop', ...whole },
  ]);
}

it('texts in our hands to who said STOP go back, and those of others do not', async () => {
  const [theirs, other] = [await books.customer(100_000n), await books.customer(100_000n)];
  const [first, second, to_another] = [
    books.text(theirs),
    books.text(theirs),
    books.text(theirs, { recipient: '+447700900999' }),
  ];
  const waiting = books.text(theirs, { epoch: null });
  await acceptMessages(books.pool, new Date(), [first, second, to_another, waiting, books.text(other)]);
  const { unwanted, given_back } = gateway();
  await saidStop(theirs.number);
  await unwanted.passSoon();
  expect(given_back).toEqual([]);
  unwanted.expect();
  await unwanted.passSoon();
  expect(given_back.sort()).toEqual([first.id, second.id].sort());
  await unwanted.passSoon();
  expect(given_back).toHaveLength(2);
});

it('they are looked for until the database has answered, and only by who has them in hand', async () => {
  const customer = await books.customer(100_000n);
  const text = books.text(customer);
  await acceptMessages(books.pool, new Date(), [text]);
  await saidStop(customer.number);
  let is_away = true;
  const db = {
    query: (query: pg.QueryConfig) =>
      is_away ? Promise.reject(new Error('Connection terminated unexpectedly')) : books.pool.query(query),
  } as unknown as Pick<pg.Pool, 'query'>;
  const { unwanted, given_back } = gateway(db);
  unwanted.expect();
  await expect(unwanted.passSoon()).rejects.toThrow('terminated');
  is_away = false;
  await unwanted.passSoon();
  expect(given_back).toContain(text.id);
  await takeOver(books);
  const next = gateway();
  next.unwanted.expect();
  await next.unwanted.passSoon();
  expect(next.given_back).toEqual([]);
});
