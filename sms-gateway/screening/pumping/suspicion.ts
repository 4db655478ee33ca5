import { BLOCK_NUMBERS, ownTexts, RECENT_NUMBERS } from './blocks.ts';
import type { PumpingSettings } from './pumping_settings.ts';
import { usualTexts, type Standing, type Traffic } from './traffic.ts';

/** What is known of the account as a whole. */
export interface AccountTraffic {
  first_seen_ms: number;
  /** Login codes that were let through, and how many of them the customer said were entered; both halved now and then. */
  texts: number;
  converted: number;
}

/** A text within all that was counted, itself included. */
export interface Suspect {
  traffic: Traffic;
  account: AccountTraffic;
  standing: Standing;
  price_micros_per_segment: number | null;
  now_ms: number;
}

/** What is below counts as few blocks: somebody who pumps two of them must not be each other's excuse. */
const OTHER_BLOCKS_MIN = 8;
/** How many times what the others get a block may get. */
const SPREAD = 3;
/** Success looks the same at first, so this sign alone refuses nothing at any price. */
const SURGE_POINTS_MAX = 1.9;
const RECEIPTS_MIN = 20;
const UNDELIVERED_POINTS_MAX = 0.3;

/**
 * How much a text looks pumped, in points: from 1 on a person should look at it. Pure. Each of the five signs is enough by
 * itself at the number that the settings give for it, and the price weighs all of them.
 */
export function suspicionPoints(suspect: Suspect, settings: PumpingSettings): number {
  const signs =
    nearPoints(suspect, settings) +
    blockPoints(suspect, settings) +
    surgePoints(suspect, settings) +
    conversionPoints(suspect, settings) +
    receiptPoints(suspect);
  return signs * priceWeight(suspect, settings);
}

/** To neighbours or in even steps, beyond what chance explains. */
export function nearPoints({ traffic, standing }: Suspect, settings: PumpingSettings): number {
  const { near_texts_max, near_distance } = settings;
  const by_chance = Math.min(1, (RECENT_NUMBERS * 2 * near_distance) / BLOCK_NUMBERS);
  const near = (traffic.blocks.near[standing.slot] ?? 0) - 2 * by_chance * ownTexts(traffic.blocks, standing.slot);
  return Math.max(0, near, standing.is_even_step ? traffic.even_steps : 0) / near_texts_max;
}

/** To one block, beyond what the other blocks of the country get. */
export function blockPoints({ traffic: { blocks }, standing: { slot } }: Suspect, settings: PumpingSettings): number {
  const own = ownTexts(blocks, slot);
  const others = (blocks.own_sum - own) / Math.max(OTHER_BLOCKS_MIN, blocks.used - 1);
  return Math.max(0, own - SPREAD * others) / settings.block_texts_max;
}

/** Against the average of the country. By the square, so that an ordinary good day counts little; and no more than holds. */
export function surgePoints({ traffic, account, now_ms }: Suspect, settings: PumpingSettings): number {
  if (now_ms - account.first_seen_ms < settings.learning_ms) return 0;
  return Math.min(SURGE_POINTS_MAX, (traffic.texts / surgeLimit(traffic, settings)) ** 2);
}

/** How many that should have been entered at the login were not. Nothing for an account that does not report it. */
export function conversionPoints({ traffic, account }: Suspect, settings: PumpingSettings): number {
  if (account.converted < settings.conversions_min) return 0;
  return Math.max(0, dueConversions(traffic, account, settings) - traffic.converted) / settings.missing_conversions_max;
}

/** A weak sign: numbers that do not exist are written to by those who count upwards, and by those who err. */
function receiptPoints({ traffic: { delivered, undelivered } }: Suspect): number {
  const receipts = delivered + undelivered;
  if (receipts < RECEIPTS_MIN) return 0;
  return Math.max(0, (undelivered / receipts - 0.5) / 0.5) * UNDELIVERED_POINTS_MAX;
}

function priceWeight({ price_micros_per_segment }: Suspect, { dear_micros_per_segment }: PumpingSettings): number {
  if (price_micros_per_segment === null) return 1;
  return Math.min(2, Math.max(0.5, price_micros_per_segment / dear_micros_per_segment));
}

function surgeLimit(traffic: Traffic, settings: PumpingSettings): number {
  return settings.surge_texts_min + settings.surge_factor * usualTexts(traffic);
}

function dueConversions(traffic: Traffic, { texts, converted }: AccountTraffic, settings: PumpingSettings): number {
  if (texts === 0) return 0;
  const share = Math.min(1, converted / texts);
  return traffic.ripe * share * (settings.conversion_tolerance_ppm / 1_000_000);
}

/** Signs that count less than this are not worth a word. */
const WORTH_A_WORD = 0.2;

/** The signs in words, for whoever has to decide. */
export function explainSuspicion(suspect: Suspect, country: string | null, settings: PumpingSettings): string {
  const { traffic, account, standing, price_micros_per_segment } = suspect;
  const { blocks, texts, even_steps, converted } = traffic;
  const minutes = Math.round(settings.half_life_ms / 60_000);
  const block = `+${blocks.ids[standing.slot] ?? 0}xxxx`;
  const round = Math.round;
  const signs: [number, string][] = [
    [
      nearPoints(suspect, settings),
      standing.is_even_step && even_steps > (blocks.near[standing.slot] ?? 0)
        ? `${round(even_steps)} went to numbers in even steps`
        : `${round(blocks.near[standing.slot] ?? 0)} went to neighbouring numbers of ${block}`,
    ],
    [
      blockPoints(suspect, settings),
      `${round(ownTexts(blocks, standing.slot))} of ${round(texts)} went to the one block ${block}`,
    ],
    [surgePoints(suspect, settings), `${round(texts)} there, where ${round(usualTexts(traffic))} are usual`],
    [
      conversionPoints(suspect, settings),
      `${round(converted)} of ${round(traffic.ripe)} were entered at the login, where ${round(dueConversions(traffic, account, settings))} are the least to be expected`,
    ],
    [receiptPoints(suspect), `${round(traffic.undelivered)} could not be delivered`],
  ];
  const worth = signs.filter(([points]) => points >= WORTH_A_WORD).map(([, words]) => words);
  const price = price_micros_per_segment === null ? '' : `; a segment costs ${price_micros_per_segment / 1_000_000}`;
  return (
    `the login codes of this account to ${country ?? 'numbers of no country'} look pumped ` +
    `(${suspicionPoints(suspect, settings).toFixed(1)} points, counted with a half-life of ${minutes} minutes): ` +
    `${worth.length === 0 ? 'several weak signs together' : worth.join('; ')}${price}`
  );
}
