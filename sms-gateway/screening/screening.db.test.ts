import pg from 'pg';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databaseLogin } from '../../deploy/parts/database_login.ts';
import type { Customer } from '../../deploy/world/people.ts';
import { Listener } from '../../domain/db/listener.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import { acceptMessages, type NewMessage } from '../../domain/texts/accept_messages.ts';
import { textBooks, type TextBooks } from '../../domain/texts/testing/texts.ts';
import type { TextPayer } from '../accept/payer.ts';
import { PUMPING_DEFAULTS, type PumpingSettings } from './pumping/pumping_settings.ts';
import { Screening, type Screened } from './screening.ts';
import { VOLUME_DEFAULTS } from './volume/volume_settings.ts';
import { VolumeWatch } from './volume/volume_watch.ts';

const NOON = Date.UTC(2026, 0, 15, 12);
const silent = pino({ level: 'silent' });
const no_redis = {
  isReady: false,
  incrBy: () => Promise.reject(new Error('away')),
  expire: () => Promise.reject(new Error('away')),
};

/** Of the hundred thousand a day that are allowed: so many are sudden in a new account. */
const SUDDEN_TEXTS = 1_500;

let books: TextBooks;
/** Logged in as the gateway is. */
let pool: pg.Pool;
let customer: Customer;
let screening: Screening;
let now_ms = NOON;
let told: string[] = [];

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

beforeEach(async () => {
  now_ms = NOON;
  told = [];
  customer = await books.customer(1_000_000n);
  await books.pool.query('truncate content_rule, country_text_rule, text_limit, text_trust');
  screening = screeningWith(PUMPING_DEFAULTS);
});

afterEach(() => screening.stop());

function screeningWith(pumping: PumpingSettings): Screening {
  return new Screening({
    ...{ db: pool, store: no_redis, now: () => now_ms, share_every_ms: 100, pumping, log: silent },
    volumes: new VolumeWatch({ ...VOLUME_DEFAULTS, share_of_day_ppm: SUDDEN_TEXTS * 10 }),
    default_limit: { texts_per_second_max: 1_000, texts_per_day_max: 100_000, time_zone: 'UTC' },
    onScreened: (verdict, by) => told.push(`${verdict} by ${by}`),
  });
}

function screen(wishes: Partial<NewMessage> = {}): Screened {
  const text = { ...books.text(customer, wishes), recipient: (wishes.recipient ?? '+447700900123') as E164 };
  const payer: TextPayer = {
    ...{ account_id: customer.account_id, wallet_id: customer.wallet_id, currency: 'EUR', tax_ppm: 0 },
    ...{ text_deck: 'retail-texts', home_country: 'GB', blocked_prefixes: [] },
  };
  return screening.screen(text, payer);
}

const rule = (country: string | null, kind: string, pattern: string, action: string): Promise<unknown> =>
  books.pool.query(
    `insert into content_rule (country, kind, pattern, action, reason) values ($1, $2, $3, $4, 'gambling needs a licence')`,
    [country, kind, pattern, action],
  );

