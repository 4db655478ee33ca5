import fc from 'fast-check';

/** A well-formed request to begin with. `extra` lines end with CRLF. */
export function plainRequest(
  method: string,
  options: { uri?: string; extra?: string; body?: string; branch?: string } = {},
): string {
  const {
    uri = 'sip:100@127.0.0.1',
    extra = '',
    body = '',
    branch = `z9hG4bK${Math.random().toString(36).slice(2)}`,
  } = options;
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=${branch}`,
    `From: <sip:scanner@127.0.0.1>;tag=${branch.slice(-6)}`,
    `To: <${uri}>`,
    `Call-ID: ${branch}@scanner`,
    `CSeq: 1 ${method}`,
    'Contact: <sip:scanner@127.0.0.1:5060>',
    'Max-Forwards: 70',
    `${extra}Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

const replaced = (from: string | RegExp, to: string, method = 'INVITE') =>
  Buffer.from(plainRequest(method).replace(from, to));

/** What broke parsers before, each by name. */
export function malformedMessages(): { name: string; bytes: Buffer }[] {
  const many = 'x'.repeat(8000);
  return [
    { name: 'empty', bytes: Buffer.alloc(0) },
    { name: 'zeros', bytes: Buffer.alloc(64) },
    { name: 'binary', bytes: Buffer.from(Array.from({ length: 512 }, (_, at) => (at * 167) & 0xff)) },
    { name: 'TLS hello', bytes: Buffer.from('16030100c8010000c40303', 'hex') },
    { name: 'HTTP', bytes: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n') },
    { name: 'only a start line', bytes: Buffer.from('INVITE sip:100@127.0.0.1 SIP/2.0\r\n\r\n') },
    { name: 'cut in the headers', bytes: Buffer.from(plainRequest('INVITE').slice(0, 90)) },
    { name: 'wrong version', bytes: replaced('SIP/2.0\r\n', 'SIP/7.0\r\n') },
    { name: 'no Via', bytes: replaced(/Via:.*\r\n/, '') },
    { name: 'no From', bytes: replaced(/From:.*\r\n/, '') },
    { name: 'no To', bytes: replaced(/To:.*\r\n/, '') },
    { name: 'no Call-ID', bytes: replaced(/Call-ID:.*\r\n/, '') },
    { name: 'no CSeq', bytes: replaced(/CSeq:.*\r\n/, '') },
    { name: 'CSeq of another method', bytes: replaced('1 INVITE', '1 BYE') },
    { name: 'CSeq too large', bytes: replaced('1 INVITE', '99999999999999999999 INVITE') },
    { name: 'CSeq negative', bytes: replaced('1 INVITE', '-1 INVITE') },
    { name: 'Content-Length negative', bytes: replaced('Content-Length: 0', 'Content-Length: -5') },
    { name: 'Content-Length beyond the end', bytes: replaced('Content-Length: 0', 'Content-Length: 99999') },
    { name: 'Content-Length twice', bytes: replaced('Content-Length: 0', 'Content-Length: 0\r\nContent-Length: 7') },
    { name: 'Max-Forwards 0', bytes: replaced('Max-Forwards: 70', 'Max-Forwards: 0') },
    { name: 'Max-Forwards not a number', bytes: replaced('Max-Forwards: 70', 'Max-Forwards: many') },
    { name: 'quote never closed', bytes: replaced('From: <', 'From: "open <') },
    { name: 'bracket never closed', bytes: replaced('@127.0.0.1>;tag', '@127.0.0.1;tag') },
    { name: 'NUL in a header', bytes: replaced('scanner@', 'sc\0anner@') },
    {
      name: 'invalid UTF-8',
      bytes: Buffer.concat([Buffer.from('INVITE sip:'), Buffer.from([0xff, 0xfe]), replaced('INVITE sip:', '')]),
    },
    { name: 'header without a colon', bytes: replaced('Max-Forwards: 70', 'Max-Forwards 70') },
    { name: 'folded first header', bytes: replaced('\r\nVia', '\r\n Via') },
    { name: 'format strings', bytes: replaced('scanner@', '%s%n%x@') },
    { name: 'SQL in the user', bytes: replaced(/sip:scanner@/g, "sip:x'%20or%201=1--@") },
    { name: 'long user', bytes: replaced('scanner@', `${many}@`) },
    { name: 'long header name', bytes: replaced('Contact:', `${many}:`) },
    {
      name: 'three hundred Vias',
      bytes: replaced('Via:', `${'Via: SIP/2.0/UDP 127.0.0.9;branch=z9hG4bKx\r\n'.repeat(300)}Via:`),
    },
    { name: 'oversized', bytes: Buffer.from(plainRequest('INVITE', { extra: `X-Big: ${'y'.repeat(60_000)}\r\n` })) },
    {
      name: 'garbage SDP',
      bytes: Buffer.from(plainRequest('INVITE', { extra: 'Content-Type: application/sdp\r\n', body: 'v=0\r\nm=\0' })),
    },
    { name: 'unknown method', bytes: Buffer.from(plainRequest('BREAKDANCE')) },
    { name: 'a response nobody asked for', bytes: replaced(/^INVITE .*\r\n/, 'SIP/2.0 200 OK\r\n') },
    { name: 'ACK of nothing', bytes: Buffer.from(plainRequest('ACK')) },
    { name: 'CANCEL of nothing', bytes: Buffer.from(plainRequest('CANCEL')) },
    { name: 'BYE of nothing', bytes: Buffer.from(plainRequest('BYE', { extra: 'X: 1\r\n' })) },
    { name: 'unknown Require', bytes: Buffer.from(plainRequest('INVITE', { extra: 'Require: warp-drive\r\n' })) },
    { name: 'sips URI', bytes: Buffer.from(plainRequest('INVITE', { uri: 'sips:100@127.0.0.1' })) },
    { name: 'URI that is none', bytes: Buffer.from(plainRequest('INVITE', { uri: '::::' })) },
  ];
}

interface Mutation {
  kind: 'cut' | 'flip' | 'insert' | 'repeat';
  at: number;
  bytes: Uint8Array;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('cut', 'flip', 'insert', 'repeat'),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
});

function mutate(original: Buffer, { kind, at, bytes }: Mutation): Buffer {
  const position = Math.floor(at * original.length);
  const [before, after] = [original.subarray(0, position), original.subarray(position)];
  if (kind === 'cut') return before;
  if (kind === 'insert') return Buffer.concat([before, bytes, after]);
  if (kind === 'repeat') return Buffer.concat([before, after, after]);
  return Buffer.concat([
    before,
    Buffer.from(bytes.map((byte, index) => byte ^ (after[index] ?? 0))),
    after.subarray(bytes.length),
  ]);
}

const method = fc.constantFrom(
  'INVITE',
  'REGISTER',
  'OPTIONS',
  'BYE',
  'ACK',
  'CANCEL',
  'SUBSCRIBE',
  'MESSAGE',
  'PRACK',
);

/** Requests broken in one to four random places, and pure noise. No larger than a datagram. */
export const fuzzedMessage: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(method, fc.array(mutation, { minLength: 1, maxLength: 4 })).map(([name, mutations]) => {
      const broken = mutations.reduce(mutate, Buffer.from(plainRequest(name, { branch: 'z9hG4bKfuzz' })));
      return broken.subarray(0, 60_000);
    }),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)) },
);
