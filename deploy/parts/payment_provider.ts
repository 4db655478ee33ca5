import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from '../runtime/compile.ts';
import { startChild } from '../runtime/process/child.ts';
import { claimTcp } from '../runtime/process/port.ts';
import { httpAnswers } from '../runtime/process/http_answers.ts';
import { untilReady } from '../runtime/process/ready.ts';
import type { Running } from '../runtime/running.ts';
import type { Part } from '../supervise/part.ts';

export interface PaymentProviderPartOptions {
  home: string;
  /** Of the loopback network. */
  address: string;
  port: number;
  webhook_secret: string;
  /** Where the portal takes events. */
  webhook_url: string;
}

const main = fileURLToPath(new URL('../payment_provider/main.ts', import.meta.url));

/** The simulated payment provider as a process of its own, which shares nothing with the portal. */
export function paymentProviderPart(options: PaymentProviderPartOptions): Part {
  return { name: 'Simulated payment provider', start: () => start(options) };
}

async function start({
  home,
  address,
  port,
  webhook_secret,
  webhook_url,
}: PaymentProviderPartOptions): Promise<Running> {
  const title = 'The simulated payment provider';
  await claimTcp(address, port, title);
  const log_file = join(home, 'log/payment-provider.log');
  const child = await startChild({
    name: title,
    command: { file: process.execPath, args: await compile(main) },
    env: {
      PATH: process.env['PATH'],
      PAYMENT_PROVIDER_ADDRESS: address,
      PAYMENT_PROVIDER_PORT: String(port),
      PAYMENT_WEBHOOK_SECRET: webhook_secret,
      PAYMENT_WEBHOOK_URL: webhook_url,
    },
    log_file,
    stop_signal: 'TERM',
    stop_timeout_ms: 5_000,
  });
  const url = `http://${address}:${port}`;
  await untilReady(child, {
    name: title,
    log_file,
    timeout_ms: 30_000,
    answers: () => httpAnswers(`${url}/healthz`, ({ ok }) => ok),
  });
  return { describe: `Simulated payment provider on ${url}`, stop: child.stop, kill: child.kill, died: child.died };
}
