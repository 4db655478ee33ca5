import type pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptMessages } from '../domain/texts/accept_messages.ts';
import { ensureMessageMonths } from '../domain/texts/message_months.ts';
import { takeOver, textBooks } from '../domain/texts/testing/texts.ts';
import type { TextBooks } from '../domain/texts/testing/texts.ts';
import { Housekeeping } from './housekeeping.ts';

const SWEEP_MS = 10_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** More than are deleted, or erased, at once. */
const MANY = 12_500;

let books: TextBooks;

beforeAll(async () => {
  books = await textBooks();
});

afterAll(() => books.end());

/** Does each duty of that interval once. @param failing what the statements have in them that the database refuses. */
async function turn(interval_ms: number, failing: RegExp | null = null): Promise<void> {
  const db = {
    query: (query: string | pg.QueryConfig, values?: unknown[]) =>
      failing?.test(typeof query === 'string' ? query : query.text) === true
        ? Promise.reject(new Error('canceling statement due to statement timeout'))
        : books.pool.query(query, values),
  } as unknown as pg.Pool;
  const housekeeping = new Housekeeping({
    ...{ db, lease: () => books.lease, now: () => new Date(), log: pino({ level: 'silent' }) },
    settings: { MESSAGE_BODY_DAYS: 90, REPLAY_DAYS: 7, LETTER_DAYS: 90, RECEIPT_WAIT_HOURS: 72 },
    ...{ holds: () => false, onTheirWay: () => new Set<string>(), giveBack: () => Promise.resolve() },
    ...{
      onRecovered: () => undefined,
      onEnded: () => undefined,
      onBacklog: () => undefined,
      onUnheard: () => undefined,
    },
  });
  const due: (() => Promise<void>)[] = [];
  housekeeping.start({
    every: (every_ms, duty) => {
      if (every_ms === interval_ms) due.push(duty);
    },
  });
  const done = await Promise.allSettled(due.map((duty) => duty()));
  expect(done.filter(({ status }) => status === 'rejected')).toHaveLength(failing === null ? 0 : 1);
}

/** Of each kind, so many that are older than any is kept; the texts are of one hour. */
async function leftBehind(rows: number): Promise<void> {
  const customer = await books.customer(0n);
  const day = new Date(Date.now() - 90 * DAY_MS - 3 * HOUR_MS);
  await ensureMessageMonths(books.pool, day);
  await books.pool.query(
    `insert into message (id, account_id, direction, accepted_at, sender, recipient, body, encoding, segments, source)
     select (left(uuid_v7_floor(at)::text, 13) || '-7' || substr(gen_random_uuid()::text, 16))::uuid,
            $1, 'mt', at, 'ACME', '+447700900123', 'Hello', 'gsm7', 1, 'http'
       from generate_series(1, $2) n, lateral (select date_trunc('hour', $3::timestamptz) + n / 4 * interval '1 ms' as at) t`,
    [customer.account_id, rows, day],
  );
  await books.pool.query(
    `insert into customer_delivery (account_id, kind, message_id, channel, target, due_at)
     select $1, 'receipt', gen_random_uuid(), 'smpp', 'nobody', $3 from generate_series(1, $2) n`,
    [customer.account_id, rows, day],
  );
  await books.pool.query(
    `insert into message_key select $1, 'key ' || n, 'x', gen_random_uuid(), $3 from generate_series(1, $2) n`,
    [customer.account_id, rows, day],
  );
  await books.pool.query(
    `insert into parked_receipt (carrier_id, carrier_message_ids, state, received_at)
     select 1, array[n::text], 'delivered', $2 from generate_series(1, $1) n`,
    [rows, day],
  );
  await books.pool.query(
    `insert into unreadable_receipt (carrier_id, bind_id, why, pdu, received_at)
     select 1, 'alpha-1', 'odd', decode(repeat('00', 16), 'hex'), $2 from generate_series(1, $1) n`,
    [rows, day],
  );
}

async function left(): Promise<Record<string, number>> {
  const { rows } = await books.pool.query<Record<string, number>>(
    `select (select count(*)::integer from message where sender = 'ACME' and body is not null) as bodies,
            (select count(*)::integer from message_key) as keys, (select count(*)::integer from parked_receipt) as parked,
            (select count(*)::integer from unreadable_receipt) as unreadable,
            (select count(*)::integer from customer_delivery where dead_at is null) as unfetched`,
  );
  return rows[0] ?? {};
}

describe('what is kept too long', () => {
  it('goes within one turn, however much of it there is', async () => {
    await leftBehind(MANY);
    await turn(MINUTE_MS);
    expect(await left()).toEqual({ bodies: 0, keys: 0, parked: 0, unreadable: 0, unfetched: 0 });
  }, 60_000);

  it.each<[string, RegExp]>([
    ['bodies', /erase_bodies/u],
    ['keys', /forget_texts_past/u],
    ['unreadable', /forget_unreadable/u],
    ['unfetched', /update customer_delivery/u],
  ])('goes where %s cannot be got rid of', async (kind, failing) => {
    await books.pool.query('delete from body_erasure');
    await leftBehind(10);
    await turn(MINUTE_MS, failing);
    const stays = kind === 'keys' ? { keys: 10, parked: 10 } : { [kind]: 10 };
    expect(await left()).toEqual({ bodies: 0, keys: 0, parked: 0, unreadable: 0, unfetched: 0, ...stays });
    await turn(MINUTE_MS);
  });
});

it('what an older gateway had in its hands is recovered though parked receipts cannot be looked for', async () => {
  const text = books.text(await books.customer(10_000n));
  await acceptMessages(books.pool, new Date(), [text]);
  await takeOver(books);
  await turn(SWEEP_MS, /sweep_parked/u);
  const { rows } = await books.pool.query('select state, attempt from message_queue where message_id = $1', [text.id]);
  expect(rows).toEqual([{ state: 'w', attempt: 2 }]);
});

it('a busy hour is erased a few thousand texts at a time', async () => {
  await books.pool.query('delete from body_erasure');
  await leftBehind(MANY);
  const erased: number[] = [];
  for (let bodies = MANY; bodies > 0;) {
    const { rows } = await books.pool.query(`select erase_bodies($1, $2, now() - interval '90 days')`, [
      books.lease.gateway_id,
      books.lease.epoch,
    ]);
    expect(rows).toHaveLength(1);
    const now = (await left())['bodies'] ?? 0;
    erased.push(bodies - now);
    bodies = now;
  }
  expect(Math.max(...erased)).toBeLessThanOrEqual(5_000);
  expect(erased.reduce((sum, texts) => sum + texts, 0)).toBe(MANY);
});
