import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { INTERRUPTED } from './interruption.ts';
import { alive } from './processes.ts';

/** A command that has started a program, and whose good end takes for ever. */
const COMMAND = `
  import { startChild } from './deploy/runtime/process/child.ts';
  import { interruption } from './deploy/world/interruption.ts';
  const interrupted = interruption();
  const command = { file: 'sleep', args: ['600'] };
  const log_file = process.argv[1];
  const child = await startChild({ name: 'a program', command, log_file, stop_signal: 'TERM', stop_timeout_ms: 1_000 });
  console.log(child.pid);
  await interrupted.catch((error) => console.log(error.message));
  await new Promise((resolve) => setTimeout(resolve, 600_000));
`;

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'letsdial-interruption-'));
});

afterAll(() => rm(home, { recursive: true }));

it('asks for a good end once, and the second time ends everything at once', async () => {
  const args = ['--import', 'tsx', '--input-type=module', '-e', COMMAND, join(home, 'program.log')];
  const command = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines = createInterface({ input: command.stdout })[Symbol.asyncIterator]();
  const said = async (): Promise<string> => String((await lines.next()).value);
  const complaints: string[] = [];
  command.stderr.on('data', (octets: Buffer) => complaints.push(octets.toString()));

  const pid = Number(await said());
  // Until then it is the one that asks the kernel to end it with its parent.
  await expect.poll(() => readFile(`/proc/${pid}/comm`, 'utf8')).toBe('sleep\n');
  command.kill('SIGINT');
  expect(await said()).toContain('Interrupted');
  expect([command.exitCode, alive(pid)]).toEqual([null, true]);
  command.kill('SIGTERM');
  const [exit_code] = (await once(command, 'exit')) as [number | null];
  expect(exit_code).toBe(INTERRUPTED);
  expect(complaints.join('')).toContain('Interrupted again');
  await expect.poll(() => alive(pid)).toBe(false);
});
