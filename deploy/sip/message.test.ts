import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseNameAddress, parseUri, reasonOf, tagOf, topVia } from './header_value.ts';
import { fuzzedMessage, malformedMessages, plainRequest } from './malformed.ts';
import { cseqOf, formatMessage, headerList, headerOf, parseMessage, splitList } from './message.ts';
import type { SipMessage } from './message.ts';

function parsed(text: string): SipMessage {
  const result = parseMessage(Buffer.from(text));
  if (result.kind !== 'message') throw new Error(`not read: ${JSON.stringify(result)}`);
  return result.message;
}

test('reads folded lines, compact names and lists', () => {
  const message = parsed(
    'INVITE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP one;branch=z9hG4bK1,\r\n SIP/2.0/UDP two:5070\r\nVia: SIP/2.0/UDP three\r\n' +
      'f: "A, \\"B\\" <x>" <sip:a@b>;tag=1\r\nt: <sip:c@d>\r\ni: 1\r\nCSeq:  7   INVITE\r\nl: 3\r\n\r\nabcdef',
  );
  expect(headerList(message, 'via')).toEqual([
    'SIP/2.0/UDP one;branch=z9hG4bK1',
    'SIP/2.0/UDP two:5070',
    'SIP/2.0/UDP three',
  ]);
  expect(topVia(message)).toMatchObject({ host: 'one', transport: 'UDP' });
  expect(tagOf(message, 'from')).toBe('1');
  expect(parseNameAddress(headerOf(message, 'from') ?? '')?.display_name).toBe('A, "B" <x>');
  expect(cseqOf(message)).toEqual({ number: 7, method: 'INVITE' });
  expect(message.body).toBe('abc');
});

test('reads a response, its reason and its causes', () => {
  const message = parsed(
    'SIP/2.0 503 Service Unavailable\r\nVia: SIP/2.0/UDP a\r\nFrom: sip:a@b;tag=2\r\nTo: sip:c@d\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n' +
      'Reason: SIP;cause=503;text="x, y", Q.850;cause=34;text="No circuit"\r\n\r\n',
  );
  expect(message).toMatchObject({ kind: 'response', status: 503, reason: 'Service Unavailable' });
  expect(tagOf(message, 'from')).toBe('2');
  expect(reasonOf(message)).toEqual({ protocol: 'Q.850', cause: 34, text: 'No circuit' });
});

test.each([
  ['sip:+4930%23@127.0.0.1:5070;user=phone', { user: '+4930#', host: '127.0.0.1', port: 5070 }],
  ['sip:127.0.0.1', { user: undefined, host: '127.0.0.1', port: undefined }],
  ['tel:+441632960000;phone-context=x', { user: '+441632960000', scheme: 'tel' }],
  ['sip:%zz@h', { user: '%zz' }],
])('reads the URI %s', (text, expected) => {
  expect(parseUri(text)).toMatchObject(expected);
});

test('a bare CRLF keeps the way open', () => {
  expect(parseMessage(Buffer.from('\r\n\r\n'))).toEqual({ kind: 'keep_alive' });
});

const unreadable = [
  'binary',
  'HTTP',
  'no Via',
  'no Call-ID',
  'CSeq of another method',
  'CSeq too large',
  'CSeq negative',
];
const cut = ['only a start line', 'cut in the headers', 'Content-Length negative', 'Content-Length beyond the end'];

test.each([...unreadable, ...cut, 'header without a colon', 'folded first header', 'wrong version'])(
  'refuses: %s',
  (name) => {
    const found = malformedMessages().find((each) => each.name === name);
    expect(parseMessage(found?.bytes ?? Buffer.alloc(0)).kind).toBe('malformed');
  },
);

test('never throws, whatever comes, and what it reads it writes so that it reads the same', () => {
  fc.assert(
    fc.property(fuzzedMessage, (bytes) => {
      const first = parseMessage(bytes);
      if (first.kind !== 'message') return;
      const second = parseMessage(formatMessage(first.message));
      expect(second.kind).toBe('message');
      if (second.kind !== 'message') return;
      const without = (message: SipMessage) => message.headers.filter((header) => header.name !== 'content-length');
      expect(without(second.message)).toEqual(without(first.message));
      expect(second.message.body).toBe(first.message.body);
      headerList(first.message, 'via');
      topVia(first.message);
      tagOf(first.message, 'from');
      reasonOf(first.message);
    }),
    { numRuns: 3000 },
  );
});

test('joining what a list was split into gives the list', () => {
  const part = fc.stringMatching(/^("([^"\\,]|,){0,5}"|[a-z0-9;=]{1,8}|<[a-z,:]{0,6}>)$/);
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      expect(splitList(parts.join(' , '))).toEqual(parts);
    }),
  );
});

test('a plain request is read as it was meant', () => {
  const message = parsed(plainRequest('OPTIONS', { body: 'ü' }));
  expect(message).toMatchObject({ method: 'OPTIONS', uri: 'sip:100@127.0.0.1', body: 'ü' });
  expect(formatMessage(message).toString()).toContain('Content-Length: 2\r\n\r\nü');
});
