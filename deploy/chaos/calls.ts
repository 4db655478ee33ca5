import { setTimeout as wait } from 'node:timers/promises';
import { seeded } from '../../domain/rating/bench/sample_decks.ts';
import { explainError } from '../runtime/outage.ts';
import { inOwnServers } from '../world/in_own_servers.ts';
import { runCommand } from '../world/run_command.ts';
import { eventually } from '../world/verdict.ts';
import { World } from '../world/world.ts';
import { Callers } from './callers.ts';
import { diceOf } from './dice.ts';
import { killOnce } from './killer.ts';
import type { Kill } from './killer.ts';
import { chaosOptions } from './options.ts';
import type { ChaosOptions } from './options.ts';
import { answeredBySwitch, countRemains } from './switch_view.ts';
import { judge, passed } from './verdict.ts';
import type { ChaosFindings, ChaosVerdict } from './verdict.ts';

/** How long the last calls may take to end, settle and leave the switch. */
const SETTLE_MS = 40_000;
const HOME_STRETCH_MS = 2_000;

async function main(options: ChaosOptions): Promise<boolean> {
  const { json, kills, calls, seed } = options;
  const opening = `${kills} kills of the controller with ${calls} calls in flight; --seed ${seed} repeats the choices.`;
  return inOwnServers({ json, opening }, async ({ programs, servers, say, interrupted }) => {
    const urls = { database_url: servers.postgres.url, redis_url: servers.valkey.url };
    const world = await World.begin({ programs, ...urls, carrier_media: false });
    try {
      const result = await Promise.race([run(world, options, say), interrupted]);
      tell(result.findings, say);
      if (!passed(result)) console.error(`--seed ${seed} repeats the choices.`);
      console.log(JSON.stringify(result.verdict));
      return passed(result);
    } finally {
      await world.end();
    }
  });
}

async function run(
  world: World,
  options: ChaosOptions,
  say: (line: string) => void,
): Promise<{ verdict: ChaosVerdict; findings: ChaosFindings }> {
  const dice = diceOf(seeded(options.seed));
  const callers = await Callers.begin(world, dice);
  callers.keep(options.calls);
  const kills: Kill[] = [];
  while (kills.length < options.kills) {
    kills.push(await killOnce(world, dice));
    say(killWords(kills, options.kills, callers));
  }
  await wait(HOME_STRETCH_MS);
  await callers.stop();
  const left_in_switch = await whatIsLeft(world);
  return judge(world.pool, {
    kills,
    witnessed: callers.witnessed,
    carrier: world.carrier('alpha').records,
    switch_ms: await answeredBySwitch(world.asterisk.access.ASTERISK_CDR_FILE),
    left_in_switch,
  });
}

function killWords(kills: readonly Kill[], planned: number, callers: Callers): string {
  const kill = kills.at(-1);
  if (kill === undefined) return '';
  const away_s = ((kill.back_at_ms - kill.died_at_ms) / 1000).toFixed(1);
  const midst = kill.midst.map(({ batch, carried_out }) => `${batch} ${carried_out ? 'unheard' : 'undone'}`);
  const during = midst.length === 0 ? '' : `, killed in the midst of ${[...new Set(midst)].join(', ')}`;
  const count = `${kills.length}`.padStart(String(planned).length);
  return `  kill ${count} of ${planned}: away for ${away_s} s${during}; ${callers.answered} calls are over, ${callers.inFlight} in flight`;
}

/** Waits for the end of everything, and counts the channels and bridges that have none. */
async function whatIsLeft(world: World): Promise<number> {
  const left = (): Promise<number> => countRemains(world.asterisk.access);
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
  say(`Settled ${sources.join(', ')}.`);
  say(
    `The switch ended ${findings.cut_off} calls at the end of their money, ${findings.cut_off_alone} of them while no controller was there; at most ${findings.hangup_lateness_ms_max} ms late.`,
  );
  say(`Parties hung up ${findings.hung_up_unheard} calls while no controller was there.`);
  say(
    `Records differ from the callers' clocks by at most ${findings.duration_difference_ms_max} ms, from the switch's own by ${findings.switch_difference_ms_max} ms.`,
  );
  say(`Booked to the operator for late hang-ups: ${findings.operator_loss_micros} micros.`);
  for (const number of findings.unsettled) console.error(`UNSETTLED: ${number} was answered and has no record`);
  for (const id of findings.unsettled_by_switch)
    console.error(`UNSETTLED: the switch has a record of ${id}, we do not`);
  for (const { name, broken } of findings.broken_invariants) console.error(`BROKEN: ${name} (${broken})`);
  if (findings.cut_off === 0)
    console.error('NOTHING PROVED: no call reached the end of its money; give it more kills.');
}

await runCommand(() => main(chaosOptions(process.argv.slice(2))));
