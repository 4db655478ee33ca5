import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { switchConformance } from '../../controller/switch/conformance.ts';
import { migrate } from '../../domain/db/migrate.ts';
import { install } from '../runtime/install.ts';
import { startPostgres } from '../runtime/postgres.ts';
import type { RunningPostgres } from '../runtime/postgres.ts';
import { silentProgress } from '../runtime/progress.ts';
import { StackHarness } from './switch_stack/harness.ts';
import { DEVICES, People } from './switch_stack/people.ts';
import { startSwitchStack } from './switch_stack/stack.ts';
import type { SwitchStack } from './switch_stack/stack.ts';
import { Witness } from './switch_stack/witness.ts';

let postgres: RunningPostgres;
let stack: SwitchStack;
let people: People;
let witness: Witness;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'letsdial-e2e-'));
  const programs = await install({
    home: join(import.meta.dirname, '../../.letsdial'),
    prefer: 'machine',
    elsewhere: [],
    cache: process.env['LETSDIAL_CACHE'] ?? null,
    mirror: process.env['DEBIAN_MIRROR'] ?? null,
    progress: silentProgress,
  });
  postgres = await startPostgres({ programs: programs.postgres, home, port: null, settings: { fsync: 'off' } });
  await migrate(postgres.url);
  stack = await startSwitchStack({ programs: programs.asterisk, database_url: postgres.url, devices: DEVICES });
  people = await People.gather(stack.addresses, stack.sip);
  witness = await Witness.open(stack);
}, 240_000);

afterAll(async () => {
  await people.leave();
  await stack.stop();
  await postgres.stop();
  await rm(home, { recursive: true, force: true });
});

switchConformance('Asterisk', () => StackHarness.open(stack, people, witness));
