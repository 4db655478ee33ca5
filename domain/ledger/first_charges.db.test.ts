import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';

let database: FreshDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 4 });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** What a transaction that charges asks for, before it has written anything else. */
const account = (
  client: pg.PoolClient,
  kind: string,
  currency: string,
  wallet: string | null,
  carrier: number | null,
) => client.query('select ledger_account_id($1, $2, $3, $4)', [kind, currency, wallet, carrier]);

/** Two transactions that ask for the same accounts, one for the first of them first and the other for the last: neither may wait. */
async function crossing(asked: readonly (readonly [string, string, string | null, number | null])[]): Promise<void> {
  const [one, other] = [await pool.connect(), await pool.connect()];
  let found = 0;
  try {
    for (const client of [one, other]) await client.query(`begin; set local lock_timeout = '2s'`);
    for (const [n, wish] of asked.entries()) {
      await account(one, ...wish);
      await account(other, ...(asked[asked.length - 1 - n] ?? wish));
      found += 1;
    }
  } finally {
    for (const client of [one, other]) {
      await client.query('rollback');
      client.release();
    }
  }
  expect(found).toBe(asked.length);
}

it('of a currency wait for nobody, as its accounts are there since its first wallet', async () => {
  const account_id = randomUUID();
  await pool.query(`insert into account (id, name, home_country) values ($1, 'A', 'CH')`, [account_id]);
  const { rows } = await pool.query<{ id: string }>(
    `insert into wallet (account_id, currency) values ($1, 'CHF') returning id`,
    [account_id],
  );
  const wallet_id = rows[0]?.id ?? '';
  const kinds = ['revenue', 'tax_payable', 'operator_loss', 'payment_clearing', 'promo_cost', 'rounding'];
  await crossing([...kinds.map((kind) => [kind, 'CHF', null, null] as const), ['wallet_cash', 'CHF', wallet_id, null]]);
});

it('of a carrier wait for nobody, in its own currency and in that of each of its rate decks', async () => {
  await pool.query(`insert into carrier (id, code, name, currency) values (7, 'gamma', 'Gamma', 'SEK')`);
  await pool.query(
    `insert into rate_deck (name, side, carrier_id, currency, version, imported_by) values ('gamma', 'buy', 7, 'NOK', 1, 'test')`,
  );
  await crossing(
    ['SEK', 'NOK'].flatMap((currency) =>
      ['carrier_cost', 'carrier_payable'].map((kind) => [kind, currency, null, 7] as const),
    ),
  );
});
