import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { serviceLog } from '../domain/observe/service_log.ts';
import { readGatewaySettings } from '../config/gateway_settings.ts';
import { runService } from '../domain/running/run_service.ts';
import { Gateway } from './gateway.ts';

const settings = readGatewaySettings(process.env);
const log = serviceLog({ service: 'sms-gateway', level: settings.LOG_LEVEL });
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
await runService(gateway, log, () => ({ words: 'texts are taken', facts: { ...gateway.ports } }));
