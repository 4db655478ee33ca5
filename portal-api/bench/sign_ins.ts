import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { createClient } from 'redis';
import { HttpLoad, percentile } from '../../deploy/bench/http_load.ts';
import { makeHistory } from '../../deploy/bench/portal_history.ts';
import type { Holder } from '../../deploy/bench/portal_history.ts';
import { testLogin } from '../../deploy/testing/database_login.ts';
import { keptKeyRing } from '../../deploy/parts/key_ring.ts';
import { portalApiPart } from '../../deploy/parts/portal_api.ts';
import { freePort } from '../../deploy/runtime/process/free_port.ts';
import type { AtOwnServers } from '../../deploy/world/in_own_servers.ts';
import { inOwnServers } from '../../deploy/world/in_own_servers.ts';
import { runCommand } from '../../deploy/world/run_command.ts';
import { Sessions } from '../identity/sessions.ts';
import { parseKeyRing } from '../key_ring_file.ts';
import { makeAdminUser } from '../sign_in/make_admin.ts';

/**
 * How much slower other routes become beside a crowd that signs in by password: reads at a steady rate, alone and beside 50 sign-ins a
 * second that wait for nobody, in turns. A sign-in is answered, or refused with 503 where too many wait; anything else is an error.
 */
const READS_PER_SECOND = 60;
const READ_CONNECTIONS = 8;
const SIGN_INS_PER_SECOND = 50;
const PEOPLE = 40;
const HOST = '127.0.0.1';
const READS = ['/v1/calls?limit=25', '/v1/messages?limit=25', '/v1/wallet', '/v1/numbers', '/v1/session'];

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
  },
});

interface Person {
  email: string;
  password: string;
}

/** Admins, whose password alone lets nobody in: each sign-in ends with the question for a second factor. */
async function makePeople(database_url: string, ring_file: string): Promise<Person[]> {
  const pool = new pg.Pool({ connectionString: database_url, max: 2 });
  const ring = parseKeyRing(await readFile(ring_file, 'utf8'));
  const people: Person[] = [];
  for (let n = 0; n < PEOPLE; n += 1) {
    const person = { email: `admin-${n}@example.org`, password: randomBytes(18).toString('base64') };
    const made = {
      ...person,
      name: 'Ada Example',
      roles: ['support'] as const,
      totp_secret_base32: 'JBSWY3DPEHPK3PXP',
    };
    await makeAdminUser({ pool, ring }, new Date(), made);
    people.push(person);
  }
  await pool.end();
  return people;
}

async function cookiesOf(redis_url: string, holders: readonly Holder[]): Promise<string[]> {
  const redis = createClient({ url: redis_url });
  await redis.connect();
  const sessions = new Sessions({ store: redis, now: Date.now, idle_ms: 3_600_000, life_ms: 3_600_000 });
  const cookies: string[] = [];
  for (const { user_id, account_id } of holders) {
    const session = { user_id, kind: 'customer' as const, account_id, role: 'owner' as const, admin_roles: [] };
    const { token } = await sessions.begin({ ...session, address: HOST, user_agent: 'a benchmark' });
    cookies.push(`letsdial_session=${token}`);
  }
  redis.destroy();
  return cookies;
}

function readsOf(cookies: readonly string[]): () => string {
  let n = 0;
  return () => {
    n += 1;
    const cookie = cookies[n % cookies.length] ?? '';
    return `GET ${READS[n % READS.length] ?? ''} HTTP/1.1\r\nhost: bench\r\ncookie: ${cookie}\r\n\r\n`;
  };
}

interface Crowd {
  answered: number;
  refused: number;
  errors: number;
}

/** Signs in at that rate, whether or not anybody was answered before. */
class SignIns {
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 512 });
  readonly #port: number;
  readonly #people: readonly Person[];
  last_error: string | null = null;
  #n = 0;

  constructor(port: number, people: readonly Person[]) {
    this.#port = port;
    this.#people = people;
  }

  async run(seconds: number): Promise<Crowd> {
    const crowd: Crowd = { answered: 0, refused: 0, errors: 0 };
    const asked: Promise<void>[] = [];
    const began_ms = performance.now();
    const count = seconds * SIGN_INS_PER_SECOND;
    for (let n = 0; n < count; n += 1) {
      const left_ms = began_ms + (n * 1000) / SIGN_INS_PER_SECOND - performance.now();
      if (left_ms > 1) await wait(left_ms);
      asked.push(this.#ask(crowd));
    }
    await Promise.all(asked);
    return crowd;
  }

  async #ask(crowd: Crowd): Promise<void> {
    this.#n += 1;
    const person = this.#people[this.#n % this.#people.length];
    const body = JSON.stringify({ ...person, as: 'admin' });
    const { status, told } = await new Promise<{ status: number; told: string }>((resolve) => {
      const headers = { 'content-type': 'application/json', 'content-length': body.length };
      const asked = { host: HOST, port: this.#port, path: '/v1/sign-in/password', method: 'POST', agent: this.#agent };
      const request = http.request({ ...asked, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, told: text }));
      });
      request.on('error', (error) => resolve({ status: 0, told: error.message }));
      request.end(body);
    });
    if (status === 202) crowd.answered += 1;
    else if (status === 503) crowd.refused += 1;
    else {
      crowd.errors += 1;
      this.last_error = `${status} ${told.slice(0, 300)}`;
    }
  }

  end(): void {
    this.#agent.destroy();
  }
}

