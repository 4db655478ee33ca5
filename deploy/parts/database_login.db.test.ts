import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Outage } from '../runtime/outage.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { databaseLogin, setPassword } from './database_login.ts';

let databases: FreshDatabase[];

beforeAll(async () => {
  databases = [await freshDatabase(), await freshDatabase()];
});

afterAll(async () => {
  for (const database of databases) await database.drop();
});

async function asked(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ answer: unknown }>(sql);
    return rows[0]?.answer;
  } finally {
    await client.end();
  }
}

it('logs in to the same database, by a password that many may tell at the same moment', async () => {
  const urls = databases.flatMap(({ url }) => Array.from({ length: 12 }, () => url));
  const logins = await Promise.all(
    urls.map((database_url) => {
      const { password } = new URL(database_url);
      return databaseLogin({ database_url, group: 'letsdial_explain', password });
    }),
  );
  for (const [n, login] of logins.entries()) {
    const database = new URL(urls[n] ?? '').pathname.slice(1);
    const sql = `select current_user || ' in ' || current_database() as answer`;
    expect(await asked(login, sql)).toBe(`letsdial_explain_login in ${database}`);
  }
});

it('says what to do where the user may make no login', async () => {
  const database_url = databases[0]?.url ?? '';
  await asked(database_url, `create role weak login password 'weak'`);
  const weak = new URL(database_url);
  weak.username = 'weak';
  weak.password = 'weak';
  const refused = setPassword({ database_url: weak.href, login: 'asterisk', password: 'x', group: null });
  await expect(refused).rejects.toThrow(Outage);
  await expect(refused).rejects.toThrow(/role asterisk a password .*let that user create roles/u);
});

it('says so where the address has no place for a user', async () => {
  const login = databaseLogin({ database_url: 'postgres:///letsdial', group: 'letsdial_controller', password: 'x' });
  await expect(login).rejects.toThrow(/names no host/u);
});
