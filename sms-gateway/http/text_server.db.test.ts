import { randomUUID } from 'node:crypto';
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databaseLogin } from '../../deploy/parts/database_login.ts';
import type { Customer } from '../../deploy/world/people.ts';
import { makeApiKey } from '../../deploy/world/texts.ts';
import type { RateDeck } from '../../domain/rating/rate_deck.ts';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import type { NewMessage } from '../../domain/texts/accept_messages.ts';
import type { TextRate } from '../../domain/texts/prices/text_prices.ts';
import { textBooks } from '../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../domain/texts/testing/texts.ts';
import type { Acceptor, Screening } from '../accept/acceptor.ts';
import { refusal } from '../accept/refusal.ts';
import { rememberedPayers } from '../accept/remembered_payers.ts';
import { assembleTextServer } from './assemble_text_server.ts';
import type { TextServer } from './text_server.ts';

let books: TextBooks;
/** Logged in as the gateway is. */
let pool: pg.Pool;
let server: TextServer;
let url: string;
let customer: Customer;
let api_key: string;
const converted: string[] = [];

const DAY_MS = 86_400_000;
const MORNING = new Date(Date.now() + DAY_MS / 2);
/** What is made of texts that say just that; the others pass. */
const SCREENINGS: Readonly<Record<string, Screening>> = {
  Casino: { kind: 'refuse', refusal: refusal('content_blocked') },
  Odd: { kind: 'hold', reason: 'a look at it first' },
  Offer: { kind: 'pass', due_at: MORNING },
};
const RATE: TextRate = {
  ...{ rate_micros_per_segment: 1_000n, prefix: '44', destination: 'United Kingdom' },
  deck: { id: 1, name: 'retail-texts', side: 'sell', currency: 'EUR', version: 1 } as unknown as RateDeck,
};

beforeAll(async () => {
  books = await textBooks();
  const { password } = new URL(books.database_url);
  const login = await databaseLogin({ database_url: books.database_url, group: 'letsdial_gateway', password });
  pool = new pg.Pool({ connectionString: login, max: 2 });
  server = assembleTextServer({
    settings: { GATEWAY_HOST: '127.0.0.1', GATEWAY_HTTP_PORT: 0 },
    ...{ db: pool, payers: rememberedPayers(pool), log: pino({ level: 'silent' }) },
    // Nothing is sent here.
    acceptor: null as unknown as Acceptor,
    judging: {
      sell: () => RATE,
      national_languages: () => [],
      ...{ newId: randomUUID, now: Date.now, segments_max: 10, validity_ms: DAY_MS, ahead_ms_max: 30 * DAY_MS },
      screen: ({ body }) => SCREENINGS[body] ?? { kind: 'pass' },
      giveBack: () => Promise.resolve(),
    },
    converted: async (account_id, message_id) => {
      const { rowCount } = await pool.query('select 1 from message where account_id = $1 and id = $2', [
        account_id,
        message_id,
      ]);
      if (rowCount === 1) converted.push(message_id);
      return rowCount === 1;
    },
  });
  url = `http://127.0.0.1:${await server.listen()}`;
});

afterAll(async () => {
  await server.close();
  await pool.end();
  await books.end();
});

beforeEach(async () => {
  customer = await books.customer(10_000n);
  api_key = await makeApiKey(books.pool, customer.account_id);
});

interface Answer {
  status: number;
  type: string | null;
  length: string | null;
  body: Record<string, unknown> | null;
}

