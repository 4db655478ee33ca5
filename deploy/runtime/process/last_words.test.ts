import { expect, test } from 'vitest';
import { lastWords } from './last_words.ts';

test('the last line that says something, without colours', () => {
  expect(lastWords('one\n\u001b[0;31mERROR\u001b[0m: no memory \n\n\u001b[0m\n')).toBe('ERROR: no memory');
  expect(lastWords('\n')).toBe('');
  expect(lastWords('x'.repeat(400))).toHaveLength(300);
});

test('of a structured line its message and its error', () => {
  expect(lastWords('{"level":50,"msg":"the stop failed","err":{"message":"no lease"}}')).toBe(
    'the stop failed: no lease',
  );
  expect(lastWords('{"level":30,"msg":"ready"}')).toBe('ready');
  expect(lastWords('{"a":1}')).toBe('{"a":1}');
  expect(lastWords('null')).toBe('null');
});
