import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Customer } from '../../deploy/world/people.ts';
import type { RateDeck } from '../../domain/rating/rate_deck.ts';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import { textBooks } from '../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../domain/texts/testing/texts.ts';
import type { ClaimQueue } from '../lanes/claim_queue.ts';
import type { Dispatcher } from '../lanes/dispatcher.ts';
import { Acceptor } from './acceptor.ts';
import { contentHash } from './judge_text.ts';
import type { TextPayer } from './payer.ts';
import type { TextRequest } from './text_request.ts';

let books: TextBooks;
/** The names of the statements that were asked. */
let asked: (string | undefined)[];

beforeAll(async () => {
  books = await textBooks();
});

afterAll(() => books.end());

beforeEach(() => {
  asked = [];
});

function acceptor(): Acceptor {
  const db = {
    query: (query: pg.QueryConfig) => {
      asked.push(query.name);
      return books.pool.query(query);
    },
  } as unknown as pg.Pool;
  const deck = { id: 1, name: 'retail-texts', side: 'sell', currency: 'EUR', version: 1 } as unknown as RateDeck;
  return new Acceptor({
    ...{ db, queue: null as unknown as ClaimQueue, dispatcher: null as unknown as Dispatcher },
    sell: () => ({ rate_micros_per_segment: 1_000n, prefix: '44', destination: 'United Kingdom', deck }),
    ...{ newId: randomUUID, now: Date.now, segments_max: 10, validity_ms: 86_400_000, ahead_ms_max: 86_400_000 },
    ...{ national_languages: () => [], epoch: () => 1, waiting_max: 1_000, monotonic: () => performance.now() },
    ...{ screen: () => ({ kind: 'pass' }), ported: () => null, log: pino({ level: 'silent' }) },
    room: { lacks: () => null, enters: () => undefined, stored: () => undefined },
    ...{ onAccepted: () => undefined, onAnswered: () => undefined },
  });
}

/** Refused whatever he asks for. */
const payerOf = ({ account_id, wallet_id }: Customer): TextPayer => ({
  ...{ account_id, wallet_id, currency: 'EUR', tax_ppm: 0, text_deck: 'retail-texts', home_country: 'DE' },
  blocked_prefixes: ['44'],
});

const request = ({ number }: Customer, key: string, text = 'Hello'): TextRequest => ({
  ...{ sender: number, recipient: '+447700900123', content: { kind: 'text', text }, class: 'normal' },
  ...{ on_doubt: 'resend', client_ref: null, idempotency_key: key, due_at_ms: null, valid_for_ms: null },
  ...{ wants_receipt: true, source: 'http', system_id: null },
});

/** Accepted before, while that was allowed. */
async function accepted(customer: Customer, key: string): Promise<string> {
  const idempotency = { key, content_sha256: contentHash(request(customer, key)) };
  const text = books.text(customer, { idempotency });
  await acceptMessages(books.pool, new Date(), [text]);
  return text.id;
}

it('requests that are refused are looked up together, and those that repeat accepted ones hear that again', async () => {
  const [one, other] = [await books.customer(100_000n), await books.customer(100_000n)];
  const keys = Array.from({ length: 20 }, (_, n) => `key ${n}`);
  const ids = await Promise.all(keys.map((key, n) => accepted(n % 2 === 0 ? one : other, key)));
  const gateway = acceptor();
  const answers = await Promise.all([
    ...keys.map((key, n) => {
      const customer = n % 2 === 0 ? one : other;
      return gateway.accept(request(customer, key), payerOf(customer));
    }),
    // Another text, another one's key, and one that is new.
    gateway.accept(request(one, 'key 0', 'Goodbye'), payerOf(one)),
    gateway.accept(request(one, 'key 1'), payerOf(one)),
    gateway.accept(request(one, 'new'), payerOf(one)),
  ]);
  expect(answers.slice(0, 20)).toMatchObject(ids.map((id) => ({ kind: 'replay', id, net_micros: 1_000n })));
  expect(answers.slice(20).map(({ kind }) => kind)).toEqual(['refused', 'refused', 'refused']);
  expect(asked).toEqual(['repeated_texts']);
});
