import { randomUUID } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { sendRaw } from '../testing/raw_http.ts';
import type { RawAnswer } from '../testing/raw_http.ts';

const HEADERS_MS = 500;
const REQUEST_MS = 1_000;
/** Longer than the server waits. */
const QUIET_MS = 4_000;

let world: PortalWorld;
let here: PortalClient;
let cookie: Record<string, string>;

beforeAll(async () => {
  world = await PortalWorld.begin({ HEADERS_MS: String(HEADERS_MS), REQUEST_MS: String(REQUEST_MS) });
  const user = await makeUser(world, { balance_micros: 1_000_000n });
  here = await user.signIn();
  const { token, csrf_token } = await world.portal.sessions.begin({
    ...{ user_id: user.user_id, kind: 'customer', account_id: user.account_id, role: 'owner', admin_roles: [] },
    ...{ address: '127.0.0.1', user_agent: 'a test' },
  });
  cookie = { cookie: `letsdial_session=${token}`, 'x-csrf-token': csrf_token };
});

afterAll(() => world.end());

// Whatever was sent, others are answered.
afterEach(async () => {
  expect((await here.get('/v1/session')).status).toBe(200);
});

/** Refused as everything is that is refused: as a problem, with every header that keeps a browser safe, and nothing of our insides. */
function expectRefusal({ status, headers, text }: RawAnswer): void {
  expect([status, text.slice(0, 300), status >= 400 && status < 500]).toEqual([status, text.slice(0, 300), true]);
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(JSON.parse(text)).toMatchObject({ status, type: expect.stringMatching(/^urn:letsdial:problem:/u) as unknown });
  expectSafe({ status, headers, text });
}

