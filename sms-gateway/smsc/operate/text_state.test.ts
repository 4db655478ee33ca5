import { describe, expect, it } from 'vitest';
import { stateOfNumber, stateOfWord } from '../../receipts/receipt_state.ts';
import { errorCodeOf, finalState, messageStateOf } from './text_state.ts';

describe('how a text ended', () => {
  it.each(['delivered', 'expired', 'deleted', 'undeliverable', 'unknown', 'rejected'] as const)(
    'is said as our own reader of receipts understands it: %s',
    (state) => {
      const { message_state, stat } = finalState(state);
      expect(stateOfNumber(message_state)).toBe(state);
      expect(stateOfWord(stat)).toBe(state);
      expect(messageStateOf(state, 0x34)).toEqual({ is_final: true, message_state });
    },
  );

  it('is deleted where its customer took it back', () => {
    expect(messageStateOf('cancelled', 0x34)).toEqual({ is_final: true, message_state: 4 });
  });
});

describe('a text that has not ended', () => {
  it.each(['queued', 'held', 'in_doubt', 'submitted'] as const)('is on its way: %s', (state) => {
    expect(messageStateOf(state, 0x50)).toEqual({ is_final: false, message_state: 1 });
  });

  it('is scheduled to a peer that has a word for it', () => {
    expect(messageStateOf('scheduled', 0x50).message_state).toBe(0);
    expect(messageStateOf('scheduled', 0x34).message_state).toBe(1);
  });
});

it.each([
  [null, 0],
  ['000', 0],
  ['011', 11],
  ['255', 255],
  ['256', 0],
  ['no carrier takes it', 0],
])('the error %s is %i in an octet', (error, code) => {
  expect(errorCodeOf(error)).toBe(code);
});
