import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from '../runtime/compile.ts';
import { startChild } from '../runtime/process/child.ts';
import { claimTcp } from '../runtime/process/port.ts';
import { untilReady } from '../runtime/process/ready.ts';
import type { Running } from '../runtime/running.ts';
import { SimulatedCarrier } from '../smsc/simulated_carrier.ts';
import type { SmscSettingsInput } from '../smsc/settings.ts';
import type { Part } from '../supervise/part.ts';

export interface SmscPartOptions extends Pick<SmscSettingsInput, 'accounts' | 'behaviour' | 'log'> {
  home: string;
  /** Tells several carriers apart; names their files. */
  name: string;
  /** Of the loopback network. */
  address: string;
  /** SMPP. */
  port: number;
  control_port: number;
  /** What the carrier saw, as lines of deploy/smsc/fact.ts; it grows by appending. */
  log_file?: string;
  seed?: number;
  first_message_number?: number;
}

export interface SmscPart extends Running {
  pid: number;
  address: string;
  port: number;
  log_file: string;
  carrier: SimulatedCarrier;
}

const main = fileURLToPath(new URL('../smsc/main.ts', import.meta.url));

/** A carrier's SMSC as a process of its own, which shares nothing with the gateway that it is there to judge. */
export function smscPart(options: SmscPartOptions): Part<SmscPart> {
  return { name: `Simulated SMSC ${options.name}`, start: () => start(options) };
}

async function start({ home, name, address, port, control_port, ...options }: SmscPartOptions): Promise<SmscPart> {
  const title = `The simulated SMSC ${name}`;
  await claimTcp(address, port, title);
  await claimTcp(address, control_port, `the control port of ${title}`);
  const log_file = options.log_file ?? join(home, `log/smsc-${name}.facts`);
  const output_file = join(home, `log/smsc-${name}.log`);
  const settings: SmscSettingsInput = { ...options, address, port, control_port, log_file };
  const child = await startChild({
    name: title,
    command: { file: process.execPath, args: await compile(main) },
    env: { PATH: process.env['PATH'], SMSC_SETTINGS: JSON.stringify(settings) },
    log_file: output_file,
    stop_signal: 'TERM',
    stop_timeout_ms: 10_000,
  });
  const url = `http://${address}:${control_port}`;
  await untilReady(child, { name: title, log_file: output_file, timeout_ms: 30_000, answers: () => answers(url) });
  return {
    describe: `Simulated SMSC ${name} on ${address}:${port}, control on ${url}`,
    pid: child.pid,
    address,
    port,
    log_file,
    carrier: new SimulatedCarrier(url),
    stop: child.stop,
    kill: child.kill,
    died: child.died,
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
