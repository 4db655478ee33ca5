import Stripe from 'stripe';
import { z } from 'zod';
import type {
  NewPayment,
  PaymentProvider,
  PaymentState,
  ProviderEvent,
  ProviderPayment,
  ReadWebhook,
  SavedCard,
  StartedPayment,
} from './payment_provider.ts';
import { TOLERANCE_MS } from './signature.ts';

export interface StripeProviderOptions {
  secret_key: string;
  webhook_secret: string;
  /** Where the API is, if it is not Stripe's own. */
  url: string | null;
}

const uuid = z.uuid();
const ourId = (metadata: Stripe.Metadata | null | undefined): string | null => {
  const parsed = uuid.safeParse(metadata?.['payment_id']);
  return parsed.success ? parsed.data : null;
};

/** Stripe, by its own SDK. */
export class StripeProvider implements PaymentProvider {
  readonly name = 'stripe';
  readonly #stripe: Stripe;
  readonly #webhook_secret: string;

  constructor({ secret_key, webhook_secret, url }: StripeProviderOptions) {
    const at = url === null ? null : new URL(url);
    this.#webhook_secret = webhook_secret;
    this.#stripe = new Stripe(secret_key, {
      ...{ maxNetworkRetries: 1, timeout: 10_000, telemetry: false },
      ...(at === null
        ? {}
        : {
            host: at.hostname,
            port: at.port === '' ? (at.protocol === 'https:' ? 443 : 80) : Number(at.port),
            protocol: at.protocol === 'https:' ? 'https' : 'http',
          }),
    });
  }

  async makeCustomer(account_id: string): Promise<string | null> {
    try {
      const { id } = await this.#stripe.customers.create(
        { metadata: { account_id } },
        { idempotencyKey: `customer-${account_id}` },
      );
      return id;
    } catch {
      return null;
    }
  }

  async startPayment(payment: NewPayment): Promise<StartedPayment> {
    try {
      return payment.method_token === null
        ? await this.#startCheckout(payment)
        : await this.#chargeCard(payment, payment.method_token);
    } catch (error) {
      if (error instanceof Stripe.errors.StripeCardError) {
        const { decline_code, code } = error as { decline_code?: string; code?: string };
        const { payment_intent } = error as { payment_intent?: { id?: string } };
        const failure = (decline_code ?? code ?? 'declined').slice(0, 100);
        const provider_payment = payment_intent?.id ?? null;
        return { kind: 'started', provider_payment, state: 'failed', checkout_url: null, failure };
      }
      // What it does not take it will not take later: a card that was detached, a sum that is too small, a currency that it has not.
      if (error instanceof Stripe.errors.StripeInvalidRequestError) {
        const failure = (error.code ?? 'invalid_request').slice(0, 100);
        return { kind: 'started', provider_payment: null, state: 'failed', checkout_url: null, failure };
      }
      return { kind: 'unavailable' };
    }
  }

  async #chargeCard(payment: NewPayment, payment_method: string): Promise<StartedPayment> {
    const { payment_id, amount_cents, currency, customer, return_url } = payment;
    const intent = await this.#stripe.paymentIntents.create(
      {
        ...{ amount: Number(amount_cents), currency: currency.toLowerCase(), customer, payment_method },
        ...{ confirm: true, off_session: true, return_url, metadata: { payment_id } },
      },
      { idempotencyKey: `payment-${payment_id}` },
    );
    const { id, status, last_payment_error } = intent;
    const failure = (last_payment_error?.decline_code ?? last_payment_error?.code ?? 'declined').slice(0, 100);
    const state = stateOf(status);
    return {
      ...{ kind: 'started', provider_payment: id, state, checkout_url: null },
      failure: state === 'failed' ? failure : null,
    };
  }

  async #startCheckout(payment: NewPayment): Promise<StartedPayment> {
    const { payment_id, amount_cents, currency, customer, save_method, return_url } = payment;
    const metadata = { payment_id };
    const session = await this.#stripe.checkout.sessions.create(
      {
        ...{ mode: 'payment', customer, metadata, success_url: return_url, cancel_url: return_url },
        line_items: [
          {
            quantity: 1,
            price_data: {
              currency: currency.toLowerCase(),
              unit_amount: Number(amount_cents),
              product_data: { name: 'Top-up' },
            },
          },
        ],
        payment_intent_data: save_method ? { metadata, setup_future_usage: 'off_session' } : { metadata },
      },
      { idempotencyKey: `payment-${payment_id}` },
    );
    // The payment itself is named once the customer is on the page; its events carry our id.
    const provider_payment = typeof session.payment_intent === 'string' ? session.payment_intent : null;
    return { kind: 'started', provider_payment, state: 'pending', checkout_url: session.url, failure: null };
  }

  async readPayment(provider_payment: string): ReturnType<PaymentProvider['readPayment']> {
    try {
      const { status, last_payment_error } = await this.#stripe.paymentIntents.retrieve(provider_payment);
      const failure = last_payment_error?.decline_code ?? last_payment_error?.code ?? null;
      return { kind: 'read', state: stateOf(status), failure: failure?.slice(0, 100) ?? null };
    } catch (error) {
      return { kind: error instanceof Stripe.errors.StripeInvalidRequestError ? 'unknown' : 'unavailable' };
    }
  }

  async saveCard(token: string, customer: string): Promise<SavedCard | null> {
    try {
      return cardOf(await this.#stripe.paymentMethods.attach(token, { customer }));
    } catch {
      return null;
    }
  }

  async cardOfPayment(provider_payment: string): Promise<SavedCard | null> {
    const { payment_method } = await this.#stripe.paymentIntents.retrieve(provider_payment, {
      expand: ['payment_method'],
    });
    return payment_method === null || typeof payment_method === 'string' ? null : cardOf(payment_method);
  }

  async refund({
    refund_id,
    provider_payment,
    amount_cents,
  }: Parameters<PaymentProvider['refund']>[0]): ReturnType<PaymentProvider['refund']> {
    try {
      // Stripe forgets an idempotency key after a day; what it refunded it does not forget.
      const made = await this.#stripe.refunds.list({ payment_intent: provider_payment, limit: 100 });
      const before = made.data.find(({ metadata }) => metadata?.['refund_id'] === refund_id);
      const refund =
        before ??
        (await this.#stripe.refunds.create(
          { payment_intent: provider_payment, amount: Number(amount_cents), metadata: { refund_id } },
          { idempotencyKey: `refund-${refund_id}` },
        ));
      const failed = refund.status === 'failed' || refund.status === 'canceled';
      return failed ? { kind: 'refused' } : { kind: 'paid', provider_refund: refund.id };
    } catch (error) {
      return { kind: error instanceof Stripe.errors.StripeInvalidRequestError ? 'refused' : 'unavailable' };
    }
  }

  async *listPayments(since: Date): AsyncIterable<ProviderPayment> {
    const created = { gte: Math.floor(since.getTime() / 1000) };
    for await (const intent of this.#stripe.paymentIntents.list({
      ...{ created, limit: 100, expand: ['data.latest_charge'] },
    })) {
      const { id, status, amount, currency, metadata, latest_charge } = intent;
      const refunded = latest_charge === null || typeof latest_charge === 'string' ? 0 : latest_charge.amount_refunded;
      yield {
        ...{ provider_payment: id, payment_id: ourId(metadata), state: stateOf(status), amount_cents: BigInt(amount) },
        ...{ refunded_cents: BigInt(refunded), currency: currency.toUpperCase() },
      };
    }
  }

  readWebhook(raw: Buffer, headers: Readonly<Record<string, string | string[] | undefined>>, now: Date): ReadWebhook {
    const header = headers['stripe-signature'];
    const signed = typeof header === 'string' ? header : '';
    // The SDK refuses what is too old, and takes what is of the future.
    const [, t] = /(?:^|,)t=(\d{1,12})(?:,|$)/u.exec(signed) ?? [];
    if (t !== undefined && Number(t) * 1000 - now.getTime() > TOLERANCE_MS) {
      return { kind: 'refused', why: 'the signature is of another time' };
    }
    try {
      const event = this.#stripe.webhooks.constructEvent(
        ...[raw, signed, this.#webhook_secret, TOLERANCE_MS / 1000, undefined],
        now.getTime(),
      );
      const ours = eventOf(event);
      return ours === null ? { kind: 'other' } : { kind: 'event', event: ours };
    } catch (error) {
      if (error instanceof Stripe.errors.StripeSignatureVerificationError) {
        return { kind: 'refused', why: 'the signature is wrong or of another time' };
      }
      throw error;
    }
  }
}

