import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findKannel } from '../kannel/install.ts';
import { showProgress } from '../runtime/progress.ts';
import { deploySettings } from '../settings.ts';
import { inOwnTextWorld } from '../world/own_text_world.ts';
import type { AtWork } from '../world/own_text_world.ts';
import { runCommand } from '../world/run_command.ts';
import { KannelLoad } from './kannel_load.ts';
import { TextLoad } from './text_load.ts';
import type { HttpMeasured } from './text_load.ts';

/**
 * How many texts a second the gateway takes in and sends on, each with its receipt, routed and charged, with fsync on; what a
 * text costs in CPU; how long an acceptance takes at 3,000 a second; and how much of the rate is left when the carrier throttles
 * one text in a hundred, which is measured in turns with a carrier that does not. What counts is what the carrier counted.
 *
 * Where a Kannel is to be had, it is given the same load in turns with ours, for how fast a machine is differs from one to the next:
 * the ratio says more than the rate.
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
      `CPU µs a text: gateway ${m.gateway_us.toFixed(0)}, Postgres ${m.postgres_us.toFixed(0)}, carrier ${m.carrier_us.toFixed(0)}, this load ${m.load_us.toFixed(0)}`,
      `all cores ${(m.busy_share * 100).toFixed(0)} % busy`,
      `${m.failed} failed`,
    ].join('  '),
  );
}

async function bench(
  load: TextLoad,
  kannel: KannelLoad | null,
  say: (line: string) => void,
): Promise<{ line: string; failed: number }> {
  const seconds = Number(flags.seconds);
  // Node compiles what is hot while it runs; a service is not measured in its first seconds.
  await load.http({ seconds: 8, per_second: null });
  const plain: HttpMeasured[] = [];
  const throttled: HttpMeasured[] = [];
  const paced: HttpMeasured[] = [];
  const smpp: number[] = [];
  const baseline: number[] = [];
  let failed = 0;
  for (let round = 1; round <= Number(flags.rounds); round += 1) {
    plain.push(await load.http({ seconds, per_second: null }));
    tell(say, 'HTTP in, SMPP out', plain.at(-1) as HttpMeasured);
    await load.carrierThrottles(10);
    throttled.push(await load.http({ seconds, per_second: null }));
    tell(say, '  1 % throttled', throttled.at(-1) as HttpMeasured);
    await load.carrierThrottles(0);
    paced.push(await load.http({ seconds, per_second: PACED_PER_SECOND }));
    tell(say, `  at ${PACED_PER_SECOND} a second`, paced.at(-1) as HttpMeasured);
    const taken = await load.smpp({ seconds });
    say(`${'SMPP in'.padEnd(34)}${taken.per_second.toFixed(0).padStart(6)}/s accepted  ${taken.failed} failed`);
    smpp.push(taken.per_second);
    failed += taken.failed;
    if (kannel !== null) baseline.push(await measureKannel(kannel, seconds, say));
  }
  await load.booksAreRight();
  failed += [...plain, ...throttled, ...paced].reduce((sum, one) => sum + one.failed, 0);
  const line = JSON.stringify({
    http_per_s: Math.round(median(plain.map((one) => one.per_second))),
    smpp_in_per_s: Math.round(median(smpp)),
    cpu_us_per_message: Math.round(median(plain.map((one) => one.gateway_us))),
    accept_ms_p99: Number(median(paced.map((one) => one.accept_ms_p99)).toFixed(1)),
    throttled_ratio: Number(median(plain.map((one, n) => (throttled[n]?.per_second ?? 0) / one.per_second)).toFixed(3)),
    failed,
    postgres_us_per_message: Math.round(median(plain.map((one) => one.postgres_us))),
    ...ratioTo(baseline, plain),
  });
  return { line, failed };
}

async function measureKannel(kannel: KannelLoad, seconds: number, say: (line: string) => void): Promise<number> {
  const { per_second, kannel_us, failed } = await kannel.run(seconds);
  const rate = per_second.toFixed(0).padStart(6);
  say(
    `${'Kannel, spooled'.padEnd(34)}${rate}/s with their receipts  CPU µs a text ${kannel_us.toFixed(0)}  ${failed} failed`,
  );
  return per_second;
}

/** Of ours to Kannel, each of a round to the other of the same round. */
function ratioTo(
  baseline: readonly number[],
  plain: readonly HttpMeasured[],
): { kannel_per_s: number | null; ratio: number | null } {
  if (baseline.length === 0) return { kannel_per_s: null, ratio: null };
  const ratios = plain.map((one, n) => one.per_second / (baseline[n] ?? Number.NaN));
  return { kannel_per_s: Math.round(median(baseline)), ratio: Number(median(ratios).toFixed(2)) };
}

function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function main(): Promise<boolean> {
  const opening = 'Texts through the gateway, as fast as they are answered and at a set rate.';
  // How fast texts are taken is asked, which is faster than carriers take them.
  const room = { QUEUE_TEXTS_MAX: '100000000', ACCOUNT_QUEUE_TEXTS_MAX: '100000000' };
  const world = { binds_per_carrier: 2, smsc: { log: 'counts' as const }, settings: { LOG_LEVEL: 'warn', ...room } };
  return inOwnTextWorld({ json: flags.json, opening, world }, async (at) => {
    const load = await TextLoad.begin(at.world, () => postgresProcesses(at.servers.postgres.pid));
    const kannel = await beginKannel(at);
    try {
      const { line, failed } = await Promise.race([bench(load, kannel, at.say), at.interrupted]);
      console.log(line);
      return failed === 0;
    } finally {
      await kannel?.stop();
    }
  });
}

/** Null where there is none, which is said. */
async function beginKannel({ world, screen, say }: AtWork): Promise<KannelLoad | null> {
  const { home, cache, mirror } = deploySettings(process.env);
  const found = await findKannel({ home, cache, mirror, progress: showProgress(screen, Date.now) });
  if (found.kind === 'missing') {
    say(`There is nothing to compare with: ${found.why}`);
    return null;
  }
  return KannelLoad.begin({
    programs: found.programs,
    home: join(world.home, 'kannel'),
    address: `${world.network}.60`,
  });
}

/** The server and everybody that it has started and that still lives. */
async function postgresProcesses(server: number): Promise<number[]> {
  const children = await readdir(`/proc/${server}/task`);
  const lists = await Promise.all(children.map((task) => readFile(`/proc/${server}/task/${task}/children`, 'utf8')));
  return [server, ...lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number))];
}

await runCommand(main);
