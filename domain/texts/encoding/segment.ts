import { identifierOf } from './national_language.ts';
import type { ShiftPair } from './septet_codes.ts';
import { elementIds } from './udh.ts';

/** What one segment carries on the air, the user data header included (TP-UD of 3GPP TS 23.040). */
export const SEGMENT_OCTETS = 140;

/** How many parts a long text can have at most: the total is one octet. */
export const PARTS_MAX = 255;

/**
 * - `gsm7`: units are septets; a payload has one septet an octet, unpacked, as SMPP takes it;
 * - `ucs2`: units are UTF-16 code units; a payload is big endian;
 * - `binary`: units are octets.
 */
export type AirEncoding = 'gsm7' | 'ucs2' | 'binary';

/** A part of a text that goes out as one short message. `payload` is without the user data header. */
export type Segment = { readonly units: number; readonly payload: Uint8Array };

/** A text cut into segments, with what their headers are made of. */
export type Segmented = {
  readonly encoding: AirEncoding;
  /** The length of the whole text. */
  readonly units: number;
  readonly segments: readonly Segment[];
  readonly reference_bits: 8 | 16;
  /** The information elements that each segment carries beside the concatenation. */
  readonly elements: Uint8Array;
};

/** A text needs more segments than are allowed. */
export type TextTooLong = { readonly kind: 'too_long'; readonly segments: number; readonly segments_max: number };

/** How many units fit into a segment beside a header of this length, 0 for none. */
export function segmentUnits(encoding: AirEncoding, header_length_octets: number): number {
  const octets = Math.max(0, SEGMENT_OCTETS - header_length_octets);
  if (encoding === 'gsm7') return Math.floor((octets * 8) / 7);
  return encoding === 'ucs2' ? Math.floor(octets / 2) : octets;
}

/** The length of a segment's header, its own length octet included; 0 where there is none. */
export function headerLength(elements_length_octets: number, concat_reference_bits: 8 | 16 | null): number {
  const concat = concat_reference_bits === null ? 0 : 2 + concat_reference_bits / 8 + 2;
  const elements = concat + elements_length_octets;
  return elements === 0 ? 0 : elements + 1;
}

/** How many units a text may have to be one segment, and how many each segment of a longer one. */
export type Limits = { readonly single_units: number; readonly part_units: number };

export function limitsOf(encoding: AirEncoding, elements_length_octets: number, reference_bits: 8 | 16): Limits {
  return {
    single_units: segmentUnits(encoding, headerLength(elements_length_octets, null)),
    part_units: segmentUnits(encoding, headerLength(elements_length_octets, reference_bits)),
  };
}

/** The elements that name the national tables of a text: 3 octets each. */
export function shiftElements({ locking_shift, single_shift }: ShiftPair): Uint8Array {
  return Uint8Array.of(
    ...(single_shift ? [elementIds.single_shift, 1, identifierOf(single_shift)] : []),
    ...(locking_shift ? [elementIds.locking_shift, 1, identifierOf(locking_shift)] : []),
  );
}

/**
 * The user data header of part 1, 2, … of a text; empty where it needs none. All parts of one text have the same
 * `reference`, of which as many bits are used as the text was cut for. The concatenation comes first, since some carriers
 * look at the first element only.
 */
export function segmentUdh(text: Segmented, part: number, reference: number): Uint8Array {
  const { reference_bits, elements, segments } = text;
  const total = segments.length;
  if (!Number.isInteger(part) || part < 1 || part > total) {
    throw new RangeError(`A text of ${total} segments has no part ${part}; parts are counted from 1.`);
  }
  if (total === 1) return elements.length === 0 ? elements : Uint8Array.of(elements.length, ...elements);
  const concat =
    reference_bits === 8
      ? [elementIds.concat_8, 3, reference & 0xff, total, part]
      : [elementIds.concat_16, 4, (reference >> 8) & 0xff, reference & 0xff, total, part];
  return Uint8Array.of(concat.length + elements.length, ...concat, ...elements);
}
