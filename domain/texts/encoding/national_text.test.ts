import { describe, expect, it } from 'vitest';
import { decodeParts } from './decode_text.ts';
import { countSegments } from './encode_text.ts';
import { lockingTable, singleTable } from './gsm7_tables.ts';
import { nationalLanguages, type NationalLanguage } from './national_language.ts';
import { countNationalSegments, encodeAsCounted, nationalLanguageOf, needsNationalTables } from './national_text.ts';
import { UNASSIGNED } from './script_tables.ts';
import { segmentUdh } from './segment.ts';
import { parseUdh } from './udh.ts';

/** What a handset makes of its parts. */
function arrivedText(text: string, segments: number): string {
  const encoded = encodeAsCounted(text, 'gsm7', segments);
  if (encoded.kind !== 'encoded') throw new Error('it is too long');
  expect([encoded.encoding, encoded.segments.length]).toEqual(['gsm7', segments]);
  const parts = encoded.segments.map(({ payload }, n) => {
    const udh = parseUdh(segmentUdh(encoded, n + 1, 7));
    if (udh.kind !== 'udh') throw new Error('it has no header');
    return { octets: payload, udh };
  });
  const decoded = decodeParts(parts, 0);
  return decoded.kind === 'text' ? decoded.text : '';
}

const ucs2Segments = (text: string): number => {
  const counted = countSegments(text, { segments_max: 255 });
  return counted.segments;
};

/** All that a language has by a table of its own, over and over. */
function textIn(language: NationalLanguage, characters: number): string {
  const own = Array.from(lockingTable(language) + singleTable(language)).filter(
    (one) => one !== UNASSIGNED && one.charCodeAt(0) >= 0x20,
  );
  return Array.from({ length: characters }, (_, n) => own[n % own.length]).join('');
}

describe.each(nationalLanguages)('a text in %s', (language) => {
  it.each([71, 150, 400, 1_500])('of %i characters takes fewer segments, and arrives as it was', (characters) => {
    const text = textIn(language, characters);
    const segments = countNationalSegments(text, nationalLanguages);
    if (segments === null) {
      // Where half of it takes two septets each, a short one saves nothing.
      expect(characters).toBe(71);
      return;
    }
    expect(segments).toBeLessThan(ucs2Segments(text));
    expect(arrivedText(text, segments)).toBe(text);
  });
});

describe('a text is counted by national tables', () => {
  const turkish = 'ş'.repeat(156);

  it('of a language that may be used, and of no other', () => {
    expect(countNationalSegments(turkish, ['turkish'])).toBe(2);
    expect(countNationalSegments(turkish, ['spanish', 'urdu'])).toBeNull();
    expect(countNationalSegments(turkish, [])).toBeNull();
    expect(ucs2Segments(turkish)).toBe(3);
  });

  it('only where it needs them and they save a segment', () => {
    expect(countNationalSegments('ş'.repeat(70), nationalLanguages)).toBeNull();
    expect(countNationalSegments(`${turkish}я`, nationalLanguages)).toBeNull();
    // Plain GSM 7, which the Portuguese tables would have in fewer segments.
    expect(countNationalSegments('^'.repeat(200), ['portuguese'])).toBeNull();
    expect([needsNationalTables('^'.repeat(200)), needsNationalTables(turkish)]).toEqual([false, true]);
    expect(encodeAsCounted('a€', 'gsm7', 1)).toMatchObject({ encoding: 'gsm7', single_shift: null, units: 3 });
    expect(encodeAsCounted(turkish, 'ucs2', 3)).toMatchObject({ encoding: 'ucs2', locking_shift: null });
  });

  it('exactly where plain GSM 7 lacks one of its characters', () => {
    // Of control characters none is part of any table.
    for (let code = 0x20; code <= 0xffff; code++) {
      const text = 'a'.repeat(70) + String.fromCharCode(code);
      const counted = countSegments(text);
      const is_plain = counted.kind === 'counted' && counted.encoding === 'gsm7';
      if (code !== 0x7f && needsNationalTables(text) === is_plain) throw new Error(`character ${code.toString(16)}`);
    }
  });

  it('of the language that its segments tell, where another would have it in fewer', () => {
    const spanish = 'á'.repeat(210);
    expect([countNationalSegments(spanish, ['spanish']), ucs2Segments(spanish)]).toEqual([3, 4]);
    expect(countNationalSegments(spanish, ['portuguese'])).toBe(2);
    expect(countNationalSegments(spanish, ['spanish', 'portuguese'])).toBe(2);
    expect([3, 2, 1].map((segments) => nationalLanguageOf(spanish, segments))).toEqual(['spanish', 'portuguese', null]);
    expect(encodeAsCounted(spanish, 'gsm7', 3)).toMatchObject({ single_shift: 'spanish', locking_shift: null });
    expect(encodeAsCounted(spanish, 'gsm7', 2)).toMatchObject({ single_shift: null, locking_shift: 'portuguese' });
  });

  it('by none that another language would be taken for', () => {
    // Turkish and Portuguese have both, in as many segments, and Turkish comes first.
    const both = 'ç'.repeat(30) + 'a'.repeat(60);
    expect(countNationalSegments(both, ['turkish'])).toBe(1);
    expect(countNationalSegments(both, ['portuguese'])).toBeNull();
  });
});
