import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOLERANCE_MS, whySignatureIsWrong } from '../../payments/signature.ts';
import { StripeProvider } from '../../payments/stripe_provider.ts';
import { PortalWorld } from '../../testing/portal_world.ts';

const secret = randomBytes(20).toString('hex');

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin({
    // Nobody listens there, as nothing is asked for here.
    ...{ PAYMENT_PROVIDER_URL: 'http://127.0.0.1:9', PAYMENT_WEBHOOK_SECRET: secret },
    ...{ NUMBER_PROVIDER_URL: 'http://127.0.0.1:9', NUMBER_PROVIDER_KEY: secret },
    NUMBER_PROVIDER_WEBHOOK_SECRET: secret,
  });
});

afterAll(() => world.end());

/** As both providers of ours sign, and Stripe does. */
function signed(body: string, at: Date): string {
  const t = Math.floor(at.getTime() / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}

const PROVIDERS = {
  payments: {
    path: '/v1/payment-events',
    header: 'letsdial-signature',
    body: () => {
      const payment = {
        reference: null,
        state: 'succeeded',
        amount_cents: '100',
        refunded_cents: '0',
        currency: 'EUR',
      };
      const id = randomUUID();
      return { type: 'payment', id, payment: { ...payment, id, checkout_url: null, failure: null } };
    },
  },
  numbers: {
    path: '/v1/webhooks/number-provider',
    header: 'number-provider-signature',
    body: () => ({ id: randomUUID(), type: 'order.supplied', order_id: randomUUID() }),
  },
} as const;

/** What the portal answers to a message that was signed so long before its own time of day, or after it. */
async function answerTo(provider: keyof typeof PROVIDERS, late_ms: number): Promise<number> {
  const { path, header, body } = PROVIDERS[provider];
  const text = JSON.stringify(body());
  const { status } = await fetch(`${world.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', [header]: signed(text, new Date(world.now().getTime() - late_ms)) },
    body: text,
  });
  return status;
}

/** A second is what a signature counts in, and the others are for a machine that is slow. */
const SLACK_MS = 30_000;

describe.each(['payments', 'numbers'] as const)('what the provider of %s signs', (provider) => {
  it.each([
    ['just now', 0, 204],
    ['as long ago as is taken', TOLERANCE_MS - SLACK_MS, 204],
    ['longer ago', TOLERANCE_MS + SLACK_MS, 403],
    ['by a clock that is as far ahead as is taken', -TOLERANCE_MS + SLACK_MS, 204],
    ['by a clock that is further ahead', -TOLERANCE_MS - SLACK_MS, 403],
    ['a day ago', 86_400_000, 403],
  ] as const)('%s is answered rightly', async (_, late_ms, status) => {
    expect(await answerTo(provider, late_ms)).toBe(status);
  });

  it('is taken by a portal whose own clock is some minutes off, and by none that is further off', async () => {
    for (const [off_ms, status] of [
      [240_000, 204],
      [-240_000, 204],
      [360_000, 403],
      [-360_000, 403],
    ] as const) {
      world.advance(off_ms);
      // Signed by the true time.
      expect(await answerTo(provider, off_ms)).toBe(status);
      world.advance(-off_ms);
    }
  });
});

describe('the time of a signature', () => {
  const body = '{"id":"evt_1","object":"event","type":"customer.created","data":{"object":{}}}';
  const at = new Date('2026-05-01T12:00:00.000Z');
  const header = signed(body, at);
  const stripe = new StripeProvider({ secret_key: 'sk_test_local', webhook_secret: secret, url: null });
  const ours = (now: Date): boolean => whySignatureIsWrong(secret, Buffer.from(body), header, now) === null;
  const stripes = (now: Date): boolean =>
    stripe.readWebhook(Buffer.from(body), { 'stripe-signature': header }, now).kind !== 'refused';

  it.each([
    ['of our own providers', ours, 1],
    // Its SDK counts in whole seconds.
    ['of Stripe', stripes, 1_000],
  ] as const)('%s is taken up to five minutes off, on both sides, and not beyond', (_, isTaken, beyond_ms) => {
    const after = (ms: number): boolean => isTaken(new Date(at.getTime() + ms));
    expect(TOLERANCE_MS).toBe(300_000);
    expect([after(-TOLERANCE_MS), after(0), after(TOLERANCE_MS)]).toEqual([true, true, true]);
    expect([after(-TOLERANCE_MS - 1), after(TOLERANCE_MS + beyond_ms)]).toEqual([false, false]);
  });

  it('is signed with it: another time makes another signature', () => {
    const t = Math.floor(at.getTime() / 1000);
    const moved = header.replace(`t=${t}`, `t=${t + 600}`);
    const later = new Date(at.getTime() + 600_000);
    expect(whySignatureIsWrong(secret, Buffer.from(body), moved, later)).toBe('the signature is wrong');
    expect(stripe.readWebhook(Buffer.from(body), { 'stripe-signature': moved }, later).kind).toBe('refused');
  });
});
