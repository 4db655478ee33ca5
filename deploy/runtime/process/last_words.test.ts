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

test('of a Node that ended by an error that nobody caught, the error', () => {
  const crash = [
    ...['{"msg":"ready"}', 'node:events:497', "      throw er; // Unhandled 'error' event", '      ^', ''],
    ...[
      'Error: listen EADDRINUSE: address already in use 127.0.0.1:80',
      '    at Server.setupListenHandle (node:net:1)',
    ],
    ...["Emitted 'error' event at:", '    at emitErrorNT (node:net:2) {', "  code: 'EADDRINUSE'", '}', ''],
  ];
  const said = 'Error: listen EADDRINUSE: address already in use 127.0.0.1:80';
  expect(lastWords([...crash, 'Node.js v20.20.2', ''].join('\n'))).toBe(said);
  const caused = [
    'Outage: away',
    '    at a (b:1)',
    '  [cause]: Error: reset',
    '    at c (d:2)',
    '}',
    'Node.js v22.1.0',
  ];
  expect(lastWords(caused.join('\n'))).toBe('Outage: away');
  expect(lastWords('Node.js v20.20.2')).toBe('Node.js v20.20.2');
});
