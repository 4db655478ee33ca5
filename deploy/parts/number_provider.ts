import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from '../runtime/compile.ts';
import { startChild } from '../runtime/process/child.ts';
import { claimTcp } from '../runtime/process/port.ts';
import { httpAnswers } from '../runtime/process/http_answers.ts';
import { untilReady } from '../runtime/process/ready.ts';
import type { Running } from '../runtime/running.ts';
import type { Part } from '../supervise/part.ts';

export interface NumberProviderPartOptions {
  home: string;
  /** Of the loopback network. */
  address: string;
  port: number;
  /** By which it knows the portal. */
  key: string;
  webhook: { url: string; secret: string };
  /** How long it takes to supply a number, and then to see that it can be reached. */
  provision_ms: number;
  test_ms: number;
}

const main = fileURLToPath(new URL('../number_provider/main.ts', import.meta.url));

/** The simulated partner who supplies numbers, as a process of its own. */
export function numberProviderPart(options: NumberProviderPartOptions): Part {
  return { name: 'Simulated provider of numbers', start: () => start(options) };
}

async function start({ home, provision_ms, test_ms, ...options }: NumberProviderPartOptions): Promise<Running> {
  const { address, port } = options;
  const title = 'The simulated provider of numbers';
  await claimTcp(address, port, title);
  const log_file = join(home, 'log/number-provider.log');
  const settings = JSON.stringify({ ...options, behaviour: { provision_ms, test_ms } });
  const child = await startChild({
    name: title,
    command: { file: process.execPath, args: await compile(main) },
    env: { PATH: process.env['PATH'], NUMBER_PROVIDER_SETTINGS: settings },
    log_file,
    stop_signal: 'TERM',
    stop_timeout_ms: 5_000,
  });
  const url = `http://${address}:${port}`;
  await untilReady(child, { name: title, log_file, timeout_ms: 30_000, answers: () => httpAnswers(url) });
  return { describe: `Simulated provider of numbers on ${url}`, stop: child.stop, kill: child.kill, died: child.died };
}
