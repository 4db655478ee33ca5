import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { serviceLog } from './service_log.ts';

let database: FreshDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await freshDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(`create temporary table held (number text unique, balance int check (balance >= 0))`);
  await client.query(`insert into held values ('+442071838750', 1)`);
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

async function refusal(sql: string): Promise<unknown> {
  return client.query(sql).then(
    () => new Error('it was taken'),
    (error: unknown) => error,
  );
}

it.each([
  ['a key that is there twice', `insert into held values ('+442071838750', 2)`, '23505'],
  ['a row that breaks a rule', `insert into held values ('+442071838750', -1)`, '23514'],
])('tells the error of %s, and nobody’s number', async (_, sql, code) => {
  const lines: string[] = [];
  const log = serviceLog({ service: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } });
  const error = await refusal(sql);
  // What is left out is there to be left out.
  expect(JSON.stringify(error)).toContain('442071838750');
  log.warn({ err: error }, 'one');
  log.warn({ err: new Error('around it', { cause: error }) }, 'two');
  log.warn({ err: new Error('outside', { cause: new Error('around it', { cause: error }) }) }, 'deeper');
  log.error(error);
  log.warn({ err: new AggregateError([error], 'several') }, 'three');
  expect(lines).toHaveLength(5);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ service: 'test', err: { code, type: 'DatabaseError' } });
  for (const line of lines) expect(line).toContain('"stack"');
  expect(lines.join('')).not.toContain('442071838750');
});
