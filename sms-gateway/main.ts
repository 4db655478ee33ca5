import { randomUUID } from 'node:crypto';
import pg from 'pg';
import pino from 'pino';
import { readGatewaySettings } from '../config/gateway_settings.ts';
import { Gateway } from './gateway.ts';

const settings = readGatewaySettings(process.env);
const log = pino({ level: settings.LOG_LEVEL, base: { service: 'sms-gateway' } });
const pool = new pg.Pool({
  connectionString: settings.DATABASE_URL,
  max: 10,
  connectionTimeoutMillis: 2_000,
  query_timeout: 15_000,
  statement_timeout: 15_000,
  keepAlive: true,
});
pool.on('error', (error) => log.warn({ err: error }, 'an idle connection to the database was lost'));
const gateway = new Gateway({ settings, log, owner: randomUUID(), pool });

let stopping = false;
function stop(signal: string): void {
  if (stopping) {
    log.warn({ signal }, 'told twice: stopping at once');
    process.exit(1);
  }
  stopping = true;
  log.info({ signal }, 'draining');
  gateway.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      log.error({ err: error }, 'the stop failed');
      process.exit(1);
    },
  );
}
process.on('SIGTERM', () => stop('SIGTERM'));
process.on('SIGINT', () => stop('SIGINT'));
gateway.onFatal((error) => {
  log.fatal({ err: error }, 'the gateway cannot go on');
  process.exit(1);
});

await gateway.start();
log.info(gateway.ports, 'ready: texts are taken');
process.send?.({ ready: true, ...gateway.ports });
