import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { walletOf } from '../../deploy/world/verdict.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { makeMember, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { MoneyWorld } from './testing/money_world.ts';

interface Paid {
  payment_id: string;
  state: string;
  failure: string | null;
  checkout_url: string | null;
}

let money: MoneyWorld;
let user: TestUser;
let here: PortalClient;

beforeAll(async () => {
  money = await MoneyWorld.begin();
});

beforeEach(async () => {
  money.provider.webhooks.telling = { times: 1, backwards: false, delay_ms: 60_000 };
  user = await makeUser(money.world);
  here = await user.signIn();
});

afterAll(async () => {
  expect(await brokenInvariants(money.world.pool)).toEqual([]);
  await money.end();
});

const balance = async () => (await walletOf(money.world.pool, user.wallet_id)).balance_micros;
const begin = (amount_micros: string, more: object = {}) => here.post<Paid>('/v1/top-ups', { amount_micros, ...more });
const saveCard = async (number?: string) => {
  const reply = await here.post<{ method_id: string }>('/v1/payment-methods', { token: money.token(number) });
  expect(reply.status).toBe(201);
  return reply.body.method_id;
};
const stateOf = async (payment_id: string) => (await here.get<Paid>(`/v1/payments/${payment_id}`)).body;

describe('a top-up', () => {
  it('counts once, though the provider tells it twice and the latest first', async () => {
    const begun = await begin('25000000');
    expect(begun).toMatchObject({ status: 201, body: { state: 'pending' } });
    expect(begun.body.checkout_url).toContain(money.provider.url);
    const { payment_id } = begun.body;
    money.provider.pay(money.paymentOf(payment_id), '4242424242424242');
    money.provider.webhooks.telling = { times: 2, backwards: true, delay_ms: 60_000 };
    await money.provider.webhooks.flush();
    expect(await balance()).toBe(25_000_000n);
    expect(await stateOf(payment_id)).toMatchObject({ state: 'succeeded' });
    const { rows: receipts } = await money.world.pool.query<{ number: string }>(
      'select number from invoice where attempt_id = $1',
      [payment_id],
    );
    expect(receipts).toHaveLength(1);
    expect(receipts[0]?.number).toMatch(/^RCT-\d{4}-\d{6}$/u);
  });

  it('pays numbers that wait for money, at once', async () => {
    const { pool } = money.world;
    const number = '+4940400001';
    await pool.query(`insert into did (number, account_id, state) values ($1, $2, 'suspended')`, [
      number,
      user.account_id,
    ]);
    await pool.query(
      `insert into number_holding (id, number, account_id, wallet_id, state, state_since, held_from, currency, monthly_micros, anchor_day, paid_until)
       values ($1, $2, $3, $4, 'suspended', now(), now() - interval '40 days', 'EUR', 3000000, 1, now() - interval '9 days')`,
      [randomUUID(), number, user.account_id, user.wallet_id.toString()],
    );
    const { body } = await begin('25000000');
    money.provider.pay(money.paymentOf(body.payment_id), '4242424242424242');
    await money.provider.webhooks.flush();
    const held = async (): Promise<string> => (await here.get<{ state: string }>(`/v1/numbers/${number}`)).body.state;
    await expect.poll(held, { timeout: 8_000 }).toBe('active');
    expect(await balance()).toBe(22_000_000n);
  });

  it('is one payment for one key, though it is asked for at the same moment', async () => {
    const method_id = await saveCard();
    const idempotency_key = randomUUID();
    const ask = () => here.post<Paid>('/v1/top-ups', { amount_micros: '5000000', method_id }, { idempotency_key });
    const replies = await Promise.all([ask(), ask(), ask()]);
    expect(replies.filter(({ status }) => status === 201).length).toBeGreaterThan(0);
    expect(replies.every(({ status }) => status === 201 || status === 409)).toBe(true);
    await money.provider.webhooks.flush();
    expect(await balance()).toBe(5_000_000n);
  });

  it('that is declined moves nothing, and is tried again', async () => {
    const declined = await begin('5000000', { method_id: await saveCard('4000000000000002') });
    expect(declined.body).toMatchObject({ state: 'failed', failure: 'card_declined' });
    await money.provider.webhooks.flush();
    expect(await balance()).toBe(0n);
    const again = await here.post<Paid>(`/v1/payments/${declined.body.payment_id}/retry`);
    expect(again).toMatchObject({ status: 201, body: { state: 'failed' } });
  });

  it('may be told late, and leaves the card that was to be kept', async () => {
    const { body } = await begin('7000000', { save_method: true });
    money.provider.pay(money.paymentOf(body.payment_id), '4000000000000077');
    await money.provider.webhooks.flush();
    expect(await balance()).toBe(0n);
    money.provider.finish(money.paymentOf(body.payment_id), 'succeeded');
    await money.provider.webhooks.flush();
    expect(await balance()).toBe(7_000_000n);
    const cards = () => here.get<{ items: { last4: string }[] }>('/v1/payment-methods');
    await expect.poll(async () => (await cards()).body.items.map(({ last4 }) => last4)).toEqual(['0077']);
  });

  it('counts though nobody told of it, as the provider is asked', async () => {
    const method_id = await saveCard('4000000000000077');
    const { body } = await here.post<{ payment_id: string; state: string }>('/v1/top-ups', {
      ...{ amount_micros: '7000000', method_id },
    });
    expect(body.state).toBe('pending');
    const theirs = money.provider.book.payments.get(money.paymentOf(body.payment_id));
    if (theirs !== undefined) theirs.state = 'succeeded';
    money.world.advance(16 * 60_000);
    await money.runTask('ask_for_payments');
    await expect.poll(balance).toBe(7_000_000n);
  });

  it('is asked for again with the same key when the provider was away', async () => {
    const idempotency_key = randomUUID();
    const wish = { amount_micros: '5000000' };
    await begin('1000000');
    money.provider.away = true;
    expect(await here.post('/v1/top-ups', wish, { idempotency_key })).toMatchObject({ status: 503 });
    money.provider.away = false;
    expect(await here.post('/v1/top-ups', wish, { idempotency_key })).toMatchObject({ status: 201 });
    const { body } = await here.get<{ items: unknown[] }>('/v1/payments');
    expect(body.items).toHaveLength(2);
  });

  it('is refused where it is not of whole cents, under a policy that is not in force, with another’s card', async () => {
    expect(await begin('5000001')).toMatchObject({ status: 422 });
    expect(await begin('5000000', { policy_version: 'long ago' })).toMatchObject({ status: 409 });
    const theirs = await (await makeUser(money.world)).signIn();
    const saved = await theirs.post<{ method_id: string }>('/v1/payment-methods', { token: money.token() });
    expect(await begin('5000000', { method_id: saved.body.method_id })).toMatchObject({ status: 404 });
    const member = await (await makeMember(money.world, user.account_id, 'member')).signIn();
    expect(await member.post('/v1/top-ups', { amount_micros: '5000000' })).toMatchObject({ status: 403 });
  });

  it('of somebody else is not there', async () => {
    const { body } = await begin('5000000');
    const eve = await (await makeUser(money.world)).signIn();
    expect(await eve.get(`/v1/payments/${body.payment_id}`)).toMatchObject({ status: 404 });
    expect(await eve.post(`/v1/payments/${body.payment_id}/retry`)).toMatchObject({ status: 404 });
  });
});

