import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { balanceOf, carryOut, orderState, PATIENCE, UNIT, untilIdle } from '../numbers/testing/buying.ts';
import type { OrderBody } from '../numbers/testing/buying.ts';
import { needDocumentsIn } from '../numbers/testing/documents.ts';
import { putInStock } from '../numbers/testing/stock.ts';
import { MoneyWorld } from '../payments/testing/money_world.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import type { PortalWorld } from '../testing/portal_world.ts';

const MONTH_AND_A_BIT_MS = 31.5 * 86_400_000;
const PASSWORD = 'seven quiet lanterns drift upstream';
const DECLINED = '4000000000000002';

let money: MoneyWorld;
let world: PortalWorld;

beforeAll(async () => {
  money = await MoneyWorld.begin();
  world = money.world;
  await needDocumentsIn(world.pool, ['GB']);
});

afterAll(async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
  await money.end();
});

/** By one of us, for good. */
async function close({ account_id }: TestUser): Promise<void> {
  const owner = await (await makeAdmin(world, ['owner'])).signIn();
  const { rows } = await world.pool.query<{ version: number }>('select version from account where id = $1', [
    account_id,
  ]);
  const path = `/v1/admin/customers/${account_id}/state`;
  const body = { event: 'close', reason: 'as its holder asked' };
  expect(await owner.post(path, body, { version: rows[0]?.version ?? 0 })).toMatchObject({ status: 200 });
  await untilIdle(world);
}

async function cardOf(client: PortalClient, number?: string): Promise<string> {
  const saved = await client.post<{ method_id: string }>('/v1/payment-methods', { token: money.token(number) });
  expect(saved.status).toBe(201);
  return saved.body.method_id;
}

/** With a month paid. */
async function buy(client: PortalClient, number: string): Promise<void> {
  await putInStock(world.pool, [number]);
  const { body } = await client.post<OrderBody>('/v1/number-orders', { number });
  await expect.poll(() => orderState(client, body.order_id), PATIENCE).toBe('active');
}

async function column(text: string, account_id: string): Promise<unknown[]> {
  const { rows } = await world.pool.query<{ is: unknown }>(text, [account_id]);
  return rows.map((row) => row.is);
}

const holdings = (account_id: string) =>
  column(
    'select coalesce(end_reason, state) as is from number_holding where account_id = $1 order by number',
    account_id,
  );

/** A wallet that fills itself by a card that is declined, which is tried again. */
async function fillInVain(client: PortalClient, account_id: string): Promise<void> {
  const method_id = await cardOf(client, DECLINED);
  const body = { enabled: true, threshold_micros: '90000000', amount_micros: '8000000', method_id, per_day_max: 3 };
  expect(await client.ask('PUT', '/v1/auto-top-up', { body, version: 0 })).toMatchObject({ status: 200 });
  await expect
    .poll(() => column('select state as is from dunning where account_id = $1', account_id), PATIENCE)
    .toEqual(['open']);
}

