import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { dataMap } from './data_map.ts';
import { fileMap } from './file_map.ts';

let database: FreshDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await freshDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

describe('the map of the data', () => {
  it('holds every column of every table, and none that is not there', async () => {
    // Partitions have the columns of their parent; knex keeps the books of the migrations in two tables of its own.
    const { rows } = await client.query<{ column: string }>(
      `select c.relname || '.' || a.attname as column
         from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
        where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
          and c.relname not like 'schema_migration%'`,
    );
    const mapped = Object.entries(dataMap).flatMap(([table, { columns }]) =>
      Object.keys(columns).map((column) => `${table}.${column}`),
    );
    expect(mapped.sort()).toEqual(rows.map((row) => row.column).sort());
  });

  it('has a legal basis wherever a column is personal', () => {
    const without = Object.entries(dataMap).filter(
      ([, { basis, columns }]) =>
        basis === 'none' && Object.values(columns).some((column) => column !== 'not_personal'),
    );
    expect(without).toEqual([]);
    expect(
      Object.values(fileMap).filter(({ basis, category }) => basis === 'none' && category !== 'not_personal'),
    ).toEqual([]);
  });
});
