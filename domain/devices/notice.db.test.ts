import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { makeCarrier, makeCustomer } from '../../deploy/world/people.ts';

let database: FreshDatabase;
let pool: pg.Pool;
let listener: pg.Client;
let heard: string[];

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url });
  listener = new pg.Client({ connectionString: database.url });
  await listener.connect();
  listener.on('notification', ({ payload }) => heard.push(payload ?? ''));
  await listener.query('listen device');
});

afterAll(async () => {
  await listener.end();
  await pool.end();
  await database.drop();
});

/** What is told of while that is done, in its order. */
async function toldOf(work: () => Promise<unknown>): Promise<string[]> {
  heard = [];
  await work();
  await pool.query(`notify device, 'that was all'`);
  await expect.poll(() => heard.at(-1)).toBe('that was all');
  return heard.slice(0, -1);
}

it('of a new device nobody is told: no switch has it in its memory yet; of a trunk it is, as the addresses of all are one memory', async () => {
  expect(await toldOf(() => makeCustomer(pool, { balance_micros: 0n, number: '+4930100' }))).toEqual([]);
  const trunk = { carrier: 'alpha', trunk: 'trunk-new', address: '127.0.0.5', port: 5060 };
  expect(await toldOf(() => makeCarrier(pool, trunk))).toEqual(['trunk-new']);
});

it('of one that is changed, renamed or gone it is told at once, by every name that it may be remembered by', async () => {
  const { device } = await makeCustomer(pool, { balance_micros: 0n, number: '+4930101' });
  const { username } = device;
  const switchOff = 'update sip_device set enabled = false where username = $1';
  expect(await toldOf(() => pool.query(switchOff, [username]))).toEqual([username]);
  const rename = `update sip_device set username = 'renamed' where username = $1`;
  expect((await toldOf(() => pool.query(rename, [username]))).toSorted()).toEqual(['renamed', username].toSorted());
  expect(await toldOf(() => pool.query(`delete from sip_device where username = 'renamed'`))).toEqual(['renamed']);
});
