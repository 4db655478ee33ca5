import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { formatAmiMessage, takeAmiMessages } from './ami_message.ts';

describe('AMI messages', () => {
  it('are cut alike, however the bytes arrive', () => {
    const text =
      'Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 1\r\n\r\nEvent: A\r\nActionID: 2\r\nX: a: b\r\n\r\n';
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 50 }), (sizes) => {
        let rest = '';
        const told: Record<string, string>[] = [];
        let from = 0;
        for (let turn = 0; from < text.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          const taken = takeAmiMessages(rest + text.slice(from, from + size));
          from += size;
          rest = taken.rest;
          told.push(...taken.messages.map((message) => Object.fromEntries(message)));
        }
        expect(told).toEqual([
          { Response: 'Success', ActionID: '1' },
          { Event: 'A', ActionID: '2', X: 'a: b' },
        ]);
      }),
    );
  });

  it('are not believed when a header comes twice, as in those in which a caller hid a line break', () => {
    const forged = 'Event: Hangup\r\nCallerIDNum: 1\r\nUniqueid: other\r\nUniqueid: own\r\n\r\n';
    const { messages, forged: count } = takeAmiMessages(`${forged}Event: A\r\n\r\n`);
    expect(messages.map((message) => Object.fromEntries(message))).toEqual([{ Event: 'A' }]);
    expect(count).toBe(1);
  });

  it('never let a value become a header', () => {
    expect(() => formatAmiMessage({ Action: 'Setvar', Value: '1\r\nAction: Command' })).toThrow(/line break/u);
  });
});
