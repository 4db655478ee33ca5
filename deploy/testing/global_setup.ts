import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../domain/db/migrate.ts';
import { install } from '../runtime/install.ts';
import type { Programs } from '../runtime/machine/programs.ts';
import { explainError } from '../runtime/outage.ts';
import { startPostgres } from '../runtime/postgres.ts';
import { showProgress } from '../runtime/progress.ts';
import { startValkey } from '../runtime/valkey.ts';
import { deploySettings } from '../settings.ts';
import { databaseUrl, TEMPLATE } from './database_url.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the superuser. */
    postgres_url: string;
    redis_url: string;
    /** Why the migrations failed; empty when they did not. */
    migration_failure: string;
    /** Where every program is, for tests that run one of their own. */
    programs: Programs;
  }
}

/** One Postgres and one Valkey for the whole run, in a folder that goes away with it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { home, cache, mirror } = deploySettings(process.env);
  const progress = showProgress(process.stdout, Date.now);
  const programs = await install({ home, cache, mirror, prefer: 'private', elsewhere: [], progress });
  const temporary = await mkdtemp(join(tmpdir(), 'letsdial-test-'));
  // A test that is about what survives a crash starts a Postgres of its own, with fsync on.
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '400' };
  const postgres = await startPostgres({ programs: programs.postgres, home: temporary, port: null, settings });
  const valkey = await startValkey({
    program: programs.valkey_server,
    home: temporary,
    port: null,
    settings: { save: '', databases: '1000' },
  });
  project.provide('postgres_url', postgres.url);
  project.provide('redis_url', valkey.url);
  project.provide('programs', programs);
  project.provide('migration_failure', await makeTemplate(postgres.url));
  return async () => {
    await valkey.stop();
    await postgres.stop();
    await rm(temporary, { recursive: true, force: true });
  };
}

/** Empty, or why it failed: tests that need no database run all the same, the others say so. */
async function makeTemplate(url: string): Promise<string> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  try {
    await admin.query(`create database ${TEMPLATE}`);
    await migrate(databaseUrl(url, TEMPLATE));
    return '';
  } catch (error) {
    return explainError(error);
  } finally {
    await admin.end();
  }
}
