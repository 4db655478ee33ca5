import { seeded } from '../../domain/rating/bench/sample_decks.ts';
import { Witness } from '../e2e/switch_stack/witness.ts';
import { install } from '../runtime/install.ts';
import { explainError } from '../runtime/outage.ts';
import { showProgress } from '../runtime/progress.ts';
import type { Screen } from '../runtime/progress.ts';
import { deploySettings } from '../settings.ts';
import { OwnServers } from '../world/own_servers.ts';
import { eventually } from '../world/verdict.ts';
import { World } from '../world/world.ts';
import { Callers } from './callers.ts';
import { diceOf } from './dice.ts';
import { killOnce } from './killer.ts';
import { chaosOptions } from './options.ts';
import type { ChaosOptions } from './options.ts';
import { judge, passed } from './verdict.ts';
import type { ChaosFindings, ChaosVerdict } from './verdict.ts';

/** How long the last calls may take to end, settle and leave the switch. */
const SETTLE_MS = 40_000;
const HOME_STRETCH_MS = 2_000;

async function main(options: ChaosOptions): Promise<boolean> {
  const say = (line: string): void => {
    if (!options.json) console.log(line);
  };
  const { home, cache, mirror } = deploySettings(process.env);
  const screen: Screen = options.json ? { write: () => true } : process.stdout;
  const progress = showProgress(screen, Date.now);
  const programs = await install({ home, cache, mirror, prefer: 'private', elsewhere: [], progress });
  say(
    `${options.kills} kills of the controller with ${options.calls} calls in flight; --seed ${options.seed} repeats the choices.`,
  );
  const servers = await OwnServers.begin(programs);
  try {
    const world = await World.begin({
      programs,
      database_url: servers.postgres.url,
      redis_url: servers.valkey.url,
      carrier_media: false,
    });
    try {
      const result = await run(world, options, say);
      tell(result.findings, say);
      console.log(JSON.stringify(result.verdict));
      return passed(result);
    } finally {
      await world.end();
    }
  } finally {
    await servers.end();
  }
}

async function run(
  world: World,
  options: ChaosOptions,
  say: (line: string) => void,
): Promise<{ verdict: ChaosVerdict; findings: ChaosFindings }> {
  const dice = diceOf(seeded(options.seed));
  const callers = await Callers.begin(world, dice);
  callers.keep(options.calls);
  for (let kill = 1; kill <= options.kills; kill += 1) {
    const { lived_ms, dead_ms } = await killOnce(world, dice);
    const gap = `lived ${(lived_ms / 1000).toFixed(1)} s, calls were taken again after ${(dead_ms / 1000).toFixed(1)} s`;
    say(
      `  kill ${kill} of ${options.kills}: ${gap}; ${callers.answered} calls answered, ${callers.inFlight} in flight`,
    );
  }
  await new Promise((resolve) => setTimeout(resolve, HOME_STRETCH_MS));
  await callers.stop();
  const left_in_switch = await whatIsLeft(world);
  const carrier = world.carrier('alpha').records;
  return judge(world.pool, { kills: options.kills, witnessed: callers.witnessed, carrier, left_in_switch });
}

/** Waits for the end of everything, and counts the channels and bridges that have none. */
async function whatIsLeft(world: World): Promise<number> {
  const { ASTERISK_ARI_URL: url, ASTERISK_ARI_USER: user, ASTERISK_ARI_PASSWORD: password } = world.asterisk.access;
  const witness = await Witness.open({ adapter: { ari: { url, user, password } } });
  const left = async (): Promise<number> => {
    const { channels, bridges } = await witness.remains();
    return channels.length + bridges.length;
  };
  const open = async (): Promise<number> => {
    const { rows } = await world.pool.query<{ n: string }>(`select count(*) as n from call_hold where state = 'o'`);
    return Number(rows[0]?.n ?? 0);
  };
  try {
    return await eventually('the end of every call', SETTLE_MS, async () =>
      (await open()) === 0 && (await left()) === 0 ? 0 : null,
    );
  } catch (error) {
    // What never ended is the verdict's business, which counts it.
    console.error(explainError(error));
    return left();
  }
}

function tell(findings: ChaosFindings, say: (line: string) => void): void {
  const sources = Object.entries(findings.by_duration_source).map(([source, count]) => `${count} by ${source}`);
  say(`Settled ${sources.join(', ')}; ${findings.cut_off} were ended by the switch at the end of their money.`);
  say(`Records and callers differ by at most ${findings.duration_difference_ms_max} ms.`);
  say(`Booked to the operator for late hang-ups: ${findings.operator_loss_micros} micros.`);
  for (const number of findings.unsettled) console.error(`UNSETTLED: ${number} was answered and has no record`);
  for (const { name, broken } of findings.broken_invariants) console.error(`BROKEN: ${name} (${broken})`);
}

try {
  process.exitCode = (await main(chaosOptions(process.argv.slice(2)))) ? 0 : 1;
} catch (error) {
  console.error(explainError(error));
  process.exitCode = 1;
}
// The client of the switch's own interface reconnects for ever; nothing else is left to wait for.
process.exit();
