import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { MoneyWorld } from './testing/money_world.ts';

const DECLINED = '4000000000000002';
const DAY_MS = 86_400_000;

let money: MoneyWorld;
let admin: Awaited<ReturnType<typeof makeAdmin>>;
let finance: PortalClient;

beforeAll(async () => {
  money = await MoneyWorld.begin();
  admin = await makeAdmin(money.world, ['finance']);
});

// The clock is moved by days: who it is would have to be proven anew.
beforeEach(async () => {
  finance = await admin.signIn();
});

afterAll(async () => {
  expect(await brokenInvariants(money.world.pool)).toEqual([]);
  await money.end();
});

type Item = Record<string, unknown>;
interface Page {
  items: Item[];
  next_cursor: string | null;
}

const list = async (path: string): Promise<Page> => {
  const reply = await finance.get<Page>(path);
  expect(reply.status).toBe(200);
  return reply.body;
};

async function saveCard(here: PortalClient, number?: string): Promise<string> {
  const reply = await here.post<{ method_id: string }>('/v1/payment-methods', { token: money.token(number) });
  return reply.body.method_id;
}

async function pay(here: PortalClient, amount_micros: string, method_id: string): Promise<string> {
  const paid = await here.post<{ payment_id: string }>('/v1/top-ups', { amount_micros, method_id });
  expect(paid.status).toBe(201);
  await money.provider.webhooks.flush();
  return paid.body.payment_id;
}

const spend = ({ wallet_id }: TestUser, micros: number) =>
  money.world.pool.query(`select charge_wallet('purchase', $1, $2, $3, 0, '{}', now())`, [
    ...[randomUUID(), wallet_id.toString(), micros],
  ]);

async function audited(action: string, account_id: string): Promise<unknown[]> {
  const { rows } = await money.world.pool.query<Item>(
    'select actor_id, subject, purpose from audit_log where action = $1 and account_id = $2 order by seq',
    [action, account_id],
  );
  return rows;
}

describe('payments at the desk', () => {
  it('are those of all accounts, page by page and by state, with what the provider said; each view is on record', async () => {
    const [user, other] = [await makeUser(money.world), await makeUser(money.world)];
    const [here, there] = [await user.signIn(), await other.signIn()];
    const good = await pay(here, '5000000', await saveCard(here));
    const bad = await pay(here, '6000000', await saveCard(here, DECLINED));
    await pay(there, '7000000', await saveCard(there));
    const all = await list('/v1/admin/payments?purpose=a%20look');
    expect(all.items.map(({ account_id }) => account_id)).toEqual([
      ...[other.account_id, user.account_id, user.account_id],
    ]);
    const path = `/v1/admin/payments?purpose=ticket%201&account_id=${user.account_id}`;
    const first = await list(`${path}&limit=1`);
    expect(first.items).toMatchObject([
      {
        ...{ payment_id: bad, state: 'failed', failure: 'card_declined', amount_micros: '6000000', made_by: 'top_up' },
        card: { last4: '0002' },
      },
    ]);
    expect(JSON.stringify(first)).not.toContain('checkout_url');
    const rest = await list(`${path}&limit=1&cursor=${first.next_cursor ?? ''}`);
    expect(rest).toMatchObject({ items: [{ payment_id: good, state: 'succeeded' }], next_cursor: null });
    expect((await list(`${path}&state=failed`)).items).toMatchObject([{ payment_id: bad }]);
    expect((await list(`${path}&made_by=retry`)).items).toEqual([]);
    for (const reference of [money.paymentOf(good), good]) {
      expect((await list(`${path}&reference=${reference}`)).items).toMatchObject([{ payment_id: good }]);
    }
    expect((await list(`${path}&reference=none`)).items).toEqual([]);
    const later = new Date(money.world.now().getTime() + 60_000).toISOString();
    expect((await list(`${path}&from=${later}`)).items).toEqual([]);
    expect((await list(`${path}&to=${later}`)).items).toHaveLength(2);
    const seen = { actor_id: admin.user_id, subject: 'payments', purpose: 'ticket 1' };
    expect(await audited('payments.view', user.account_id)).toEqual(Array.from({ length: 9 }, () => seen));
  });

  it('are told step by step, with the receipt; and neither without a purpose nor to support', async () => {
    const user = await makeUser(money.world);
    const here = await user.signIn();
    const payment_id = await pay(here, '5000000', await saveCard(here));
    const path = `/v1/admin/payments/${payment_id}`;
    const { body } = await finance.get<Item>(`${path}?purpose=ticket%202`);
    expect(body).toMatchObject({
      payment_id,
      changes: expect.arrayContaining([expect.objectContaining({ to_state: 'succeeded' })]) as unknown,
      told: expect.arrayContaining([expect.objectContaining({ kind: 'payment.succeeded' })]) as unknown,
      ...{ receipt: { number: expect.stringMatching(/^RCT-/u) as unknown }, dispute_ids: [], refund_ids: [] },
      dunning_id: null,
    });
    expect(await audited('payment.view', user.account_id)).toEqual([
      { actor_id: admin.user_id, subject: `payment:${payment_id}`, purpose: 'ticket 2' },
    ]);
    expect(await finance.get(path)).toMatchObject({ status: 422 });
    expect(await finance.get(`/v1/admin/payments/${randomUUID()}?purpose=none`)).toMatchObject({ status: 404 });
    const support = await (await makeAdmin(money.world, ['support'])).signIn();
    for (const refused of [`${path}?purpose=x`, '/v1/admin/payments?purpose=x', '/v1/admin/disputes?purpose=x']) {
      expect(await support.get(refused)).toMatchObject({ status: 403 });
    }
  });
});

