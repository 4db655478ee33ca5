import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCurrency } from '../../domain/money/currency.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import { convert, fxTable } from '../../domain/rating/fx_rates.ts';
import { RateIndexBuilder } from '../../domain/rating/index/build_index.ts';
import { TextPrices } from '../../domain/texts/prices/text_prices.ts';
import type { CarrierTextRate } from '../../domain/texts/prices/text_prices.ts';
import { TextRoutes } from './text_routes.ts';
import type { RoutedCarrier, RoutingOptions, Sale } from './text_routes.ts';

const TERMS = {
  ...{ connect_fee_micros: 0n, minimum_seconds: 0, initial_increment_seconds: 1, subsequent_increment_seconds: 1 },
  ...{ grace_seconds: 0, free_seconds: 0 },
};

interface Deck {
  carrier_id: number;
  currency: string;
  rates: Readonly<Record<string, bigint>>;
}

function pricesOf(decks: readonly Deck[]): TextPrices {
  const builder = new RateIndexBuilder(0);
  for (const { carrier_id, currency, rates } of decks) {
    const known = parseCurrency(currency);
    if (known === null) throw new Error(`${currency} is no currency`);
    const deck = {
      id: carrier_id,
      name: `deck-${carrier_id}`,
      version: 1,
      currency: known,
      side: 'buy',
      carrier_id,
    } as const;
    const deck_no = builder.addDeck(deck);
    for (const [prefix, rate_micros_per_minute] of Object.entries(rates)) {
      const times = { effective_from_ms: Number.NEGATIVE_INFINITY, effective_to_ms: null };
      builder.addRow(deck_no, { ...TERMS, prefix, destination: prefix, rate_micros_per_minute, ...times });
    }
  }
  return new TextPrices(builder.build());
}

const FX = fxTable([
  { from_currency: 'USD', to_currency: 'EUR', on_date: '2026-01-15', numerator: 92n, denominator: 100n },
]);
const OPTIONS: RoutingOptions = { margin_ppm_min: 0, routes_max: 4, quality_weight_ppm: 0 };
const ONE_EURO: Sale = { rate_micros_per_segment: 1_000_000n, currency: 'EUR' };
const BRITISH = '+447700900123' as E164;

function carriers(...ones: (Partial<RoutedCarrier> & { carrier_id: number })[]): Map<number, RoutedCarrier> {
  return new Map(
    ones.map((one) => [
      one.carrier_id,
      { code: `c${one.carrier_id}`, enabled: true, quality_ppm: 1_000_000, quality_ppm_by_country: new Map(), ...one },
    ]),
  );
}

const countryOf = (number: E164): string =>
  number.startsWith('+4477') ? 'GG' : number.startsWith('+44') ? 'GB' : 'ZZ';
const routesOf = (prices: TextPrices, known: ReadonlyMap<number, RoutedCarrier>, options: RoutingOptions): TextRoutes =>
  new TextRoutes(prices, FX, known, options, countryOf);
const euros = (carrier_id: number, rates: Deck['rates']): Deck => ({ carrier_id, currency: 'EUR', rates });
const ids = (routes: TextRoutes, number: E164 = BRITISH, sale: Sale = ONE_EURO): number[] =>
  routes.route(number, sale).routes.map(({ carrier_id }) => carrier_id);

