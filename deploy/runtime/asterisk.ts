import { join } from 'node:path';
import type { AsteriskPrograms } from './machine/programs.ts';
import { startChild } from './process/child.ts';
import { untilReady } from './process/ready.ts';
import { run } from './process/run.ts';
import type { Running } from './running.ts';

export interface AsteriskStart {
  programs: AsteriskPrograms;
  /** Holds asterisk.conf and every file it leads to; absolute. */
  config_dir: string;
  log_file: string;
  /** As a person reads it; there may be a second one that plays the carrier. */
  name?: string;
  /** Added to the environment, such as LD_PRELOAD for another clock. */
  env?: Readonly<Record<string, string>>;
  ready_timeout_ms?: number;
}

export interface RunningAsterisk extends Running {
  pid: number;
  /** Runs one command of Asterisk's own command line and returns what it printed. */
  command(text: string): Promise<string>;
}

/** Starts Asterisk in the foreground and resolves once it is fully booted. */
export async function startAsterisk(options: AsteriskStart): Promise<RunningAsterisk> {
  const { programs, log_file, name = 'Asterisk' } = options;
  const configuration = join(options.config_dir, 'asterisk.conf');
  const child = await startChild({
    name,
    command: { file: programs.asterisk, args: ['-C', configuration, '-f'] },
    env: { ...process.env, ...options.env },
    log_file,
    stop_signal: 'TERM',
    stop_timeout_ms: 10_000,
  });
  const ask = (text: string): ReturnType<typeof run> => run(programs.asterisk, ['-C', configuration, '-rx', text]);
  await untilReady(child, {
    name,
    log_file,
    timeout_ms: options.ready_timeout_ms ?? 60_000,
    // It returns at once while there is no control socket yet, and otherwise when the boot is over.
    answers: async () => (await ask('core waitfullybooted')).code === 0,
  });
  return {
    describe: name,
    pid: child.pid,
    stop: child.stop,
    kill: child.kill,
    died: child.died,
    command: async (text) => (await ask(text)).stdout,
  };
}
