import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databaseLogin } from '../../deploy/parts/database_login.ts';
import type { Customer } from '../../deploy/world/people.ts';
import type { Queryable } from '../db/transaction.ts';
import { selectDeliveryBacklog } from './backlog.ts';
import { buryUnfetched, deadLetters, replayDeadLetters } from './dead_letters.ts';
import type { Replayed, ReplayWishes } from './dead_letters.ts';
import { textBooks } from './testing/texts.ts';
import type { TextBooks } from './testing/texts.ts';

const noon = new Date('2026-01-15T12:00:00Z');
const hoursAgo = (hours: number): Date => new Date(noon.getTime() - hours * 3_600_000);

let books: TextBooks;
/** Logged in as the gateway is. */
let pool: pg.Pool;
let customer: Customer;
let endpoint_id: string;
let made = 0;

beforeAll(async () => {
  books = await textBooks();
  const { password } = new URL(books.database_url);
  const url = await databaseLogin({ database_url: books.database_url, group: 'letsdial_gateway', password });
  pool = new pg.Pool({ connectionString: url, max: 2 });
});

afterAll(async () => {
  await pool.end();
  await books.end();
});

async function endpointOf({ account_id }: Customer): Promise<string> {
  const id = randomUUID();
  await books.pool.query('insert into webhook_endpoint (id, account_id, url, secret) values ($1, $2, $3, $4)', [
    ...[id, account_id, 'https://example.com/'],
    `whsec_${'a'.repeat(44)}`,
  ]);
  return id;
}

beforeEach(async () => {
  await books.pool.query('delete from customer_delivery');
  customer = await books.customer(0n);
  endpoint_id = await endpointOf(customer);
});

/** Its text's id. One that is not dead where `dead_at` is null. */
async function letter(
  dead_at: Date | null,
  more: { target?: string; channel?: string; of?: Customer } = {},
): Promise<string> {
  const { target = endpoint_id, channel = 'webhook', of = customer } = more;
  const message_id = randomUUID();
  await books.pool.query(
    `insert into customer_delivery (account_id, kind, message_id, channel, target, due_at, attempts, last_error, dead_at)
     values ($1, 'receipt', $2, $3, $4, $5, 10, 'The server answered 500.', $6)`,
    [of.account_id, message_id, channel, target, hoursAgo(100), dead_at],
  );
  return message_id;
}

async function esmeOf({ account_id }: Customer): Promise<string> {
  made += 1;
  await books.pool.query('insert into esme (system_id, account_id, password_scrypt) values ($1, $2, $3)', [
    ...[`esme-${made}`, account_id],
    'a'.repeat(64),
  ]);
  return `esme-${made}`;
}

function replay(wishes: Partial<ReplayWishes> = {}, db: Queryable = pool): Promise<Replayed> {
  const all = { account_id: customer.account_id, since: null, message_id: null, rows_max: 100 };
  return replayDeadLetters(db, { ...all, ...wishes }, noon);
}

/** Texts of which somebody is to be told now, with all attempts before him. */
async function dueNow(): Promise<string[]> {
  const { rows } = await books.pool.query<{ message_id: string }>(
    'select message_id from customer_delivery where dead_at is null and attempts = 0 and due_at = $1 order by id',
    [noon],
  );
  return rows.map(({ message_id }) => message_id);
}

