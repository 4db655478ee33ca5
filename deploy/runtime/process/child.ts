import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, Outage } from '../outage.ts';
import { guarded } from './guard.ts';
import type { Command } from './guard.ts';
import { lastWords } from './last_words.ts';

export interface ChildOptions {
  /** As a person reads it: `Postgres`. */
  name: string;
  command: Command;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Takes what the child prints; grows by appending. */
  log_file: string;
  /** Asks the child to stop in good order; also sent by the kernel should this process die. */
  stop_signal: 'TERM' | 'INT' | 'QUIT';
  /** How long the child may take for that before it is killed. */
  stop_timeout_ms: number;
  /** Put in front of the guarded command, to change who the child runs as. */
  identity?: readonly string[];
}

/** A program that runs for as long as this process wants it. */
export interface Child {
  pid: number;
  /** Resolves when the child ends without having been asked to; never otherwise. */
  died: Promise<Error>;
  /** Whether it still runs. */
  alive: () => boolean;
  /** Resolves when the child is gone. May be called again. */
  stop: () => Promise<void>;
  /** Ends it at once, in whatever order. */
  kill: () => void;
}

/** Starts a program in a session of its own, so that Ctrl-C in the terminal reaches it through us alone, in its turn. */
export async function startChild(options: ChildOptions): Promise<Child> {
  await mkdir(dirname(options.log_file), { recursive: true });
  await setAside(options.log_file);
  const log = await open(options.log_file, 'a', 0o600);
  const child = spawnInto(options, log.fd);
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal === null ? `ended with code ${code ?? 0}` : `was ended by ${signal}`);
    });
  });
  const started = new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  try {
    await started;
  } catch (error) {
    throw errorCode(error) === 'ENOENT'
      ? new Outage(`${options.name} could not be started: there is no ${options.command.file}.`)
      : error;
  } finally {
    await log.close();
  }
  return watch(child, options, ended);
}

function spawnInto(options: ChildOptions, log_fd: number): ChildProcess {
  const inner = guarded(options.command, options.stop_signal);
  const [file, ...args] = [...(options.identity ?? []), inner.file, ...inner.args];
  return spawn(file ?? inner.file, args, {
    stdio: ['ignore', log_fd, log_fd],
    detached: true,
    env: options.env ?? process.env,
    cwd: options.cwd ?? '/',
  });
}

function watch(child: ChildProcess, options: ChildOptions, ended: Promise<string>): Child {
  let stopping = false;
  const alive = (): boolean => child.exitCode === null && child.signalCode === null;
  const died = ended.then(async (how) => {
    if (stopping) return new Promise<Error>(() => undefined);
    return new Outage(
      `${options.name} ${how}, so nothing can go on without it${await quoteLastWords(options.log_file)}: see ${options.log_file}, and start again.`,
    );
  });
  return {
    pid: child.pid ?? 0,
    died,
    alive,
    kill: () => {
      stopping = true;
      child.kill('SIGKILL');
    },
    stop: async () => {
      stopping = true;
      if (!alive()) return;
      child.kill(`SIG${options.stop_signal}`);
      const force = setTimeout(() => child.kill('SIGKILL'), options.stop_timeout_ms);
      await ended;
      clearTimeout(force);
    },
  };
}

const LOG_BYTES_MAX = 20_000_000;

/** Keeps one older log beside a new one once it has grown large. */
async function setAside(log_file: string): Promise<void> {
  try {
    if ((await stat(log_file)).size > LOG_BYTES_MAX) await rename(log_file, `${log_file}.old`);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** The last words of the log in brackets: it mostly says why. */
async function quoteLastWords(log_file: string): Promise<string> {
  const words = lastWords(await readFile(log_file, 'utf8'));
  return words === '' ? '' : ` (it last said "${words}")`;
}
