import { createHmac, randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StripeProvider } from './stripe_provider.ts';

/** What was asked of it, and what it answers next: Stripe's API in the shape that the SDK reads. */
interface Asked {
  method: string;
  path: string;
  form: URLSearchParams;
  idempotency_key: string | undefined;
}

const asked: Asked[] = [];
let answers: (request: Asked) => { status: number; body: unknown };
let server: http.Server;
let provider: StripeProvider;

const SECRET = 'whsec_of_the_tests_alone';

beforeAll(async () => {
  server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      const key = request.headers['idempotency-key'];
      const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
      const one = {
        method: request.method ?? '',
        path,
        form,
        idempotency_key: typeof key === 'string' ? key : undefined,
      };
      asked.push(one);
      const { status, body } = answers(one);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  provider = new StripeProvider({
    secret_key: 'sk_test_local',
    webhook_secret: SECRET,
    url: `http://127.0.0.1:${port}`,
  });
});

beforeEach(() => {
  asked.length = 0;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
});

const payment_id = randomUUID();
const payment = {
  ...{ payment_id, amount_cents: 1_250n, currency: 'EUR', customer: 'cus_1', save_method: true },
  ...{ method_token: 'pm_1', return_url: 'https://portal.example/wallet' },
};
const intent = { id: 'pi_1', object: 'payment_intent', amount: 1_250, currency: 'eur', metadata: { payment_id } };

