import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dataCodings } from './data_coding.ts';
import { decodeParts } from './decode_text.ts';
import { countSegments, encodeText, type EncodedText } from './encode_text.ts';
import { gsm7Characters, gsm7ExtensionCharacters, hasLocking, lockingTable, singleTable } from './gsm7_tables.ts';
import { nationalLanguages, type NationalLanguage } from './national_language.ts';
import type { EncodingOptions } from './plan_text.ts';
import { segmentUdh } from './segment.ts';
import { packSeptets } from './septets.ts';
import { naiveGsm7, naiveUcs2 } from './testing/naive_segments.ts';
import { parseUdh, type Udh } from './udh.ts';

const gsm7Unit = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('a', 'b', '@', ' ') },
  { weight: 2, arbitrary: fc.constantFrom(...gsm7Characters) },
  { weight: 3, arbitrary: fc.constantFrom(...gsm7ExtensionCharacters.filter((one) => one !== '\f')) },
);
const gsm7Text = fc.string({ unit: gsm7Unit, maxLength: 700, size: 'max' });

const CONTROLS = /[\0-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]/;
const unicodeUnit = fc.oneof(
  fc.constantFrom('я', '日', '😀', '👨‍👩‍👧‍👦', '🇩🇪', 'e\u0301', 'कि', '\r\n', '\uffff'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((one) => !CONTROLS.test(one)),
);
/** Well-formed; a byte order mark at the beginning would not come back. */
const unicodeText = fc
  .string({ unit: unicodeUnit, maxLength: 400, size: 'max' })
  .filter((text) => !text.startsWith('\ufeff'));

const language = fc.constantFrom(...nationalLanguages);
const nationalText = language.chain((one) => {
  const characters = Array.from(lockingTable(one) + singleTable(one)).filter((c) => !'\x1b\uffff\f'.includes(c));
  return fc.string({ unit: fc.constantFrom(...characters), maxLength: 400, size: 'max' });
});

const text = fc.oneof(gsm7Text, unicodeText, nationalText);
const options: fc.Arbitrary<EncodingOptions> = fc.record({
  national_languages: fc.uniqueArray(language, { maxLength: 3 }),
  reference_bits: fc.constantFrom(8, 16),
  segments_max: fc.constant(255),
});

function encoded(of: string, by: EncodingOptions): EncodedText {
  const result = encodeText(of, by);
  if (result.kind === 'too_long') throw new Error(`${result.segments} segments`);
  return result;
}

/** The headers and payloads as a handset gets them. */
function received(of: EncodedText, reference = 0): { octets: Uint8Array; udh: Udh | null }[] {
  return of.segments.map(({ payload }, place) => {
    const header = segmentUdh(of, place + 1, reference);
    if (header.length === 0) return { octets: payload, udh: null };
    const udh = parseUdh(header);
    if (udh.kind === 'malformed_udh') throw new Error(udh.reason);
    return { octets: payload, udh };
  });
}

test('what is encoded is decoded again, whatever the text and the tables', () => {
  fc.assert(
    fc.property(text, options, (of, by) => {
      const result = encoded(of, by);
      expect(decodeParts(received(result), dataCodings[result.encoding])).toEqual({ kind: 'text', text: of });
    }),
    { numRuns: 500 },
  );
});

test('counting says what encoding does', () => {
  fc.assert(
    fc.property(text, options, fc.integer({ min: 1, max: 6 }), (of, by, segments_max) => {
      const result = encodeText(of, { ...by, segments_max });
      const counted = countSegments(of, { ...by, segments_max });
      if (result.kind === 'too_long') {
        expect(counted).toEqual(result);
      } else {
        const { encoding, locking_shift, single_shift, units } = result;
        const segments = result.segments.length;
        expect(counted).toEqual({ kind: 'counted', encoding, locking_shift, single_shift, units, segments });
      }
    }),
    { numRuns: 500 },
  );
});

test('the segments are the whole text in its order, and each fits on the air beside its header', () => {
  fc.assert(
    fc.property(text, options, (of, by) => {
      const result = encoded(of, by);
      expect(result.segments.reduce((sum, { units }) => sum + units, 0)).toBe(result.units);
      result.segments.forEach(({ units, payload }, place) => {
        expect(payload.length).toBe(result.encoding === 'gsm7' ? units : units * 2);
        const header = segmentUdh(result, place + 1, 7);
        const octets =
          result.encoding === 'gsm7'
            ? Math.ceil((Math.ceil((header.length * 8) / 7) * 7 + units * 7) / 8)
            : header.length + payload.length;
        expect(octets).toBeLessThanOrEqual(140);
        if (result.segments.length > 1) expect(units).toBeGreaterThan(0);
      });
    }),
    { numRuns: 500 },
  );
});

test('nothing is split that must stay whole', () => {
  fc.assert(
    fc.property(text, options, (of, by) => {
      const result = encoded(of, by);
      for (const { payload } of result.segments) {
        if (result.encoding === 'gsm7') {
          expect(payload.at(-1)).not.toBe(0x1b);
        } else {
          // A pair that is cut would be two U+FFFD.
          const read = new TextDecoder('utf-16be', { fatal: true, ignoreBOM: true });
          expect(() => read.decode(payload)).not.toThrow();
        }
      }
    }),
    { numRuns: 500 },
  );
});

/** The fewest segments of all encodings, and which of them has the fewest: a brute-force search. */
function cheapest(of: string, by: EncodingOptions): { segments: number; is_plain: boolean; is_ucs2: boolean } {
  const bits = by.reference_bits ?? 8;
  const languages: (NationalLanguage | null)[] = [null, ...(by.national_languages ?? [])];
  const plain = naiveGsm7(of, { locking_shift: null, single_shift: null }, bits)?.length ?? Infinity;
  const ucs2 = naiveUcs2(of, bits).length;
  const national = languages.flatMap((locking_shift) =>
    languages
      .filter(() => locking_shift === null || hasLocking(locking_shift))
      .map((single_shift) => naiveGsm7(of, { locking_shift, single_shift }, bits)?.length ?? Infinity),
  );
  const segments = Math.min(plain, ucs2, ...national);
  return { segments, is_plain: plain === segments, is_ucs2: plain > segments && ucs2 === segments };
}

test('no encoding takes fewer segments, and of equals the plainer is taken', () => {
  fc.assert(
    fc.property(text, options, (of, by) => {
      const result = encoded(of, by);
      const best = cheapest(of, by);
      expect(result.segments.length).toBe(best.segments);
      const is_plain = result.encoding === 'gsm7' && result.elements.length === 0;
      expect([is_plain, result.encoding === 'ucs2']).toEqual([best.is_plain, best.is_ucs2]);
      const { locking_shift, single_shift, encoding } = result;
      const bits = by.reference_bits ?? 8;
      if (encoding === 'gsm7') {
        expect(result.segments.map(({ units }) => units)).toEqual(naiveGsm7(of, { locking_shift, single_shift }, bits));
      }
    }),
    { numRuns: 500 },
  );
});

test('grapheme clusters stay whole wherever that takes no further segment', () => {
  const clusters = new Intl.Segmenter('en', { granularity: 'grapheme' });
  fc.assert(
    fc.property(unicodeText, (of) => {
      const result = encoded(of, { segments_max: 255 });
      if (result.encoding !== 'ucs2') return;
      const borders = new Set(Array.from(clusters.segment(of), ({ index }) => index));
      let at = 0;
      const is_whole = result.segments.slice(0, -1).every(({ units }) => borders.has((at += units)));
      // Packing whole clusters one by one takes the fewest segments that whole clusters can.
      const sizes = Array.from(clusters.segment(of), ({ segment }) => segment.length);
      let held = 0;
      let needed = 1;
      for (const size of sizes) {
        if (held + size > 67) {
          needed++;
          held = 0;
        }
        held += size;
      }
      if (needed <= result.segments.length && of.length > 70) expect(is_whole).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('a text that was sent is sent the same again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 3 }), (of, lone) => {
      const once = encoded(`${of}\ud83d${lone}`, {});
      expect(encoded(once.text, {})).toEqual(once);
    }),
  );
});

test('packed as on the air a GSM 7 text of one segment comes back', () => {
  fc.assert(
    fc.property(gsm7Text, (of) => {
      const result = encoded(of, { segments_max: 255 });
      const [segment] = result.segments;
      // A last "@" looks like padding where 7 bits are left over.
      if (segment === undefined || result.segments.length > 1 || of.endsWith('@')) return;
      const decoded = decodeParts([{ octets: packSeptets(segment.payload), udh: null }], 0, {
        default_alphabet: 'gsm7_packed',
      });
      expect(decoded).toEqual({ kind: 'text', text: of });
    }),
  );
});
