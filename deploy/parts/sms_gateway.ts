import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from '../runtime/compile.ts';
import { startChild } from '../runtime/process/child.ts';
import { httpAnswers } from '../runtime/process/http_answers.ts';
import { untilReady } from '../runtime/process/ready.ts';
import type { Running } from '../runtime/running.ts';
import type { Part } from '../supervise/part.ts';

export interface SmsGatewayPartOptions {
  home: string;
  database_url: string;
  redis_url: string;
  host: string;
  ports: { http: number; smpp: number; observe: number };
  /** Further settings of config/gateway_settings.ts. */
  settings?: Readonly<Record<string, string>>;
  log_file?: string;
  /** A standby is ready before it takes texts. */
  standby?: boolean;
}

export interface SmsGatewayPart extends Running {
  pid: number;
  /** For customers’ programs. */
  url: string;
  /** For the operator. */
  observe_url: string;
  smpp: { address: string; port: number };
}

const main = fileURLToPath(new URL('../../sms-gateway/main.ts', import.meta.url));

export function smsGatewayPart(options: SmsGatewayPartOptions): Part<SmsGatewayPart> {
  return { name: 'SMS gateway', start: () => start(options) };
}

async function start({
  home,
  host,
  ports,
  standby = false,
  ...options
}: SmsGatewayPartOptions): Promise<SmsGatewayPart> {
  const log_file = options.log_file ?? join(home, 'log/sms-gateway.log');
  const url = `http://${host}:${ports.http}`;
  const observe_url = `http://${host}:${ports.observe}`;
  const child = await startChild({
    name: 'The SMS gateway',
    command: { file: process.execPath, args: await compile(main) },
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: options.database_url,
      REDIS_URL: options.redis_url,
      GATEWAY_HOST: host,
      GATEWAY_HTTP_PORT: String(ports.http),
      GATEWAY_SMPP_PORT: String(ports.smpp),
      GATEWAY_OBSERVE_PORT: String(ports.observe),
      ...options.settings,
    },
    log_file,
    stop_signal: 'TERM',
    stop_timeout_ms: 30_000,
  });
  // It serves its health before it has the lease, and customers only once it has.
  const asked = standby ? `${observe_url}/metrics` : `${url}/`;
  await untilReady(child, { name: 'The SMS gateway', log_file, timeout_ms: 60_000, answers: () => httpAnswers(asked) });
  return {
    describe: `SMS gateway for programs on ${url}, for SMPP on ${host}:${ports.smpp}; health and metrics on ${observe_url}`,
    pid: child.pid,
    url,
    observe_url,
    smpp: { address: host, port: ports.smpp },
    stop: child.stop,
    kill: child.kill,
    died: child.died,
  };
}
