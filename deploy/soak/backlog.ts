import type { BehaviourInput } from '../smsc/behaviour.ts';
import { inOwnTextWorld } from '../world/own_text_world.ts';
import type { AtWork } from '../world/own_text_world.ts';
import { runCommand } from '../world/run_command.ts';
import { BacklogRun, CARRIER, LANE_TEXTS_MAX } from './backlog/backlog_run.ts';
import { backlogOptions } from './backlog/options.ts';
import type { BacklogOptions } from './backlog/options.ts';
import { judgeBacklog } from './backlog/verdict.ts';

/** A carrier that takes everything that it is sent. */
const manners: BehaviourInput = {
  answer_delay_ms: { min: 0, max: 20 },
  receipts: { delay_ms: { min: 0, max: 1_000 } },
};

/**
 * A carrier that is away while a hundred thousand texts are accepted for it, and then comes back: the most urgent go first, no
 * faster than it takes them, each once, and the gateway keeps what waits in the database and not in its memory.
 */
async function main(options: BacklogOptions): Promise<boolean> {
  const { json, texts, per_second } = options;
  const opening = `${texts.toLocaleString('en')} texts for a carrier that is away, which then takes ${per_second.toLocaleString('en')} a second.`;
  const world = {
    ...{ carriers: [CARRIER], binds_per_carrier: 0, smsc: { behaviour: manners } },
    settings: {
      ...{ LOG_LEVEL: 'error', LANE_TEXTS_MAX: String(LANE_TEXTS_MAX) },
      ...{ QUEUE_TEXTS_MAX: String(2 * options.texts), ACCOUNT_QUEUE_TEXTS_MAX: String(2 * options.texts) },
    },
  };
  return inOwnTextWorld({ json, opening, world }, (at_work) => backlog(at_work, options));
}

async function backlog({ world, say, interrupted }: AtWork, options: BacklogOptions): Promise<boolean> {
  const run = await BacklogRun.begin(world, options, say);
  try {
    await Promise.race([run.accept(), interrupted]);
    say('All are accepted: the carrier comes back.');
    await Promise.race([run.drain(), interrupted]);
    say('The verdict is read from the carrier’s log and from SQL.');
    const { verdict, faults, has_passed } = judgeBacklog(await Promise.race([run.findings(), interrupted]));
    for (const fault of faults.slice(0, 20)) console.error(fault);
    console.log(JSON.stringify(verdict));
    return has_passed;
  } finally {
    await run.end();
  }
}

await runCommand(() => main(backlogOptions(process.argv.slice(2))));