function stateOf(status: Stripe.PaymentIntent['status']): PaymentState {
  switch (status) {
    case 'succeeded':
      return 'succeeded';
    case 'canceled':
      return 'cancelled';
    // A card that was refused leaves the intent waiting for another one, and off session nobody brings one.
    case 'requires_payment_method':
    case 'requires_action':
      return 'failed';
    default:
      return 'pending';
  }
}

const PAYMENT_EVENTS: Readonly<Record<string, PaymentState>> = {
  'payment_intent.processing': 'pending',
  'payment_intent.succeeded': 'succeeded',
  'payment_intent.payment_failed': 'failed',
  'payment_intent.canceled': 'cancelled',
};

/** An inquiry (`warning_…`) takes nothing, and becomes a dispute or nothing; one that was prevented was refunded and took nothing. */
const DISPUTE_STATES: Readonly<Record<string, 'open' | 'won' | 'lost'>> = {
  ...{ needs_response: 'open', under_review: 'open', won: 'won', lost: 'lost' },
};

function eventOf(event: Stripe.Event): ProviderEvent | null {
  switch (event.type) {
    case 'payment_intent.processing':
    case 'payment_intent.succeeded':
    case 'payment_intent.payment_failed':
    case 'payment_intent.canceled': {
      const { id, metadata, last_payment_error } = event.data.object;
      const failure = last_payment_error?.decline_code ?? last_payment_error?.code ?? null;
      return {
        ...{ kind: 'payment', event_id: event.id, provider_payment: id, payment_id: ourId(metadata) },
        ...{ state: PAYMENT_EVENTS[event.type] ?? 'pending', failure: failure?.slice(0, 100) ?? null },
      };
    }
    case 'checkout.session.expired': {
      const { id, metadata } = event.data.object;
      const payment_id = ourId(metadata);
      return {
        kind: 'payment',
        event_id: event.id,
        provider_payment: id,
        payment_id,
        state: 'cancelled',
        failure: null,
      };
    }
    // The first of an inquiry that becomes a dispute is that its money is taken.
    case 'charge.dispute.created':
    case 'charge.dispute.funds_withdrawn':
    case 'charge.dispute.closed': {
      const { id, status, amount, payment_intent, metadata } = event.data.object;
      const provider_payment = typeof payment_intent === 'string' ? payment_intent : payment_intent?.id;
      const state = DISPUTE_STATES[status];
      if (provider_payment === undefined || state === undefined) return null;
      return {
        ...{ kind: 'dispute', event_id: event.id, provider_payment, payment_id: ourId(metadata), dispute: id },
        ...{ state, amount_cents: BigInt(amount) },
      };
    }
    case 'refund.updated':
    case 'refund.failed': {
      const { id, status, payment_intent } = event.data.object;
      const provider_payment = typeof payment_intent === 'string' ? payment_intent : payment_intent?.id;
      if (provider_payment === undefined || (status !== 'failed' && status !== 'canceled')) return null;
      return {
        kind: 'refund',
        event_id: event.id,
        provider_payment,
        payment_id: null,
        provider_refund: id,
        state: 'failed',
      };
    }
    default:
      return null;
  }
}

function cardOf(method: Stripe.PaymentMethod): SavedCard | null {
  const { id, card } = method;
  if (card === undefined) return null;
  const { brand, last4, exp_month, exp_year } = card;
  return { token: id, brand, last4, expires_month: exp_month, expires_year: exp_year };
}
