import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { explainError } from '../runtime/outage.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { schemaPart } from './schema.ts';

/** Roles belong to the whole cluster, so no other test may meet this one. */
const NOBODY = 'schema_test_nobody';

let home: string;
let database: FreshDatabase;

async function administer(sql: string): Promise<void> {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  try {
    await owner.query(sql);
  } finally {
    await owner.end();
  }
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'letsdial-schema-'));
  database = await freshDatabase();
  await administer(`create role ${NOBODY} login password 'nobody'`);
});

afterAll(async () => {
  await administer(`drop role ${NOBODY}`);
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

it('a user who may not set up the database is told so in one sentence, without the statement that failed', async () => {
  const url = new URL(database.url);
  url.username = NOBODY;
  url.password = 'nobody';
  const logins = { controller_database_url: null, gateway_database_url: null, portal_database_url: null };
  const starting = schemaPart({ home, database_url: url.href, ...logins }).start();
  const error: unknown = await starting.catch((refused: unknown) => refused);
  expect(explainError(error)).toMatch(
    /^Postgres refuses what its user may not do \(permission denied for [a-z_ ]+\), so [^\n]+: grant the user of DATABASE_URL [^\n]+\.$/u,
  );
});
