import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { walletOf } from '../../deploy/world/verdict.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { giveUpJob } from '../jobs/testing/give_up_job.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { noticesTo, writeJobsDown } from '../testing/told_notices.ts';
import { MoneyWorld } from './testing/money_world.ts';

interface Shown {
  refund_id: string;
  state: string;
  amount_micros: string;
  parts: { payment_id: string; amount_micros: string; state: string }[];
}

interface Document {
  invoice_id: string;
  kind: string;
  total_micros: string;
  corrects: { invoice_id: string } | null;
}

let money: MoneyWorld;
let user: TestUser;
let here: PortalClient;

beforeAll(async () => {
  money = await MoneyWorld.begin({ SECOND_APPROVAL_ABOVE_UNITS: '50' });
  await writeJobsDown(money.world.pool);
});

beforeEach(async () => {
  money.provider.away = false;
  money.provider.webhooks.telling = { times: 1, backwards: false, delay_ms: 0 };
  user = await makeUser(money.world);
  here = await user.signIn();
});

afterAll(async () => {
  expect(await brokenInvariants(money.world.pool)).toEqual([]);
  await money.end();
});

const balance = async () => (await walletOf(money.world.pool, user.wallet_id)).balance_micros;

async function topUpBy(amount_micros: string): Promise<string> {
  const { body: card } = await here.post<{ method_id: string }>('/v1/payment-methods', { token: money.token() });
  const { body } = await here.post<{ payment_id: string; state: string }>('/v1/top-ups', {
    ...{ amount_micros, method_id: card.method_id },
  });
  expect(body.state).toBe('succeeded');
  return body.payment_id;
}

const preview = async () =>
  (
    await here.get<{ refundable_micros: string; parts: { payment_id: string; amount_micros: string }[] }>(
      '/v1/refunds/preview',
    )
  ).body;
const ask = (amount_micros: string) => here.post<Shown>('/v1/refunds', { amount_micros });
const stateOf = async (refund_id: string) =>
  (await here.get<{ items: Shown[] }>('/v1/refunds')).body.items.find((one) => one.refund_id === refund_id)?.state;
const paidBack = (payment_id: string) => money.provider.book.payments.get(money.paymentOf(payment_id))?.refunded_cents;

