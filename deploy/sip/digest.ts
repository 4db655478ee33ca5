import { createHash, randomBytes } from 'node:crypto';
import { splitList } from './message.ts';
import { unquote } from './header_value.ts';

/** Strongest first (RFC 8760 2.1 names them; the node names of their hashes). */
const HASHES = { 'SHA-512-256': 'sha512-256', 'SHA-256': 'sha256', MD5: 'md5' } as const;
export type DigestAlgorithm = keyof typeof HASHES;

export interface Challenge {
  realm: string;
  nonce: string;
  algorithm: DigestAlgorithm;
  opaque: string | undefined;
  /** Whether `auth` was among the offered qualities of protection. */
  qop_auth: boolean;
  stale: boolean;
}

export interface DigestInput {
  algorithm: DigestAlgorithm;
  username: string;
  realm: string;
  password: string;
  method: string;
  uri: string;
  nonce: string;
  /** Absent for the form of RFC 2069 without qop. */
  qop?: { cnonce: string; nc: string };
}

function hash(algorithm: DigestAlgorithm, text: string): string {
  return createHash(HASHES[algorithm]).update(text).digest('hex');
}

/** The `response` of RFC 7616 3.4.1. */
export function digestResponse(input: DigestInput): string {
  const { algorithm, qop } = input;
  const ha1 = hash(algorithm, `${input.username}:${input.realm}:${input.password}`);
  const ha2 = hash(algorithm, `${input.method}:${input.uri}`);
  const middle = qop === undefined ? input.nonce : `${input.nonce}:${qop.nc}:${qop.cnonce}:auth`;
  return hash(algorithm, `${ha1}:${middle}:${ha2}`);
}

/** The fields of `Digest a="b", c=d`, or undefined for another scheme. */
export function parseDigestFields(value: string): Map<string, string> | undefined {
  const scheme = /^\s*digest\s+/i.exec(value);
  if (scheme === null) return undefined;
  const fields = new Map<string, string>();
  for (const part of splitList(value.slice(scheme[0].length))) {
    const equals = part.indexOf('=');
    if (equals > 0) fields.set(part.slice(0, equals).trim().toLowerCase(), unquote(part.slice(equals + 1).trim()));
  }
  return fields;
}

function algorithmNamed(name: string): DigestAlgorithm | undefined {
  const known = Object.keys(HASHES) as DigestAlgorithm[];
  return known.find((algorithm) => algorithm === name.toUpperCase());
}

export function parseChallenge(value: string): Challenge | undefined {
  const fields = parseDigestFields(value);
  const algorithm = algorithmNamed(fields?.get('algorithm') ?? 'MD5');
  const realm = fields?.get('realm');
  const nonce = fields?.get('nonce');
  if (fields === undefined || algorithm === undefined || realm === undefined || nonce === undefined) return undefined;
  const qops = (fields.get('qop') ?? '').split(',').map((qop) => qop.trim().toLowerCase());
  return {
    realm,
    nonce,
    algorithm,
    opaque: fields.get('opaque'),
    qop_auth: qops.includes('auth'),
    stale: fields.get('stale')?.toLowerCase() === 'true',
  };
}

/** The strongest challenge whose algorithm the client allows. */
export function chooseChallenge(
  values: readonly string[],
  allowed: readonly DigestAlgorithm[] = ['SHA-512-256', 'SHA-256', 'MD5'],
): Challenge | undefined {
  const challenges = values.map(parseChallenge).filter((challenge) => challenge !== undefined);
  const order = Object.keys(HASHES);
  return challenges
    .filter((challenge) => allowed.includes(challenge.algorithm))
    .sort((a, b) => order.indexOf(a.algorithm) - order.indexOf(b.algorithm))[0];
}

export interface Credentials {
  username: string;
  password: string;
}

/** The value of Authorization or Proxy-Authorization. `nonce_count` starts at 1 for each nonce. */
export function authorize(
  challenge: Challenge,
  credentials: Credentials,
  method: string,
  uri: string,
  nonce_count = 1,
): string {
  const qop = { cnonce: randomBytes(8).toString('hex'), nc: nonce_count.toString(16).padStart(8, '0') };
  const { algorithm, realm, nonce, opaque } = challenge;
  const input: DigestInput = {
    algorithm,
    ...credentials,
    realm,
    method,
    uri,
    nonce,
    ...(challenge.qop_auth ? { qop } : {}),
  };
  const parts = [
    `username="${credentials.username}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `response="${digestResponse(input)}"`,
    `algorithm=${algorithm}`,
  ];
  if (challenge.qop_auth) parts.push('qop=auth', `nc=${qop.nc}`, `cnonce="${qop.cnonce}"`);
  if (opaque !== undefined) parts.push(`opaque="${opaque}"`);
  return `Digest ${parts.join(', ')}`;
}

/** `nonce_unknown`: right or wrong, the nonce was not ours or its count did not grow (a replay). */
export type Verdict = 'right' | 'wrong' | 'nonce_unknown' | 'malformed';

/** The server side: hands out nonces and checks what comes back. */
export class DigestServer {
  private readonly realm: string;
  private readonly algorithms: readonly DigestAlgorithm[];
  private readonly highest_count_by_nonce = new Map<string, number>();

  constructor(realm: string, algorithms: readonly DigestAlgorithm[] = ['SHA-256', 'MD5']) {
    this.realm = realm;
    this.algorithms = algorithms;
  }

  /** One header value for each algorithm, the preferred first (RFC 8760 2.3). */
  challenges(): string[] {
    const nonce = randomBytes(16).toString('hex');
    this.highest_count_by_nonce.set(nonce, 0);
    return this.algorithms.map(
      (algorithm) => `Digest realm="${this.realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"`,
    );
  }

  check(value: string, method: string, passwordOf: (username: string) => string | undefined): Verdict {
    const fields = parseDigestFields(value);
    const read = (name: string) => fields?.get(name) ?? '';
    const algorithm = algorithmNamed(fields?.get('algorithm') ?? 'MD5');
    const count = Number.parseInt(read('nc'), 16);
    if (algorithm === undefined || read('qop') !== 'auth' || Number.isNaN(count)) return 'malformed';
    const highest = this.highest_count_by_nonce.get(read('nonce'));
    if (highest === undefined || count <= highest) return 'nonce_unknown';
    const password = passwordOf(read('username'));
    if (password === undefined || read('realm') !== this.realm || !this.algorithms.includes(algorithm)) return 'wrong';
    const expected = digestResponse({
      algorithm,
      username: read('username'),
      realm: this.realm,
      password,
      method,
      uri: read('uri'),
      nonce: read('nonce'),
      qop: { cnonce: read('cnonce'), nc: read('nc') },
    });
    if (expected !== read('response').toLowerCase()) return 'wrong';
    this.highest_count_by_nonce.set(read('nonce'), count);
    return 'right';
  }
}
