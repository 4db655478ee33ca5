import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { databaseUrl, TEMPLATE } from './database_url.ts';

export interface FreshDatabase {
  /** Of the superuser. */
  url: string;
  /** Removes it, when its sessions have ended or after they had five seconds for that. */
  drop: () => Promise<void>;
}

/** A database of its own with every migration applied: a copy of the run's template, made in some hundredths of a second. */
export async function freshDatabase(): Promise<FreshDatabase> {
  const failure = inject('migration_failure');
  if (failure !== '') throw new Error(`the migrations fail: ${failure}`);
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(`create database ${name} template ${TEMPLATE}`);
  return {
    url: databaseUrl(inject('postgres_url'), name),
    drop: () => drop(name),
  };
}

/**
 * The end() of a pool resolves when its sessions were told to end, which is before they have; the server waits for them for
 * five seconds by itself. To cut one off at once would be an error of its pool that nobody waits for any more.
 */
async function drop(name: string): Promise<void> {
  try {
    await administer(`drop database if exists ${name}`);
  } catch (error) {
    // SQLSTATE 55006, object_in_use.
    if (!(error instanceof pg.DatabaseError) || error.code !== '55006') throw error;
    await administer(`drop database if exists ${name} with (force)`);
  }
}

async function administer(sql: string): Promise<void> {
  const admin = new pg.Client({ connectionString: inject('postgres_url') });
  await admin.connect();
  try {
    await admin.query(sql);
  } finally {
    await admin.end();
  }
}
