import { expect, it } from 'vitest';
import { countSegments } from '../../domain/texts/encoding/encode_text.ts';
import { LANGUAGES } from '../notices/words/languages.ts';
import { codeWords } from './code_words.ts';

it.each([...LANGUAGES])('a code in %s is one segment of the GSM alphabet, whoever sends it', (language) => {
  const text = codeWords(`${language}-XX`, '012345', 'Ab&+._-9 Zz');
  expect(text).toContain('012345');
  expect(countSegments(text)).toMatchObject({ encoding: 'gsm7', segments: 1 });
});

it('a code is told in English where we have no words of a language', () => {
  expect(codeWords('pl', '012345', 'Us')).toBe(codeWords('en', '012345', 'Us'));
  expect(new Set(LANGUAGES.map((language) => codeWords(language, '012345', 'Us'))).size).toBe(LANGUAGES.length);
});
