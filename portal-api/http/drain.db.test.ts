import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { walletOf } from '../../deploy/world/verdict.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { sendRaw } from '../testing/raw_http.ts';

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin();
});

afterAll(() => world.end());

const isWaiting = async (): Promise<boolean> =>
  (
    await world.pool.query(
      `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' limit 1`,
    )
  ).rows.length > 0;

it('answers what is under way while it stops, ends streams, and takes nothing new', async () => {
  const finance = await (await makeAdmin(world, ['finance'])).signIn();
  const { body: offer } = await finance.post<{ offer_id: string }>('/v1/admin/pack-offers', {
    ...{ name: 'An hour', prefixes: ['49'], seconds: 3_600, valid_days: 30, currency: 'EUR' },
    ...{ price_micros: '1000000', sold_from: '2020-01-01T00:00:00.000Z' },
  });
  const user = await makeUser(world, { balance_micros: 3_000_000n });
  const here = await user.signIn();
  const stream = await here.stream('/v1/events');
  const heard = stream.text();

  const lock = await world.pool.connect();
  await lock.query('begin');
  await lock.query('select 1 from wallet where id = $1 for update', [user.wallet_id.toString()]);
  const idempotency_key = randomUUID();
  const bought = here.post(`/v1/pack-offers/${offer.offer_id}/buy`, undefined, { idempotency_key });
  await expect.poll(isWaiting).toBe(true);

  const { url } = world;
  const began_ms = Date.now();
  const stopped = world.portal.stop();
  expect(await heard).toContain(': connected');
  expect(await sendRaw(url, ['GET /v1/status HTTP/1.1\r\nHost: a\r\n\r\n'], 1_000)).toEqual({
    ...{ answers: [], is_closed: true },
  });
  await lock.query('commit');
  lock.release();
  expect(await bought).toMatchObject({ status: 201 });
  await stopped;
  // Well before connections that are kept open would be cut.
  expect(Date.now() - began_ms).toBeLessThan(2_000);
  expect((await walletOf(world.pool, user.wallet_id)).balance_micros).toBe(2_000_000n);
  const { rows } = await world.pool.query('select status from idempotent_request where key = $1', [idempotency_key]);
  expect(rows).toEqual([{ status: 201 }]);
});
