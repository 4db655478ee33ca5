import type { E164 } from '../../../domain/numbers/e164.ts';
import {
  sampleDeck,
  sampleNumbers,
  samplePrefixes,
  sampleRows,
  SEED,
  seeded,
} from '../../../domain/rating/bench/sample_decks.ts';
import { fxTable } from '../../../domain/rating/fx_rates.ts';
import { RateIndexBuilder } from '../../../domain/rating/index/build_index.ts';
import { TextPrices } from '../../../domain/texts/prices/text_prices.ts';
import { countryOfCallingCode } from '../../screening/country/destination_country.ts';
import { TextRoutes } from '../text_routes.ts';
import type { Sale } from '../text_routes.ts';

/**
 * How long it takes to find the carriers of a text: random numbers over all prefixes, so that hardly any place of the numbering
 * plan comes twice before it is forgotten; and numbers of one country, as traffic is. Beside it the plain way, which prices
 * every carrier of the number and sorts them.
 */
const PREFIXES = 200_000;
const CARRIERS = 20;
const NUMBERS = 200_000;
const ROUNDS = 5;
/** Those to which most of the texts go. */
const COUNTRIES = ['US', 'GB', 'DE', 'FR', 'IN', 'BR', 'NG', 'ID', 'MX', 'ES', 'IT', 'PL', 'TR', 'ZA', 'VN', 'PH'];
const SALE: Sale = { rate_micros_per_segment: 500_000n, currency: 'EUR' };

function pricesOf(prefixes: readonly string[]): TextPrices {
  const builder = new RateIndexBuilder(0, PREFIXES * (CARRIERS + 1));
  for (let id = 0; id <= CARRIERS; id += 1) {
    const deck_no = builder.addDeck(sampleDeck(id));
    for (const row of sampleRows(prefixes, seeded(SEED + 2 + id))) builder.addRow(deck_no, row);
  }
  return new TextPrices(builder.build());
}

/** Microseconds of CPU for each, which other programs on the machine do not blur; the median of some rounds. */
function usOf(numbers: readonly E164[], work: (number: E164) => number): number {
  const rounds: number[] = [];
  let found = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    for (const number of numbers) found += work(number);
    const { user, system } = process.cpuUsage(before);
    rounds.push((user + system) / numbers.length);
  }
  if (found === 0) throw new Error('No number has a route: the sample is wrong.');
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
}

const prefixes = samplePrefixes(PREFIXES, seeded(SEED));
const prices = pricesOf(prefixes);
const numbers = sampleNumbers(NUMBERS, prefixes, seeded(SEED + 1));
const british = numbers.filter((number) => number.startsWith('+44'));
const carriers = new Map(
  Array.from({ length: CARRIERS }, (_, at) => [
    at + 1,
    {
      ...{ carrier_id: at + 1, code: `carrier-${at + 1}`, enabled: true, quality_ppm: 900_000 + at },
      // As a gateway knows them that has been running for a while.
      quality_ppm_by_country: new Map(COUNTRIES.map((country) => [country, 850_000 + 1_000 * at])),
    },
  ]),
);
const options = { margin_ppm_min: 0, routes_max: 4, quality_weight_ppm: 500_000 };
const routes = new TextRoutes(prices, fxTable([]), carriers, options, countryOfCallingCode);

const plain = (number: E164): number =>
  prices
    .buy(number)
    .filter(({ rate_micros_per_segment }) => rate_micros_per_segment <= SALE.rate_micros_per_segment)
    .sort((a, b) => Number(a.rate_micros_per_segment - b.rate_micros_per_segment) || a.carrier_id - b.carrier_id)
    .slice(0, 4).length;
const ours = (number: E164): number => routes.route(number, SALE).routes.length;

const random_us = usOf(numbers, ours);
const country_us = usOf(british, ours);
const plain_us = usOf(numbers, plain);
if (!process.argv.includes('--json')) {
  console.log(`Routes of texts over ${PREFIXES} prefixes and ${CARRIERS} carriers, µs each:`);
  console.log(`  random numbers of the world  ${random_us.toFixed(2)}`);
  console.log(`  numbers of one country       ${country_us.toFixed(2)}`);
  console.log(`  random numbers, the plain way ${plain_us.toFixed(2)}: ratio ${(plain_us / random_us).toFixed(1)}`);
}
console.log(
  JSON.stringify({
    ...{ prefixes: PREFIXES, carriers: CARRIERS },
    us_per_route: Number(random_us.toFixed(2)),
    us_per_route_in_one_country: Number(country_us.toFixed(2)),
    us_per_route_plainly: Number(plain_us.toFixed(2)),
  }),
);