describe('carriers for a text', () => {
  it('are tried from the cheapest on, each by its own longest prefix, of equals the one with the lower id first', () => {
    const decks = [
      euros(1, { 44: 30n, 447: 50n }),
      euros(2, { 44: 40n }),
      euros(3, { 4477: 40n }),
      euros(4, { 1: 5n }),
    ];
    const routes = routesOf(pricesOf(decks), carriers(...[1, 2, 3, 4].map((carrier_id) => ({ carrier_id }))), OPTIONS);
    expect(ids(routes)).toEqual([2, 3, 1]);
    expect(ids(routes, '+441500000000' as E164)).toEqual([1, 2]);
    expect(ids(routes, '+330000000' as E164)).toEqual([]);
    expect(routes.route(BRITISH, ONE_EURO).routes[0]).toEqual({
      ...{ carrier_id: 2, carrier: 'c2', cost: { micros_per_segment: 40n, currency: 'EUR' } },
    });
  });

  it('leave the margin that is asked for, and where nobody pays there is none', () => {
    const prices = pricesOf([euros(1, { 44: 800_000n }), euros(2, { 44: 800_001n }), euros(3, { 44: 2_000_000n })]);
    const known = carriers({ carrier_id: 1 }, { carrier_id: 2 }, { carrier_id: 3 });
    const routes = routesOf(prices, known, { ...OPTIONS, margin_ppm_min: 200_000 });
    expect(ids(routes)).toEqual([1]);
    expect(ids(routes, BRITISH, null)).toEqual([1, 2, 3]);
  });

  it('count for as dear as their lost texts make them', () => {
    const prices = pricesOf([euros(1, { 44: 100n }), euros(2, { 44: 150n })]);
    const known = carriers({ carrier_id: 1, quality_ppm: 500_000 }, { carrier_id: 2 });
    expect(ids(routesOf(prices, known, OPTIONS))).toEqual([1, 2]);
    expect(ids(routesOf(prices, known, { ...OPTIONS, quality_weight_ppm: 1_000_000 }))).toEqual([2, 1]);
  });

  it('count as those of the country do, where that is known, though no deck tells it apart', () => {
    const prices = pricesOf([euros(1, { 44: 100n }), euros(2, { 44: 150n })]);
    const lost = { quality_ppm_by_country: new Map([['GG', 500_000]]) };
    const known = carriers({ carrier_id: 1, ...lost }, { carrier_id: 2 });
    const routes = routesOf(prices, known, { ...OPTIONS, quality_weight_ppm: 1_000_000 });
    for (let asked = 0; asked < 3; asked += 1) {
      expect(ids(routes, '+447700900123' as E164)).toEqual([2, 1]);
      expect(ids(routes, '+441500000000' as E164)).toEqual([1, 2]);
    }
    expect(routes.route(BRITISH, ONE_EURO).reason).toBe(
      'c2 150 EUR micros: may carry it; c1 100 EUR micros, 50% arrive: may carry it',
    );
  });

  it('are told with what speaks for and against each', () => {
    const decks = [
      ...[euros(1, { 44: 100n }), euros(2, { 44: 90n }), euros(3, { 44: 2_000_000n }), euros(4, { 44: 1n })],
      ...[
        { carrier_id: 5, currency: 'JPY', rates: { 44: 7n } },
        { carrier_id: 6, currency: 'USD', rates: { 44: 100n } },
      ],
    ];
    const known = carriers(
      ...[{ carrier_id: 1 }, { carrier_id: 2 }, { carrier_id: 3 }, { carrier_id: 4, enabled: false }],
      ...[{ carrier_id: 5 }, { carrier_id: 6 }],
    );
    const routes = routesOf(pricesOf(decks), known, { ...OPTIONS, routes_max: 2 });
    const { reason } = routes.route(BRITISH, ONE_EURO);
    expect(reason).toBe(
      [
        ...['c2 90 EUR micros: may carry it', 'c6 100 USD micros: may carry it', 'c1 100 EUR micros: not needed'],
        ...['c5 7 JPY micros: no exchange rate', 'c4 1 EUR micros: out of use'],
        'c3 2000000 EUR micros: would leave too little of the price',
      ].join('; '),
    );
    expect(ids(routes)).toEqual([2, 6]);
  });
});

const qualityTo = ({ quality_ppm, quality_ppm_by_country }: RoutedCarrier, number: E164): number =>
  quality_ppm_by_country.get(countryOf(number)) ?? quality_ppm;

