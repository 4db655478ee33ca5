import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { gsm7Characters, gsm7ExtensionCharacters, hasLocking, lockingTable, singleTable } from './gsm7_tables.ts';
import { identifierOf, languageOf, nationalLanguages, type NationalLanguage } from './national_language.ts';

const SPARE = new Set(['\x1b', '\uffff']);

function assigned(table: string): string[] {
  return Array.from(table).filter((one) => !SPARE.has(one));
}

test('the default alphabet has 127 characters and its extension 10', () => {
  expect(gsm7Characters).toHaveLength(127);
  expect(new Set(gsm7Characters).size).toBe(127);
  expect(Array.from(gsm7ExtensionCharacters).sort()).toEqual(Array.from('\f^{}\\[~]|€').sort());
});

test('letters, digits and the most of ASCII stand where ASCII has them', () => {
  const table = lockingTable(null);
  for (const one of 'ABCXYZabcxyz0123456789 !"#%&\'()*+,-./:;<=>?\n\r')
    expect(table.indexOf(one)).toBe(one.charCodeAt(0));
  expect([table[0x00], table[0x02], table[0x11], table[0x24], table[0x40], table[0x60]]).toEqual(Array.from('@$_¤¡¿'));
});

/** How many characters the tables of the standard hold, counted there: locking, single. */
const COUNTS: Readonly<Record<NationalLanguage, readonly [number, number]>> = {
  turkish: [127, 17],
  spanish: [127, 19],
  portuguese: [127, 37],
  bengali: [114, 82],
  gujarati: [120, 70],
  hindi: [127, 88],
  kannada: [120, 73],
  malayalam: [120, 82],
  oriya: [116, 75],
  punjabi: [110, 76],
  tamil: [102, 77],
  telugu: [120, 78],
  urdu: [127, 90],
};

test.each(nationalLanguages)('the %s tables have 128 places, the escape, line feed and CR at theirs', (language) => {
  const [locking, single] = [lockingTable(language), singleTable(language)];
  expect([locking.length, single.length]).toEqual([128, 128]);
  expect([assigned(locking).length, assigned(single).length]).toEqual(COUNTS[language]);
  expect([locking[0x0a], locking[0x0d], single[0x0a]]).toEqual(['\n', '\r', '\f']);
  expect([single[0x28], single[0x29], single[0x2f], single[0x3c], single[0x3d], single[0x3e], single[0x40]]).toEqual(
    Array.from('{}\\[~]|'),
  );
  expect(single[0x65]).toBe('€');
  const has_script = identifierOf(language) >= 4;
  if (has_script) expect([locking.indexOf('\x1b'), single.indexOf('\x1b')]).toEqual([0x1b, 0x1b]);
  else expect(locking.indexOf('\x1b')).toBe(0x1b);
  // A table holds a character once, but for "*" and "¡" in the single shift tables of scripts.
  expect(new Set(assigned(locking)).size).toBe(assigned(locking).length);
  expect(assigned(single).length - new Set(assigned(single)).size).toBe(has_script ? 2 : 0);
});

const SCRIPTS = {
  bengali: /\p{Script=Bengali}/u,
  gujarati: /\p{Script=Gujarati}/u,
  hindi: /\p{Script=Devanagari}/u,
  kannada: /\p{Script=Kannada}/u,
  malayalam: /\p{Script=Malayalam}/u,
  oriya: /\p{Script=Oriya}/u,
  punjabi: /\p{Script=Gurmukhi}/u,
  tamil: /\p{Script=Tamil}/u,
  telugu: /\p{Script=Telugu}/u,
} as const;

test.each(Object.entries(SCRIPTS))(
  'the %s tables hold ASCII, the script, and marks that scripts share',
  (name, script) => {
    const language = nationalLanguages.find((one) => one === name) ?? 'urdu';
    const foreign = [...assigned(lockingTable(language)), ...assigned(singleTable(language))].filter(
      (one) => one.charCodeAt(0) > 0x7f && !script.test(one) && !'£¥¿¤¡€'.includes(one),
    );
    // The danda and double danda belong to all of them, and Vedic accents to Devanagari.
    expect(foreign.filter((one) => !'\u0964\u0965\u0951\u0952\u0953\u0954'.includes(one))).toEqual([]);
  },
);