describe('screening', () => {
  it('lets an ordinary text pass', async () => {
    await screening.start();
    expect(screen()).toEqual({ kind: 'pass' });
    expect(told).toEqual([]);
  });

  it('refuses what comes faster than the account may send', async () => {
    await books.pool.query('insert into text_limit values ($1, 2, 3)', [customer.account_id]);
    await screening.start();
    expect([screen().kind, screen().kind]).toEqual(['pass', 'pass']);
    expect(screen()).toMatchObject({ kind: 'refuse', refusal: { code: 'too_fast' } });
    now_ms += 1_000;
    expect(screen().kind).toBe('pass');
    expect(screen()).toMatchObject({ refusal: { message: expect.stringContaining('3 a day') as string } });
    now_ms += 86_400_000;
    expect(screen().kind).toBe('pass');
    expect(told).toEqual(['refused by pace', 'refused by pace']);
  });

  it('holds and refuses by the rules of the recipient’s country', async () => {
    await rule('GB', 'word', 'casino', 'hold');
    await rule('GB', 'link', 'bit.ly', 'refuse');
    await rule(null, 'sender', 'PayPal', 'refuse');
    await screening.start();
    expect(screen({ body: 'The best Сasino' })).toMatchObject({
      kind: 'hold',
      reason: expect.stringMatching(/^rule \d+ \(word “casino”, GB\): gambling needs a licence$/u) as string,
    });
    expect(screen({ body: 'The best casino', recipient: '+4915112345678' }).kind).toBe('pass');
    expect(screen({ body: 'casino at bit.ly/x' })).toMatchObject({
      refusal: { code: 'content_blocked', message: expect.stringContaining('gambling needs a licence') as string },
    });
    expect(screen({ sender: 'PAYPAI' })).toMatchObject({ refusal: { code: 'content_blocked' } });
    expect(told).toEqual(['held by content', 'refused by content', 'refused by sender']);
  });

  it('refuses names as senders where a country takes numbers only', async () => {
    await books.pool.query(`insert into country_text_rule (country, alphanumeric_sender) values ('GB', false)`);
    await screening.start();
    expect(screen({ sender: 'ACME' })).toMatchObject({ refusal: { code: 'invalid_sender' } });
    expect([screen().kind, screen({ sender: '12345' }).kind]).toEqual(['pass', 'pass']);
    expect(screen({ sender: 'ACME', recipient: '+4915112345678' }).kind).toBe('pass');
  });

  it('keeps newsletters until the morning of the recipient, held ones too', async () => {
    await books.pool.query(
      `insert into country_text_rule (country, bulk_from, bulk_until, time_zones) values ('GB', '08:00', '20:30', '{Europe/London}')`,
    );
    await rule('GB', 'word', 'casino', 'hold');
    await screening.start();
    const morning = new Date('2026-01-16T08:00:00Z');
    now_ms = Date.UTC(2026, 0, 15, 20, 29);
    expect(screen({ class: 'bulk' })).toEqual({ kind: 'pass' });
    now_ms = Date.UTC(2026, 0, 15, 20, 30);
    expect(screen({ class: 'bulk' })).toEqual({ kind: 'pass', due_at: morning });
    expect(screen({ class: 'bulk', body: 'casino' })).toMatchObject({ kind: 'hold', due_at: morning });
    expect(screen({ class: 'code' })).toEqual({ kind: 'pass' });
    expect(screen({ class: 'bulk', due_at: new Date('2026-01-16T10:00:00Z') })).toEqual({ kind: 'pass' });
  });
});

describe('far more than usual', () => {
  const send = (texts: number, wishes: Partial<NewMessage> = {}): string[] =>
    Array.from({ length: texts }, () => {
      now_ms += 10;
      return screen({ body: 'News', ...wishes }).kind;
    });

  it('is held until a person has looked, of that account alone and not where a person vouches for it', async () => {
    await screening.start();
    expect(new Set(send(SUDDEN_TEXTS))).toEqual(new Set(['pass']));
    expect(screen({ body: 'News' })).toMatchObject({
      kind: 'hold',
      reason: expect.stringMatching(/suddenly sends far more .*: 1500 texts lately, where 0 are usual/u) as string,
    });
    expect(told).toEqual(['held by volume']);
    await books.pool.query(
      `insert into text_trust (account_id, country, decided_by, reason) values ($1, 'GB', 'ann', 'a sale')`,
      [customer.account_id],
    );
    screening.refresh();
    await expect.poll(() => screen({ body: 'News' }).kind).toBe('pass');
    expect(send(1, { recipient: '+4915112345678' })).toEqual(['hold']);
    customer = await books.customer(1_000_000n);
    expect(send(1)).toEqual(['pass']);
  });

  it('is more than that for an account that may send more in a day', async () => {
    await books.pool.query('insert into text_limit values ($1, 1000, 1000000)', [customer.account_id]);
    await screening.start();
    expect(send(SUDDEN_TEXTS + 500).at(-1)).toBe('pass');
  });
});

