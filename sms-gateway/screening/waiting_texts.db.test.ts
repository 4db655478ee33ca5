import pg from 'pg';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databaseLogin } from '../../deploy/parts/database_login.ts';
import type { Customer } from '../../deploy/world/people.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import type { NewMessage } from '../../domain/texts/accept_messages.ts';
import { claimMessages } from '../../domain/texts/queue.ts';
import { heldMessages } from '../../domain/texts/screening/held_messages.ts';
import { balanceOf, stateOf, textBooks } from '../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../domain/texts/testing/texts.ts';
import { PUMPING_DEFAULTS } from './pumping/pumping_settings.ts';
import { Screening } from './screening.ts';
import { VOLUME_DEFAULTS } from './volume/volume_settings.ts';
import { VolumeWatch } from './volume/volume_watch.ts';
import { WaitingTexts } from './waiting_texts.ts';

const no_redis = {
  isReady: false,
  incrBy: () => Promise.reject(new Error('away')),
  expire: () => Promise.reject(new Error('away')),
};

let books: TextBooks;
/** Logged in as the gateway is. */
let pool: pg.Pool;
let customer: Customer;
let screening: Screening;
let now_ms = Date.UTC(2026, 0, 15, 12);

beforeAll(async () => {
  books = await textBooks();
  const { password } = new URL(books.database_url);
  const url = await databaseLogin({ database_url: books.database_url, group: 'letsdial_gateway', password });
  pool = new pg.Pool({ connectionString: url, max: 2 });
  await books.pool.query(
    `insert into content_rule (country, kind, pattern, action, reason)
     values ('GB', 'word', 'casino', 'hold', 'gambling needs a licence'), ('GB', 'link', 'bit.ly', 'refuse', 'no shortened links')`,
  );
});

afterAll(async () => {
  expect(await brokenInvariants(books.pool)).toEqual([]);
  await pool.end();
  await books.end();
});

beforeEach(async () => {
  now_ms += 86_400_000;
  customer = await books.customer(1_000_000n);
  await begin();
});

afterEach(() => screening.stop());

/** A gateway that has just started. */
async function begin(): Promise<void> {
  screening = new Screening({
    ...{ db: pool, store: no_redis, now: () => now_ms, share_every_ms: 100, pumping: PUMPING_DEFAULTS },
    log: pino({ level: 'silent' }),
    default_limit: { texts_per_second_max: 1_000, texts_per_day_max: 100_000, time_zone: 'UTC' },
    volumes: new VolumeWatch(VOLUME_DEFAULTS),
    onScreened: () => undefined,
  });
  await screening.start();
}

async function limit(texts_per_second_max: number, texts_per_day_max: number): Promise<void> {
  await books.pool.query('insert into text_limit values ($1, $2, $3)', [
    customer.account_id,
    texts_per_second_max,
    texts_per_day_max,
  ]);
  screening.stop();
  await begin();
}

const waitingTexts = (db: Queryable = pool): WaitingTexts =>
  new WaitingTexts({ db, lease: () => books.lease, screening, now: () => new Date() });

async function portalTexts(...wishes: Partial<NewMessage>[]): Promise<string[]> {
  const texts = wishes.map((wish) =>
    books.text(customer, { source: 'portal', carrier_id: null, epoch: null, wants_receipt: false, ...wish }),
  );
  await acceptMessages(books.pool, new Date(), texts);
  return texts.map(({ id }) => id);
}

async function claimed(): Promise<string[]> {
  const texts = await claimMessages(pool, books.lease, null, new Date(), 1_000);
  return texts.map(({ message_id }) => message_id);
}

