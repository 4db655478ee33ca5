import { expect, it } from 'vitest';
import type { NationalLanguage } from '../../domain/texts/encoding/national_language.ts';
import { languagesOfAll } from './languages_of_all.ts';

const bind = (
  national_languages: readonly NationalLanguage[],
  more: Partial<Parameters<typeof languagesOfAll>[0][number]> = {},
) => ({ kind: 'transceiver' as const, enabled: true, carrier_enabled: true, national_languages, ...more });

it('a text is counted by the languages that every bind takes by which it could go', () => {
  expect(languagesOfAll([])).toEqual([]);
  expect(languagesOfAll([bind(['turkish', 'urdu']), bind(['spanish', 'urdu', 'turkish'])])).toEqual([
    'turkish',
    'urdu',
  ]);
  expect(languagesOfAll([bind(['turkish']), bind([])])).toEqual([]);
  const others = [
    bind([], { kind: 'receiver' }),
    bind([], { enabled: false }),
    bind(['urdu'], { carrier_enabled: false }),
  ];
  expect(languagesOfAll([...others, bind(['turkish'])])).toEqual(['turkish']);
  expect(languagesOfAll(others)).toEqual([]);
});