function expectSafe({ headers, text }: RawAnswer): void {
  expect(headers.get('x-content-type-options')?.trim()).toBe('nosniff');
  expect(headers.get('content-security-policy')).toContain('default-src');
  expect(headers.get('x-powered-by')).toBeNull();
  expect(text).not.toMatch(/node_modules|\.ts:\d|at [A-Za-z.]+ \(|select .* from|insert into|SQLSTATE|pg_/iu);
}

async function ask(path: string, init: RequestInit): Promise<RawAnswer> {
  const response = await fetch(`${world.url}${path}`, {
    ...init,
    headers: { ...cookie, 'idempotency-key': randomUUID(), ...(init.headers as Record<string, string>) },
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  ask('/v1/top-ups', { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

const utf8 = (text: string): Buffer<ArrayBuffer> => Buffer.from(text);
const wish = JSON.stringify({ amount_micros: '5000000' });
const bomb = JSON.stringify({ amount_micros: '0'.repeat(20_000_000) });

describe('a body', () => {
  it.each<[string, number, string | Uint8Array<ArrayBuffer>, Record<string, string>?]>([
    ['of 10 MB', 413, 'x'.repeat(10_000_000)],
    ['that is nested 10,000 deep', 400, `${'['.repeat(10_000)}${']'.repeat(10_000)}`],
    ['that is an object nested 10,000 deep', 400, `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
    ['of text', 415, wish, { 'content-type': 'text/plain' }],
    ['of a form', 415, 'amount_micros=1', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['of no type that there is', 415, wish, { 'content-type': 'application/json/json; ;;' }],
    ['that inflates to 20 MB', 413, gzipSync(bomb), { 'content-encoding': 'gzip' }],
    ['that inflates from deflate to 20 MB', 413, deflateSync(bomb), { 'content-encoding': 'deflate' }],
    ['that is said to be compressed', 400, wish, { 'content-encoding': 'gzip' }],
    ['that is cut off in its compression', 400, gzipSync(wish).subarray(0, 20), { 'content-encoding': 'gzip' }],
    ['of a compression that is not known', 415, wish, { 'content-encoding': 'zstd-of-my-own' }],
    ['in UTF-16', 400, Buffer.from(wish, 'utf16le'), { 'content-type': 'application/json; charset=utf-16' }],
    ['in UTF-16 that is not said', 400, Buffer.from(wish, 'utf16le')],
    ['of another charset', 415, wish, { 'content-type': 'application/json; charset=ebcdic' }],
    ['that is no UTF-8', 400, Buffer.concat([utf8('{"amount_micros":"5'), Buffer.from([0xff, 0xfe]), utf8('"}')])],
    ['that is no JSON', 400, '{"amount_micros":'],
    ['that is a list', 422, '[]'],
    ['that is null', 422, 'null'],
    ['whose prototype is given', 422, '{"__proto__":{"amount_micros":"5000000"}}'],
    ['whose constructor is given', 422, '{"constructor":{"prototype":{"amount_micros":"5000000"}}}'],
    ['that says a field twice, wrongly the second time', 422, '{"amount_micros":"5000000","amount_micros":{}}'],
    ['of numbers beyond all', 422, '{"amount_micros":1e999999}'],
  ])('%s is refused with %i', async (_name, status, body, headers = {}) => {
    const answer = await post(body, headers);
    expectRefusal(answer);
    expect(answer.status).toBe(status);
  });

  it('changes no prototype', async () => {
    await post('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('a form', () => {
  const part = (n: number): string => `--b\r\nContent-Disposition: form-data; name="f${n}"\r\n\r\n1\r\n`;
  const nested =
    '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n' +
    '--c\r\nContent-Disposition: attachment; filename="b"\r\n\r\nx\r\n--c--\r\n--b--\r\n';
  it.each([
    ['without a boundary', 'multipart/form-data', part(1)],
    [
      'of 10,000 parts',
      'multipart/form-data; boundary=b',
      `${Array.from({ length: 10_000 }, (_, n) => part(n)).join('')}--b--\r\n`,
    ],
    ['in a form', 'multipart/form-data; boundary=b', nested],
    ['that never ends', 'multipart/form-data; boundary=b', part(1)],
    [
      'with fields of a prototype',
      'multipart/form-data; boundary=b',
      part(1).replace('f1', '__proto__[a]') + '--b--\r\n',
    ],
    ['that is JSON', 'application/json', wish],
  ])('%s is refused', async (_name, type, body) => {
    expectRefusal(await ask('/v1/kyc/documents', { method: 'POST', body, headers: { 'content-type': type } }));
  });
});

describe('an address', () => {
  it.each([
    ['with 1,000 parameters', `/v1/calls?${Array.from({ length: 1_000 }, (_, n) => `p${n}=1`).join('&')}`],
    ['with one parameter many times', `/v1/calls?${'cursor=1&'.repeat(50)}`],
    ['with a parameter of a prototype', '/v1/calls?__proto__[a]=1&constructor=1'],
    ['with a zero byte', '/v1/devices/%00'],
    ['with a zero byte in text', '/v1/legal/terms%00'],
    ['that ends in the middle of a sign', '/v1/devices/%'],
    ['that is no UTF-8', '/v1/devices/%ff%fe'],
    ['of 15,000 signs', `/v1/devices/${'a'.repeat(15_000)}`],
    ['of nothing that is here', '/v1/nothing'],
  ])('%s is refused', async (_name, path) => {
    expectRefusal(await ask(path, { method: path.includes('devices') ? 'DELETE' : 'GET' }));
  });

  it.each([
    '/v1/../../etc/passwd',
    '/v1/legal/../../../etc/passwd',
    '//etc/passwd',
    '/v1/legal/..%2f..%2fetc%2fpasswd',
  ])('%s leads nowhere', async (path) => {
    const { answers } = await sendRaw(
      world.url,
      [`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`],
      QUIET_MS,
    );
    expect(answers).toHaveLength(1);
    for (const answer of answers) expectRefusal(answer);
  });
});

const head = (method: string, path: string, ...lines: string[]): string =>
  [`${method} ${path} HTTP/1.1`, 'Host: a', ...lines, '', ''].join('\r\n');
const posting = (...lines: string[]): string =>
  head(
    ...(['POST', '/v1/top-ups', `Cookie: ${cookie['cookie'] ?? ''}`] as const),
    ...[`X-CSRF-Token: ${cookie['x-csrf-token'] ?? ''}`, 'Content-Type: application/json', 'Idempotency-Key: 12345678'],
    ...lines,
  );

describe('a connection', () => {
  it.each<[string, () => (string | Buffer)[]]>([
    ['whose headers never end', () => ['GET /v1/session HTTP/1.1\r\nHost: a\r\nX-Slow: ']],
    ['whose body never comes', () => [posting('Content-Length: 100')]],
    ['whose body is shorter than it says', () => [posting('Content-Length: 100'), wish]],
    ['whose chunks never end', () => [posting('Transfer-Encoding: chunked'), '5\r\n{"a":\r\n']],
    ['whose chunks are none', () => [posting('Transfer-Encoding: chunked'), 'zz\r\n{"a":\r\n']],
    ['whose body has two lengths', () => [posting('Content-Length: 5', 'Transfer-Encoding: chunked'), '0\r\n\r\n']],
    ['that says nothing of HTTP', () => [Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03])]],
    ['with 20 KB of headers', () => [head('GET', '/v1/session', `X-Long: ${'a'.repeat(20_000)}`)]],
    ['with an address of 20 KB', () => [head('GET', `/v1/${'a'.repeat(20_000)}`)]],
    ['with a header that is none', () => [head('GET', '/v1/session', 'No header')]],
  ])('%s is refused or closed', async (_name, parts) => {
    const { answers, is_closed } = await sendRaw(world.url, parts(), QUIET_MS);
    for (const answer of answers) expectRefusal(answer);
    expect(is_closed).toBe(true);
  });

  it('with more body than it says is refused and closed', async () => {
    const { answers, is_closed } = await sendRaw(
      world.url,
      [posting('Content-Length: 2'), '{}{"a":1}\r\n\r\n'],
      QUIET_MS,
    );
    expect(answers.at(-1)?.status).toBe(400);
    for (const answer of answers) expectRefusal(answer);
    expect(is_closed).toBe(true);
  });

  it('with several requests at once is answered in their order', async () => {
    const requests = ['/v1/payment-policy', '/v1/nothing', '/v1/status'].map((path) => head('GET', path));
    const { answers } = await sendRaw(
      world.url,
      [...requests, head('GET', '/v1/session', 'Connection: close')],
      QUIET_MS,
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 200, 401]);
    for (const answer of answers) expectSafe(answer);
  });
});

describe('a method', () => {
  it.each(['TRACE', 'OPTIONS', 'PUT', 'PROPFIND'])('%s of a path that is read is refused', async (method) => {
    const { answers } = await sendRaw(world.url, [head(method, '/v1/session', 'Connection: close')], QUIET_MS);
    expect(answers.map(({ status }) => status)).toEqual([405]);
    for (const answer of answers) expectRefusal(answer);
    expect(answers[0]?.headers.get('allow')).toContain('GET');
  });

  it('HEAD is answered without a body, also of what would never end', async () => {
    for (const path of ['/v1/payment-policy', '/v1/events']) {
      const response = await ask(path, { method: 'HEAD' });
      expect([response.status, response.text]).toEqual([200, '']);
      expectSafe(response);
    }
    // The connection is free for what comes next.
    const lines = [`Cookie: ${cookie['cookie'] ?? ''}`];
    const requests = [head('HEAD', '/v1/events', ...lines), head('GET', '/v1/status', 'Connection: close')];
    const { answers } = await sendRaw(world.url, requests, QUIET_MS);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  });
});

it('has security headers on what is well, too', async () => {
  for (const path of ['/openapi.json', '/docs', '/v1/status']) {
    const response = await fetch(`${world.url}${path}`);
    expect(response.status).toBe(200);
    await response.body?.cancel();
    expectSafe({ status: 200, headers: response.headers, text: '' });
  }
});
