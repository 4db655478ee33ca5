import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { databaseLogin } from '../../deploy/parts/database_login.ts';
import { freshDatabase, type FreshDatabase } from '../../deploy/testing/database.ts';
import { Outage } from '../../domain/db/batch.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import { PortedNumberTable } from './ported_number_table.ts';

let database: FreshDatabase;
let owner: pg.Pool;
/** Logged in as the gateway is. */
let url: string;

beforeAll(async () => {
  database = await freshDatabase();
  owner = new pg.Pool({ connectionString: database.url, max: 2 });
  const { password } = new URL(database.url);
  url = await databaseLogin({ database_url: database.url, group: 'letsdial_gateway', password });
  await owner.query(`insert into ported_number (number, routing_number)
    select '+49151' || lpad(n::text, 8, '0'), '+49160' from generate_series(0, 999) n`);
});

afterAll(async () => {
  await owner.end();
  await database.drop();
});

it('a thousand numbers are a few questions to the table, and each has its own answer', async () => {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  let questions = 0;
  const table = new PortedNumberTable({
    query: ((...asked: Parameters<typeof pool.query>) => {
      questions += 1;
      return pool.query(...asked);
    }) as typeof pool.query,
  });
  const numbers = Array.from({ length: 1_000 }, (_, n) => `+49151${String(n * 2).padStart(8, '0')}` as E164);
  const answers = await Promise.all(numbers.map((number) => table.lookUp(number)));
  expect(answers).toEqual(numbers.map((_, n) => (n * 2 < 1_000 ? '+49160' : null)));
  expect(questions).toBeLessThanOrEqual(3);
  await pool.end();
});

it('says whether anything is in it, as it last looked', async () => {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const table = new PortedNumberTable(pool);
  await table.refresh();
  expect(table.has_any).toBe(true);
  await owner.query('create table aside as select * from ported_number');
  await owner.query('delete from ported_number');
  expect(table.has_any).toBe(true);
  await table.refresh();
  expect(table.has_any).toBe(false);
  await owner.query('insert into ported_number select * from aside');
  await table.refresh();
  expect(table.has_any).toBe(true);
  await pool.end();
});

it('a table that is away is an outage, and no answer', async () => {
  const away = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none', max: 1 });
  await expect(new PortedNumberTable(away).lookUp('+49151000000' as E164)).rejects.toBeInstanceOf(Outage);
  await away.end();
});