describe('what claims to be the provider', () => {
  const tell = async (body: string, signature: string) =>
    (
      await fetch(`${money.world.url}/v1/payment-events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'letsdial-signature': signature },
        body,
      })
    ).status;

  it('is refused unless it signed these bytes, now', async () => {
    const { body: begun } = await begin('9000000');
    const payment = { ...told(money.paymentOf(begun.payment_id)), state: 'succeeded' };
    const event = JSON.stringify({ type: 'payment', id: 'evt_forged', payment });
    const { webhooks } = money.provider;
    expect(await tell(event, '')).toBe(403);
    expect(await tell(event, `t=1,v1=${'0'.repeat(64)}`)).toBe(403);
    expect(await tell(event.replace('9000000', '9000001') + ' ', webhooks.sign(event).signature)).toBe(403);
    const old = new Date(money.world.now().getTime() - 600_000);
    const ahead = new Date(money.world.now().getTime() + 600_000);
    expect(await tell(event, webhooks.sign(event, old).signature)).toBe(403);
    expect(await tell(event, webhooks.sign(event, ahead).signature)).toBe(403);
    expect(await tell('no json', webhooks.sign('no json').signature)).toBe(400);
    expect(await balance()).toBe(0n);
    // Right, and then replayed.
    const { signature } = webhooks.sign(event);
    expect([await tell(event, signature), await tell(event, signature)]).toEqual([204, 204]);
    expect(await balance()).toBe(9_000_000n);
  });

  it('may tell of what is none of ours, or of nothing we know', async () => {
    const stranger = JSON.stringify({ type: 'payment', id: 'evt_stranger', payment: told(null) });
    expect(await tell(stranger, money.provider.webhooks.sign(stranger).signature)).toBe(204);
    const odd = JSON.stringify({ type: 'odd' });
    expect(await tell(odd, money.provider.webhooks.sign(odd).signature)).toBe(204);
  });

  function told(provider_payment: string | null): object {
    const payment = provider_payment === null ? undefined : money.provider.book.payments.get(provider_payment);
    return {
      ...{ id: payment?.id ?? 'pay_stranger', reference: payment?.reference ?? null, state: 'succeeded' },
      ...{ amount_cents: '900', refunded_cents: '0', currency: 'EUR', checkout_url: null, failure: null },
    };
  }
});

describe('a wallet that fills itself', () => {
  const attemptsOf = async (account_id: string) => {
    const { rows } = await money.world.pool.query<{ purpose: string; state: string }>(
      'select purpose, state from payment_attempt where account_id = $1 order by created_at, id',
      [account_id],
    );
    return rows.map(({ purpose, state }) => `${purpose} ${state}`);
  };
  const attempts = () => attemptsOf(user.account_id);
  const wish = (method_id: string, more: object = {}) => ({
    ...{ enabled: true, threshold_micros: '5000000', amount_micros: '4000000', method_id, per_day_max: 3, ...more },
  });
  const set = (body: object, version: number) => here.ask('PUT', '/v1/auto-top-up', { body, version });

  it('does so until it is full enough, and no oftener in a day than it may', async () => {
    const method_id = await saveCard();
    expect(await set(wish(method_id), 0)).toMatchObject({ status: 200, body: { version: 1 } });
    expect(await set(wish(method_id), 0)).toMatchObject({ status: 412 });
    await expect.poll(balance).toBe(4_000_000n);
    await money.runTask('auto_top_up_look');
    await expect.poll(balance).toBe(8_000_000n);
    await set(wish(method_id, { threshold_micros: '90000000' }), 1);
    await expect.poll(balance).toBe(12_000_000n);
    await money.runTask('auto_top_up_look', { again: 1 });
    await money.runTask('auto_top_up_look', { again: 2 });
    await expect.poll(() => money.waiting('auto_top_up_look')).toBe(0);
    expect(await attempts()).toEqual(Array.from({ length: 3 }, () => 'auto_top_up succeeded'));
  });

  it('tries again after 1, 3 and 5 days where a payment failed, and then no more', async () => {
    await set(wish(await saveCard('4000000000000002')), 0);
    await expect.poll(attempts).toEqual(['auto_top_up failed']);
    const failed = ['auto_top_up failed'];
    for (const days of [1, 2, 2]) {
      money.world.advance(days * 86_400_000 + 1_000);
      await money.runTask('dunning_look');
      failed.push('retry failed');
      await expect.poll(attempts).toEqual(failed);
    }
    here = await user.signIn();
    expect(await here.get('/v1/auto-top-up')).toMatchObject({
      body: { enabled: false, stopped_because: 'payments failed' },
    });
    const { rows } = await money.world.pool.query('select state, tries from dunning where account_id = $1', [
      user.account_id,
    ]);
    expect(rows).toEqual([{ state: 'exhausted', tries: 3 }]);
  });

  const dunning = async (): Promise<unknown> =>
    (
      await money.world.pool.query<{ state: string }>('select state from dunning where account_id = $1', [
        user.account_id,
      ])
    ).rows.map(({ state }) => state);

  it('tries again at once by another card that its owner chooses, and fills itself by that from then on', async () => {
    await set(wish(await saveCard('4000000000000002')), 0);
    await expect.poll(attempts).toEqual(['auto_top_up failed']);
    const good = await saveCard();
    expect(await set(wish(good, { threshold_micros: '4000001', per_day_max: 2 }), 1)).toMatchObject({ status: 200 });
    // What failed counts, too; and no look that comes after the new try fills more.
    await expect.poll(balance).toBe(4_000_000n);
    expect(await dunning()).toEqual(['recovered']);
    await set(wish(good, { threshold_micros: '4000001' }), 2);
    await expect.poll(balance).toBe(8_000_000n);
  });

  it('does so though the payment of another one cannot be begun', async () => {
    const [bad, bad_method] = [user, await saveCard()];
    money.provider.faulty.add(money.provider.book.customer(bad.account_id));
    user = await makeUser(money.world);
    here = await user.signIn();
    const method_id = await saveCard();
    await money.world.pool.query(
      `insert into auto_top_up (account_id, enabled, threshold_micros, amount_micros, method_id, per_day_max)
       values ($1, true, 5000000, 4000000, $2, 1), ($3, true, 5000000, 4000000, $4, 1)`,
      [bad.account_id, bad_method, user.account_id, method_id],
    );
    await money.runTask('auto_top_up_look');
    await expect.poll(balance, { timeout: 8_000 }).toBe(4_000_000n);
    expect(await attemptsOf(bad.account_id)).toEqual(['auto_top_up created']);
  });

  it('tries nothing again that fails after its owner has switched it off', async () => {
    const slow = await saveCard('4000000000000077');
    await set(wish(slow), 0);
    await expect.poll(attempts).toEqual(['auto_top_up pending']);
    await set(wish(slow, { enabled: false }), 1);
    const { rows } = await money.world.pool.query<{ id: string }>(
      'select id from payment_attempt where account_id = $1',
      [user.account_id],
    );
    money.provider.finish(money.paymentOf(rows[0]?.id ?? ''), 'failed');
    await money.provider.webhooks.flush();
    expect(await attempts()).toEqual(['auto_top_up failed']);
    expect(await dunning()).toEqual([]);
  });

  it.each(['is removed', 'is not to be charged any more'])('tries no more where the card %s', async (how) => {
    const bad = await saveCard('4000000000000002');
    await set(wish(bad), 0);
    await expect.poll(attempts).toEqual(['auto_top_up failed']);
    if (how === 'is removed') await here.ask('DELETE', `/v1/payment-methods/${bad}`);
    else await set(wish(bad, { enabled: false }), 1);
    expect(await dunning()).toEqual(['withdrawn']);
    money.world.advance(86_400_000 + 1_000);
    here = await user.signIn();
    await set(wish(await saveCard()), 2);
    await expect.poll(attempts, { timeout: 8_000 }).toEqual(['auto_top_up failed', 'auto_top_up succeeded']);
  });
});
