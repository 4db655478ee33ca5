import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { migrate } from '../../domain/db/migrate.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { moneyWords } from '../../domain/money/money_words.ts';
import { plainJson } from '../../domain/telling/plain_json.ts';
import { install } from '../runtime/install.ts';
import type { Programs } from '../runtime/machine/programs.ts';
import { explainError } from '../runtime/outage.ts';
import { startPostgres } from '../runtime/postgres.ts';
import { showProgress } from '../runtime/progress.ts';
import { startValkey } from '../runtime/valkey.ts';
import { deploySettings } from '../settings.ts';
import { INTERRUPTED, Interrupted, interruption } from '../world/interruption.ts';
import { TextWorld } from '../world/text_world.ts';
import { World } from '../world/world.ts';
import { narrator } from './narrator.ts';
import { concurrent } from './scenes/concurrent.ts';
import { cutOff } from './scenes/cut_off.ts';
import { inbound } from './scenes/inbound.ts';
import { outbound } from './scenes/outbound.ts';
import { refused } from './scenes/refused.ts';
import type { Stage } from './stage.ts';
import { textScenes } from './text_scenes.ts';
import type { TextVerdict } from './text_verdict.ts';
import { Undo } from './undo.ts';
import type { CallVerdict } from './verdict.ts';

interface Outcome {
  calls: readonly CallVerdict[];
  messages: readonly TextVerdict[];
  ledger_balanced: boolean;
  faults: readonly string[];
}

/** A whole operator in a folder that goes away with the demo: nothing of an installed Letsdial is touched. */
async function buildWorld(undo: Undo, programs: Programs): Promise<{ world: World; texts: TextWorld }> {
  const home = await undo.begin(
    'The folder of the demo',
    () => mkdtemp(join(tmpdir(), 'letsdial-demo-')),
    (folder) => rm(folder, { recursive: true, force: true }),
  );
  const postgres = await undo.begin(
    'Postgres',
    () => startPostgres({ programs: programs.postgres, home, port: null }),
    (running) => running.stop(),
  );
  const valkey = await undo.begin(
    'Valkey',
    () => startValkey({ program: programs.valkey_server, home, port: null, settings: { save: '' } }),
    (running) => running.stop(),
  );
  await migrate(postgres.url);
  const options = { programs, database_url: postgres.url, redis_url: valkey.url, carriers: ['alpha', 'beta'] };
  const world = await undo.begin(
    'The switch and its parties',
    () => World.begin(options),
    (begun) => begun.end(),
  );
  const texts = await undo.begin(
    'The gateway of texts and its carrier',
    () => TextWorld.begin({ database_url: postgres.url, redis_url: valkey.url, carriers: ['alpha'] }),
    (begun) => begun.end(),
  );
  return { world, texts };
}

async function play(stage: Stage, texts: TextWorld): Promise<Outcome> {
  const calls: CallVerdict[] = [];
  const faults: string[] = [];
  for (const scene of [outbound, inbound, cutOff, concurrent, refused]) {
    const verdict = await scene(stage);
    calls.push(...verdict.calls);
    faults.push(...verdict.faults);
  }
  const { messages, faults: text_faults } = await textScenes({ world: texts, tell: stage.tell });
  faults.push(...text_faults);
  const broken = await brokenInvariants(stage.world.pool);
  faults.push(...broken.map(({ name, broken: rows }) => `The books: ${name} (${rows}).`));
  return { calls, messages, faults, ledger_balanced: broken.length === 0 };
}

function summary({ calls, messages, faults, ledger_balanced }: Outcome): string[] {
  const rows = calls.map(({ kind, cdr, charged_micros, overspend_micros, explained }) =>
    [
      `  ${kind.padEnd(12)}`,
      `${cdr.seconds_billed} s`.padStart(5),
      moneyWords(charged_micros, 'EUR').padStart(14),
      overspend_micros === 0n
        ? 'nothing beyond the wallet'
        : `${moneyWords(overspend_micros, 'EUR')} BEYOND THE WALLET`,
      explained ? 'explained to the last micro' : 'NOT EXPLAINED',
    ].join('   '),
  );
  const texts = messages.map(({ kind, segments, charged_micros, state }) =>
    [
      `  ${kind.padEnd(16)}`,
      `${segments} segment(s)`.padStart(12),
      moneyWords(charged_micros, 'EUR').padStart(14),
      state,
    ].join('   '),
  );
  const total = [...calls, ...messages].reduce((sum, one) => sum + one.charged_micros, 0n);
  return [
    '',
    'In all',
    ...rows,
    ...texts,
    `  together ${moneyWords(total, 'EUR')}. The books are ${ledger_balanced ? 'balanced' : 'NOT BALANCED'}.`,
    ...(faults.length === 0 ? [] : ['', 'What did not hold', ...faults.map((fault) => `  ${fault}`)]),
  ];
}

function forMachines({ calls, messages, ledger_balanced }: Outcome): string {
  return plainJson({
    calls: calls.map(({ kind, cdr, charged_micros, overspend_micros, explained }) => ({
      kind,
      seconds_billed: cdr.seconds_billed,
      charged_micros,
      overspend_micros,
      explained,
    })),
    messages,
    ledger_balanced,
  });
}

async function demo(json: boolean): Promise<number> {
  // Machines read one line; what is told to people then goes beside it.
  const screen = json ? process.stderr : process.stdout;
  const write = (line: string): void => void screen.write(`${line}\n`);
  const { home, cache, mirror } = deploySettings(process.env);
  const progress = showProgress(screen, Date.now);
  const programs = await install({ home, cache, mirror, prefer: 'private', elsewhere: [], progress });
  const undo = new Undo();
  const interrupted = interruption();
  let outcome: Outcome | null = null;
  let code = 1;
  try {
    progress.step('Starting Postgres, Valkey, Asterisk, the controller, the gateway of texts and carriers');
    const { world, texts } = await Promise.race([buildWorld(undo, programs), interrupted]);
    progress.end();
    write('');
    write('Real calls through a real Asterisk. Phones and carriers are SIP parties of their own; times are theirs.');
    outcome = await Promise.race([play({ world, tell: narrator(write) }, texts), interrupted]);
    for (const line of summary(outcome)) write(line);
    code = outcome.faults.length === 0 ? 0 : 1;
  } catch (error) {
    progress.fail();
    write(error instanceof Interrupted ? 'Interrupted: ending everything …' : explainError(error));
    code = error instanceof Interrupted ? INTERRUPTED : 1;
  }
  for (const complaint of await undo.end()) {
    write(complaint);
    code ||= 1;
  }
  if (json && outcome !== null) console.log(forMachines(outcome));
  return code;
}

const { values } = parseArgs({ options: { json: { type: 'boolean' } } });
let code = 1;
try {
  code = await demo(values.json === true);
} catch (error) {
  console.error(explainError(error));
}
// A scene that was interrupted may still wait for somebody who has left.
process.exit(code);
