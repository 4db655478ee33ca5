import { setTimeout as wait } from 'node:timers/promises';
import { gatherEvidence } from '../chaos/sms/evidence.ts';
import type { BehaviourInput } from '../smsc/behaviour.ts';
import { inOwnTextWorld } from '../world/own_text_world.ts';
import { runCommand } from '../world/run_command.ts';
import type { AtWork } from '../world/own_text_world.ts';
import { soakOptions } from './options.ts';
import type { SoakOptions } from './options.ts';
import { SoakRun } from './sms/soak_run.ts';
import { FLAT_MINUTES_MIN, judgeSoak } from './verdict.ts';

/** Carriers that take everything, and bring receipts when the connection may be another one already. */
const manners: BehaviourInput = {
  answer_delay_ms: { min: 0, max: 20 },
  receipts: { delay_ms: { min: 0, max: 1_000 } },
};

/**
 * A steady load of texts for many minutes through the real gateway, while each second a connection is cut: nothing may be lost,
 * and what the gateway holds of memory and open files must stay as it is. The carriers log every fact, not sums alone: by sums it
 * is not seen that one text is missing and another went twice.
 */
async function main(options: SoakOptions): Promise<boolean> {
  const opening = `${options.minutes} min of ${options.per_second} texts a second, with a connection cut each second.`;
  const world = {
    ...{ carriers: ['alpha', 'beta'], binds_per_carrier: 0 },
    ...{ smsc: { behaviour: manners }, settings: { LOG_LEVEL: 'error' } },
  };
  return inOwnTextWorld({ json: options.json, opening, world }, (at_work) => soak(at_work, options));
}

async function soak({ world, say, interrupted }: AtWork, options: SoakOptions): Promise<boolean> {
  const died = world.gateway.died.then((error) => Promise.reject(error));
  // Heard while the load runs.
  died.catch(() => undefined);
  const run = await SoakRun.begin(world);
  try {
    await Promise.race([load(run, options, say), interrupted, died]);
    say('The load is over: what is under way comes to its end.');
    await Promise.race([run.settle(), interrupted, died]);
    say('The verdict is read from the carriers’ logs and from SQL.');
    const evidence = await Promise.race([gatherEvidence(world, 0, run.accepted), interrupted]);
    const { verdict, faults, has_passed } = judgeSoak({ minutes: options.minutes, evidence, ...run.findings });
    for (const fault of faults.slice(0, 20)) console.error(fault);
    if (verdict.is_flat === null) say(TOO_SHORT);
    console.log(JSON.stringify(verdict));
    return has_passed;
  } finally {
    await run.end();
  }
}

const TOO_SHORT = `Whether memory stays flat is seen in runs of ${FLAT_MINUTES_MIN} minutes and more; this one tells what was lost.`;

/** How often a person hears how it goes. */
const TELL_SECONDS = 10;
const SECOND_MS = 1_000;

async function load(run: SoakRun, options: SoakOptions, say: (line: string) => void): Promise<void> {
  const { minutes, per_second } = options;
  run.load(per_second);
  const began_ms = performance.now();
  for (let second = 1; second <= minutes * 60 && !run.is_ended; second += 1) {
    await wait(Math.max(0, began_ms + second * SECOND_MS - performance.now()));
    await run.cut();
    if (second % TELL_SECONDS === 0) say(run.line(second));
  }
  await run.unload();
}

await runCommand(() => main(soakOptions(process.argv.slice(2))));
