import { cutPieces, furthestInSeptets, furthestInText } from './cut.ts';
import { ESCAPE } from './gsm7_tables.ts';
import { planText, tooLong, type EncodingOptions, type TextPlan } from './plan_text.ts';
import { limitsOf, shiftElements, type Segment, type Segmented, type TextTooLong } from './segment.ts';
import { NO_SEPTETS, septetCodes, type SeptetCodes, type ShiftPair } from './septet_codes.ts';

/** A text as it goes on the air. `segmentUdh` makes the headers. */
export type EncodedText = Segmented &
  ShiftPair & {
    readonly kind: 'encoded';
    readonly encoding: 'gsm7' | 'ucs2';
    /** What will arrive: the text itself, but for lone surrogates and what was transliterated. */
    readonly text: string;
  };

/** What a text will be on the air, without its payloads. */
export type CountedText = ShiftPair & {
  readonly kind: 'counted';
  readonly encoding: 'gsm7' | 'ucs2';
  readonly units: number;
  readonly segments: number;
};

/**
 * Encodes a text into segments: the cheapest encoding that loses nothing, as `planText` says. Neither an escape sequence
 * nor a surrogate pair is split between segments, and no grapheme cluster of a UCS-2 text where that costs no further
 * segment. A lone surrogate becomes U+FFFD. An empty text is one segment of nothing.
 *
 * The payloads are views of one buffer.
 */
export function encodeText(text: string, options: EncodingOptions = {}): EncodedText | TextTooLong {
  return encodeWith(text, options, NO_ELEMENTS);
}

/** The same answer without payloads, for a quote: it says `too_long` exactly where `encodeText` does. */
export function countSegments(text: string, options: EncodingOptions = {}): CountedText | TextTooLong {
  const plan = planText(text, options);
  const { encoding, locking_shift, single_shift, units, segments } = plan;
  return tooLong(plan, options) ?? { kind: 'counted', encoding, locking_shift, single_shift, units, segments };
}

const NO_ELEMENTS = new Uint8Array(0);

/** Encodes a text whose segments all carry further information elements. */
export function encodeWith(
  text: string,
  options: EncodingOptions,
  further_elements: Uint8Array,
): EncodedText | TextTooLong {
  const plan = planText(text, options, further_elements.length);
  const refusal = tooLong(plan, options);
  if (refusal) return refusal;
  const { encoding, locking_shift, single_shift, units } = plan;
  const own = shiftElements(plan);
  const elements = own.length === 0 ? further_elements : Uint8Array.of(...further_elements, ...own);
  const reference_bits = options.reference_bits ?? 8;
  const arriving = encoding === 'gsm7' ? plan.text : wellFormed(plan.text);
  const segments = segmentsOf(
    { ...plan, text: arriving },
    limitsOf(encoding, elements.length, reference_bits).part_units,
  );
  return {
    kind: 'encoded',
    text: arriving,
    ...{ encoding, locking_shift, single_shift, units, segments, reference_bits, elements },
  };
}

function segmentsOf(plan: TextPlan, part_units: number): Segment[] {
  const { text, encoding, units } = plan;
  const is_gsm7 = encoding === 'gsm7';
  const payload = is_gsm7 ? septetsOf(text, septetCodes(plan), units) : ucs2Of(text);
  if (plan.segments === 1) return [{ units, payload }];
  const ends = is_gsm7
    ? cutPieces(units, furthestInSeptets(payload), part_units)
    : cutPieces(units, furthestInText(text), part_units, clusterStartIn(text));
  const octets_per_unit = is_gsm7 ? 1 : 2;
  return ends.map((end, place) => {
    const from = ends[place - 1] ?? 0;
    return { units: end - from, payload: payload.subarray(from * octets_per_unit, end * octets_per_unit) };
  });
}

function septetsOf(text: string, codes: SeptetCodes, units: number): Uint8Array {
  const septets = new Uint8Array(units);
  let place = 0;
  for (let at = 0; at < text.length; at++) {
    const code = codes[text.charCodeAt(at)] ?? NO_SEPTETS;
    if (code > 0x7f) septets[place++] = ESCAPE;
    septets[place++] = code & 0x7f;
  }
  return septets;
}

function ucs2Of(text: string): Uint8Array {
  const octets = new Uint8Array(text.length * 2);
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    octets[at * 2] = unit >> 8;
    octets[at * 2 + 1] = unit & 0xff;
  }
  return octets;
}

function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

// Clusters do not depend on the locale (Unicode annex 29).
const clusters = new Intl.Segmenter('en', { granularity: 'grapheme' });

function clusterStartIn(text: string): (at: number) => number {
  const segments = clusters.segment(text);
  return (at) => segments.containing(at)?.index ?? at;
}
