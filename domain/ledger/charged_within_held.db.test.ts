import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase, type FreshDatabase } from '../../deploy/testing/database.ts';
import { brokenInvariants } from './invariants.ts';
import { books, SETTLED_LEG } from './testing/books.ts';

const NAME = 'call charged with more than was held for it';

let database: FreshDatabase;
let db: pg.Client;

beforeAll(async () => {
  database = await freshDatabase();
  db = new pg.Client({ connectionString: database.url });
  await db.connect();
  await db.query(books);
});

afterAll(async () => {
  await db.end();
  await database.drop();
});

interface Charge {
  net: number;
  tax: number;
  loss: number;
  pack_seconds: number;
}

/** How many calls are charged with more than was held, where one is charged like this and two grants of 60 and 40 micros were held for it. */
async function foundWith({ net, tax, loss, pack_seconds }: Charge, grants = true): Promise<number> {
  const held = [
    { no: 1, at: '2026-01-15T00:00:00Z', seconds: 30, micros: 60, pack_seconds: 30 },
    { no: 2, at: '2026-01-15T00:00:20Z', seconds: 30, micros: 40, pack_seconds: 15 },
  ];
  await db.query(
    `update cdr set net_micros = $2, tax_micros = $3, operator_loss_micros = $4, pack_seconds = $5, grants = $6 where leg_id = $1`,
    [SETTLED_LEG, net, tax, loss, pack_seconds, JSON.stringify(grants ? held : [])],
  );
  return (await brokenInvariants(db)).find(({ name }) => name === NAME)?.broken ?? 0;
}

const whole: Charge = { net: 80, tax: 20, loss: 0, pack_seconds: 45 };

it('a call may cost all that was held for it, and the operator more', async () => {
  expect(await foundWith(whole)).toBe(0);
  expect(await foundWith({ ...whole, loss: 1_000 })).toBe(0);
  expect(await foundWith({ net: 0, tax: 0, loss: 0, pack_seconds: 0 }, false)).toBe(0);
});

it.each<[string, Partial<Charge>]>([
  ['its price', { net: 81 }],
  ['its tax', { tax: 21 }],
  ['the seconds of a pack', { pack_seconds: 46 }],
])('it is found where %s goes beyond that', async (_what, beyond) => {
  expect(await foundWith({ ...whole, ...beyond })).toBe(1);
});

it('it is found where nothing was held at all', async () => {
  expect(await foundWith({ net: 1, tax: 0, loss: 0, pack_seconds: 0 }, false)).toBe(1);
  expect(await foundWith({ net: 0, tax: 0, loss: 0, pack_seconds: 1 }, false)).toBe(1);
});
