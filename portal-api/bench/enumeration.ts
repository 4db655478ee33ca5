import { randomBytes, randomInt } from 'node:crypto';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { testLogin } from '../../deploy/testing/database_login.ts';
import { keptKeyRing } from '../../deploy/parts/key_ring.ts';
import { portalApiPart } from '../../deploy/parts/portal_api.ts';
import { freePort } from '../../deploy/runtime/process/free_port.ts';
import { inOwnServers } from '../../deploy/world/in_own_servers.ts';
import { parseKeyRing } from '../key_ring_file.ts';
import { makeAdminUser } from '../sign_in/make_admin.ts';

/** Whether the time of an answer tells that an address has an account: known and unknown ones in a random order, by several routes. */
const SAMPLES = 1_000;
const ADDRESSES = 50;
const GAP_MS_MAX = 10;

interface Gap {
  known_ms: number;
  unknown_ms: number;
  gap_ms: number;
}

const json = process.argv.includes('--json');
const known = Array.from({ length: ADDRESSES }, (_, n) => `known-${n}@example.org`);
const unknown = Array.from({ length: ADDRESSES }, (_, n) => `other-${n}@example.org`);

let phones = 0;
/** A German mobile number, another one each time. */
const nextPhone = (): string => `+4915${String(100_000_000 + (phones += 1) * 7)}`.slice(0, 13);

const requests: Readonly<Record<string, (email: string) => [path: string, body: unknown, status: number]>> = {
  sign_in: (email) => ['/v1/sign-in/password', { email, password: 'not the password of anybody', as: 'admin' }, 401],
  registration: (email) => [
    '/v1/registration',
    { email, phone: nextPhone(), name: 'Ada Example', party: 'person', home_country: 'DE', document_ids: [] },
    201,
  ],
  password_reset: (email) => ['/v1/password-reset', { email, as: 'admin' }, 202],
};

async function timed(url: string, [path, body, status]: [string, unknown, number]): Promise<number> {
  const began_ms = performance.now();
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const took_ms = performance.now() - began_ms;
  if (response.status !== status) throw new Error(`${path} answered ${response.status}, not ${status}: ${text}`);
  return took_ms;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const rounded = (ms: number): number => Number(ms.toFixed(3));

async function measure(url: string, request: (email: string) => [string, unknown, number]): Promise<Gap> {
  const took: { known: number[]; unknown: number[] } = { known: [], unknown: [] };
  const left = { known: SAMPLES, unknown: SAMPLES };
  while (left.known + left.unknown > 0) {
    const kind = randomInt(left.known + left.unknown) < left.known ? 'known' : 'unknown';
    left[kind] -= 1;
    const email = (kind === 'known' ? known : unknown)[left[kind] % ADDRESSES] ?? '';
    took[kind].push(await timed(url, request(email)));
  }
  const [known_ms, unknown_ms] = [median(took.known), median(took.unknown)];
  return {
    known_ms: rounded(known_ms),
    unknown_ms: rounded(unknown_ms),
    gap_ms: rounded(Math.abs(known_ms - unknown_ms)),
  };
}

/** As many people as there are addresses: customers by their own way would need a mailbox each, and the routes are the same. */
async function makePeople(database_url: string, ring_file: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: database_url, max: 2 });
  const ring = parseKeyRing(await readFile(ring_file, 'utf8'));
  for (const email of known) {
    const totp_secret_base32 = 'JBSWY3DPEHPK3PXP';
    const password = randomBytes(18).toString('base64');
    const made = { email, name: 'Ada Example', password, roles: ['support'] as const, totp_secret_base32 };
    await makeAdminUser({ pool, ring }, new Date(), made);
  }
  // Registration asks among customers.
  await pool.query(
    `insert into portal_user (id, kind, data_key_id, email_sealed, email_index)
     select gen_random_uuid(), 'customer', data_key_id, email_sealed, email_index from portal_user where kind = 'admin'`,
  );
  await pool.end();
}

async function run(database_url: string, redis_url: string, home: string): Promise<Record<string, Gap>> {
  const mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
  await makePeople(database_url, await keptKeyRing(join(home, 'secrets/key-ring.json')));
  const often = { CODES_PER_TARGET_PER_HOUR_MAX: '1000', CODES_PER_ADDRESS_PER_HOUR_MAX: '1000000' };
  const portal = await portalApiPart({
    ...{ home, redis_url, host: '127.0.0.1', ports: { http: await freePort(), observe: await freePort() } },
    database_url: await testLogin(database_url, 'letsdial_portal'),
    settings: {
      ...often,
      ...{ SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}`, LOG_LEVEL: 'error', FAILED_SIGN_INS_MAX: '1000' },
      ...{ GUESSES_PER_MINUTE_MAX: '1000000', WRITES_PER_MINUTE_MAX: '1000000' },
    },
  }).start();
  try {
    const gaps: Record<string, Gap> = {};
    for (const [name, request] of Object.entries(requests)) {
      // What is compiled and planned with the first requests is nobody's.
      for (const email of [...known.slice(0, 20), ...unknown.slice(0, 20)]) await timed(portal.url, request(email));
      gaps[name] = await measure(portal.url, request);
      if (!json) console.log(`  ${name}: known ${gaps[name].known_ms} ms, unknown ${gaps[name].unknown_ms} ms`);
    }
    return gaps;
  } finally {
    await portal.stop();
    await mail.end();
  }
}

const opening = `The median of ${SAMPLES} answers about known and ${SAMPLES} about unknown addresses:`;
const home = await mkdtemp(join(tmpdir(), 'letsdial-enumeration-'));
try {
  const gaps = await inOwnServers({ json, opening }, ({ servers }) =>
    run(servers.postgres.url, servers.valkey.url, home),
  );
  const gap_ms_max = Math.max(...Object.values(gaps).map(({ gap_ms }) => gap_ms));
  console.log(JSON.stringify({ samples: SAMPLES, gap_ms_max, ...gaps }));
  if (gap_ms_max >= GAP_MS_MAX) process.exitCode = 1;
} finally {
  await rm(home, { recursive: true, force: true });
}
