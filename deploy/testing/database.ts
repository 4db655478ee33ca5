import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { databaseUrl, TEMPLATE } from './database_url.ts';

export interface FreshDatabase {
  /** Of the superuser. */
  url: string;
  /** Ends every session on it and removes it. */
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
    drop: () => administer(`drop database if exists ${name} with (force)`),
  };
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
