import pg from 'pg';
import { createClient } from 'redis';
import { expect, test } from 'vitest';
import { freshDatabase } from './database.ts';
import { freshRedis } from './redis.ts';

async function tables(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ tablename: string }>(
      "select tablename from pg_tables where schemaname = 'public'",
    );
    return rows.map(({ tablename }) => tablename);
  } finally {
    await client.end();
  }
}

test('each database has every migration and nothing of another one', async () => {
  const [first, second] = await Promise.all([freshDatabase(), freshDatabase()]);
  const client = new pg.Client({ connectionString: first.url });
  await client.connect();
  await client.query('create table only_here ()');
  expect(await tables(first.url)).toEqual(expect.arrayContaining(['only_here', 'schema_migration']));
  expect(await tables(second.url)).not.toContain('only_here');
  await client.end();
  await first.drop();
  await second.drop();
  await expect(tables(first.url)).rejects.toThrow(/does not exist/);
});

test('a session that is about to end is not cut off when its database is removed', async () => {
  const database = await freshDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const asleep = client.query('select pg_sleep(0.3)').finally(() => client.end());
  await expect(Promise.all([asleep, database.drop()])).resolves.toHaveLength(2);
});

test('each Redis is empty and its own', async () => {
  const [first, second] = await Promise.all([freshRedis(), freshRedis()]);
  expect(first.url).not.toBe(second.url);
  const client = await createClient({ url: first.url }).connect();
  await client.set('key', 'value');
  const other = await createClient({ url: second.url }).connect();
  expect(await other.get('key')).toBeNull();
  await first.flush();
  expect(await client.get('key')).toBeNull();
  client.destroy();
  other.destroy();
});