describe('a refund', () => {
  it('is what the preview says, to where it came from, once', async () => {
    const [first, second] = [await topUpBy('20000000'), await topUpBy('10000000')];
    await spend(3_456_789n);
    const shown = await preview();
    expect(shown.refundable_micros).toBe('26540000');
    expect(shown.parts).toEqual([
      { payment_id: second, amount_micros: '10000000' },
      { payment_id: first, amount_micros: '16540000' },
    ]);
    const { body } = await ask(shown.refundable_micros);
    expect(body.parts.map(({ payment_id, amount_micros }) => ({ payment_id, amount_micros }))).toEqual(
      expect.arrayContaining(shown.parts),
    );
    await expect.poll(() => stateOf(body.refund_id)).toBe('paid');
    expect([paidBack(first), paidBack(second)]).toEqual([1654n, 1000n]);
    expect(await balance()).toBe(3_211n);
    // The task is done once more, as after a crash: the provider pays nothing twice.
    await money.world.pool.query(`update refund set state = 'sending' where id = $1`, [body.refund_id]);
    await money.world.pool.query(`update refund_part set state = 'waiting' where refund_id = $1`, [body.refund_id]);
    await money.runTask('send_refund', { refund_id: body.refund_id });
    await expect.poll(() => stateOf(body.refund_id)).toBe('paid');
    expect([paidBack(first), paidBack(second)]).toEqual([1654n, 1000n]);
  });

  it('of more than is left is refused, and of promo credit there is none', async () => {
    await topUpBy('5000000');
    await money.world.pool.query(`select grant_promo(gen_random_uuid(), $1, 7000000, now() + interval '1 day', '{}')`, [
      user.wallet_id.toString(),
    ]);
    expect((await preview()).refundable_micros).toBe('5000000');
    expect(await ask('5010000')).toMatchObject({ status: 409, body: { type: 'urn:letsdial:problem:no_money' } });
    expect(await balance()).toBe(12_000_000n);
  });

  it('that the provider refuses puts the money back', async () => {
    const payment_id = await topUpBy('5000000');
    const theirs = money.provider.book.payments.get(money.paymentOf(payment_id));
    if (theirs !== undefined) theirs.state = 'cancelled';
    const { body } = await ask('5000000');
    await expect.poll(() => stateOf(body.refund_id)).toBe('failed');
    expect(await balance()).toBe(5_000_000n);
    expect((await preview()).refundable_micros).toBe('5000000');
  });

  it('that is not of whole cents, which no provider pays, is refused, whoever asks', async () => {
    await topUpBy('5000000');
    expect(await ask('1234567')).toMatchObject({ status: 422, body: { type: 'urn:letsdial:problem:invalid' } });
    const finance = await (await makeAdmin(money.world, ['finance'])).signIn();
    const wish = { amount_micros: '1234567', reason: 'asked for on the phone' };
    expect(await finance.post(`/v1/admin/accounts/${user.account_id}/refunds`, wish)).toMatchObject({ status: 422 });
    expect(await balance()).toBe(5_000_000n);
  });

  it('that comes back from the bank is in the wallet again, with a note that corrects the one before, once', async () => {
    await topUpBy('5000000');
    const { body } = await ask('5000000');
    await expect.poll(() => stateOf(body.refund_id)).toBe('paid');
    const [theirs] = [...money.provider.book.refunds.values()].slice(-1);
    money.provider.webhooks.telling = { times: 2, backwards: false, delay_ms: 60_000 };
    money.provider.failRefund(theirs?.id ?? '');
    await money.provider.webhooks.flush();
    expect(await stateOf(body.refund_id)).toBe('failed');
    expect(await balance()).toBe(5_000_000n);
    const { body: documents } = await here.get<{ items: Document[] }>('/v1/invoices');
    const [credit, debit] = ['credit_note', 'debit_note'].map((kind) =>
      documents.items.find((one) => one.kind === kind),
    );
    expect(credit).toMatchObject({ total_micros: '-5000000' });
    expect(debit).toMatchObject({ total_micros: '5000000', corrects: { invoice_id: credit?.invoice_id } });
    expect((await preview()).refundable_micros).toBe('5000000');
    const told = await noticesTo(money.world.pool, user.account_id, 'refund_done', 'refund_failed');
    expect(told.map(({ template }) => template)).toEqual(['refund_done', 'refund_failed']);
  });

  it('that waits is not paid as well where the bank takes the payment back', async () => {
    const payment_id = await topUpBy('80000000');
    const { body } = await ask('80000000');
    expect(body.state).toBe('waiting');
    money.provider.dispute(money.paymentOf(payment_id));
    await money.provider.webhooks.flush();
    expect(await stateOf(body.refund_id)).toBe('rejected');
    expect((await here.get('/v1/wallet')).body).toMatchObject({ free_micros: '0', owed_micros: '0' });
    expect(paidBack(payment_id)).toBe(0n);
  });

  it('that is on its way to the provider is not sent there where the bank has taken the payment back', async () => {
    const payment_id = await topUpBy('5000000');
    money.provider.away = true;
    const { body } = await ask('5000000');
    money.provider.dispute(money.paymentOf(payment_id));
    await money.provider.webhooks.flush();
    expect((await here.get('/v1/wallet')).body).toMatchObject({ owed_micros: '5000000' });
    money.provider.away = false;
    await money.runTask('send_refund', { refund_id: body.refund_id });
    await expect.poll(() => stateOf(body.refund_id)).toBe('failed');
    expect((await here.get('/v1/wallet')).body).toMatchObject({ free_micros: '0', owed_micros: '0' });
    expect(paidBack(payment_id)).toBe(0n);
  });

  it('that was tried too often while the provider was away is paid when it is back', async () => {
    const payment_id = await topUpBy('5000000');
    money.provider.away = true;
    const { body } = await ask('5000000');
    await giveUpJob(money.world.pool, `send_refund:${body.refund_id}`);
    money.provider.away = false;
    await money.runTask('look_at_refunds');
    await expect.poll(() => stateOf(body.refund_id), { timeout: 8_000 }).toBe('paid');
    expect(paidBack(payment_id)).toBe(500n);
  });

  it('above the limit waits for two of us, who are not the same', async () => {
    await topUpBy('80000000');
    const { body } = await ask('80000000');
    expect(body.state).toBe('waiting');
    expect(await balance()).toBe(0n);
    const [ada, bea] = [await makeAdmin(money.world, ['finance']), await makeAdmin(money.world, ['finance'])];
    const [one, other] = [await ada.signIn(), await bea.signIn()];
    const path = `/v1/admin/refunds/${body.refund_id}/approve`;
    expect(await one.post(path)).toMatchObject({ status: 200, body: { state: 'waiting' } });
    expect(await one.post(path)).toMatchObject({ status: 409 });
    expect(await other.post(path)).toMatchObject({ status: 200, body: { state: 'sending' } });
    await expect.poll(() => stateOf(body.refund_id)).toBe('paid');
    expect(await other.post(path)).toMatchObject({ status: 409 });
  });

  it('that an admin asks for is not approved by the same admin; rejected, it is back in the wallet', async () => {
    await topUpBy('80000000');
    const [ada, bea] = [await makeAdmin(money.world, ['finance']), await makeAdmin(money.world, ['finance'])];
    const [one, other] = [await ada.signIn(), await bea.signIn()];
    const wish = { amount_micros: '60000000', reason: 'the account is closed' };
    const { body } = await one.post<Shown>(`/v1/admin/accounts/${user.account_id}/refunds`, wish);
    expect(body.state).toBe('waiting');
    const approval = await one.post(`/v1/admin/refunds/${body.refund_id}/approve`);
    expect(approval).toMatchObject({ status: 409, body: { type: 'urn:letsdial:problem:second_approval_required' } });
    const rejection = await other.post(`/v1/admin/refunds/${body.refund_id}/reject`, { reason: 'still in use' });
    expect(rejection).toMatchObject({ status: 200, body: { state: 'rejected' } });
    expect(await balance()).toBe(80_000_000n);
    expect((await preview()).refundable_micros).toBe('80000000');
    const support = await (await makeAdmin(money.world, ['support'])).signIn();
    expect(await support.post(`/v1/admin/accounts/${user.account_id}/refunds`, wish)).toMatchObject({ status: 403 });
  });

  async function spend(micros: bigint): Promise<void> {
    await money.world.pool.query(`select charge_wallet('purchase', gen_random_uuid(), $1, $2, 0, '{}', now())`, [
      user.wallet_id.toString(),
      micros.toString(),
    ]);
  }
});