describe('texts that the portal took in', () => {
  it('pass, are held or are refused by the rules of all texts', async () => {
    const [plain = '', held = '', refused = ''] = await portalTexts(
      {},
      { body: 'The best Сasino' },
      { body: 'see bit.ly/x' },
    );
    expect(await waitingTexts().pass()).toEqual({ any_passed: true, any_left: false });
    expect(await claimed()).toEqual([plain]);
    const [waits] = await heldMessages(books.pool, { after: null, rows_max: 1, account_id: customer.account_id });
    expect(waits).toMatchObject({ message_id: held, reason: expect.stringContaining('a licence') as string });
    const { rows } = await books.pool.query('select state, error from message_state where message_id = $1', [refused]);
    expect(rows).toMatchObject([{ state: 'rejected', error: expect.stringContaining('no shortened links') as string }]);
    expect(await balanceOf(books.pool, customer)).toBe(1_000_000n - 2_000n);
  });

  it('are more than one read of them', async () => {
    const ids = await portalTexts(...Array.from({ length: 450 }, () => ({})));
    expect(await waitingTexts().pass()).toEqual({ any_passed: true, any_left: false });
    expect((await claimed()).sort()).toEqual([...ids].sort());
  });

  it('that look pumped are held', async () => {
    await portalTexts(
      ...Array.from({ length: 60 }, (_, n) => ({
        recipient: `+4477009${String(10_000 + n)}`,
        body: 'Your code is 123456',
      })),
    );
    await waitingTexts().pass();
    const held = await heldMessages(books.pool, { after: null, rows_max: 100, account_id: customer.account_id });
    expect(held.length).toBeGreaterThan(5);
    expect(await claimed()).toHaveLength(60 - held.length);
  });

  it('wait where they come too fast, in their order, and the others do not wait for them', async () => {
    await limit(2, 100);
    const mine = await portalTexts({}, {}, {}, {}, {});
    const quick = customer;
    customer = await books.customer(1_000_000n);
    const [other = ''] = await portalTexts({});
    const texts = waitingTexts();
    expect(await texts.pass()).toEqual({ any_passed: true, any_left: true });
    expect(await claimed()).toEqual([...mine.slice(0, 2), other]);
    expect(await texts.pass()).toEqual({ any_passed: false, any_left: true });
    now_ms += 1_000;
    await texts.pass();
    expect(await claimed()).toEqual(mine.slice(2, 4));
    now_ms += 1_000;
    expect(await texts.pass()).toEqual({ any_passed: true, any_left: false });
    expect(await claimed()).toEqual(mine.slice(4));
    expect(await balanceOf(books.pool, quick)).toBe(1_000_000n - 5_000n);
  });

  it('beyond what an account may send in a day are refused and given back', async () => {
    await limit(100, 2);
    const ids = await portalTexts({}, {}, {});
    await waitingTexts().pass();
    expect(await claimed()).toEqual(ids.slice(0, 2));
    expect(await stateOf(books.pool, ids[2] ?? '')).toBe('rejected');
    expect(await balanceOf(books.pool, customer)).toBe(1_000_000n - 2_000n);
  });

  it('count once for their account, however often their verdicts are tried to be written', async () => {
    await limit(100, 2);
    const ids = await portalTexts({}, {});
    let fails = 3;
    const texts = waitingTexts({
      query: ((query: { name?: string }) => {
        if (query.name === 'record_screenings' && fails > 0) {
          fails -= 1;
          return Promise.reject(new Error('the database is away'));
        }
        return pool.query(query as pg.QueryConfig);
      }) as Queryable['query'],
    });
    for (let n = 0; n < 3; n += 1) await expect(texts.pass()).rejects.toThrow('away');
    expect(await texts.pass()).toEqual({ any_passed: true, any_left: false });
    expect(await claimed()).toEqual(ids);
  });

  it('stay where they are when a gateway dies between its look at them and its word, for the next one', async () => {
    const [plain = '', refused = ''] = await portalTexts({}, { body: 'see bit.ly/x' });
    const dies: Queryable = {
      query: ((query: { name?: string }) =>
        query.name === 'record_screenings'
          ? Promise.reject(new Error('killed'))
          : pool.query(query as pg.QueryConfig)) as Queryable['query'],
    };
    await expect(waitingTexts(dies).pass()).rejects.toThrow('killed');
    expect(await claimed()).toEqual([]);
    screening.stop();
    await begin();
    await waitingTexts().pass();
    expect(await claimed()).toEqual([plain]);
    expect(await stateOf(books.pool, refused)).toBe('rejected');
  });
});
