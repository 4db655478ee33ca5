import { countPieces, furthestInCodes, furthestInText } from './cut.ts';
import { hasLocking } from './gsm7_tables.ts';
import type { NationalLanguage } from './national_language.ts';
import { limitsOf, PARTS_MAX, type TextTooLong } from './segment.ts';
import { NO_SEPTETS, plainShift, septetCodes, type SeptetCodes, type ShiftPair } from './septet_codes.ts';
import { transliterate } from './transliterate.ts';

export type EncodingOptions = {
  /** Languages whose tables the way to the handset knows; none where it is not said, since many lack them. */
  readonly national_languages?: readonly NationalLanguage[];
  /** How long the reference of a text of several segments is; 8 where it is not said. */
  readonly reference_bits?: 8 | 16;
  /** 10 where it is not said; 255 at most. */
  readonly segments_max?: number;
  /**
   * Replace characters that GSM 7 lacks by the nearest it has, where that makes the whole text plain GSM 7 and saves a
   * segment. Not where it is not said.
   */
  readonly transliterate?: boolean;
};

export const SEGMENTS_MAX_DEFAULT = 10;

/** How a text will be encoded, and what it takes: all but the payloads. */
export type TextPlan = ShiftPair & {
  /** The text that will arrive; lone surrogates are still in it. */
  readonly text: string;
  readonly encoding: 'gsm7' | 'ucs2';
  readonly units: number;
  readonly segments: number;
};

/**
 * The cheapest encoding that loses nothing. The fewest segments win; of equals plain GSM 7 comes first, then UCS-2, which
 * every handset reads, and then GSM 7 with national tables: of these fewer tables before more, and a single shift before a
 * locking shift, as it spoils less where a handset lacks it.
 *
 * `elements_length_octets` are the information elements that the header of each segment carries beside its own.
 */
export function planText(text: string, options: EncodingOptions, elements_length_octets = 0): TextPlan {
  const plan = planAsItIs(text, options, elements_length_octets);
  if (options.transliterate !== true || plan.segments === 1 || isPlain(plan)) return plan;
  const nearest = planGsm7(transliterate(text, isGsm7), plainShift, options, elements_length_octets);
  return nearest !== null && nearest.segments < plan.segments ? nearest : plan;
}

/** The refusal of a plan that takes too many segments; null where it does not. */
export function tooLong({ segments }: { segments: number }, options: EncodingOptions): TextTooLong | null {
  const segments_max = Math.min(PARTS_MAX, options.segments_max ?? SEGMENTS_MAX_DEFAULT);
  return segments > segments_max ? { kind: 'too_long', segments, segments_max } : null;
}

function planAsItIs(text: string, options: EncodingOptions, elements_length_octets: number): TextPlan {
  // A segment holds 145 septets or more, 72 characters that all need an escape, and 67 of UCS-2 at most: where plain
  // GSM 7 has all characters, UCS-2 never takes fewer segments.
  let best =
    planGsm7(text, plainShift, options, elements_length_octets) ?? planUcs2(text, options, elements_length_octets);
  if (best.segments === 1) return best;
  for (const pair of nationalPairs(options.national_languages ?? [])) {
    const plan = planGsm7(text, pair, options, elements_length_octets);
    if (plan !== null && plan.segments < best.segments) best = plan;
  }
  return best;
}

/** Every pair of tables that the languages allow, the plainer first. */
function nationalPairs(languages: readonly NationalLanguage[]): ShiftPair[] {
  const lockings = languages.filter(hasLocking);
  return [
    ...languages.map((single_shift) => ({ locking_shift: null, single_shift })),
    ...lockings.map((locking_shift) => ({ locking_shift, single_shift: null })),
    ...lockings.flatMap((locking_shift) => languages.map((single_shift) => ({ locking_shift, single_shift }))),
  ];
}

/** Null where a character is in neither table. */
function planGsm7(text: string, pair: ShiftPair, options: EncodingOptions, elements: number): TextPlan | null {
  const codes = septetCodes(pair);
  const units = countSeptets(text, codes);
  if (units === null) return null;
  const { locking_shift, single_shift } = pair;
  const own = (locking_shift ? 3 : 0) + (single_shift ? 3 : 0);
  const { single_units, part_units } = limitsOf('gsm7', elements + own, options.reference_bits ?? 8);
  const segments = units <= single_units ? 1 : countPieces(text.length, furthestInCodes(text, codes), part_units);
  return { text, encoding: 'gsm7', locking_shift, single_shift, units, segments };
}

function planUcs2(text: string, options: EncodingOptions, elements: number): TextPlan {
  const units = text.length;
  const { single_units, part_units } = limitsOf('ucs2', elements, options.reference_bits ?? 8);
  const segments = units <= single_units ? 1 : countPieces(units, furthestInText(text), part_units);
  return { text, encoding: 'ucs2', ...plainShift, units, segments };
}

function countSeptets(text: string, codes: SeptetCodes): number | null {
  let units = 0;
  for (let at = 0; at < text.length; at++) {
    const code = codes[text.charCodeAt(at)] ?? NO_SEPTETS;
    if (code === NO_SEPTETS) return null;
    units += code < 0x80 ? 1 : 2;
  }
  return units;
}

function isPlain(plan: TextPlan): boolean {
  return plan.encoding === 'gsm7' && plan.locking_shift === null && plan.single_shift === null;
}

function isGsm7(character: string): boolean {
  return character.length === 1 && septetCodes(plainShift)[character.charCodeAt(0)] !== NO_SEPTETS;
}
