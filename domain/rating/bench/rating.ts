import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { E164 } from '../../numbers/e164.ts';
import { fxTable } from '../fx_rates.ts';
import { RateIndexBuilder } from '../index/build_index.ts';
import { CopyRows } from '../index/copy_rows.ts';
import { loadIndex } from '../index/load_index.ts';
import type { RateIndex } from '../index/rate_index.ts';
import { leastCostRoutes, type LcrCarrier } from '../lcr.ts';
import { price } from '../price.ts';
import type { Rate } from '../rate.ts';
import { sampleDeck, sampleNumbers, samplePrefixes, sampleRows, SEED, seeded } from './sample_decks.ts';

const PREFIXES = 200_000;
const CARRIERS = 20;
const NUMBERS = 100_000;
const RATINGS = 2_000_000;
const ROUTINGS = 200_000;
const ROUNDS = 5;
const LCR = { expected_duration_seconds: 180, min_margin_ppm: 0, candidates_max: 3 };
const CARRIERS_BY_ID = new Map<number, LcrCarrier>(
  Array.from({ length: CARRIERS }, (_, at) => [at + 1, { enabled: true, quality_ppm: 500_000 + at }]),
);

const random = seeded(SEED);
const prefixes = samplePrefixes(PREFIXES, random);
/** A source of its own, so that the decks are the same here and where they are written. */
const numbers = sampleNumbers(NUMBERS, prefixes, seeded(SEED + 1));

function say(text: string): void {
  if (!process.argv.includes('--quiet')) console.log(text);
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}

/**
 * Builds the index from the bytes that another process makes up, as Postgres would; only the work done here is timed.
 * Were the decks made in this process, their garbage would hide how much memory the index takes.
 */
async function load(): Promise<{ index: RateIndex; load_ms: number }> {
  const begin = performance.now();
  const builder = new RateIndexBuilder(0, PREFIXES * (CARRIERS + 1));
  const deck_numbers = new Map<number, number>();
  for (let id = 0; id <= CARRIERS; id += 1) deck_numbers.set(id, builder.addDeck(sampleDeck(id)));
  const reader = new CopyRows(builder, deck_numbers);
  let load_ms = performance.now() - begin;
  const script = fileURLToPath(new URL('write_decks.ts', import.meta.url));
  const writer = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), script, String(PREFIXES), String(CARRIERS)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  for await (const chunk of writer.stdout as AsyncIterable<Buffer>) {
    const start = performance.now();
    reader.feed(chunk);
    load_ms += performance.now() - start;
  }
  const start = performance.now();
  reader.end();
  const index = builder.build();
  return { index, load_ms: load_ms + performance.now() - start };
}

/** The median of some rounds, in operations per second; a round does `work` for numbers 0 to `count`. */
function perSecond(count: number, work: (number: E164, at: number) => bigint): { per_s: number; sum: bigint } {
  const rates: number[] = [];
  let sum = 0n;
  for (let round = 0; round < ROUNDS; round += 1) {
    sum = 0n;
    const begin = performance.now();
    for (let at = 0; at < count; at += 1) sum += work(numbers[at % NUMBERS] ?? raise(), at);
    rates.push((count * 1_000) / (performance.now() - begin));
  }
  rates.sort((a, b) => a - b);
  return { per_s: Math.round(rates[ROUNDS >> 1] ?? 0), sum };
}

function raise(): never {
  throw new Error('There are no numbers to rate.');
}

function durationSeconds(at: number): number {
  return 1 + ((at * 7_919) % 1_200);
}

/** The plain way: a Map that is asked for the number, then for the number less a digit, and so on. */
function mapLookup(sell: ReadonlyMap<string, Rate>, number: E164): Rate | null {
  for (let length = Math.min(15, number.length - 1); length > 0; length -= 1) {
    const rate = sell.get(number.slice(1, 1 + length));
    if (rate) return rate;
  }
  return null;
}

function route(index: RateIndex, number: E164): bigint {
  const sell = index.lookupSell(number, 'retail');
  if (!sell) return 0n;
  return BigInt(leastCostRoutes(sell, index.lookupBuy(number), CARRIERS_BY_ID, fxTable([]), LCR).length);
}

/** The time in which the decks of a real database are read, where one is named. */
async function loadFromPostgres(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const begin = performance.now();
  const { size } = await loadIndex(pool, Date.now());
  say(
    `  from Postgres             ${Math.round(performance.now() - begin)} ms (${size.decks} decks, ${size.rates} rates there)`,
  );
  await pool.end();
}

const rss_before = process.memoryUsage.rss();
const { index, load_ms } = await load();
const rss_after = process.memoryUsage.rss();
/** What the process grew by: the index, and what building it left behind. */
const rss_mb = megabytes(rss_after - rss_before);
if (index.size.rates !== PREFIXES * (CARRIERS + 1)) throw new Error('Rates were lost on the way into the index.');
const sell = new Map(sampleRows(prefixes, random).map((row): [string, Rate] => [row.prefix, row]));

say(`Rating: ${PREFIXES} prefixes of 1 to 10 digits, one sell deck and ${CARRIERS} buy decks over them`);
say(
  `  load                      ${Math.round(load_ms)} ms: parsing the bytes of COPY for ${index.size.rates} rates and building the index;`,
);
say(`                            without Postgres itself, whose part another process plays`);
say(
  `  index                     ${megabytes(index.bytes)} MB of typed arrays; the process grew by ${rss_mb} MB to ${megabytes(rss_after)} MB`,
);
const url = process.env['DATABASE_URL'];
if (url !== undefined && url !== '') await loadFromPostgres(url);

const rated = perSecond(RATINGS, (number, at) => {
  const found = index.lookupSell(number, 'retail');
  return found ? price(durationSeconds(at), found.rate) : 0n;
});
const plain = perSecond(RATINGS / 4, (number, at) => {
  const rate = mapLookup(sell, number);
  return rate ? price(durationSeconds(at), rate) : 0n;
});
const check = perSecond(RATINGS / 4, (number, at) => {
  const found = index.lookupSell(number, 'retail');
  return found ? price(durationSeconds(at), found.rate) : 0n;
});
if (check.sum !== plain.sum) throw new Error('The index and the plain Map disagree about prices: the index is wrong.');
const routed = perSecond(ROUTINGS, (number) => route(index, number));

say(
  `  ratings                   ${rated.per_s} a second (sell lookup of a random number and price of a random duration)`,
);
say(
  `  the same with a plain Map ${plain.per_s} a second, by ever shorter prefixes: ratio ${(rated.per_s / plain.per_s).toFixed(1)}`,
);
say(`                            both charge the same ${plain.sum} micros for ${RATINGS / 4} calls`);
say(
  `  routings                  ${routed.per_s} a second (sell and ${CARRIERS} buy lookups, priced, sorted, with the reasons)`,
);
console.log(JSON.stringify({ ratings_per_s: rated.per_s, prefixes: PREFIXES, load_ms: Math.round(load_ms), rss_mb }));