interface Round extends Crowd {
  alone_ms: number;
  beside_ms: number;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function measure(port: number, cookies: readonly string[], signIns: SignIns, say: (line: string) => void) {
  const seconds = Number(flags.seconds);
  const nextRequest = readsOf(cookies);
  const read = (for_seconds: number) =>
    new HttpLoad({
      ...{ host: HOST, port, connections: READ_CONNECTIONS, nextRequest },
      ...{ per_second: READS_PER_SECOND, succeeds: 'HTTP/1.1 200' },
    }).run(for_seconds);
  // Node compiles what is hot while it runs.
  await Promise.all([read(3), signIns.run(3)]);
  const rounds: Round[] = [];
  for (let n = 0; n < Number(flags.rounds); n += 1) {
    const alone = await read(seconds);
    const [beside, crowd] = await Promise.all([read(seconds), signIns.run(seconds)]);
    const [alone_ms, beside_ms] = [percentile(alone.latencies_ms, 95), percentile(beside.latencies_ms, 95)];
    const errors = crowd.errors + alone.failed + beside.failed;
    rounds.push({ alone_ms, beside_ms, answered: crowd.answered, refused: crowd.refused, errors });
    say(
      `p95 of reads: alone ${alone_ms.toFixed(1)} ms, beside ${beside_ms.toFixed(1)} ms; ${crowd.answered} signed in, ${crowd.refused} refused, ${errors} errors`,
    );
  }
  const [p95_ms_alone, p95_ms_beside] = [rounds.map((r) => r.alone_ms), rounds.map((r) => r.beside_ms)].map(median);
  return {
    p95_ms_alone: Number(p95_ms_alone?.toFixed(2)),
    p95_ms_beside: Number(p95_ms_beside?.toFixed(2)),
    ratio: Number(median(rounds.map((one) => one.beside_ms / one.alone_ms)).toFixed(2)),
    sign_ins_per_s: SIGN_INS_PER_SECOND,
    sign_ins_answered: median(rounds.map(({ answered }) => answered)),
    sign_ins_refused: median(rounds.map(({ refused }) => refused)),
    errors: rounds.reduce((sum, { errors }) => sum + errors, 0),
  };
}

async function bench({ servers, say, interrupted }: AtOwnServers): Promise<boolean> {
  const home = await mkdtemp(join(tmpdir(), 'letsdial-bench-sign-ins-'));
  const pool = new pg.Pool({ connectionString: servers.postgres.url, max: 4 });
  const cookies = await cookiesOf(
    servers.valkey.url,
    await makeHistory(pool, { accounts: 100, calls: 20_000, texts: 20_000 }),
  );
  const people = await makePeople(servers.postgres.url, await keptKeyRing(join(home, 'secrets/key-ring.json')));
  const ports = { http: await freePort(), observe: await freePort() };
  const portal = await portalApiPart({
    ...{
      home,
      redis_url: servers.valkey.url,
      host: HOST,
      ports,
      database_url: await testLogin(servers.postgres.url, 'letsdial_portal'),
    },
    settings: {
      ...{ READS_PER_MINUTE_MAX: '1000000', GUESSES_PER_MINUTE_MAX: '1000000', WRITES_PER_MINUTE_MAX: '1000000' },
      ...{ FAILED_SIGN_INS_MAX: '1000', LOG_LEVEL: 'fatal' },
    },
  }).start();
  const signIns = new SignIns(ports.http, people);
  try {
    const figures = await Promise.race([measure(ports.http, cookies, signIns, say), interrupted]);
    if (signIns.last_error !== null) say(`The last error: ${signIns.last_error}`);
    console.log(JSON.stringify(figures));
    return figures.errors === 0;
  } finally {
    signIns.end();
    await portal.stop();
    await pool.end();
    await rm(home, { recursive: true, force: true });
  }
}

const opening = `Reads at ${READS_PER_SECOND} a second, alone and beside ${SIGN_INS_PER_SECOND} sign-ins a second.`;
await runCommand(() => inOwnServers({ json: flags.json, opening }, bench));
