import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { createClient } from 'redis';
import { Sessions } from '../../portal-api/identity/sessions.ts';
import { databaseLogin } from '../parts/database_login.ts';
import { portalApiPart } from '../parts/portal_api.ts';
import { compile } from '../runtime/compile.ts';
import { startChild } from '../runtime/process/child.ts';
import { freePort } from '../runtime/process/free_port.ts';
import { httpAnswers } from '../runtime/process/http_answers.ts';
import { untilReady } from '../runtime/process/ready.ts';
import type { AtOwnServers } from '../world/in_own_servers.ts';
import { inOwnServers } from '../world/in_own_servers.ts';
import { runCommand } from '../world/run_command.ts';
import { cpuMs } from './cpu.ts';
import { HttpLoad, percentile } from './http_load.ts';
import type { HttpLoadResult } from './http_load.ts';
import { makeHistory } from './portal_history.ts';
import type { Holder } from './portal_history.ts';

/**
 * The portal over a year's history: nine reads (calls, texts, wallet, numbers) for each write (a text that is priced, charged and stored,
 * with fsync on). How long answers take at 200 requests a second, and how many a second there are at most, in turns with a bare Express
 * route that runs one indexed query.
 */
const PER_SECOND = 200;
const CONNECTIONS = 16;

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    calls: { type: 'string', default: '1000000' },
    texts: { type: 'string', default: '1000000' },
  },
});

const HOST = '127.0.0.1';

interface SignedIn extends Holder {
  cookie: string;
  csrf_token: string;
}

async function signIn(redis_url: string, holders: readonly Holder[]): Promise<SignedIn[]> {
  const redis = createClient({ url: redis_url });
  await redis.connect();
  const sessions = new Sessions({ store: redis, now: Date.now, idle_ms: 3_600_000, life_ms: 3_600_000 });
  const found: SignedIn[] = [];
  for (const holder of holders) {
    const { token, csrf_token } = await sessions.begin({
      ...{ user_id: holder.user_id, kind: 'customer', account_id: holder.account_id, role: 'owner', admin_roles: [] },
      ...{ address: HOST, user_agent: 'a benchmark' },
    });
    found.push({ ...holder, cookie: `letsdial_session=${token}`, csrf_token });
  }
  redis.destroy();
  return found;
}

const READS = [
  ...[
    '/v1/calls?limit=25',
    '/v1/calls?limit=25',
    '/v1/calls?limit=25',
    '/v1/messages?limit=25',
    '/v1/messages?limit=25',
  ],
  ...['/v1/messages?limit=25', '/v1/wallet', '/v1/wallet', '/v1/numbers'],
];