describe('dead letters', () => {
  it('are told again over webhooks and binds, the account’s own and once, and whoever tells is woken', async () => {
    const other = await books.customer(0n);
    await letter(hoursAgo(1), { of: other, target: await endpointOf(other) });
    const alive = await letter(null);
    const mine = [
      await letter(hoursAgo(2)),
      await letter(hoursAgo(1), { channel: 'smpp', target: await esmeOf(customer) }),
    ];
    const listener = new pg.Client({ connectionString: books.database_url });
    await listener.connect();
    let woken = 0;
    listener.on('notification', () => (woken += 1));
    await listener.query('listen customer_delivery');
    expect(await replay()).toEqual({ replayed: 2, left: 0 });
    expect(await dueNow()).toEqual(mine);
    expect(await dueNow()).not.toContain(alive);
    expect(await replay()).toEqual({ replayed: 0, left: 0 });
    await listener.query('select 1');
    expect(woken).toBe(1);
    await listener.end();
  });

  it('are told again of one text only, or only those that died since then, the oldest first and so many', async () => {
    const texts = [];
    for (const hours of [5, 4, 3, 2, 1]) texts.push(await letter(hoursAgo(hours)));
    expect(await replay({ message_id: texts[4] ?? null })).toEqual({ replayed: 1, left: 0 });
    expect(await replay({ since: hoursAgo(4), rows_max: 2 })).toEqual({ replayed: 2, left: 1 });
    expect(await dueNow()).toEqual([texts[1], texts[2], texts[4]]);
    expect(await replay()).toEqual({ replayed: 2, left: 0 });
  });

  it('for an endpoint or a bind that is switched off stay dead', async () => {
    const system_id = await esmeOf(customer);
    await letter(hoursAgo(1), { channel: 'smpp', target: system_id });
    await letter(hoursAgo(1));
    await letter(hoursAgo(1), { channel: 'smpp', target: 'removed' });
    await books.pool.query('update webhook_endpoint set enabled = false where id = $1', [endpoint_id]);
    await books.pool.query('update esme set enabled = false where system_id = $1', [system_id]);
    expect(await replay()).toEqual({ replayed: 0, left: 3 });
    await books.pool.query('update webhook_endpoint set enabled = true where id = $1', [endpoint_id]);
    await books.pool.query('update esme set enabled = true where system_id = $1', [system_id]);
    expect(await replay()).toEqual({ replayed: 2, left: 1 });
  });

  it('asked for by two at once are told again once, and neither waits for the other', async () => {
    for (let n = 0; n < 20; n += 1) await letter(hoursAgo(1));
    const one = await pool.connect();
    await one.query('begin');
    expect(await replay({ rows_max: 15 }, one)).toEqual({ replayed: 15, left: 5 });
    // What the other one has told again is not committed yet.
    expect(await replay({ rows_max: 15 })).toEqual({ replayed: 5, left: 15 });
    await one.query('commit');
    one.release();
    expect(await replay()).toEqual({ replayed: 0, left: 0 });
    expect(await dueNow()).toHaveLength(20);
  });

  it('are read page by page, the oldest first, and each with why', async () => {
    const texts = [];
    for (const hours of [3, 2, 1]) texts.push(await letter(hoursAgo(hours)));
    await letter(null);
    const page = { account_id: customer.account_id, rows_max: 2 };
    const first = await deadLetters(pool, { ...page, after: null });
    expect(first.map(({ message_id }) => message_id)).toEqual(texts.slice(0, 2));
    expect(first[0]).toEqual({
      ...{ id: first[0]?.id, kind: 'receipt', message_id: texts[0], channel: 'webhook', target: endpoint_id },
      ...{ last_error: 'The server answered 500.', dead_at: hoursAgo(3) },
    });
    const second = await deadLetters(pool, { ...page, after: first[1]?.id ?? null });
    expect(second.map(({ message_id }) => message_id)).toEqual(texts.slice(2));
    const other = await books.customer(0n);
    expect(await deadLetters(pool, { ...page, account_id: other.account_id, after: null })).toEqual([]);
  });
});

describe('what nobody has fetched', () => {
  it('is a dead letter once it was due so long ago, so many at a time, and what a webhook is to be told is none', async () => {
    const target = await esmeOf(customer);
    const unfetched = [
      await letter(null, { channel: 'smpp', target }),
      await letter(null, { channel: 'smpp', target }),
    ];
    await letter(null);
    expect(await buryUnfetched(pool, hoursAgo(101), noon, 10)).toBe(0);
    expect(await buryUnfetched(pool, hoursAgo(99), noon, 1)).toBe(1);
    expect(await buryUnfetched(pool, hoursAgo(99), noon, 10)).toBe(1);
    const letters = await deadLetters(pool, { account_id: customer.account_id, after: null, rows_max: 10 });
    expect(letters.map(({ message_id }) => message_id).sort()).toEqual(unfetched.sort());
    expect(letters[0]).toMatchObject({ channel: 'smpp', target, dead_at: noon });
    // Somebody comes after all, and asks for it.
    expect(await replay()).toEqual({ replayed: 2, left: 0 });
    expect(await buryUnfetched(pool, hoursAgo(99), noon, 10)).toBe(0);
  });

  it('is counted by channel, with how long the oldest has been due', async () => {
    const target = await esmeOf(customer);
    await letter(null, { channel: 'smpp', target });
    await letter(hoursAgo(1), { channel: 'smpp', target });
    await letter(hoursAgo(1));
    const hundred_hours = { waiting: 1, oldest_due_seconds: 360_000 };
    const nothing = { waiting: 0, oldest_due_seconds: 0 };
    const counted = async () =>
      Object.fromEntries(
        (await selectDeliveryBacklog(pool, noon)).map(({ channel, ...figures }) => [channel, figures]),
      );
    expect(await counted()).toEqual({ webhook: nothing, smpp: hundred_hours });
    await replay();
    expect(await counted()).toEqual({ webhook: { ...nothing, waiting: 1 }, smpp: { ...hundred_hours, waiting: 2 } });
  });
});