describe('disputes at the desk', () => {
  it('tell what was debited, what was not there, and what is owed now', async () => {
    const user = await makeUser(money.world);
    const here = await user.signIn();
    const card = await saveCard(here);
    const payment_id = await pay(here, '10000000', card);
    await spend(user, 7_000_000);
    const { id } = money.provider.dispute(money.paymentOf(payment_id));
    await money.provider.webhooks.flush();
    const path = `/v1/admin/disputes?purpose=case%203&account_id=${user.account_id}`;
    const standing = { payment_id, provider_dispute: id, amount_micros: '10000000', debited_micros: '3000000' };
    expect((await list(`${path}&state=open`)).items).toMatchObject([
      { ...standing, state: 'open', owed_micros: '7000000', receivable_micros: '7000000', is_restricted: true },
    ]);
    await pay(here, '5000000', card);
    expect((await list(path)).items).toMatchObject([
      { ...standing, state: 'open', owed_micros: '7000000', receivable_micros: '2000000', is_restricted: true },
    ]);
    money.provider.decide(id, 'lost');
    await money.provider.webhooks.flush();
    expect((await list(`${path}&state=open`)).items).toEqual([]);
    const [lost] = (await list(`${path}&state=lost`)).items;
    expect(lost).toMatchObject({ ...standing, state: 'lost', closed_at: expect.any(String) as unknown });
    expect((await finance.get<Item>(`/v1/admin/payments/${payment_id}?purpose=x`)).body).toMatchObject({
      ...{ state: 'charged_back', dispute_ids: [lost?.['dispute_id']] },
    });
    expect(await audited('disputes.view', user.account_id)).toHaveLength(4);
  });
});

