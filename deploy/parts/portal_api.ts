import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from '../runtime/compile.ts';
import { startChild } from '../runtime/process/child.ts';
import { httpAnswers } from '../runtime/process/http_answers.ts';
import { untilReady } from '../runtime/process/ready.ts';
import type { Running } from '../runtime/running.ts';
import type { Part } from '../supervise/part.ts';
import { keptKeyRing } from './key_ring.ts';

export interface PortalApiPartOptions {
  home: string;
  database_url: string;
  redis_url: string;
  host: string;
  ports: { http: number; observe: number };
  /** Further settings of config/portal_settings.ts. */
  settings?: Readonly<Record<string, string>>;
  log_file?: string;
}

export interface PortalApiPart extends Running {
  pid: number;
  url: string;
  observe_url: string;
}

const main = fileURLToPath(new URL('../../portal-api/main.ts', import.meta.url));

export function portalApiPart(options: PortalApiPartOptions): Part<PortalApiPart> {
  return { name: "The portal's API", start: () => start(options) };
}

async function start({ home, host, ports, ...options }: PortalApiPartOptions): Promise<PortalApiPart> {
  const log_file = options.log_file ?? join(home, 'log/portal-api.log');
  const url = `http://${host}:${ports.http}`;
  const observe_url = `http://${host}:${ports.observe}`;
  const child = await startChild({
    name: "The portal's API",
    command: { file: process.execPath, args: await compile(main) },
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: options.database_url,
      REDIS_URL: options.redis_url,
      PORTAL_HOST: host,
      PORTAL_HTTP_PORT: String(ports.http),
      PORTAL_OBSERVE_PORT: String(ports.observe),
      PUBLIC_ORIGIN: url,
      KEY_RING_FILE: await keptKeyRing(join(home, 'secrets/key-ring.json')),
      DOCUMENTS_FOLDER: join(home, 'documents'),
      VOICEMAIL_FOLDER: join(home, 'asterisk/spool/voicemail'),
      AUDIT_HEADS_FILE: join(home, 'audit-heads.jsonl'),
      ...options.settings,
    },
    log_file,
    stop_signal: 'TERM',
    stop_timeout_ms: 30_000,
  });
  await untilReady(child, {
    name: "The portal's API",
    log_file,
    timeout_ms: 60_000,
    answers: () => httpAnswers(`${url}/openapi.json`, ({ ok }) => ok),
  });
  return {
    describe: `Portal's API on ${url}, its documentation on ${url}/docs; health and metrics on ${observe_url}`,
    pid: child.pid,
    url,
    observe_url,
    stop: child.stop,
    kill: child.kill,
    died: child.died,
  };
}
