import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import { stateOf, textBooks } from '../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../domain/texts/testing/texts.ts';
import { Strays } from './strays.ts';

let books: TextBooks;

beforeAll(async () => {
  books = await textBooks();
});

afterAll(() => books.end());

it('a text that is missed at two looks in a row waits again; one that was only being stored does not', async () => {
  const customer = await books.customer(100_000n);
  const [lost, slow, held] = [books.text(customer), books.text(customer), books.text(customer)];
  await acceptMessages(books.pool, new Date(), [lost, slow, held]);
  const in_hand = new Set([held.id]);
  const recovered: number[] = [];
  const strays = new Strays({
    db: books.pool,
    lease: () => books.lease,
    holds: (id) => in_hand.has(id),
    now: () => new Date(),
    onStrays: (texts) => recovered.push(texts),
    log: pino({ level: 'silent' }),
  });
  const claimed = async (): Promise<string[]> => {
    const { rows } = await books.pool.query<{ message_id: string }>(
      `select message_id from message_queue where state = 'c'`,
    );
    return rows.map(({ message_id }) => message_id).sort();
  };
  await strays.pass();
  expect(await claimed()).toEqual([lost.id, slow.id, held.id].sort());
  in_hand.add(slow.id);
  await strays.pass();
  expect(recovered).toEqual([1]);
  expect(await claimed()).toEqual([slow.id, held.id].sort());
  expect(await stateOf(books.pool, lost.id)).toBe('queued');
  await strays.pass();
  expect(recovered).toEqual([1]);
});