describe('failed payments at the desk', () => {
  it('tell how often they were tried again, why they failed and when the next try is', async () => {
    const user = await makeUser(money.world);
    const here = await user.signIn();
    const method_id = await saveCard(here, DECLINED);
    const wish = { enabled: true, threshold_micros: '1000000', amount_micros: '8000000', method_id, per_day_max: 5 };
    expect(await here.ask('PUT', '/v1/auto-top-up', { body: wish, version: 0 })).toMatchObject({ status: 200 });
    const path = `/v1/admin/dunning?purpose=arrears&account_id=${user.account_id}`;
    const standing = async (): Promise<Item> => (await list(path)).items[0] ?? {};
    await expect
      .poll(() => standing(), { timeout: 8_000 })
      .toMatchObject({
        ...{ state: 'open', tries: 0, amount_micros: '8000000', last_failure: 'card_declined', card_is_removed: false },
        card: { last4: '0002' },
      });
    const before = await standing();
    expect(Date.parse(String(before['next_at']))).toBeGreaterThan(money.world.now().getTime());
    const [failed] = (await list(`/v1/admin/payments?purpose=x&account_id=${user.account_id}`)).items;
    expect(failed).toMatchObject({ payment_id: before['first_payment_id'], made_by: 'auto_top_up', state: 'failed' });
    money.world.advance(Date.parse(String(before['next_at'])) - money.world.now().getTime() + DAY_MS / 24);
    await money.runTask('dunning_look');
    await expect.poll(async () => (await standing())['tries'], { timeout: 8_000 }).toBe(1);
    await expect
      .poll(async () => Date.parse(String((await standing())['last_failed_at'])), { timeout: 8_000 })
      .toBeGreaterThan(Date.parse(String(before['last_failed_at'])));
    const [retry] = (await list(`/v1/admin/payments?purpose=x&account_id=${user.account_id}&made_by=retry`)).items;
    const course = await finance.get<Item>(`/v1/admin/payments/${String(retry?.['payment_id'])}?purpose=x`);
    expect(course.body).toMatchObject({ dunning_id: before['dunning_id'] });
    expect(await here.ask('DELETE', `/v1/payment-methods/${method_id}`)).toMatchObject({ status: 204 });
    expect(await standing()).toMatchObject({ state: 'withdrawn', next_at: null, card_is_removed: true });
    expect((await list(`${path}&state=recovered`)).items).toEqual([]);
  });
});

describe('promo credit and refunds at the desk', () => {
  it('of promo credit tell what was given, what is left and what lapsed', async () => {
    const user = await makeUser(money.world);
    const soon = new Date(money.world.now().getTime() + DAY_MS);
    const given = await finance.post<{ finance_order_id: string }>(
      `/v1/admin/accounts/${user.account_id}/promo-credits`,
      { amount_micros: '3000000', expires_at: soon.toISOString(), reason: 'an apology' },
    );
    expect(given.status).toBe(201);
    const path = `/v1/admin/promo-credits?purpose=audit&account_id=${user.account_id}`;
    await spend(user, 1_000_000);
    const granted = {
      ...{ granted_micros: '3000000', reason: 'an apology', requested_by: admin.user_id },
      finance_order_id: given.body.finance_order_id,
    };
    expect((await list(`${path}&state=usable`)).items).toMatchObject([
      { ...granted, state: 'usable', left_micros: '2000000', lapsed_micros: '0' },
    ]);
    await money.world.pool.query('select expire_promo($1, 100)', [new Date(soon.getTime() + 1)]);
    money.world.advance(2 * DAY_MS);
    expect((await list(`${path}&state=usable`)).items).toEqual([]);
    expect((await list(path)).items).toMatchObject([
      { ...granted, state: 'expired', left_micros: '0', lapsed_micros: '2000000' },
    ]);
    expect(await audited('promo_credits.view', user.account_id)).toHaveLength(3);
    const orders = await list(`/v1/admin/finance-orders?state=all&account_id=${user.account_id}`);
    expect(orders.items).toMatchObject([{ kind: 'promo', state: 'posted' }]);
    expect((await list(`/v1/admin/finance-orders?account_id=${user.account_id}`)).items).toEqual([]);
  });

  it('of refunds tell who asked, in every state', async () => {
    const user = await makeUser(money.world);
    const here = await user.signIn();
    await pay(here, '5000000', await saveCard(here));
    const asked = await here.post<{ refund_id: string }>('/v1/refunds', { amount_micros: '2000000' });
    expect(asked.status).toBe(201);
    const of_account = `account_id=${user.account_id}`;
    const all = async (): Promise<Item[]> => (await list(`/v1/admin/refunds?state=all&${of_account}`)).items;
    await expect
      .poll(all, { timeout: 8_000 })
      .toMatchObject([
        { refund_id: asked.body.refund_id, state: 'paid', requested_by_kind: 'customer', requested_by: user.user_id },
      ]);
    expect((await list(`/v1/admin/refunds?${of_account}`)).items).toEqual([]);
    const later = new Date(money.world.now().getTime() + 60_000).toISOString();
    expect((await list(`/v1/admin/refunds?state=all&${of_account}&from=${later}`)).items).toEqual([]);
  });
});
