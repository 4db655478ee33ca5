import { parseArgs } from 'node:util';
import { inOwnServers } from '../world/in_own_servers.ts';
import { runCommand } from '../world/run_command.ts';
import { booksAreRight, eventually } from '../world/verdict.ts';
import { CallLoad } from './call_load.ts';
import type { Measured, Side } from './call_load.ts';

/**
 * How many calls a second one switch carries with nothing failed and 99 % of post-dial delays within 150 ms: with bare
 * Dial() in the dialplan, and with the whole product and its charging in Postgres with fsync on. Both in one run on the
 * same switch, in turns, as machines change their speed. Failures and delays are sipp's own figures.
 */
const PDD_MS_MAX = 150;
const STEP = 5;
const COARSE_STEP = 40;
const COARSE_SECONDS = 8;
const WARM_UP_SECONDS = 15;

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    /** Where the search begins, and how long the rate that counts is held. */
    from: { type: 'string', default: '60' },
    seconds: { type: 'string', default: '30' },
  },
});

const passes = (m: Measured): boolean => m.failed === 0 && m.pdd_ms_p99 <= PDD_MS_MAX;

function told(side: Side, m: Measured): string {
  return [
    side.padEnd(10),
    `${String(m.calls_per_second).padStart(4)}/s`,
    `${String(m.calls).padStart(6)} calls`,
    `${String(m.failed).padStart(4)} failed`,
    `post-dial delay p50 ${m.pdd_ms_p50.toFixed(0).padStart(4)} ms, p99 ${m.pdd_ms_p99.toFixed(0).padStart(5)} ms`,
    `Asterisk ${m.asterisk_cpu_ms_per_call.toFixed(1)} and Node ${m.node_cpu_ms_per_call.toFixed(1)} CPU ms a call`,
    passes(m) ? '✓' : '✗',
  ].join('  ');
}

type Measure = (side: Side, rate: number, seconds: number) => Promise<Measured>;

/**
 * What fails is measured once more: a machine that is shared stumbles now and then, with either side. Before the first rate of a side a
 * load goes by that counts for nothing: a controller runs for weeks, and its first seconds are spent on compiling itself.
 */
function measuringTwice(load: CallLoad, say: (line: string) => void): Measure {
  let warm: Side | null = null;
  return async (side, rate, seconds) => {
    if (warm !== side) await load.measure(side, Number(flags.from), WARM_UP_SECONDS);
    warm = side;
    const first = await load.measure(side, rate, seconds);
    say(told(side, first));
    if (passes(first)) return first;
    const second = await load.measure(side, rate, seconds);
    say(told(side, second));
    return second;
  };
}

/** Up in large steps for a short time each, to the first rate that fails. */
async function coarse(measure: Measure, side: Side): Promise<number> {
  for (let rate = Number(flags.from); ; rate += COARSE_STEP) {
    if (!passes(await measure(side, rate, COARSE_SECONDS))) return rate;
  }
}

/** Halves what is between a rate that passed at full length and one that failed, until they are one step apart. */
async function fine(measure: Measure, side: Side, failed_at: number): Promise<Measured> {
  let best: Measured | null = null;
  let failed = failed_at;
  for (let passed = 0; failed - passed > STEP;) {
    const between = best === null ? failed * 0.75 : (passed + failed) / 2;
    const measured = await measure(side, Math.floor(between / STEP) * STEP, Number(flags.seconds));
    if (passes(measured)) [best, passed] = [measured, measured.calls_per_second];
    else failed = measured.calls_per_second;
  }
  if (best === null) throw new Error(`Not even ${STEP} calls a second pass on the side ${side}.`);
  return best;
}

async function bench(load: CallLoad, say: (line: string) => void): Promise<void> {
  const measure = measuringTwice(load, say);
  const bare_border = await coarse(measure, 'bare');
  const controlled_border = await coarse(measure, 'controlled');
  const controlled = await fine(measure, 'controlled', controlled_border);
  const bare = await fine(measure, 'bare', bare_border);
  await eventually('all calls to be settled', 30_000, async () => {
    const { rows } = await load.world.pool.query<{ open: string }>(
      "select count(*) as open from call_hold where state = 'o'",
    );
    return rows[0]?.open === '0' ? true : null;
  });
  await booksAreRight(load.world.pool);
  const ratio = controlled.calls_per_second / bare.calls_per_second;
  say(
    `\n${controlled.calls_per_second} of ${bare.calls_per_second} calls a second: ${ratio.toFixed(2)} of bare Dial(), every one charged by the second.`,
  );
  console.log(
    JSON.stringify({
      bare_cps: bare.calls_per_second,
      controlled_cps: controlled.calls_per_second,
      ratio: Number(ratio.toFixed(3)),
      pdd_ms_p99: controlled.pdd_ms_p99,
      failed: controlled.failed,
      asterisk_cpu_ms_per_call: {
        bare: bare.asterisk_cpu_ms_per_call,
        controlled: controlled.asterisk_cpu_ms_per_call,
      },
      node_cpu_ms_per_call: controlled.node_cpu_ms_per_call,
    }),
  );
}

async function main(): Promise<boolean> {
  const opening = 'Calls a second with bare Dial() and with everything, in turns, up to what each can carry.';
  return inOwnServers({ json: flags.json, opening }, async ({ programs, servers, say, interrupted }) => {
    const load = await CallLoad.begin({
      ...{ programs, database_url: servers.postgres.url, redis_url: servers.valkey.url },
      // A test reconciles far more often than the product does.
      settings: { GRANT_SECONDS: '3', LOG_LEVEL: 'warn', RECONCILE_MS: '15000', RECONCILE_SETTLE_MS: '2000' },
    });
    try {
      await Promise.race([bench(load, say), interrupted]);
      return true;
    } finally {
      await load.end();
    }
  });
}

await runCommand(main);
