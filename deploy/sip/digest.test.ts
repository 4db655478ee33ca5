import fc from 'fast-check';
import { expect, test } from 'vitest';
import { authorize, chooseChallenge, DigestServer, digestResponse, parseChallenge } from './digest.ts';
import type { DigestAlgorithm } from './digest.ts';

const mufasa = {
  username: 'Mufasa',
  realm: 'http-auth@example.org',
  password: 'Circle of Life',
  method: 'GET',
  uri: '/dir/index.html',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  qop: { cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ', nc: '00000001' },
};

// RFC 7616 3.9.1.
test.each([
  ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
  ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
] as const)('%s as in RFC 7616', (algorithm, expected) => {
  expect(digestResponse({ algorithm, ...mufasa })).toBe(expected);
});

test('the older form without qop, as in RFC 2069 with its erratum', () => {
  const input = {
    algorithm: 'MD5',
    username: 'Mufasa',
    realm: 'testrealm@host.com',
    password: 'CircleOfLife',
  } as const;
  const rest = { method: 'GET', uri: '/dir/index.html', nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093' };
  expect(digestResponse({ ...input, ...rest })).toBe('1949323746fe6a43ef61f9606e7febea');
});

test('the strongest algorithm that is allowed is chosen', () => {
  const values = ['MD5', 'SHA-256', 'SHA-9'].map(
    (name) => `Digest realm="r", nonce="${name}", algorithm=${name}, qop="auth,auth-int"`,
  );
  expect(chooseChallenge(values)).toMatchObject({ algorithm: 'SHA-256', nonce: 'SHA-256', qop_auth: true });
  expect(chooseChallenge(values, ['MD5'])?.algorithm).toBe('MD5');
  expect(chooseChallenge(['Basic realm="r"'])).toBeUndefined();
  expect(parseChallenge('Digest realm="a \\"b\\", c", nonce=n, stale=TRUE')).toMatchObject({
    realm: 'a "b", c',
    stale: true,
  });
});

test('client and server agree for right passwords, and only for those', () => {
  const algorithm = fc.constantFrom<DigestAlgorithm>('MD5', 'SHA-256', 'SHA-512-256');
  fc.assert(
    fc.property(algorithm, fc.string(), fc.string(), (chosen, password, typed) => {
      const server = new DigestServer('realm', [chosen]);
      const challenge = chooseChallenge(server.challenges());
      if (challenge === undefined) throw new Error('the challenge of our own server was not read');
      const value = authorize(challenge, { username: 'u', password: typed }, 'INVITE', 'sip:x');
      expect(server.check(value, 'INVITE', () => password)).toBe(password === typed ? 'right' : 'wrong');
    }),
  );
});

test('a replay, a foreign nonce, another method and another user are refused', () => {
  const server = new DigestServer('realm', ['SHA-256']);
  const challenge = chooseChallenge(server.challenges());
  if (challenge === undefined) throw new Error('the challenge of our own server was not read');
  const credentials = { username: 'u', password: 'p' };
  const value = authorize(challenge, credentials, 'INVITE', 'sip:x');
  const lookup = (name: string) => (name === 'u' ? 'p' : undefined);
  expect(server.check(value, 'BYE', lookup)).toBe('wrong');
  expect(server.check(value, 'INVITE', lookup)).toBe('right');
  expect(server.check(value, 'INVITE', lookup)).toBe('nonce_unknown');
  expect(server.check(authorize(challenge, credentials, 'INVITE', 'sip:x', 2), 'INVITE', lookup)).toBe('right');
  expect(
    server.check(authorize({ ...challenge, nonce: 'mine' }, credentials, 'INVITE', 'sip:x'), 'INVITE', lookup),
  ).toBe('nonce_unknown');
  expect(
    server.check(authorize(challenge, { username: 'v', password: 'p' }, 'INVITE', 'sip:x', 3), 'INVITE', lookup),
  ).toBe('wrong');
  expect(server.check('Digest nonsense', 'INVITE', lookup)).toBe('malformed');
});
