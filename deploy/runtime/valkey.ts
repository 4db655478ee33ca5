import { mkdir, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { startChild } from './process/child.ts';
import { claimPort } from './process/free_port.ts';
import { LOOPBACK } from './process/port.ts';
import { untilReady } from './process/ready.ts';
import { keptSecret } from './process/secret.ts';
import type { Running } from './running.ts';

export interface ValkeyOptions {
  /** Path of valkey-server or redis-server. */
  program: string;
  home: string;
  /** null: one that is free. */
  port: number | null;
  /** Further directives of valkey.conf, such as `{ databases: '500' }`. */
  settings?: Readonly<Record<string, string>>;
}

export interface RunningValkey extends Running {
  url: string;
  port: number;
  pid: number;
}

/** Starts a Valkey (or Redis) of our own on the loopback address and resolves once it answers. */
export async function startValkey(options: ValkeyOptions): Promise<RunningValkey> {
  const { home } = options;
  const port = await claimPort(options.port, 'Valkey');
  const password = await keptSecret(join(home, 'secrets/valkey'));
  const folder = join(home, 'valkey');
  const log_file = join(home, 'log/valkey.log');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const configuration = join(folder, 'valkey.conf');
  await writeFile(configuration, directives({ port: String(port), requirepass: password, dir: folder }, options), {
    mode: 0o600,
  });
  const child = await startChild({
    name: 'Valkey',
    command: { file: options.program, args: [configuration] },
    log_file,
    stop_signal: 'TERM',
    stop_timeout_ms: 10_000,
    cwd: folder,
  });
  await untilReady(child, { name: 'Valkey', log_file, timeout_ms: 30_000, answers: () => answers(port, password) });
  return {
    describe: `Valkey on ${LOOPBACK}:${port}`,
    url: `redis://:${password}@${LOOPBACK}:${port}/0`,
    port,
    pid: child.pid,
    stop: child.stop,
    kill: child.kill,
    died: child.died,
  };
}

/** What is kept here may be lost (presence, rate limits, browser sessions): a snapshot now and then will do. */
function directives(given: Readonly<Record<string, string>>, options: ValkeyOptions): string {
  const all = {
    bind: LOOPBACK,
    'protected-mode': 'yes',
    daemonize: 'no',
    save: '300 1',
    ...given,
    ...options.settings,
  };
  return Object.entries(all)
    .map(([name, value]) => `${name} ${name === 'dir' || value === '' ? JSON.stringify(value) : value}\n`)
    .join('');
}

/** Asks as a person would over telnet; the client library would go on reconnecting by itself. */
function answers(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, LOOPBACK, () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    let heard = '';
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString();
      if (heard.includes('+PONG')) socket.destroy();
      // Still reading its snapshot, or somebody else's server: either way not ready.
      if (heard.includes('-')) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      resolve(heard.includes('+PONG'));
    });
  });
}
