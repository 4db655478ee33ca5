import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCurrency, type Currency } from '../money/currency.ts';
import { convert, fxTable } from './fx_rates.ts';
import { leastCostRoutes, type LcrCarrier, type LcrOptions } from './lcr.ts';
import type { Rate } from './rate.ts';
import type { BuyRateRef, RateRef } from './rate_deck.ts';

const OPTIONS: LcrOptions = { expected_duration_seconds: 60, min_margin_ppm: 100_000, candidates_max: 3 };
const SOUND: LcrCarrier = { enabled: true, quality_ppm: 500_000 };

function currency(code: string): Currency {
  const parsed = parseCurrency(code);
  if (!parsed) throw new Error(`${code} should be a currency.`);
  return parsed;
}

function perMinute(rate_micros_per_minute: bigint, connect_fee_micros = 0n): Rate {
  const increments = { initial_increment_seconds: 1, subsequent_increment_seconds: 1 };
  return {
    rate_micros_per_minute,
    connect_fee_micros,
    minimum_seconds: 0,
    grace_seconds: 0,
    free_seconds: 0,
    ...increments,
  };
}

function sells(rate: Rate): RateRef {
  const deck = {
    id: 1,
    name: 'retail',
    version: 1,
    currency: currency('EUR'),
    side: 'sell',
    carrier_id: null,
  } as const;
  return { rate, prefix: '44', destination: 'United Kingdom', deck };
}

function buys(carrier_id: number, rate: Rate, code = 'EUR'): BuyRateRef {
  const deck = {
    id: 10 + carrier_id,
    name: `c${carrier_id}`,
    version: 1,
    currency: currency(code),
    side: 'buy',
  } as const;
  return { carrier_id, rate, prefix: '44', destination: 'United Kingdom', deck: { ...deck, carrier_id } };
}

function carriers(...ids: number[]): Map<number, LcrCarrier> {
  return new Map(ids.map((id) => [id, SOUND]));
}

function verdicts(of: ReturnType<typeof leastCostRoutes>): [number, string][] {
  return of.map(({ carrier_id, verdict }) => [carrier_id, verdict]);
}

test('the cheapest that leaves the margin comes first, and every other has its reason', () => {
  const offers = [
    buys(1, perMinute(80_000n)),
    buys(2, perMinute(95_000n)),
    buys(3, perMinute(10_000n)),
    buys(4, perMinute(20_000n), 'USD'),
    buys(5, perMinute(1_000n)),
    buys(6, perMinute(70_000n)),
    buys(7, perMinute(85_000n)),
  ];
  const known = carriers(1, 2, 4, 6, 7, 3).set(3, { enabled: false, quality_ppm: 1 });
  const routes = leastCostRoutes(sells(perMinute(100_000n)), offers, known, fxTable([]), OPTIONS);
  expect(verdicts(routes)).toEqual([
    [6, 'taken'],
    [1, 'taken'],
    [7, 'taken'],
    [5, 'unknown_carrier'],
    [3, 'carrier_disabled'],
    [2, 'margin_too_low'],
    [4, 'no_fx_rate'],
  ]);
  expect(routes[0]).toMatchObject({ cost_micros: 70_000n, margin_micros: 30_000n });
  expect(routes[6]).toMatchObject({ cost_micros: null, margin_micros: null });
});

test('a margin of exactly the least is enough, and one micro less is not', () => {
  const sale = sells(perMinute(100_000n));
  const offers = [buys(1, perMinute(90_000n)), buys(2, perMinute(90_001n))];
  expect(verdicts(leastCostRoutes(sale, offers, carriers(1, 2), fxTable([]), OPTIONS))).toEqual([
    [1, 'taken'],
    [2, 'margin_too_low'],
  ]);
});

test('the expected duration decides between a connect fee and a higher price', () => {
  const offers = [buys(1, perMinute(10_000n, 40_000n)), buys(2, perMinute(30_000n))];
  const first = (expected_duration_seconds: number): number | undefined =>
    leastCostRoutes(sells(perMinute(900_000n)), offers, carriers(1, 2), fxTable([]), {
      ...OPTIONS,
      expected_duration_seconds,
    })[0]?.carrier_id;
  expect([first(30), first(600)]).toEqual([2, 1]);
});

test('equals go by quality, then by carrier id, whatever order they come in', () => {
  const offers = [buys(3, perMinute(1n)), buys(1, perMinute(1n)), buys(2, perMinute(1n))];
  const known = carriers(1, 3).set(2, { enabled: true, quality_ppm: 900_000 });
  fc.assert(
    fc.property(fc.shuffledSubarray(offers, { minLength: 3 }), (shuffled) => {
      const routes = leastCostRoutes(sells(perMinute(100n)), shuffled, known, fxTable([]), OPTIONS);
      expect(routes.map((route) => route.carrier_id)).toEqual([2, 1, 3]);
    }),
  );
});

test('costs are compared in the currency of the sale, rounded up', () => {
  const on_date = '2026-01-31';
  const fx = fxTable([{ from_currency: 'EUR', to_currency: 'USD', on_date, numerator: 11n, denominator: 10n }]);
  expect(convert(11n, 'USD', 'EUR', fx)).toBe(10n);
  expect(convert(12n, 'USD', 'EUR', fx)).toBe(11n);
  expect(convert(10n, 'EUR', 'USD', fx)).toBe(11n);
  expect(convert(10n, 'EUR', 'GBP', fx)).toBeNull();
  const offers = [buys(1, perMinute(50_000n)), buys(2, perMinute(54_000n), 'USD')];
  const routes = leastCostRoutes(sells(perMinute(100_000n)), offers, carriers(1, 2), fx, OPTIONS);
  expect(routes.map((route) => [route.carrier_id, route.cost_micros])).toEqual([
    [2, 49_091n],
    [1, 50_000n],
  ]);
});
