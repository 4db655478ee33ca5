import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { readMessageId, writeMessageId } from './message_id.ts';

it('is the id of the text in 32 characters, and leads back to it', () => {
  const id = randomUUID();
  expect(writeMessageId(id)).toMatch(/^[0-9a-f]{32}$/u);
  expect(readMessageId(writeMessageId(id))).toBe(id);
  expect(readMessageId(writeMessageId(id).toUpperCase())).toBe(id);
  expect(readMessageId(id)).toBe(id);
});

it.each(['', '4711', 'x'.repeat(32), `${'0'.repeat(32)}0`, `${'0'.repeat(32)}\n`])('is none: %j', (message_id) => {
  expect(readMessageId(message_id)).toBeNull();
});
