import { dataCodings, type DefaultAlphabet, resolvedAlphabet } from './data_coding.ts';
import { countPieces, cutPieces, furthestInOctets, furthestInSeptets, furthestInUcs2, type Furthest } from './cut.ts';
import { decodeText } from './decode_text.ts';
import { encodeWith } from './encode_text.ts';
import { tooLong, type EncodingOptions } from './plan_text.ts';
import { limitsOf, PARTS_MAX, SEGMENT_OCTETS } from './segment.ts';
import type { AirEncoding, Segment, Segmented, TextTooLong } from './segment.ts';
import { fillBits, unpackSeptets } from './septets.ts';
import { parseUdh, type Concat, type MalformedUdh } from './udh.ts';

export type RawOptions = Omit<EncodingOptions, 'national_languages' | 'transliterate'> & {
  /** What we take for data coding 0 of this customer; unpacked GSM 7 where it is not said. */
  readonly default_alphabet?: DefaultAlphabet;
};

/**
 * What a customer encoded, cut where it needs it, otherwise as it came. `segmentUdh` makes the headers: the customer's own
 * elements are among `elements`, so a part of a text that the customer split keeps its reference.
 */
export type RawText = Segmented & {
  readonly kind: 'raw';
  /** What the segments are to be sent with: the customer's own, message class and all, or that of the new encoding. */
  readonly data_coding: number;
  /** Which part of the customer's own text it is; null where the customer did not split. */
  readonly concat: Concat | null;
};

export type CountedRaw = {
  readonly kind: 'counted_raw';
  readonly encoding: AirEncoding;
  readonly segments: number;
  readonly concat: Concat | null;
};

/**
 * The payload of a customer's `submit_sm` as segments: `short_message` or `message_payload`, beginning with a user data
 * header where `has_udh` says so (bit 6 of `esm_class`, SMPP 3.4 section 5.2.12).
 *
 * GSM 7, UCS-2 and binary octets go on as they are, but for GSM 7 being unpacked. The other character sets of SMPP do not exist on the air, so
 * they are decoded and encoded anew. A part of a text that the customer split is one segment or refused.
 */
export function encodeRaw(
  data_coding: number,
  octets: Uint8Array,
  has_udh: boolean,
  options: RawOptions = {},
): RawText | TextTooLong | MalformedUdh {
  const udh = has_udh ? parseUdh(octets) : null;
  if (udh?.kind === 'malformed_udh') return udh;
  const header_length = udh?.header_length_octets ?? 0;
  // Not even a text of nothing fits beside it.
  const refusal = header_length > SEGMENT_OCTETS ? tooLong({ segments: PARTS_MAX + 1 }, options) : null;
  if (refusal) return refusal;
  const elements = octets.subarray(Math.min(1, header_length), header_length);
  const body = octets.subarray(header_length);
  const raw: Raw = { data_coding, body, elements, concat: udh?.concat ?? null };
  // The customer split: what does not fit into this one part cannot be split again.
  const within = raw.concat ? { ...options, segments_max: 1 } : options;
  const alphabet = resolvedAlphabet(data_coding, options.default_alphabet ?? 'gsm7');
  switch (alphabet) {
    case 'gsm7':
    case 'ucs2':
    case 'binary':
      return cutRaw(raw, alphabet, within);
    case 'gsm7_packed':
      return cutRaw({ ...raw, body: unpackSeptets(body, fillBits(header_length)) }, 'gsm7', within);
    default:
      return encodeAnew(raw, within);
  }
}

/** How many segments `encodeRaw` makes of a customer's payload. */
export function segmentsOfRaw(
  data_coding: number,
  octets: Uint8Array,
  has_udh: boolean,
  options: RawOptions = {},
): CountedRaw | TextTooLong | MalformedUdh {
  const raw = encodeRaw(data_coding, octets, has_udh, options);
  if (raw.kind === 'too_long' || raw.kind === 'malformed_udh') return raw;
  const { encoding, segments, concat } = raw;
  return { kind: 'counted_raw', encoding, segments: segments.length, concat };
}

type Raw = {
  readonly data_coding: number;
  readonly body: Uint8Array;
  readonly elements: Uint8Array;
  readonly concat: Concat | null;
};

function encodeAnew({ data_coding, body, elements, concat }: Raw, options: RawOptions): RawText | TextTooLong {
  const decoded = decodeText(body, data_coding, null, options);
  const encoded = encodeWith(decoded.kind === 'text' ? decoded.text : '', options, elements);
  if (encoded.kind === 'too_long') return encoded;
  const { encoding, units, segments, reference_bits } = encoded;
  return {
    kind: 'raw',
    data_coding: dataCodings[encoding],
    ...{ encoding, units, segments, reference_bits, elements: encoded.elements, concat },
  };
}

function cutRaw(raw: Raw, encoding: AirEncoding, options: RawOptions): RawText | TextTooLong {
  const { data_coding, body, elements, concat } = raw;
  const reference_bits = options.reference_bits ?? 8;
  const { single_units, part_units } = limitsOf(encoding, elements.length, reference_bits);
  const units = unitsOf(encoding, body.length);
  const furthest = furthestOf(encoding, body);
  const is_single = units <= single_units;
  const pieces = is_single ? 1 : countPieces(body.length, furthest, part_units);
  const refusal = tooLong({ segments: pieces }, options);
  if (refusal) return refusal;
  const ends = is_single ? [body.length] : cutPieces(body.length, furthest, part_units);
  const segments = ends.map((end, place): Segment => {
    const payload = body.subarray(ends[place - 1] ?? 0, end);
    return { units: unitsOf(encoding, payload.length), payload };
  });
  return { kind: 'raw', data_coding, encoding, units, segments, reference_bits, elements, concat };
}

function unitsOf(encoding: AirEncoding, octets: number): number {
  return encoding === 'ucs2' ? Math.ceil(octets / 2) : octets;
}

function furthestOf(encoding: AirEncoding, body: Uint8Array): Furthest {
  switch (encoding) {
    case 'gsm7':
      return furthestInSeptets(body);
    case 'ucs2':
      return furthestInUcs2(body);
    case 'binary':
      return furthestInOctets(body);
  }
}