test('the tables of the languages carriers know best', () => {
  const turkish = lockingTable('turkish');
  expect(turkish[0x04]).toBe('€');
  expect([
    turkish[0x07],
    turkish[0x0b],
    turkish[0x0c],
    turkish[0x1c],
    turkish[0x1d],
    turkish[0x40],
    turkish[0x60],
  ]).toEqual(Array.from('ıĞğŞşİç'));
  const spanish = singleTable('spanish');
  expect([0x09, 0x41, 0x49, 0x4f, 0x55, 0x61, 0x69, 0x6f, 0x75].map((at) => spanish[at])).toEqual(
    Array.from('çÁÍÓÚáíóú'),
  );
  expect(lockingTable('spanish')).toBe(lockingTable(null));
  const portuguese = [lockingTable('portuguese'), singleTable('portuguese')] as const;
  expect([0x04, 0x09, 0x0b, 0x12, 0x15, 0x18, 0x5b, 0x60, 0x7d].map((at) => portuguese[0][at])).toEqual(
    Array.from('êçÔª∞€Ã~`'),
  );
  expect([0x05, 0x12, 0x1f, 0x41, 0x5c, 0x61, 0x7f].map((at) => portuguese[1][at])).toEqual(Array.from('êΦÊÀÕÂâ'));
});

test('identifiers are those of the standard, and Spanish alone has no locking shift', () => {
  expect(nationalLanguages.map(identifierOf)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  expect(nationalLanguages.map((one) => languageOf(identifierOf(one)))).toEqual(nationalLanguages);
  expect([languageOf(0), languageOf(14), languageOf(255)]).toEqual([null, null, null]);
  expect(nationalLanguages.filter((one) => !hasLocking(one))).toEqual(['spanish']);
});

test('the Indic tables are parallel, as their Unicode blocks are', () => {
  const offsets = (language: NationalLanguage): (number | null)[] =>
    Array.from(lockingTable(language).slice(0, 0x60), (one) =>
      /[\u0900-\u0dff]/u.test(one) ? one.charCodeAt(0) & 0x7f : null,
    );
  const hindi = offsets('hindi');
  const letters = hindi.filter((one) => one !== null);
  expect(letters).toEqual([...letters].sort((a, b) => a - b));
  for (const { 0: name } of Object.entries(SCRIPTS)) {
    const language = nationalLanguages.find((one) => one === name) ?? 'urdu';
    offsets(language).forEach((offset, place) => {
      expect([place, offset]).toEqual([place, offset === null ? null : hindi[place]]);
    });
  }
});

test('digits stand at the same places of the single shift tables', () => {
  const digits = (language: NationalLanguage, from: number): string[] => {
    const table = Array.from(singleTable(language)).filter((one) => one !== '\x1b');
    return table.slice(from, from + 10).map((one) => (one.charCodeAt(0) & 0x0f).toString());
  };
  // The escape at 1B is left out, so 1C is the place 1B. Bengali has no dandas and begins two places before.
  const expected = Array.from({ length: 10 }, (_, digit) => (digit + 6).toString());
  expect(digits('bengali', 0x19)).toEqual(expected);
  for (const name of Object.keys(SCRIPTS)) {
    const language = nationalLanguages.find((one) => one === name) ?? 'urdu';
    if (language !== 'bengali') expect([language, digits(language, 0x1b)]).toEqual([language, expected]);
  }
});

test('the tables are those that were compared with the ones of oFono 1.31, place by place', () => {
  const all = [null, ...nationalLanguages].map((language) => lockingTable(language) + singleTable(language)).join('');
  expect(createHash('sha256').update(all).digest('hex')).toBe(
    '6d4bd63336a6b775922b598d8f0350c30612cd6926e3da024e9a923ab4f509d1',
  );
});
