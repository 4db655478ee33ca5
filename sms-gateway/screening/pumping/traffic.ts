import { fade, keptOf, makeFadingCount, usually } from '../fading_count.ts';
import type { Fading, FadingCount } from '../fading_count.ts';
import { countInBlock, fadeBlocks, makeBlocks, type Blocks } from './blocks.ts';
import type { PumpingSettings } from './pumping_settings.ts';

/** Counts fade in steps, all at once. */
export const STEP_MS = 30_000;
/** A text can be expected to be entered at the login after so many steps. */
const STEPS_TO_CONVERT = 4;

/**
 * What an account's login codes to one country were like lately. Numbers that fade, changed in place: there is one for each
 * text, so none may cost memory.
 */
export interface Traffic {
  stepped_at_ms: number;
  texts: number;
  /** Of them, those that were let through, and how many these usually are. */
  readonly passed: FadingCount;
  last_digits: number;
  last_difference: number;
  /** Texts whose number was as far from the one before as that from the one before it. */
  even_steps: number;
  /** Let through so long ago that they were entered at the login or never will be. */
  ripe: number;
  converted: number;
  /** Let through in the latest steps, in a ring. */
  readonly unripe: Float64Array;
  unripe_at: number;
  delivered: number;
  undelivered: number;
  readonly blocks: Blocks;
}

/** @param known_steps how long the account was seen to send nothing there. */
export function makeTraffic(now_ms: number, known_steps: number, settings: PumpingSettings): Traffic {
  return {
    stepped_at_ms: Math.floor(now_ms / STEP_MS) * STEP_MS,
    ...{ texts: 0, passed: makeFadingCount(known_steps, fadingOf(settings)) },
    ...{ last_digits: 0, last_difference: 0, even_steps: 0 },
    ...{ ripe: 0, converted: 0, unripe: new Float64Array(STEPS_TO_CONVERT), unripe_at: 0 },
    ...{ delivered: 0, undelivered: 0, blocks: makeBlocks() },
  };
}

/** Lets time pass. A clock that was set back lets none pass. */
export function stepTo(traffic: Traffic, now_ms: number, settings: PumpingSettings): void {
  const steps = Math.floor((now_ms - traffic.stepped_at_ms) / STEP_MS);
  if (steps < 1) return;
  traffic.stepped_at_ms += steps * STEP_MS;
  const fading = fadingOf(settings);
  fade(traffic.passed, steps, fading);
  const kept_now = fading.kept ** steps;
  traffic.texts *= kept_now;
  traffic.even_steps *= kept_now;
  traffic.converted *= kept_now;
  traffic.ripe *= kept_now;
  traffic.delivered *= kept_now;
  traffic.undelivered *= kept_now;
  ripen(traffic, steps);
  fadeBlocks(traffic.blocks, kept_now);
}

/** Where a text stands: the slot of its block, and whether it goes on in even steps. */
export interface Standing {
  slot: number;
  is_even_step: boolean;
}

/** Counts a text, and writes into `standing` where it stands. */
export function countText(traffic: Traffic, digits: number, settings: PumpingSettings, standing: Standing): void {
  traffic.texts += 1;
  const difference = digits - traffic.last_digits;
  standing.is_even_step = difference !== 0 && difference === traffic.last_difference;
  if (standing.is_even_step) traffic.even_steps += 1;
  traffic.last_difference = difference;
  traffic.last_digits = digits;
  standing.slot = countInBlock(traffic.blocks, digits, settings.near_distance);
}

/** The text was let through. */
export function countPassed(traffic: Traffic): void {
  traffic.passed.lately += 1;
  traffic.unripe[traffic.unripe_at] = (traffic.unripe[traffic.unripe_at] ?? 0) + 1;
}

/** How many texts fade to what is usually counted there. */
export function usualTexts({ passed }: Traffic): number {
  return usually(passed);
}

function fadingOf({ half_life_ms, usual_half_life_ms }: PumpingSettings): Fading {
  return { kept: keptOf(STEP_MS, half_life_ms), usual_kept: keptOf(STEP_MS, usual_half_life_ms) };
}

function ripen(traffic: Traffic, steps: number): void {
  for (let step = 0; step < Math.min(steps, STEPS_TO_CONVERT); step += 1) {
    traffic.unripe_at = (traffic.unripe_at + 1) % STEPS_TO_CONVERT;
    traffic.ripe += traffic.unripe[traffic.unripe_at] ?? 0;
    traffic.unripe[traffic.unripe_at] = 0;
  }
}