/** Nine reads and a write, each of the next customer. */
function mixOf(people: readonly SignedIn[]): () => string {
  let n = 0;
  return () => {
    n += 1;
    const person = people[n % people.length] as SignedIn;
    const read = READS[n % 10];
    const head = `host: bench\r\ncookie: ${person.cookie}\r\n`;
    if (read !== undefined) return `GET ${read} HTTP/1.1\r\n${head}\r\n`;
    const body = JSON.stringify({ sender: person.number, recipient: '+33612345678', text: 'On my way' });
    return `POST /v1/messages HTTP/1.1\r\n${head}x-csrf-token: ${person.csrf_token}\r\nidempotency-key: ${randomUUID()}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  };
}

function bareOf(people: readonly SignedIn[]): () => string {
  let n = 0;
  return () => {
    n += 1;
    return `GET /calls/${people[n % people.length]?.account_id ?? ''} HTTP/1.1\r\nhost: bench\r\n\r\n`;
  };
}

/** A process that answers, and what is asked of it. */
interface Asked {
  port: number;
  pid: number;
  nextRequest: () => string;
}

interface Measured extends HttpLoadResult {
  /** Of the process that answered, a request. */
  cpu_us: number;
}

async function run({ port, pid, nextRequest }: Asked, per_second: number | null, seconds: number): Promise<Measured> {
  const before_ms = await cpuMs(pid);
  const load = { host: HOST, port, connections: CONNECTIONS, nextRequest, per_second, succeeds: 'HTTP/1.1 20' };
  const result = await new HttpLoad(load).run(seconds);
  return { ...result, cpu_us: (((await cpuMs(pid)) - before_ms) * 1000) / result.accepted };
}

const rate = ({ accepted, seconds }: HttpLoadResult): number => accepted / seconds;
const told = (what: string, result: Measured): string =>
  `${what.padEnd(28)}${rate(result).toFixed(0).padStart(6)}/s  p50 ${percentile(result.latencies_ms, 50).toFixed(1)} ms  p95 ${percentile(result.latencies_ms, 95).toFixed(1)} ms  ${result.cpu_us.toFixed(0).padStart(5)} µs of CPU each  ${result.failed} failed`;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function measure(portal: Asked, bare: Asked, say: (line: string) => void): Promise<string> {
  const seconds = Number(flags.seconds);
  // Node compiles what is hot while it runs.
  await run(portal, null, 5);
  await run(bare, null, 5);
  const results: { paced: Measured; most: Measured; bare: Measured }[] = [];
  for (let round = 0; round < Number(flags.rounds); round += 1) {
    const paced = await run(portal, PER_SECOND, seconds);
    say(told(`portal at ${PER_SECOND}/s`, paced));
    const most = await run(portal, null, seconds);
    say(told('portal at most', most));
    const bare_most = await run(bare, null, seconds);
    say(told('bare route at most', bare_most));
    results.push({ paced, most, bare: bare_most });
  }
  const requests_per_s = median(results.map(({ most }) => rate(most)));
  const bare_requests_per_s = median(results.map((one) => rate(one.bare)));
  return JSON.stringify({
    p95_ms: Number(median(results.map(({ paced }) => percentile(paced.latencies_ms, 95))).toFixed(1)),
    requests_per_s: Math.round(requests_per_s),
    bare_requests_per_s: Math.round(bare_requests_per_s),
    ratio: Number((requests_per_s / bare_requests_per_s).toFixed(2)),
    errors: results.reduce((sum, { paced, most, bare: other }) => sum + paced.failed + most.failed + other.failed, 0),
  });
}

async function startBare(
  home: string,
  database_url: string,
): Promise<{ port: number; pid: number; stop: () => Promise<void> }> {
  const port = await freePort();
  const log_file = join(home, 'bare-route.log');
  const name = 'The bare route';
  const child = await startChild({
    name,
    command: { file: process.execPath, args: await compile(fileURLToPath(new URL('bare_route.ts', import.meta.url))) },
    env: { PATH: process.env['PATH'], DATABASE_URL: database_url, BARE_HOST: HOST, BARE_PORT: String(port) },
    log_file,
    stop_signal: 'TERM',
    stop_timeout_ms: 5_000,
  });
  await untilReady(child, {
    name,
    log_file,
    timeout_ms: 30_000,
    answers: () => httpAnswers(`http://${HOST}:${port}/`),
  });
  return { port, pid: child.pid, stop: child.stop };
}

async function bench({ servers, say, interrupted }: AtOwnServers): Promise<boolean> {
  const home = await mkdtemp(join(tmpdir(), 'letsdial-bench-portal-'));
  const pool = new pg.Pool({ connectionString: servers.postgres.url, max: 4 });
  say(`Making ${flags.calls} calls and ${flags.texts} texts of 1,000 customers …`);
  const wishes = { accounts: 1_000, calls: Number(flags.calls), texts: Number(flags.texts) };
  const people = await signIn(servers.valkey.url, await makeHistory(pool, wishes));
  const database_url = await databaseLogin({
    ...{
      database_url: servers.postgres.url,
      group: 'letsdial_portal',
      password: new URL(servers.postgres.url).password,
    },
  });
  const ports = { http: await freePort(), observe: await freePort() };
  const limits = { READS_PER_MINUTE_MAX: '1000000', WRITES_PER_MINUTE_MAX: '1000000' };
  const portal = await portalApiPart({
    ...{
      home,
      database_url,
      redis_url: servers.valkey.url,
      host: HOST,
      ports,
      settings: { ...limits, LOG_LEVEL: 'warn' },
    },
  }).start();
  const bare = await startBare(home, servers.postgres.url);
  try {
    console.log(
      await Promise.race([
        measure(
          { port: ports.http, pid: portal.pid, nextRequest: mixOf(people) },
          { port: bare.port, pid: bare.pid, nextRequest: bareOf(people) },
          say,
        ),
        interrupted,
      ]),
    );
    return true;
  } finally {
    await bare.stop();
    await portal.stop();
    await pool.end();
    await rm(home, { recursive: true, force: true });
  }
}

await runCommand(() =>
  inOwnServers({ json: flags.json, opening: 'The portal at a set rate and as fast as it answers.' }, bench),
);
