import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seedDemoOperator } from '../../../deploy/seed/demo_operator.ts';
import { seedDemoPortal } from '../../../deploy/seed/demo_portal.ts';
import { makeCustomer } from '../../../deploy/world/people.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { freshDatabase } from '../../../deploy/testing/database.ts';
import { freshRedis } from '../../../deploy/testing/redis.ts';
import type { FreshDatabase } from '../../../deploy/testing/database.ts';
import pg from 'pg';

let database: FreshDatabase;
let owner: pg.Pool;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'letsdial-seed-'));
  database = await freshDatabase();
  owner = new pg.Pool({ connectionString: database.url, max: 2 });
});

afterAll(async () => {
  await owner.end();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

/** What works for somebody, with what its holding says. */
async function held(): Promise<unknown[]> {
  const { rows } = await owner.query<{ number: string }>(
    `select d.number, h.state, h.monthly_micros, h.account_id = d.account_id as is_theirs, o.country, o.number_type, o.offered
       from did d left join number_holding h on h.number = d.number and h.held_to is null left join number_offer o on o.number = d.number
      where d.state = 'active' order by d.number`,
  );
  return rows;
}

it('the demo’s number has a holding, however often it is seeded', async () => {
  const [carrier, smsc] = [
    { address: '127.0.0.1', port: 5060 },
    { address: '127.0.0.1', port: 2775 },
  ];
  const expected = {
    ...{ number: '+442079460001', state: 'active', monthly_micros: '3000000', is_theirs: true },
    ...{ country: 'GB', number_type: 'geographic', offered: false },
  };
  for (let turn = 0; turn < 2; turn += 1) {
    await seedDemoOperator({ home, database_url: database.url, carrier, smsc });
    await seedDemoPortal(home, database.url, { is_demo: true });
    expect(await held()).toEqual([expected]);
  }
});

it('a number that was given away by SQL alone gets one when a portal starts, at no price, unless it rests', async () => {
  const number = '+4915112345678';
  await makeCustomer(owner, { number, balance_micros: 0n });
  const resting = await makeCustomer(owner, { number: '+4915112345679', balance_micros: 0n });
  await owner.query(
    `insert into number_holding (id, number, account_id, wallet_id, state, state_since, held_from, held_to, blocked_until, end_reason, currency,
                                 monthly_micros, anchor_day, paid_until)
     values (gen_random_uuid(), $1, $2, $3, 'ended', now(), now() - interval '9 days', now() - interval '1 day', now() + interval '100 days',
             'cancelled', 'EUR', 0, 1, now())`,
    [resting.number, resting.account_id, resting.wallet_id.toString()],
  );
  const { url: redis_url } = await freshRedis();
  const world = await PortalWorld.begin({}, { database_url: database.url, redis_url });
  try {
    expect(await held()).toContainEqual(expect.objectContaining({ number: resting.number, state: null }));
    expect(await held()).toContainEqual({
      ...{ number, state: 'active', monthly_micros: '0', is_theirs: true },
      ...{ country: 'DE', number_type: 'mobile', offered: false },
    });
  } finally {
    await world.end();
  }
});
