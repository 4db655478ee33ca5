import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { migrate } from '../../domain/db/migrate.ts';
import { install } from '../runtime/install.ts';
import { explainError } from '../runtime/outage.ts';
import { startPostgres } from '../runtime/postgres.ts';
import { showProgress } from '../runtime/progress.ts';
import type { Screen } from '../runtime/progress.ts';
import { startValkey } from '../runtime/valkey.ts';
import { deploySettings } from '../settings.ts';
import { INTERRUPTED, Interrupted, interruption } from '../world/interruption.ts';
import { TextWorld } from '../world/text_world.ts';
import { TextLoad } from './text_load.ts';
import type { HttpMeasured } from './text_load.ts';

/**
 * How many texts a second the gateway takes in and sends on, each with its receipt, routed and charged, with fsync on; what a
 * text costs in CPU; how long an acceptance takes at 3,000 a second; and how much of the rate is left when the carrier throttles
 * one text in a hundred, which is measured in turns with a carrier that does not. What counts is what the carrier counted.
 */
const PACED_PER_SECOND = 3_000;

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '10' },
    /** How often each measurement is taken; medians are reported. */
    rounds: { type: 'string', default: '3' },
  },
});

function tell(say: (line: string) => void, what: string, m: HttpMeasured): void {
  say(
    [
      what.padEnd(34),
      `${m.per_second.toFixed(0).padStart(6)}/s with their receipts`,
      `accepted in p50 ${m.accept_ms_p50.toFixed(1)} ms, p99 ${m.accept_ms_p99.toFixed(1)} ms`,
      `CPU µs a text: gateway ${m.gateway_us.toFixed(0)}, Postgres ${m.postgres_us.toFixed(0)}, carrier ${m.carrier_us.toFixed(0)}`,
      `${m.failed} failed`,
    ].join('  '),
  );
}

async function bench(load: TextLoad, say: (line: string) => void): Promise<string> {
  const seconds = Number(flags.seconds);
  // Node compiles what is hot while it runs; a service is not measured in its first seconds.
  await load.http({ seconds: 8, per_second: null });
  const plain: HttpMeasured[] = [];
  const throttled: HttpMeasured[] = [];
  const smpp: number[] = [];
  let failed = 0;
  for (let round = 1; round <= Number(flags.rounds); round += 1) {
    plain.push(await load.http({ seconds, per_second: null }));
    tell(say, 'HTTP in, SMPP out', plain.at(-1) as HttpMeasured);
    await load.carrierThrottles(10);
    throttled.push(await load.http({ seconds, per_second: null }));
    tell(say, '  1 % throttled', throttled.at(-1) as HttpMeasured);
    await load.carrierThrottles(0);
    const taken = await load.smpp({ seconds });
    say(`${'SMPP in'.padEnd(34)}${taken.per_second.toFixed(0).padStart(6)}/s accepted  ${taken.failed} failed`);
    smpp.push(taken.per_second);
    failed += taken.failed;
  }
  const paced = await load.http({ seconds, per_second: PACED_PER_SECOND });
  tell(say, `HTTP in at ${PACED_PER_SECOND}/s`, paced);
  await load.booksAreRight();
  failed += [...plain, ...throttled, paced].reduce((sum, one) => sum + one.failed, 0);
  return JSON.stringify({
    http_per_s: Math.round(median(plain.map((one) => one.per_second))),
    smpp_in_per_s: Math.round(median(smpp)),
    cpu_us_per_message: Math.round(median(plain.map((one) => one.gateway_us))),
    accept_ms_p99: Number(paced.accept_ms_p99.toFixed(1)),
    throttled_ratio: Number(median(plain.map((one, n) => (throttled[n]?.per_second ?? 0) / one.per_second)).toFixed(3)),
    failed,
    postgres_us_per_message: Math.round(median(plain.map((one) => one.postgres_us))),
  });
}

function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
  const interrupted = interruption();
  // Heard while texts are measured; before that nobody waits for it.
  interrupted.catch(() => undefined);
  const say = (line: string): void => {
    if (!flags.json) console.log(line);
  };
  const screen: Screen = flags.json ? { write: () => true } : process.stdout;
  const settings = deploySettings(process.env);
  const programs = await install({
    ...settings,
    prefer: 'private',
    elsewhere: [],
    progress: showProgress(screen, Date.now),
  });
  const home = await mkdtemp(join(tmpdir(), 'letsdial-bench-'));
  const postgres = await startPostgres({ programs: programs.postgres, home, port: null });
  const valkey = await startValkey({ program: programs.valkey_server, home, port: null });
  try {
    await migrate(postgres.url);
    const world = await TextWorld.begin({
      database_url: postgres.url,
      redis_url: valkey.url,
      binds_per_carrier: 2,
      smsc: { log: 'counts' },
      settings: { LOG_LEVEL: 'warn' },
    });
    try {
      const load = await TextLoad.begin(world, () => postgresProcesses(postgres.pid));
      console.log(await Promise.race([bench(load, say), interrupted]));
    } finally {
      await world.end();
    }
  } finally {
    await valkey.stop();
    await postgres.stop();
    await rm(home, { recursive: true, force: true });
  }
}

/** The server and everybody that it has started and that still lives. */
async function postgresProcesses(server: number): Promise<number[]> {
  const children = await readdir(`/proc/${server}/task`);
  const lists = await Promise.all(children.map((task) => readFile(`/proc/${server}/task/${task}/children`, 'utf8')));
  return [server, ...lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number))];
}

try {
  await main();
} catch (error) {
  const is_interrupted = error instanceof Interrupted;
  console.error(is_interrupted ? error.message : explainError(error));
  process.exitCode = is_interrupted ? INTERRUPTED : 1;
}
