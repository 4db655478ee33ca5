import { encodeRaw } from '../../domain/texts/encoding/raw_text.ts';
import { encodeAsCounted } from '../../domain/texts/encoding/national_text.ts';
import { limitsOf } from '../../domain/texts/encoding/segment.ts';
import type { AirEncoding, Segmented } from '../../domain/texts/encoding/segment.ts';
import { readRawBody } from '../accept/raw_body.ts';

/** How long a text is on the air, and how much fits: why it has that many segments. */
export interface TextSize {
  encoding: AirEncoding;
  segments: number;
  /** Septets of GSM 7, code units of UTF-16, or octets. */
  units: number;
  /** What a person would count; null of octets. */
  characters: number | null;
  /** How many units a text of one segment may have, and each segment of a longer one. */
  single_units: number;
  part_units: number;
  /** Whether the customer's own header takes its place in each segment. */
  has_header: boolean;
}

/** What was accepted has no more. */
const AS_ACCEPTED = { segments_max: 255 };

/**
 * Counted anew from what it says. Null where it cannot be cut into segments, which nothing that was accepted is.
 * @param counted_segments as it was accepted, which tell by the tables of which language it was counted.
 */
export function textSize(
  body: string,
  encoding: 'gsm7' | 'ucs2' | 'binary',
  counted_segments: number,
): TextSize | null {
  if (encoding === 'binary') {
    const { data_coding, octets, has_udh } = readRawBody(body);
    const raw = encodeRaw(data_coding, octets, has_udh, AS_ACCEPTED);
    return raw.kind === 'raw' ? sizeOf(raw, null) : null;
  }
  const encoded = encodeAsCounted(body, encoding, counted_segments);
  return encoded.kind === 'encoded' ? sizeOf(encoded, charactersOf(body, encoded.encoding)) : null;
}

/** What GSM 7 has are single code units; of UCS-2, what a person sees as one character may be several. */
function charactersOf(body: string, encoding: 'gsm7' | 'ucs2'): number {
  return encoding === 'gsm7' ? body.length : Array.from(characters.segment(body)).length;
}

// They do not depend on the locale (Unicode annex 29).
const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

function sizeOf(
  { encoding, units, segments, elements, reference_bits }: Segmented,
  characters: number | null,
): TextSize {
  const limits = limitsOf(encoding, elements.length, reference_bits);
  return { encoding, segments: segments.length, units, characters, ...limits, has_header: elements.length > 0 };
}

const ENCODINGS: Readonly<Record<AirEncoding, string>> = { gsm7: 'GSM 7', ucs2: 'UCS-2', binary: 'octets' };

/** `2 segments of GSM 7: 214 characters, 153 fit in each.` Without `size`, because the body was erased, only how many. */
export function segmentWords(segments: number, encoding: AirEncoding, size: TextSize | null): string {
  const count = `${segments} segment${segments === 1 ? '' : 's'} of ${ENCODINGS[size?.encoding ?? encoding]}`;
  if (size === null) return `${count}.`;
  const why = size.encoding === 'ucs2' && size.characters !== null ? ', as GSM 7 lacks some of its characters' : '';
  const header = size.has_header ? ' beside the header' : '';
  const fit =
    size.segments === 1
      ? `${size.single_units} fit in one${header}`
      : `${size.part_units} fit in each of several${header}${cutWords(size)}`;
  return `${count}${why}: ${lengthWords(size)}, and ${fit}.`;
}

function lengthWords({ encoding, units, characters }: TextSize): string {
  if (encoding === 'binary') return plural(units, 'octet');
  if (characters === null || characters === units) return plural(units, 'character');
  const twice = units - characters;
  return encoding === 'gsm7'
    ? `${plural(characters, 'character')}, ${twice} of which count${twice === 1 ? 's' : ''} twice, hence ${units}`
    : `${plural(characters, 'character')}, which are ${units} units of UCS-2`;
}

/** A pair of units that belongs together may not fit any more where the sum would. */
function cutWords({ units, part_units, segments }: TextSize): string {
  return segments > Math.ceil(units / part_units) ? '; none is cut in two' : '';
}

function plural(count: number, of: string): string {
  return `${count} ${of}${count === 1 ? '' : 's'}`;
}
