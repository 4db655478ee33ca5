import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { makeCarrier, makeCustomer } from '../world/people.ts';
import { putDeck } from '../world/tariffs.ts';
import { seedDemoOperator } from './demo_operator.ts';
import type { DemoOperator } from './demo_operator.ts';
import { seedDemoPortal } from './demo_portal.ts';

let home: string;
let database: FreshDatabase;
let owner: pg.Pool;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'letsdial-demo-'));
  database = await freshDatabase();
  owner = new pg.Pool({ connectionString: database.url, max: 2 });
});

afterEach(async () => {
  await owner.end();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

function seed(of = home): Promise<DemoOperator | null> {
  return seedDemoOperator({
    ...{ home: of, database_url: database.url },
    carrier: { address: '127.0.0.1', port: 5060 },
    smsc: { address: '127.0.0.1', port: 2775 },
  });
}

/** Every row that a seed could have made, each with the transaction that wrote it: a row that is written again shows. */
async function everything(): Promise<unknown[]> {
  const tables = [
    ...[
      'account',
      'wallet',
      'did',
      'sip_device',
      'carrier',
      'trunk',
      'trunk_address',
      'rate_deck',
      'rate',
      'text_rate',
    ],
    ...['ledger_tx', 'posting', 'carrier_bind', 'api_key', 'esme', 'number_offer', 'number_price', 'portal_user'],
  ];
  const one = (table: string): string =>
    `select '${table}' as name, t.xmin::text, to_jsonb(t)::text as row from ${table} t`;
  const { rows } = await owner.query<Record<string, string>>(`${tables.map(one).join(' union all ')} order by 1, 3`);
  return rows;
}

async function decksInForce(): Promise<string[]> {
  const { rows } = await owner.query<{ name: string; version: number; imported_by: string }>(
    `select name, version, imported_by from rate_deck where state = 'active' order by name`,
  );
  return rows.map((row) => `${row.name} ${row.version}`);
}

const france = [{ prefix: '33', destination: 'France', rate_micros_per_minute: 1n }];

it('is made once, in one transaction', async () => {
  const demo = await seed();
  expect(demo).toMatchObject({ username: 'demo-phone', number: '+442079460001', has_phone: true });
  expect(await decksInForce()).toEqual(['demo-carrier 1', 'demo-carrier-texts 1', 'retail 1', 'retail-texts 1']);
  const before = await everything();
  expect(new Set((before as { xmin: string }[]).map((row) => row.xmin)).size).toBe(1);
  expect(await seed()).toEqual(demo);
  expect(await everything()).toEqual(before);
});

it('is made once where two start at the same time out of two homes', async () => {
  const seeded = await Promise.all([seed(), seed(join(home, 'other'))]);
  expect(seeded.map((demo) => demo?.has_phone).sort()).toEqual([false, true]);
  expect(await decksInForce()).toEqual(['demo-carrier 1', 'demo-carrier-texts 1', 'retail 1', 'retail-texts 1']);
});

it('leaves nothing behind where the last of it cannot be made', async () => {
  await owner.query(`alter table esme add constraint refused check (system_id <> 'demo-esme')`);
  await expect(seed()).rejects.toThrow(/refused/);
  expect(await everything()).toEqual([]);
});

it('is not made again when its phone, its number and its ways of sending texts were taken away', async () => {
  await seed();
  await owner.query(
    `delete from sip_device; delete from did; delete from api_key; delete from esme; delete from carrier_bind`,
  );
  const before = await everything();
  expect(await seed()).toMatchObject({ has_phone: false });
  expect(await everything()).toEqual(before);
});

it('does not speak of a phone whose password another home keeps', async () => {
  await seed();
  await rm(join(home, 'secrets'), { recursive: true });
  expect(await seed()).toMatchObject({ has_phone: false });
});

it('leaves prices alone that an operator put in force after it', async () => {
  await seed();
  await owner.query('delete from sip_device');
  await putDeck(owner, { name: 'retail', currency: 'EUR', carrier_id: null, rows: france });
  await seed();
  expect(await decksInForce()).toContain('retail 2');
});

it.each<[string, () => Promise<unknown>]>([
  ['customers', () => makeCustomer(owner, { number: '+4915112345678', balance_micros: 0n })],
  ['carriers', () => makeCarrier(owner, { carrier: 'alpha', trunk: 'trunk-alpha', address: '127.0.0.1', port: 5060 })],
  ['prices', () => putDeck(owner, { name: 'retail', currency: 'EUR', carrier_id: null, rows: france })],
])('keeps out of a database in which an operator has %s already', async (_what, begin) => {
  await begin();
  const before = await everything();
  expect(await seed()).toBeNull();
  expect(await everything()).toEqual(before);
});

it('has numbers for sale and an admin; without it there is an admin alone, and only the first', async () => {
  const offered = async (): Promise<number> => (await owner.query('select from number_offer')).rowCount ?? 0;
  expect((await seedDemoPortal(home, database.url, { is_demo: false })).admin).not.toBeNull();
  expect(await offered()).toBe(0);
  await owner.query(`update portal_user set email_index = sha256('somebody else')`);
  expect((await seedDemoPortal(home, database.url, { is_demo: false })).admin).toBeNull();
  expect((await owner.query('select from portal_user')).rowCount).toBe(1);
  await seedDemoPortal(home, database.url, { is_demo: true });
  expect(await offered()).toBeGreaterThan(0);
});