describe('login codes', () => {
  const pump = (texts: number, wishes: Partial<NewMessage> = {}, from = 0): string[] =>
    Array.from({ length: texts }, (_, text) => {
      now_ms += 100;
      return screen({ recipient: `+4477009${String(10_000 + from + text)}`, ...wishes }).kind;
    });

  it('are held when they look pumped, whether they are said to be codes or only read as such', async () => {
    await screening.start();
    expect(pump(45, { class: 'code' }).at(-1)).toBe('hold');
    customer = await books.customer(1_000_000n);
    expect(pump(45, { class: 'normal', body: 'Your code is 123456' }).at(-1)).toBe('hold');
    expect(told).toContain('held by pumping');
  });

  it('are refused when it goes on, and the account is told what to do', async () => {
    await screening.start();
    pump(200, { class: 'code' });
    expect(screen({ class: 'code', recipient: '+447700910300' })).toMatchObject({
      refusal: { code: 'content_blocked', message: expect.stringContaining('GB') as string },
    });
  });

  it('are not sought in a newsletter to a sorted list, nor in other texts', async () => {
    // With a rule of words every text is read.
    await rule(null, 'word', 'casino', 'hold');
    await screening.start();
    expect(new Set(pump(500, { class: 'bulk', body: 'Use code 2024 for a discount' }))).toEqual(new Set(['pass']));
    expect(new Set(pump(500, { class: 'normal', body: 'See you at 10' }))).toEqual(new Set(['pass']));
  });

  it('pass where a person vouched for them, and until when', async () => {
    await books.pool.query(
      `insert into text_trust (account_id, country, trusted_until, decided_by, reason) values ($1, 'GB', $2, 'ann', 'a real one')`,
      [customer.account_id, new Date(NOON + 60_000)],
    );
    await screening.start();
    expect(new Set(pump(200, { class: 'code' }))).toEqual(new Set(['pass']));
    now_ms = NOON + 60_001;
    expect(pump(60, { class: 'code' }).at(-1)).toBe('hold');
  });

  it('that were entered are told of once each, by the account that sent them and no other', async () => {
    // From the second conversion on, a country that has none of them is missing some.
    screening = screeningWith({ ...PUMPING_DEFAULTS, conversions_min: 2, missing_conversions_max: 0.1 });
    await screening.start();
    const texts = Array.from({ length: 2 }, () => books.text(customer, { class: 'code' }));
    await acceptMessages(books.pool, new Date(), texts);
    const toldOf = (text: NewMessage | undefined, by = customer) => screening.converted(by.account_id, text?.id ?? '');
    const toGermany = (n: number) => screen({ class: 'code', recipient: `+49151${n * n}1234567` });
    pump(8, { class: 'code' });
    for (let n = 3; n < 10; n += 1) expect(toGermany(n).kind).toBe('pass');
    now_ms += 5 * 60_000;
    expect(await toldOf(texts[0], await books.customer(0n))).toBe(false);
    for (let times = 0; times < 3; times += 1) expect(await toldOf(texts[0])).toBe(true);
    expect(toGermany(11).kind).toBe('pass');
    expect(await toldOf(texts[1])).toBe(true);
    expect(toGermany(12)).toMatchObject({
      kind: 'hold',
      reason: expect.stringContaining('were entered at the login') as string,
    });
  });

  it('are held earlier where those before them did not arrive', async () => {
    await screening.start();
    const held_at = pump(60, { class: 'code' }).indexOf('hold');
    customer = await books.customer(1_000_000n);
    pump(20, { class: 'code' });
    for (let text = 0; text < 20; text += 1) {
      const recipient = `+4477009${10_000 + text}`;
      screening.ended({
        carrier_id: null,
        account_id: customer.account_id,
        recipient,
        state: 'undeliverable',
        waited_ms: 1_000,
      });
    }
    const held_earlier_at = 20 + pump(40, { class: 'code' }, 20).indexOf('hold');
    expect([held_at > 30, held_earlier_at > 20, held_earlier_at < held_at]).toEqual([true, true, true]);
  });
});

describe('the rules', () => {
  it('hold from the moment at which a person changes them', async () => {
    let heard: () => void = () => undefined;
    const listener = new Listener({
      database_url: pool.options.connectionString ?? '',
      channels: { gateway: () => heard() },
      ...{ onConnected: () => undefined, onLost: () => undefined, retry_ms: 100 },
    });
    await screening.start();
    await listener.start();
    expect(screen({ body: 'casino' }).kind).toBe('pass');
    const changed = new Promise<void>((resolve) => {
      heard = resolve;
    });
    await rule(null, 'word', 'casino', 'hold');
    await changed;
    screening.refresh();
    await expect.poll(() => screen({ body: 'casino' }).kind).toBe('hold');
    await listener.stop();
  });

  it('that cannot be used stop nothing', async () => {
    await rule(null, 'word', '—', 'refuse');
    await rule(null, 'word', 'casino', 'refuse');
    await books.pool.query(
      `insert into country_text_rule (country, bulk_from, bulk_until, time_zones) values ('GB', '08:00', '20:00', '{Europe/Lundun}')`,
    );
    await screening.start();
    now_ms = Date.UTC(2026, 0, 15, 23);
    expect(screen({ class: 'bulk' })).toEqual({ kind: 'pass' });
    expect(screen({ body: 'casino' }).kind).toBe('refuse');
  });

  it.each([
    `insert into content_rule (country, kind, pattern, action, reason) values ('gb', 'word', 'x', 'hold', 'y')`,
    `insert into content_rule (kind, pattern, action, reason) values ('word', '  ', 'hold', 'y')`,
    `insert into content_rule (kind, pattern, action, reason) values ('word', 'x', 'hold', 'y'), ('word', 'X', 'refuse', 'z')`,
    `insert into country_text_rule (country, bulk_from) values ('GB', '08:00')`,
    `insert into country_text_rule (country, bulk_from, bulk_until) values ('GB', '20:00', '08:00')`,
    `insert into country_text_rule (country, bulk_from, bulk_until) values ('GB', '08:10', '20:00')`,
    `insert into ported_number values ('447700900123', '+447000000000')`,
  ])('refuse %s', async (sql) => {
    await expect(books.pool.query(sql)).rejects.toThrow(/violates/u);
  });
});
