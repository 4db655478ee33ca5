import { afterAll, beforeAll, expect, it } from 'vitest';
import { walletOf } from '../../deploy/world/verdict.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

interface Shown {
  finance_order_id: string;
  state: string;
}

const PATIENCE = { timeout: 10_000 };

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin({ SECOND_APPROVAL_ABOVE_UNITS: '50' });
});

afterAll(async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
  await world.end();
});

const finance = async (): Promise<PortalClient> => (await makeAdmin(world, ['finance'])).signIn();

/** How many wait for a lock in the middle of a statement that begins so. */
async function waitingWith(words: string): Promise<number> {
  const { rows } = await world.pool.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and starts_with(query, $1)`,
    [words],
  );
  return rows[0]?.n ?? 0;
}

it('what is approved is not rejected meanwhile', async () => {
  const user = await makeUser(world);
  const [asking, refusing] = [await finance(), await finance()];
  const agreed = await makeAdmin(world, ['finance']);
  const agreeing = await agreed.signIn();
  const credit = (net_micros: string) =>
    asking.post<Shown>(`/v1/admin/accounts/${user.account_id}/adjustments`, {
      ...{ direction: 'credit', net_micros, tax_micros: '0', reason: 'a wrong rate' },
    });
  const { body } = await credit('60000000');
  expect(body.state).toBe('waiting');

  const keeper = await world.pool.connect();
  await keeper.query('begin');
  // An approval is written after it has been looked at, and before anything is posted.
  await keeper.query('insert into money_approval (subject_id, admin_id, at) values ($1, $2, now())', [
    ...[body.finance_order_id, agreed.user_id],
  ]);
  const path = `/v1/admin/finance-orders/${body.finance_order_id}`;
  const approving = agreeing.post<Shown>(`${path}/approve`);
  await expect.poll(() => waitingWith('insert into money_approval'), PATIENCE).toBe(1);
  const rejecting = refusing.post<Shown>(`${path}/reject`, { reason: 'a test says so' });
  await expect.poll(() => waitingWith('update finance_order'), PATIENCE).toBe(1);
  await keeper.query('rollback');
  keeper.release();
  expect(await approving).toMatchObject({ status: 200, body: { state: 'posted' } });
  expect(await rejecting).toMatchObject({ status: 409 });
  expect((await walletOf(world.pool, user.wallet_id)).balance_micros).toBe(60_000_000n);
});