describe('what finance corrects', () => {
  it('counts together within a day, and apart from what a customer has back of their own', async () => {
    await topUpBy('45000000');
    const own = await ask('40000000');
    await expect.poll(() => stateOf(own.body.refund_id)).toBe('paid');
    const one = await (await makeAdmin(money.world, ['finance'])).signIn();
    const path = `/v1/admin/accounts/${user.account_id}/adjustments`;
    const gift = { direction: 'credit', net_micros: '30000000', tax_micros: '0', reason: 'a fault' };
    const both = await Promise.all([one.post<Shown>(path, gift), one.post<Shown>(path, gift)]);
    expect(both.map(({ body }) => body.state).sort()).toEqual(['posted', 'waiting']);
    expect(await balance()).toBe(35_000_000n);
    money.world.advance(86_400_000 + 1_000);
    const next_day = await (await makeAdmin(money.world, ['finance'])).signIn();
    expect(await next_day.post(path, gift)).toMatchObject({ body: { state: 'posted' } });
  });

  it('above the limit takes two, and is on record', async () => {
    const [ada, bea] = [await makeAdmin(money.world, ['finance']), await makeAdmin(money.world, ['owner'])];
    const [one, other] = [await ada.signIn(), await bea.signIn()];
    const path = `/v1/admin/accounts/${user.account_id}/adjustments`;
    const small = { direction: 'credit', net_micros: '10000000', tax_micros: '1900000', reason: 'a fault' };
    expect(await one.post(path, small)).toMatchObject({ status: 201, body: { state: 'posted' } });
    expect(await balance()).toBe(11_900_000n);
    const large = { ...small, net_micros: '50000000' };
    const { body } = await one.post<{ finance_order_id: string; state: string }>(path, large);
    expect(body.state).toBe('waiting');
    const approve = `/v1/admin/finance-orders/${body.finance_order_id}/approve`;
    expect(await one.post(approve)).toMatchObject({ status: 409 });
    expect(await other.post(approve)).toMatchObject({ status: 200, body: { state: 'posted' } });
    expect(await balance()).toBe(63_800_000n);
    const debit = { ...small, direction: 'debit' };
    expect(await one.post(path, debit)).toMatchObject({ status: 201, body: { state: 'posted' } });
    expect(await balance()).toBe(51_900_000n);
    const { rows } = await money.world.pool.query<{ action: string }>(
      'select action from audit_log where account_id = $1 order by seq',
      [user.account_id],
    );
    expect(rows.map(({ action }) => action)).toEqual([
      ...['wallet.credit', 'wallet.credit', 'finance_order.approve', 'wallet.debit'],
    ]);
  });

  it('may be promo credit, which ends, but not under a call that it may still pay', async () => {
    const one = await (await makeAdmin(money.world, ['finance'])).signIn();
    const expires_at = new Date(money.world.now().getTime() + 3_600_000).toISOString();
    const granted = await one.post(`/v1/admin/accounts/${user.account_id}/promo-credits`, {
      ...{ amount_micros: '5000000', expires_at, reason: 'welcome' },
    });
    expect(granted).toMatchObject({ status: 201, body: { state: 'posted' } });
    const wallet = () =>
      here.get<{ free_micros: string; promo: { amount_micros: string }[] }>('/v1/wallet').then(({ body }) => body);
    expect(await wallet()).toMatchObject({ free_micros: '5000000', promo: [{ amount_micros: '5000000', expires_at }] });
    money.world.advance(2 * 3_600_000);
    here = await user.signIn();
    expect(await wallet()).toMatchObject({ free_micros: '0', balance_micros: '5000000', promo: [] });
    await money.runTask('expire_promo');
    await expect.poll(balance).toBe(0n);
    const { body } = await here.get<{ items: { kind: string; amount_micros: string }[] }>('/v1/wallet/entries');
    expect(body.items).toMatchObject([
      { kind: 'promo_expiry', amount_micros: '-5000000' },
      { kind: 'promo', amount_micros: '5000000', what: 'Promo credit: welcome' },
    ]);
  });
});
