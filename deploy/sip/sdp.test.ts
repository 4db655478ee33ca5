import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerDirection, formatSdp, maySend, parseSdp } from './sdp.ts';
import type { Codec, Direction } from './sdp.ts';

const direction = fc.constantFrom<Direction>('sendrecv', 'sendonly', 'recvonly', 'inactive');
const codecs = fc.uniqueArray(fc.constantFrom<Codec>('PCMU', 'PCMA'), { minLength: 1 });

test('what is written is read again', () => {
  fc.assert(
    fc.property(direction, codecs, fc.integer({ min: 0, max: 65_535 }), (way, list, port) => {
      const text = formatSdp({ session_id: 1, version: 1, address: '127.0.0.9', port, codecs: list, direction: way });
      expect(parseSdp(text)).toEqual({ address: '127.0.0.9', port, codecs: list, direction: way });
    }),
  );
});

test('garbage is undefined and never thrown', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseSdp(text)));
  expect(parseSdp('v=0\r\nm=audio 9 RTP/AVP 0\r\n')).toBeUndefined();
  expect(parseSdp('v=0\r\nc=IN IP4 127.0.0.1\r\nm=video 9 RTP/AVP 0\r\n')).toBeUndefined();
});

test('the address and direction of the stream win over those of the session', () => {
  const text =
    'v=0\r\nc=IN IP4 127.0.0.1\r\na=sendrecv\r\nm=audio 9 RTP/AVP 8 3\r\nc=IN IP4 127.0.0.2\r\na=inactive\r\nm=video 1 RTP/AVP 9\r\na=sendonly\r\n';
  expect(parseSdp(text)).toEqual({ address: '127.0.0.2', port: 9, codecs: ['PCMA'], direction: 'inactive' });
});

test('who holds may send, who is held may not', () => {
  expect(answerDirection('sendonly')).toBe('recvonly');
  expect(maySend('sendonly', 'recvonly')).toBe(true);
  expect(maySend('recvonly', 'sendonly')).toBe(false);
});