async function ask(method: string, path: string, body?: string, key = api_key): Promise<Answer> {
  const headers = { authorization: `Bearer ${key}` };
  const response = await fetch(`${url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    length: response.headers.get('content-length'),
    body: text === '' ? null : (JSON.parse(text) as Record<string, unknown>),
  };
}

describe('POST /v1/messages/ID/converted', () => {
  it('is answered with nothing, for a text of the account, and with a problem for another’s', async () => {
    const text = books.text(customer);
    await acceptMessages(pool, new Date(), [text]);
    const path = `/v1/messages/${text.id}/converted`;
    const nothing = { status: 204, type: null, length: null, body: null };
    expect([await ask('POST', path), await ask('POST', path, '{}')]).toEqual([nothing, nothing]);
    expect(converted).toEqual([text.id, text.id]);
    const stranger = await makeApiKey(books.pool, (await books.customer(0n)).account_id);
    expect(await ask('POST', path, undefined, stranger)).toMatchObject({
      ...{ status: 404, type: 'application/problem+json' },
      body: { type: 'urn:letsdial:problem:not_found', detail: 'The account has no such text.' },
    });
    expect(await ask('POST', `/v1/messages/${randomUUID()}/converted`)).toMatchObject({ status: 404 });
    expect(await ask('GET', path)).toMatchObject({ status: 405, type: 'application/problem+json' });
    expect(await ask('POST', path, undefined, 'ld_wrong')).toMatchObject({ status: 401 });
    expect(await ask('GET', `/v1/messages/${text.id}`)).toMatchObject({ status: 200, body: { id: text.id } });
    expect(converted).toHaveLength(2);
  });
});

describe('PATCH /v1/messages/ID', () => {
  /** One that waits in its lane, where it is not said otherwise. */
  async function waiting(wishes: Partial<NewMessage> = {}): Promise<string> {
    const text = books.text(customer, { epoch: null, ...wishes });
    await acceptMessages(pool, new Date(), [text]);
    return text.id;
  }

  const patch = (id: string, body: unknown, key = api_key) =>
    ask('PATCH', `/v1/messages/${id}`, typeof body === 'string' ? body : JSON.stringify(body), key);

  async function stored(id: string): Promise<Record<string, unknown>> {
    const { rows } = await books.pool.query<Record<string, unknown>>(
      `select m.body, m.encoding, m.wants_receipt, m.due_at, q.valid_until,
              (select string_agg(e.detail, '; ' order by e.n) from message_event e where e.message_id = m.id and e.kind = 'replaced') as replaced
         from message m join message_queue q on q.message_id = m.id where m.id = $1`,
      [id],
    );
    return rows[0] ?? {};
  }

  it('puts another text in the place of one that waits, at the price that was paid', async () => {
    const id = await waiting();
    const { valid_until } = await stored(id);
    const answer = await patch(id, { text: 'Другое' });
    expect(answer).toMatchObject({
      ...{ status: 200, type: 'application/json' },
      body: { id, state: 'queued', segments: 1, price: { net_micros: '1000' } },
    });
    expect(await stored(id)).toEqual({
      ...{ body: 'Другое', encoding: 'ucs2', wants_receipt: true, due_at: null, valid_until, replaced: 'another text' },
    });
    expect(await patch(id, { data: { coding: 4, hex: '0102' } })).toMatchObject({ status: 200 });
    expect(await stored(id)).toMatchObject({ body: '04-0102', encoding: 'binary' });
    // What is not named stays, in binary, too.
    expect(await patch(id, { receipt: false })).toMatchObject({ status: 200 });
    expect(await stored(id)).toMatchObject({ body: '04-0102', encoding: 'binary', wants_receipt: false });
    expect(await patch(id, { text: 'Again' })).toMatchObject({ status: 200 });
    expect(await stored(id)).toMatchObject({ body: 'Again', encoding: 'gsm7', wants_receipt: false });
  });

  it('gives it another time, or another validity, and leaves what it says', async () => {
    const [soon, later] = [new Date(Date.now() + 3_600_000), new Date(Date.now() + 7_200_000)];
    const id = await waiting({ due_at: soon, valid_until: new Date(Date.now() + DAY_MS) });
    expect(await patch(id, { send_at: later.toISOString() })).toMatchObject({ body: { state: 'scheduled' } });
    const valid_until = new Date(later.getTime() + DAY_MS);
    expect(await stored(id)).toMatchObject({ body: 'Hello', due_at: later, valid_until });
    expect(await patch(id, { valid_for_seconds: 600 })).toMatchObject({ status: 200 });
    expect(await stored(id)).toMatchObject({
      ...{ due_at: later, valid_until: new Date(later.getTime() + 600_000) },
      replaced: 'another time, another validity; another validity',
    });
    // Where its recipient would mind it at that time, it is put off as a new one is, and its validity with it.
    expect(await patch(await waiting({ body: 'Offer' }), { receipt: true })).toMatchObject({ status: 200 });
    const offer = await waiting();
    await patch(offer, { text: 'Offer', valid_for_seconds: 600 });
    const put_off = await stored(offer);
    expect(put_off['due_at']).toEqual(MORNING);
    expect(Math.abs((put_off['valid_until'] as Date).getTime() - MORNING.getTime() - 600_000)).toBeLessThan(60_000);
  });

  it('is refused as a new text would be, or where it is too late, and the text stays as it was', async () => {
    const id = await waiting();
    const before = await stored(id);
    const code = async (body: unknown, of = id, key = api_key): Promise<unknown> => {
      const { status, body: said } = await patch(of, body, key);
      return `${status} ${String(said?.['type']).split(':').at(-1)}`;
    };
    const far = new Date(Date.now() + 40 * DAY_MS).toISOString();
    expect(await code({ text: 'x'.repeat(161) })).toBe('409 other_length');
    expect(await code({ text: 'x'.repeat(2_000) })).toBe('422 text_too_long');
    expect(await code({ text: '' })).toBe('422 empty_text');
    expect(await code({ text: 'Casino' })).toBe('403 content_blocked');
    expect(await code({ text: 'Odd' })).toBe('409 to_be_seen');
    expect(await code({ send_at: far })).toBe('422 invalid_time');
    for (const wrong of [{}, { text: 'x', data: { coding: 4, hex: '01' } }, { to: '+447700900124' }, '', '{']) {
      expect(await code(wrong)).toBe('400 invalid_request');
    }
    const stranger = await makeApiKey(books.pool, (await books.customer(0n)).account_id);
    expect(await code({ text: 'Mine' }, id, stranger)).toBe('404 not_found');
    expect(await code({ text: 'Whose?' }, randomUUID())).toBe('404 not_found');
    expect(await code({ text: 'Guessed' }, id, 'ld_wrong')).toBe('401 unauthorized');
    expect(await stored(id)).toEqual(before);
    const taken = await waiting({ epoch: books.lease.epoch });
    expect(await code({ text: 'Late' }, taken)).toBe('409 too_late');
    const held = await waiting({ hold_reason: 'a look at it first' });
    expect(await code({ text: 'Harmless' }, held)).toBe('409 too_late');
    const erased = await waiting();
    await books.pool.query('update message set body = null where id = $1', [erased]);
    expect([await code({ receipt: false }, erased), await code({ text: 'New' }, erased)]).toEqual([
      '409 too_late',
      '409 too_late',
    ]);
  });
});

describe('/v1/dead-letters', () => {
  /** So many receipts that died one after the other, each an hour before the one after it. */
  async function letters(count: number, { account_id } = customer): Promise<string[]> {
    const endpoint_id = randomUUID();
    await books.pool.query('insert into webhook_endpoint (id, account_id, url, secret) values ($1, $2, $3, $4)', [
      ...[endpoint_id, account_id, 'https://example.com/'],
      `whsec_${'a'.repeat(44)}`,
    ]);
    const { rows } = await books.pool.query<{ message_id: string }>(
      `insert into customer_delivery (account_id, kind, message_id, channel, target, due_at, last_error, dead_at)
       select $1, 'receipt', gen_random_uuid(), 'webhook', $2, now(), 'The server answered 500.', timestamptz '2026-01-15' - n * interval '1 hour'
         from generate_series($3::integer, 1, -1) n returning message_id`,
      [account_id, endpoint_id, count],
    );
    return rows.map(({ message_id }) => message_id);
  }

  it('are listed a hundred at a time, the account’s own', async () => {
    const ids = await letters(103);
    await letters(2, await books.customer(0n));
    const first = await ask('GET', '/v1/dead-letters');
    const listed = first.body?.['dead_letters'] as Record<string, string>[];
    expect(first).toMatchObject({ status: 200, type: 'application/json' });
    expect(listed.map(({ message_id }) => message_id)).toEqual(ids.slice(0, 100));
    expect(listed[0]).toMatchObject({
      ...{ kind: 'receipt', channel: 'webhook', last_error: 'The server answered 500.' },
      dead_at: '2026-01-10T17:00:00.000Z',
    });
    const next = await ask('GET', `/v1/dead-letters?after=${String(first.body?.['next'])}`);
    const rest = next.body?.['dead_letters'] as Record<string, string>[];
    expect(rest.map(({ message_id }) => message_id)).toEqual(ids.slice(100));
    expect(next.body?.['next']).toBeNull();
    expect(await ask('GET', '/v1/dead-letters?after=x')).toMatchObject({ status: 400 });
    expect(await ask('POST', '/v1/dead-letters')).toMatchObject({ status: 405 });
  });

  it('are told again: all, those since then, or of one text', async () => {
    const ids = await letters(5);
    const replay = async (body?: object): Promise<unknown> => {
      const answer = await ask('POST', '/v1/dead-letters/replay', body && JSON.stringify(body));
      return answer.status === 200 ? answer.body : answer.status;
    };
    expect(await replay({ message_id: ids[0] })).toEqual({ replayed: 1, left: 0 });
    expect(await replay({ since: '2026-01-14T23:30:00+01:00' })).toEqual({ replayed: 1, left: 0 });
    expect(await replay()).toEqual({ replayed: 3, left: 0 });
    expect(await replay({})).toEqual({ replayed: 0, left: 0 });
    for (const wrong of [{ since: 'yesterday' }, { message_id: '7' }, { messageId: ids[0] }, []]) {
      expect(await replay(wrong)).toBe(400);
    }
    expect(await ask('POST', '/v1/dead-letters/replay', '{')).toMatchObject({ status: 400 });
    expect(await ask('GET', '/v1/dead-letters/replay')).toMatchObject({ status: 405 });
    expect(await ask('GET', '/v1/dead-letters', undefined, 'ld_wrong')).toMatchObject({ status: 401 });
  });

  it('are told again a thousand at a time', async () => {
    await letters(1_003);
    expect((await ask('POST', '/v1/dead-letters/replay')).body).toEqual({ replayed: 1_000, left: 3 });
    expect((await ask('POST', '/v1/dead-letters/replay')).body).toEqual({ replayed: 3, left: 0 });
  });
});