describe('Stripe', () => {
  it('charges a saved card once for a payment of ours', async () => {
    answers = () => ({ status: 200, body: { ...intent, status: 'succeeded', last_payment_error: null } });
    expect(await provider.startPayment(payment)).toEqual({
      ...{ kind: 'started', provider_payment: 'pi_1', state: 'succeeded', checkout_url: null, failure: null },
    });
    expect(asked).toMatchObject([
      { method: 'POST', path: '/v1/payment_intents', idempotency_key: `payment-${payment_id}` },
    ]);
    expect(Object.fromEntries(asked[0]?.form ?? [])).toMatchObject({
      ...{ amount: '1250', currency: 'eur', payment_method: 'pm_1', off_session: 'true', confirm: 'true' },
      'metadata[payment_id]': payment_id,
    });
  });

  it('tells a decline from silence', async () => {
    const error = { type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds', message: 'No.' };
    answers = () => ({ status: 402, body: { error: { ...error, payment_intent: intent } } });
    expect(await provider.startPayment(payment)).toMatchObject({
      ...{ kind: 'started', state: 'failed', failure: 'insufficient_funds', provider_payment: 'pi_1' },
    });
    answers = () => ({ status: 500, body: { error: { type: 'api_error', message: 'Down.' } } });
    expect(await provider.startPayment(payment)).toEqual({ kind: 'unavailable' });
  });

  it('tells what it does not take from silence, whether by a card or on its page', async () => {
    const error = { type: 'invalid_request_error', code: 'resource_missing', message: 'No such payment method.' };
    answers = () => ({ status: 400, body: { error } });
    for (const method_token of ['pm_gone', null]) {
      expect(await provider.startPayment({ ...payment, method_token })).toEqual({
        ...{
          kind: 'started',
          provider_payment: null,
          state: 'failed',
          checkout_url: null,
          failure: 'resource_missing',
        },
      });
    }
    answers = () => ({ status: 429, body: { error: { ...error, code: 'lock_timeout' } } });
    expect(await provider.startPayment(payment)).toEqual({ kind: 'unavailable' });
  });

  it('has a page to pay on, for a card that is kept', async () => {
    answers = () => ({
      ...{
        status: 200,
        body: { id: 'cs_1', object: 'checkout.session', url: 'https://pay.example/cs_1', payment_intent: null },
      },
    });
    expect(await provider.startPayment({ ...payment, method_token: null })).toEqual({
      ...{
        kind: 'started',
        provider_payment: null,
        state: 'pending',
        failure: null,
        checkout_url: 'https://pay.example/cs_1',
      },
    });
    expect(Object.fromEntries(asked[0]?.form ?? [])).toMatchObject({
      ...{ mode: 'payment', 'payment_intent_data[setup_future_usage]': 'off_session' },
      'payment_intent_data[metadata][payment_id]': payment_id,
    });
  });

  it('refunds once, also a day later when it has forgotten the key', async () => {
    const refund_id = randomUUID();
    const wish = { refund_id, provider_payment: 'pi_1', amount_cents: 400n };
    const refund = { id: 're_1', object: 'refund', status: 'succeeded', metadata: { refund_id } };
    answers = ({ method }) => ({
      status: 200,
      body: method === 'GET' ? { object: 'list', data: [], has_more: false } : refund,
    });
    expect(await provider.refund(wish)).toEqual({ kind: 'paid', provider_refund: 're_1' });
    answers = () => ({ status: 200, body: { object: 'list', data: [refund], has_more: false } });
    expect(await provider.refund(wish)).toEqual({ kind: 'paid', provider_refund: 're_1' });
    expect(asked.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  it('lists its payments page by page', async () => {
    answers = ({ path }) => {
      const is_second = path.includes('starting_after=pi_1');
      const latest_charge = { id: 'ch', object: 'charge', amount_refunded: 400 };
      const body = { ...intent, id: is_second ? 'pi_2' : 'pi_1', status: 'succeeded', latest_charge };
      return { status: 200, body: { object: 'list', url: '/v1/payment_intents', data: [body], has_more: !is_second } };
    };
    const listed: string[] = [];
    for await (const one of provider.listPayments(new Date(0))) {
      listed.push(one.provider_payment);
      expect(one).toMatchObject({
        payment_id,
        amount_cents: 1_250n,
        refunded_cents: 400n,
        currency: 'EUR',
        state: 'succeeded',
      });
    }
    expect(listed).toEqual(['pi_1', 'pi_2']);
  });
});

describe('what Stripe signs', () => {
  const now = new Date('2026-05-01T12:00:00Z');
  const read = (event: unknown, at = now, secret = SECRET) => {
    const raw = Buffer.from(JSON.stringify(event));
    const t = Math.floor(at.getTime() / 1000);
    const v1 = createHmac('sha256', secret).update(`${t}.`).update(raw).digest('hex');
    return provider.readWebhook(raw, { 'stripe-signature': `t=${t},v1=${v1}` }, now);
  };
  const event = (type: string, object: object) => ({ id: 'evt_1', object: 'event', type, data: { object } });

  it('is told in our words', () => {
    const succeeded = event('payment_intent.succeeded', { ...intent, last_payment_error: null });
    expect(read(succeeded)).toEqual({
      kind: 'event',
      event: {
        ...{
          kind: 'payment',
          event_id: 'evt_1',
          provider_payment: 'pi_1',
          payment_id,
          state: 'succeeded',
          failure: null,
        },
      },
    });
    const failed = event('payment_intent.payment_failed', { ...intent, last_payment_error: { code: 'card_declined' } });
    expect(read(failed)).toMatchObject({ event: { state: 'failed', failure: 'card_declined' } });
    const dispute = { id: 'dp_1', status: 'needs_response', amount: 1_250, payment_intent: 'pi_1', metadata: {} };
    expect(read(event('charge.dispute.created', dispute))).toMatchObject({
      event: { kind: 'dispute', dispute: 'dp_1', state: 'open', provider_payment: 'pi_1', amount_cents: 1_250n },
    });
    const won = event('charge.dispute.closed', { ...dispute, status: 'won' });
    expect(read(won)).toMatchObject({ event: { state: 'won' } });
    // Of an inquiry nothing is taken, and it ends without a decision; where it becomes a dispute the money goes first.
    for (const status of ['warning_needs_response', 'warning_under_review', 'warning_closed', 'prevented']) {
      expect(read(event('charge.dispute.created', { ...dispute, status }))).toEqual({ kind: 'other' });
      expect(read(event('charge.dispute.closed', { ...dispute, status }))).toEqual({ kind: 'other' });
    }
    expect(read(event('charge.dispute.funds_withdrawn', dispute))).toMatchObject({ event: { state: 'open' } });
    const refund = { id: 're_1', status: 'failed', payment_intent: 'pi_1', metadata: {} };
    expect(read(event('refund.failed', refund))).toMatchObject({
      event: { kind: 'refund', provider_refund: 're_1', provider_payment: 'pi_1', state: 'failed' },
    });
    expect(read(event('refund.updated', { ...refund, status: 'succeeded' }))).toEqual({ kind: 'other' });
    expect(read(event('customer.created', {}))).toEqual({ kind: 'other' });
  });

  it('is refused where it is forged, old, ahead or without a signature', () => {
    const told = event('payment_intent.succeeded', intent);
    expect(read(told, now, 'another secret')).toMatchObject({ kind: 'refused' });
    expect(read(told, new Date(now.getTime() - 600_000))).toMatchObject({ kind: 'refused' });
    expect(read(told, new Date(now.getTime() + 600_000))).toMatchObject({ kind: 'refused' });
    expect(provider.readWebhook(Buffer.from('{}'), {}, now)).toMatchObject({ kind: 'refused' });
  });
});
