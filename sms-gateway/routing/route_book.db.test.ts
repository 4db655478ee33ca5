import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { putTextDeck } from '../../deploy/world/tariffs.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import { textBooks, type TextBooks } from '../../domain/texts/testing/texts.ts';
import { RouteBook } from './route_book.ts';
import type { RoutedCarrier } from './text_routes.ts';

const BRITISH = '+447700900123' as E164;
const SALE = { rate_micros_per_segment: 1_000n, currency: 'EUR' };

let books: TextBooks;
let book: RouteBook;

const priceOf = (db: pg.Pool, rate_micros_per_segment: bigint): Promise<unknown> =>
  putTextDeck(db, {
    ...{ name: 'alpha-texts', currency: 'EUR', carrier_id: books.carrier_id },
    rows: [{ prefix: '44', destination: 'United Kingdom', rate_micros_per_segment }],
  });

beforeAll(async () => {
  books = await textBooks();
});

afterAll(() => books.end());

beforeEach(async () => {
  await priceOf(books.pool, 400n);
  book = new RouteBook({
    ...{ db: books.pool, now: Date.now, log: pino({ level: 'silent' }) },
    routing: { margin_ppm_min: 0, routes_max: 4, quality_weight_ppm: 500_000 },
    countryOf: () => null,
  });
  await book.reload();
  return () => book.stop();
});

const alpha = (more: Partial<RoutedCarrier> = {}): RoutedCarrier => ({
  ...{
    carrier_id: books.carrier_id,
    code: 'alpha',
    enabled: true,
    quality_ppm: 950_000,
    quality_ppm_by_country: new Map(),
  },
  ...more,
});
const carriers = (): number[] => book.route(BRITISH, SALE).routes.map(({ carrier_id }) => carrier_id);

describe('a book of routes', () => {
  it('remembers them while carriers are told to be as they were', () => {
    book.setCarriers([alpha()]);
    // What is asked for once is not remembered.
    book.route(BRITISH, SALE);
    const routing = book.route(BRITISH, SALE);
    book.setCarriers([alpha()]);
    expect(book.route(BRITISH, SALE)).toBe(routing);
    book.setCarriers([alpha({ quality_ppm: 955_432 })]);
    expect(book.route(BRITISH, SALE)).toBe(routing);
  });

  it('works them out anew when a carrier changes', () => {
    book.setCarriers([alpha()]);
    // What is asked for once is not remembered.
    book.route(BRITISH, SALE);
    const routing = book.route(BRITISH, SALE);
    expect(carriers()).toEqual([books.carrier_id]);
    book.setCarriers([alpha({ quality_ppm: 900_000 })]);
    expect(book.route(BRITISH, SALE)).not.toBe(routing);
    book.setCarriers([alpha({ enabled: false })]);
    expect(carriers()).toEqual([]);
    book.setCarriers([alpha()]);
    expect(carriers()).toEqual([books.carrier_id]);
    book.setCarriers([]);
    expect(carriers()).toEqual([]);
  });

  it('works them out anew when a price changes', async () => {
    book.setCarriers([alpha()]);
    const costs = (): (bigint | undefined)[] =>
      book.route(BRITISH, SALE).routes.map(({ cost }) => cost.micros_per_segment);
    expect(costs()).toEqual([400n]);
    await priceOf(books.pool, 300n);
    await book.reload();
    book.setCarriers([alpha()]);
    expect(costs()).toEqual([300n]);
  });
});
