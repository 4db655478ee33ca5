import { afterAll, beforeAll, expect, it } from 'vitest';
import { enqueue } from '../../jobs/task.ts';
import { makeUser } from '../../testing/people.ts';
import { orderState, PATIENCE, UNIT } from '../testing/buying.ts';
import type { OrderBody } from '../testing/buying.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { partnerWorld } from '../testing/partner_world.ts';
import type { PartnerWorld } from '../testing/partner_world.ts';
import { putInStock } from '../testing/stock.ts';
import { PENDING_KYC_MAX } from '../terms.ts';

let partner: PartnerWorld;

beforeAll(async () => {
  partner = await partnerWorld();
  await needDocumentsIn(partner.world.pool, ['GB']);
});

afterAll(() => partner.end());

const numbersOf = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(3, '0')}`);

it('an order that is paid is looked at, however many have waited longer for documents', async () => {
  const { world, provider } = partner;
  // The provider supplies it, and what it tells of that is lost.
  provider.webhook = null;
  provider.behave({ provision_ms: 50 });
  const number = '+4940400001';
  await putInStock(world.pool, [number], { provider: 'partner' });
  const client = await (await makeUser(world, { balance_micros: 10n * UNIT })).signIn();
  const { body } = await client.post<OrderBody>('/v1/number-orders', { number });
  await expect.poll(() => provider.orders.get(body.order_id)?.reachable, PATIENCE).toBe(true);

  const waiting = numbersOf('+44207940', 500);
  await putInStock(world.pool, waiting, { country: 'GB' });
  const { account_id, wallet_id } = await makeUser(world);
  await world.pool.query(
    `insert into number_order (id, account_id, number, state, provider, wallet_id, currency, setup_micros, setup_tax_micros, monthly_micros,
                               monthly_tax_micros, ordered_at, state_since)
     select gen_random_uuid(), $1, n, 'pending_kyc', 'stock', $2, 'EUR', 0, 0, 0, 0, now() - interval '1 day', now() - interval '1 day'
       from unnest($3::text[]) n`,
    [account_id, wallet_id.toString(), waiting],
  );
  await enqueue(world.pool, { task: 'look_at_number_orders', payload: {} });
  await expect.poll(() => orderState(client, body.order_id), PATIENCE).toBe('active');
  // So that what looks at each of them has less to do.
  await world.pool.query(`update number_order set state = 'cancelled' where account_id = $1`, [account_id]);
});

it('two orders at once are no more than may wait for documents', async () => {
  const { world } = partner;
  const numbers = numbersOf('+44207950', PENDING_KYC_MAX + 1);
  await putInStock(world.pool, numbers, { country: 'GB' });
  const user = await makeUser(world, { balance_micros: 10n * UNIT });
  const client = await user.signIn();
  const place = (number: string) => client.post<OrderBody>('/v1/number-orders', { number, wait_for_kyc: true });
  for (const number of numbers.slice(0, -2)) expect(await place(number)).toMatchObject({ status: 201 });

  const keeper = await world.pool.connect();
  await keeper.query('begin');
  // Each of them is written with a look at this row.
  await keeper.query('select from wallet where id = $1 for update', [user.wallet_id.toString()]);
  const both = numbers.slice(-2).map(place);
  const stopped = async (): Promise<number> => {
    const { rows } = await world.pool.query<{ n: number }>(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rows[0]?.n ?? 0;
  };
  await expect.poll(stopped, PATIENCE).toBe(2);
  await keeper.query('rollback');
  keeper.release();
  expect((await Promise.all(both)).map(({ status }) => status).toSorted()).toEqual([201, 409]);
});
