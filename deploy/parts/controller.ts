import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { compile } from '../runtime/compile.ts';
import { startChild } from '../runtime/process/child.ts';
import { untilReady } from '../runtime/process/ready.ts';
import type { Running } from '../runtime/running.ts';
import type { Part } from '../supervise/part.ts';
import type { SwitchAccess } from './asterisk.ts';

export interface ControllerPartOptions {
  home: string;
  database_url: string;
  redis_url: string;
  access: SwitchAccess;
  port: number;
  /** Further settings of config/settings.ts. */
  settings?: Readonly<Record<string, string>>;
  log_file?: string;
  /** A standby is ready before it takes calls. */
  standby?: boolean;
}

export interface ControllerPart extends Running {
  pid: number;
  url: string;
}

const main = fileURLToPath(new URL('../../controller/main.ts', import.meta.url));

export function controllerPart(options: ControllerPartOptions): Part<ControllerPart> {
  return { name: 'Controller', start: () => start(options) };
}

async function start({
  home,
  access,
  port,
  standby = false,
  ...options
}: ControllerPartOptions): Promise<ControllerPart> {
  const log_file = options.log_file ?? join(home, 'log/controller.log');
  const url = `http://127.0.0.1:${port}`;
  const child = await startChild({
    name: 'The controller',
    command: { file: process.execPath, args: await compile(main) },
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: options.database_url,
      REDIS_URL: options.redis_url,
      CONTROLLER_PORT: String(port),
      ...access,
      ...options.settings,
    },
    log_file,
    stop_signal: 'TERM',
    stop_timeout_ms: 30_000,
  });
  // It serves its health before it has the switch; healthy means that calls are taken.
  await untilReady(child, {
    name: 'The controller',
    log_file,
    timeout_ms: 60_000,
    answers: () => answers(url, standby),
  });
  return {
    describe: `Controller, health and metrics on ${url}`,
    pid: child.pid,
    url,
    stop: child.stop,
    kill: child.kill,
    died: child.died,
  };
}

async function answers(url: string, standby: boolean): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1000) });
    await response.body?.cancel();
    return response.ok || standby;
  } catch {
    return false;
  }
}
