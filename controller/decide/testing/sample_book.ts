import { parseCurrency, type Currency } from '../../../domain/money/currency.ts';
import { fxTable } from '../../../domain/rating/fx_rates.ts';
import { RateIndexBuilder } from '../../../domain/rating/index/build_index.ts';
import type { RateDeck, RateRow } from '../../../domain/rating/rate_deck.ts';
import { RateBook } from '../../routing/rate_book.ts';

function currency(code: string): Currency {
  const parsed = parseCurrency(code);
  if (parsed === null) throw new Error(`${code} should be a currency.`);
  return parsed;
}

const row = (prefix: string, rate_micros_per_minute: bigint): RateRow => ({
  prefix,
  destination: `to ${prefix}`,
  rate_micros_per_minute,
  connect_fee_micros: 0n,
  minimum_seconds: 0,
  initial_increment_seconds: 1,
  subsequent_increment_seconds: 1,
  grace_seconds: 0,
  free_seconds: 0,
  effective_from_ms: 0,
  effective_to_ms: null,
});

/** One sells to 44, 33 and 881; carriers 1 and 2 buy 44, carrier 1 alone 33 at more than its price, nobody 881. */
export function sampleBook(): RateBook {
  const builder = new RateIndexBuilder(1);
  const decks: [RateDeck, RateRow[]][] = [
    [deck(0), [row('44', 60_000n), row('33', 10_000n), row('881', 9_000_000n), row('1', 30_000n)]],
    [deck(1), [row('44', 12_000n), row('33', 20_000n)]],
    [deck(2), [row('44', 13_000n)]],
  ];
  for (const [of, rows] of decks) {
    const number = builder.addDeck(of);
    for (const one of rows) builder.addRow(number, one);
  }
  const trunks = (name: string): { id: string; max_channels: number }[] => [{ id: `trunk-${name}`, max_channels: 2 }];
  return new RateBook(
    {
      index: builder.build(),
      carriers: [
        { carrier_id: 1, code: 'alpha', enabled: true, trunks: trunks('alpha') },
        { carrier_id: 2, code: 'beta', enabled: true, trunks: trunks('beta') },
      ],
      emergency_trunks: new Map([['DE', 'trunk-help']]),
      fx: fxTable([]),
    },
    { expected_duration_seconds: 60, min_margin_ppm: 0, candidates_max: 3 },
  );
}

function deck(id: number): RateDeck {
  const rest = { id, name: id === 0 ? 'retail' : `buy-${id}`, version: 3, currency: currency('EUR') };
  return id === 0 ? { ...rest, side: 'sell', carrier_id: null } : { ...rest, side: 'buy', carrier_id: id };
}
