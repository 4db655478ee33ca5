import type pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import { stateOf, textBooks } from '../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../domain/texts/testing/texts.ts';
import { ClaimQueue } from './claim_queue.ts';
import { Strays } from './strays.ts';

let books: TextBooks;
let now_ms = Date.now();

/** Some seconds pass. */
function later(): void {
  now_ms += 3_000;
}

beforeAll(async () => {
  books = await textBooks();
});

afterAll(() => books.end());

interface World {
  strays: Strays;
  in_hand: Set<string>;
  on_their_way: Set<string>;
  recovered: number[];
}

/** @param db away while the test says so. */
function gateway(db: Pick<pg.Pool, 'query'> = books.pool): World {
  const [in_hand, on_their_way, recovered] = [new Set<string>(), new Set<string>(), [] as number[]];
  const strays = new Strays({
    ...{ db, lease: () => books.lease, now: () => new Date(now_ms), log: pino({ level: 'silent' }) },
    holds: (id) => in_hand.has(id),
    onTheirWay: () => on_their_way,
    onStrays: (texts) => recovered.push(texts),
  });
  return { strays, in_hand, on_their_way, recovered };
}

async function claimed(): Promise<string[]> {
  const { rows } = await books.pool.query<{ message_id: string }>(
    `select message_id from message_queue where state = 'c'`,
  );
  return rows.map(({ message_id }) => message_id).sort();
}

it('what was lost on its way to us is found within two looks once the database is back, and nothing else is', async () => {
  const customer = await books.customer(100_000n);
  const waiting = [books.text(customer, { epoch: null }), books.text(customer, { epoch: null })];
  const [told, stored] = [books.text(customer), books.text(customer)];
  await acceptMessages(books.pool, new Date(), [...waiting, told, stored]);
  let is_away = false;
  const db = {
    query: (query: string | pg.QueryConfig, values?: unknown[]) => {
      // The first statement of a claim is done, and then nothing is answered any more.
      if (typeof query === 'object' && query.name === 'read_claimed') is_away = true;
      if (is_away) return Promise.reject(new Error('Connection terminated unexpectedly'));
      return typeof query === 'string' ? books.pool.query(query, values) : books.pool.query(query);
    },
  } as unknown as Pick<pg.Pool, 'query'>;
  const { strays, in_hand, on_their_way, recovered } = gateway(db);
  const queue = new ClaimQueue({
    ...{ db, lease: () => books.lease, now: Date.now, log: pino({ level: 'silent' }) },
    onClaimLost: () => strays.expect(),
  });
  later();
  await strays.passSoon();
  in_hand.add(told.id);
  on_their_way.add(stored.id);
  await expect(queue.claim(books.carrier_id, 10)).rejects.toThrow('terminated');
  expect(await claimed()).toEqual([...waiting, told, stored].map(({ id }) => id).sort());
  for (let look = 0; look < 5; look += 1) {
    later();
    await expect(strays.passSoon()).rejects.toThrow('terminated');
  }
  is_away = false;
  // The look before was none.
  await strays.passSoon();
  // Two looks at once are one.
  await strays.pass();
  expect(recovered).toEqual([]);
  later();
  await strays.passSoon();
  expect(recovered).toEqual([2]);
  expect(await claimed()).toEqual([told.id, stored.id].sort());
  const { rows } = await books.pool.query(`select 1 from message_event where message_id = any($1)`, [
    [told.id, stored.id],
  ]);
  expect(rows).toEqual([]);
  // Nothing more is asked before something is lost again.
  is_away = true;
  later();
  await strays.passSoon();
  await books.pool.query('delete from message_queue');
});

it('a text that is missed at two looks in a row waits again; one that was only being stored does not', async () => {
  const customer = await books.customer(100_000n);
  const [lost, slow, held] = [books.text(customer), books.text(customer), books.text(customer)];
  await acceptMessages(books.pool, new Date(), [lost, slow, held]);
  const { strays, in_hand, recovered } = gateway();
  in_hand.add(held.id);
  later();
  await strays.pass();
  expect(await claimed()).toEqual([lost.id, slow.id, held.id].sort());
  in_hand.add(slow.id);
  later();
  await strays.pass();
  expect(recovered).toEqual([1]);
  expect(await claimed()).toEqual([slow.id, held.id].sort());
  expect(await stateOf(books.pool, lost.id)).toBe('queued');
  later();
  await strays.pass();
  expect(recovered).toEqual([1]);
});
