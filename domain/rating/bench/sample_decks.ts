import { parseE164, type E164 } from '../../numbers/e164.ts';
import { parseCurrency } from '../../money/currency.ts';
import type { RateDeck, RateRow } from '../rate_deck.ts';

/** Country codes, each with the weight of its share of the prefixes: NANP, the large countries, then the rest. */
const COUNTRIES: readonly [code: string, weight: number][] = [
  ...(['1', '44', '49', '33', '39', '34', '86', '91', '55', '7'] as const).map((code): [string, number] => [code, 20]),
  ...(
    ['20', '27', '30', '31', '32', '36', '40', '41', '43', '45', '46', '47', '48', '51', '52', '53', '54'] as const
  ).map((code): [string, number] => [code, 5]),
  ...(
    ['56', '57', '58', '60', '61', '62', '63', '64', '65', '66', '81', '82', '84', '90', '92', '94', '98'] as const
  ).map((code): [string, number] => [code, 4]),
  ...(
    ['212', '213', '234', '254', '351', '353', '358', '359', '370', '380', '420', '421', '502', '506', '593'] as const
  ).map((code): [string, number] => [code, 3]),
  ...(
    ['852', '855', '880', '886', '961', '962', '965', '966', '971', '972', '977', '992', '995', '996', '998'] as const
  ).map((code): [string, number] => [code, 3]),
];

/** How many digits a prefix has behind its country code, by share of a hundred: most name a mobile or area range. */
const DEPTHS: readonly [digits: number, share: number][] = [
  [1, 2],
  [2, 8],
  [3, 22],
  [4, 30],
  [5, 24],
  [6, 10],
  [7, 4],
];

export const SEED = 20_260_131;

/** Random numbers that are the same in every run (mulberry32). Each is in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` different prefixes, sorted; every country code itself is among them. */
export function samplePrefixes(count: number, random: () => number): string[] {
  const prefixes = new Set(COUNTRIES.map(([code]) => code));
  while (prefixes.size < count) prefixes.add(weighted(COUNTRIES, random) + digits(weighted(DEPTHS, random), random));
  return [...prefixes].sort();
}

/** Numbers as they are dialled: three in four under a known range, the rest anywhere in a known country. */
export function sampleNumbers(count: number, prefixes: readonly string[], random: () => number): E164[] {
  return Array.from({ length: count }, () => {
    const known = prefixes[Math.floor(random() * prefixes.length)] ?? '44';
    const begin = random() < 0.75 ? known : weighted(COUNTRIES, random);
    const number = parseE164(`+${begin}${digits(Math.max(1, 11 + Math.floor(random() * 2) - begin.length), random)}`);
    if (!number) throw new Error('A sample number is malformed.');
    return number;
  });
}

/** One deck with a rate for every prefix. Prices repeat as they do in real decks; the increments are of three kinds. */
export function sampleRows(prefixes: readonly string[], random: () => number): RateRow[] {
  const increments = [
    [1, 1],
    [60, 60],
    [30, 6],
  ] as const;
  const destinations = new Map<string, string>();
  return prefixes.map((prefix) => {
    const area = prefix.slice(0, 4);
    const destination = destinations.get(area) ?? `Destination ${area}`;
    destinations.set(area, destination);
    const [initial, subsequent] = increments[random() < 0.8 ? 0 : 1 + Math.floor(random() * 2)] ?? increments[0];
    return {
      prefix,
      destination,
      rate_micros_per_minute: BigInt(2_000 + 100 * Math.floor(random() * 4_000)),
      connect_fee_micros: random() < 0.05 ? 10_000n : 0n,
      minimum_seconds: 0,
      initial_increment_seconds: initial,
      subsequent_increment_seconds: subsequent,
      grace_seconds: 0,
      free_seconds: 0,
      effective_from_ms: 0,
      effective_to_ms: null,
    };
  });
}

/** The description of deck number `id`: 0 sells, the others buy from the carrier of that number. */
export function sampleDeck(id: number): RateDeck {
  const currency = parseCurrency('EUR');
  if (!currency) throw new Error('EUR should be a currency.');
  const deck = { id, version: 1, currency };
  return id === 0
    ? { ...deck, name: 'retail', side: 'sell', carrier_id: null }
    : { ...deck, name: `carrier ${id}`, side: 'buy', carrier_id: id };
}

function weighted<T>(choices: readonly (readonly [T, number])[], random: () => number): T {
  let left = random() * choices.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [choice, weight] of choices) {
    left -= weight;
    if (left < 0) return choice;
  }
  throw new RangeError('There is nothing to choose from.');
}

function digits(count: number, random: () => number): string {
  return Math.floor(random() * 10 ** count)
    .toString()
    .padStart(count, '0');
}