describe('an account that is closed', () => {
  it('is charged nothing any more, gets back what was not done yet, and its money waits for finance', async () => {
    const user = await makeUser(world);
    const { account_id } = user;
    const client = await user.signIn();
    await client.post('/v1/top-ups', { amount_micros: '30000000', method_id: await cardOf(client) });
    expect(await balanceOf(world, user)).toBe(30n * UNIT);
    const [held, offered] = ['+4950500001', '+4950500002'];
    await buy(client, held);
    await buy(client, offered);
    const offer = await client.post<{ code: string }>(`/v1/numbers/${offered}/transfer`);
    // One waits for documents, and of one the provider, which is not set up here, never says anything.
    await putInStock(world.pool, ['+4950500003'], { country: 'GB' });
    await putInStock(world.pool, ['+4950500004'], { provider: 'partner' });
    await client.post('/v1/number-orders', { number: '+4950500003', wait_for_kyc: true });
    await client.post('/v1/number-orders', { number: '+4950500004' });
    const elsewhere = { number: '+4980500005', country: 'DE', number_type: 'geographic', from_carrier: 'Elsewhere' };
    expect(await client.post('/v1/port-ins', elsewhere)).toMatchObject({ status: 201 });
    await fillInVain(client, account_id);
    expect(await balanceOf(world, user)).toBe(18n * UNIT);

    await close(user);
    const orders = 'select coalesce(failure, state) as is from number_order where account_id = $1 order by number';
    expect(await column(orders, account_id)).toEqual(['active', 'active', 'cancelled', 'account_closed']);
    expect(await balanceOf(world, user)).toBe(22n * UNIT);
    expect(await column('select state as is from port_in where account_id = $1', account_id)).toEqual(['cancelled']);
    expect(await column('select state as is from dunning where account_id = $1', account_id)).toEqual(['withdrawn']);
    expect(
      await column(
        `select enabled || ', ' || stopped_because as is from auto_top_up where account_id = $1`,
        account_id,
      ),
    ).toEqual(['false, account closed']);
    const next = await (await makeUser(world)).signIn();
    const late = await next.post('/v1/number-transfers/accept', { code: offer.body.code, consent: true });
    expect(late).toMatchObject({ body: { type: 'urn:letsdial:problem:code_wrong' } });
    expect(await holdings(account_id)).toEqual(['active', 'active']);
    expect(
      await column(
        `select c.effective_at = h.paid_until and c.refund_net_micros = 0 and c.undone_at is null as is
           from number_cancellation c join number_holding h on h.id = c.holding_id where h.account_id = $1`,
        account_id,
      ),
    ).toEqual([true, true]);
    // Done again, it changes nothing.
    const admin_id = (await makeAdmin(world, ['owner'])).user_id;
    await carryOut(world, 'end_numbers_of_account', { account_id, admin_id });

    world.advance(MONTH_AND_A_BIT_MS);
    await carryOut(world, 'look_at_numbers');
    expect(await holdings(account_id)).toEqual(['cancelled', 'cancelled']);
    expect(await balanceOf(world, user)).toBe(22n * UNIT);
    const finance = await (await makeAdmin(world, ['finance'])).signIn();
    const paid = { amount_micros: '22000000', reason: 'the account is closed' };
    expect(await finance.post(`/v1/admin/accounts/${account_id}/refunds`, paid)).toMatchObject({ status: 201 });
    await expect
      .poll(() => column('select state as is from refund where account_id = $1', account_id), PATIENCE)
      .toEqual(['paid']);
    expect(await balanceOf(world, user)).toBe(0n);
  });

  it('loses a number that another operator was promised to that one alone, or then, and pays for it no more', async () => {
    const user = await makeUser(world, { balance_micros: 20n * UNIT });
    const client = await user.signIn();
    const number = '+4950500011';
    await buy(client, number);
    const { body } = await client.post<{ pin: string }>(`/v1/numbers/${number}/port-pin`);
    const asked = await world.client().post<{ port_out_id: string }>('/v1/port-outs', {
      ...{ number, pin: body.pin, to_carrier: 'Elsewhere' },
    });
    const decide = async (decision: string) => {
      const admin = await (await makeAdmin(world, ['operations'])).signIn();
      const path = `/v1/admin/port-outs/${asked.body.port_out_id}/decision`;
      expect(await admin.post(path, { decision, reason: 'a test' })).toMatchObject({ status: 200 });
    };
    await decide('approve');
    await close(user);
    world.advance(MONTH_AND_A_BIT_MS);
    await carryOut(world, 'look_at_numbers');
    await carryOut(world, 'renew_numbers', { account_id: user.account_id });
    expect(await holdings(user.account_id)).toEqual(['active']);
    await decide('refuse');
    await carryOut(world, 'look_at_numbers');
    expect(await holdings(user.account_id)).toEqual(['cancelled']);
    expect(await balanceOf(world, user)).toBe(16n * UNIT);
  });
});

describe('whoever had an account that is closed', () => {
  const signIn = (email: string, password: string, client = world.client()) =>
    client.post<Record<string, unknown>>('/v1/sign-in/password', { email, password, as: 'customer' });

  async function withPassword(email: string): Promise<TestUser> {
    const user = await makeUser(world, { email });
    const here = await user.signIn();
    expect(await here.ask('PUT', '/v1/credentials/password', { body: { password: PASSWORD } })).toMatchObject({
      status: 204,
    });
    return user;
  }

  it('is told so who has the right password, and nobody else learns of an account', async () => {
    const user = await withPassword('closed@example.org');
    await withPassword('open@example.org');
    await close(user);
    const wrong = [];
    for (const email of ['closed@example.org', 'open@example.org', 'nobody@example.org']) {
      const { status, body } = await signIn(email, 'some other words that are long');
      wrong.push({ status, ...body, request_id: '' });
    }
    expect(wrong[0]).toMatchObject({ status: 401, type: 'urn:letsdial:problem:sign_in_failed' });
    expect([wrong[1], wrong[2]]).toEqual([wrong[0], wrong[0]]);
    const client = world.client();
    expect(await signIn('closed@example.org', PASSWORD, client)).toMatchObject({
      status: 403,
      body: { type: 'urn:letsdial:problem:not_permitted', detail: expect.stringContaining('was closed') as string },
    });
    expect(await client.get('/v1/session')).toMatchObject({ status: 401 });
  });

  it('comes into another one of which he is a member, and not back into that', async () => {
    const user = await withPassword('both@example.org');
    const firm = await makeUser(world);
    await world.pool.query(`insert into membership (account_id, user_id, role) values ($1, $2, 'member')`, [
      ...[firm.account_id, user.user_id],
    ]);
    await close(user);
    const client = world.client();
    const { status, body } = await signIn('both@example.org', PASSWORD, client);
    expect({ status, ...body }).toMatchObject({ status: 200, account_id: firm.account_id, role: 'member' });
    const change = { body: { account_id: user.account_id } };
    expect(await client.ask('PUT', '/v1/session/account', change)).toMatchObject({ status: 404 });
    const profile = await client.get<{ accounts: object[] }>('/v1/profile');
    expect(profile.body.accounts).toMatchObject([{ account_id: firm.account_id, is_current: true }]);
  });
});