/** The same in exact numbers, carrier by carrier. */
function modelled(
  prices: TextPrices,
  known: ReadonlyMap<number, RoutedCarrier>,
  options: RoutingOptions,
  number: E164,
  sale: Sale,
): { carrier_id: number; micros: bigint }[] {
  const weigh = (cost: bigint, quality_ppm: number): bigint => {
    const lost = Math.floor(((1_000_000 - quality_ppm) * options.quality_weight_ppm) / 1_000_000);
    return (cost * 1_000_000n) / BigInt(1_000_000 - Math.min(999_000, lost));
  };
  const costOf = ({ rate_micros_per_segment, deck }: CarrierTextRate): bigint | null =>
    sale === null ? rate_micros_per_segment : convert(rate_micros_per_segment, deck.currency, sale.currency, FX);
  return prices
    .buy(number)
    .flatMap((rate) => {
      const carrier = known.get(rate.carrier_id);
      const cost = costOf(rate);
      if (carrier?.enabled !== true || cost === null) return [];
      if (sale !== null) {
        const sell = sale.rate_micros_per_segment;
        if ((sell - cost) * 1_000_000n < sell * BigInt(options.margin_ppm_min)) return [];
      }
      return [
        {
          carrier_id: rate.carrier_id,
          micros: rate.rate_micros_per_segment,
          weight: weigh(cost, qualityTo(carrier, number)),
        },
      ];
    })
    .sort((a, b) => (a.weight === b.weight ? a.carrier_id - b.carrier_id : a.weight < b.weight ? -1 : 1))
    .slice(0, options.routes_max)
    .map(({ carrier_id, micros }) => ({ carrier_id, micros }));
}

it('whatever the prices, the routes are those of exact arithmetic over all carriers', () => {
  const prefix = fc.constantFrom('4', '44', '447', '4477', '44770', '1', '12');
  const price = fc.oneof(fc.bigInt({ min: 0n, max: 60n }), fc.bigInt({ min: 0n, max: 2_000_000n }));
  const deck = fc.record({ currency: fc.constantFrom('EUR', 'USD', 'JPY'), rates: fc.dictionary(prefix, price) });
  const quality_ppm = fc.constantFrom(0, 250_000, 999_999, 1_000_000);
  const quality_ppm_by_country = fc
    .dictionary(fc.constantFrom('GB', 'GG'), quality_ppm)
    .map((given) => new Map(Object.entries(given)));
  const carrier = fc.record({ quality_ppm, quality_ppm_by_country });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(deck, carrier, fc.boolean()), { maxLength: 8 }),
      fc.record({
        margin_ppm_min: fc.integer({ min: -500_000, max: 900_000 }),
        routes_max: fc.integer({ min: 1, max: 5 }),
        quality_weight_ppm: fc.constantFrom(0, 500_000, 1_000_000),
      }),
      fc.array(
        fc.record({
          number: fc.constantFrom(
            '+447700900123',
            '+447',
            '+44150000',
            '+12025550123',
            '+4915112345',
          ) as fc.Arbitrary<E164>,
          sale: fc.option(fc.record({ rate_micros_per_segment: price, currency: fc.constantFrom('EUR', 'USD') })),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      (made, options, asked) => {
        const prices = pricesOf(made.map(([one], at) => ({ ...one, carrier_id: at + 1 })));
        const known = carriers(
          ...made.map(([, one, is_enabled], at) => ({ ...one, carrier_id: at + 1, enabled: is_enabled })),
        );
        const routes = routesOf(prices, known, options);
        // Each is asked for three times: what is worked out the second time is remembered.
        for (const { number, sale } of [...asked, ...asked, ...asked]) {
          const got = routes.route(number, sale).routes.map(({ carrier_id, cost }) => ({
            carrier_id,
            micros: cost.micros_per_segment,
          }));
          expect(got).toEqual(modelled(prices, known, options, number, sale));
        }
      },
    ),
    { numRuns: 150 },
  );
});
