import { z } from 'zod';
import type {
  NewPayment,
  PaymentProvider,
  ProviderPayment,
  ReadWebhook,
  SavedCard,
  StartedPayment,
} from './payment_provider.ts';
import { whySignatureIsWrong } from './signature.ts';

const cents = z
  .string()
  .regex(/^\d{1,15}$/u)
  .transform(BigInt);
const state = z.enum(['pending', 'succeeded', 'failed', 'cancelled']);

const paymentSchema = z.object({
  id: z.string(),
  reference: z.string().nullable(),
  state,
  amount_cents: cents,
  refunded_cents: cents,
  currency: z.string(),
  checkout_url: z.string().nullable(),
  failure: z.string().nullable(),
});

const cardSchema = z.object({
  token: z.string(),
  brand: z.string(),
  last4: z.string(),
  expires_month: z.int(),
  expires_year: z.int(),
});

const eventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('payment'), id: z.string(), payment: paymentSchema }),
  z.object({
    type: z.literal('dispute'),
    id: z.string(),
    payment: paymentSchema,
    dispute: z.object({ id: z.string(), state: z.enum(['open', 'won', 'lost']), amount_cents: cents }),
  }),
  z.object({
    type: z.literal('refund'),
    id: z.string(),
    payment: paymentSchema,
    refund: z.object({ id: z.string(), state: z.literal('failed') }),
  }),
]);

export interface LocalProviderOptions {
  url: string;
  /** Signs webhooks, and is what it knows us by. */
  secret: string;
}

const TIMEOUT_MS = 5_000;
const uuid = z.uuid();
const ourId = (reference: string | null): string | null => (uuid.safeParse(reference).success ? reference : null);

/** The simulated provider of deploy/payment_provider, over HTTP as a real one would be. */
export class LocalProvider implements PaymentProvider {
  readonly name = 'local';
  readonly #options: LocalProviderOptions;

  constructor(options: LocalProviderOptions) {
    this.#options = options;
  }

  async makeCustomer(account_id: string): Promise<string | null> {
    const reply = await this.#ask('POST', '/v1/customers', { reference: account_id });
    return reply?.status === 200 ? z.object({ id: z.string() }).parse(reply.body).id : null;
  }

  async startPayment(payment: NewPayment): Promise<StartedPayment> {
    const { payment_id, amount_cents, currency, customer, method_token, save_method, return_url } = payment;
    const reply = await this.#ask('POST', '/v1/payments', {
      ...{ reference: payment_id, amount_cents: amount_cents.toString(), currency, customer },
      ...{ method: method_token, save_method, return_url },
    });
    if (reply?.status !== 200) return { kind: 'unavailable' };
    const { id, state: now_it_is, checkout_url, failure } = paymentSchema.parse(reply.body);
    return { kind: 'started', provider_payment: id, state: now_it_is, checkout_url, failure };
  }

  async readPayment(provider_payment: string): ReturnType<PaymentProvider['readPayment']> {
    const reply = await this.#ask('GET', `/v1/payments/${encodeURIComponent(provider_payment)}`);
    if (reply?.status === 404) return { kind: 'unknown' };
    if (reply?.status !== 200) return { kind: 'unavailable' };
    const { state: now_it_is, failure } = paymentSchema.parse(reply.body);
    return { kind: 'read', state: now_it_is, failure };
  }

  async saveCard(token: string, customer: string): Promise<SavedCard | null> {
    const reply = await this.#ask('POST', '/v1/cards', { token, customer });
    return reply?.status === 200 ? cardSchema.parse(reply.body) : null;
  }

  async cardOfPayment(provider_payment: string): Promise<SavedCard | null> {
    const reply = await this.#ask('GET', `/v1/payments/${encodeURIComponent(provider_payment)}/card`);
    return reply?.status === 200 ? cardSchema.parse(reply.body) : null;
  }

  async refund({
    refund_id,
    provider_payment,
    amount_cents,
  }: Parameters<PaymentProvider['refund']>[0]): ReturnType<PaymentProvider['refund']> {
    const reply = await this.#ask('POST', `/v1/payments/${encodeURIComponent(provider_payment)}/refunds`, {
      reference: refund_id,
      amount_cents: amount_cents.toString(),
    });
    if (reply?.status === 200) {
      return { kind: 'paid', provider_refund: z.object({ id: z.string() }).parse(reply.body).id };
    }
    return { kind: reply?.status === 409 ? 'refused' : 'unavailable' };
  }

  async *listPayments(since: Date): AsyncIterable<ProviderPayment> {
    const listSchema = z.object({ items: z.array(paymentSchema), next: z.string().nullable() });
    let after: string | null = '';
    while (after !== null) {
      const query = new URLSearchParams({ since: since.toISOString(), after });
      const reply = await this.#ask('GET', `/v1/payments?${query.toString()}`);
      if (reply?.status !== 200) throw new Error('The payment provider does not list its payments.');
      const { items, next } = listSchema.parse(reply.body);
      for (const { id, reference, ...rest } of items) {
        yield { ...rest, provider_payment: id, payment_id: ourId(reference) };
      }
      after = next;
    }
  }

  readWebhook(raw: Buffer, headers: Readonly<Record<string, string | string[] | undefined>>, now: Date): ReadWebhook {
    const header = headers['letsdial-signature'];
    const why = whySignatureIsWrong(this.#options.secret, raw, typeof header === 'string' ? header : '', now);
    if (why !== null) return { kind: 'refused', why };
    const parsed = eventSchema.safeParse(JSON.parse(raw.toString('utf8')));
    if (!parsed.success) return { kind: 'other' };
    const { id: event_id, payment } = parsed.data;
    const about = { event_id, provider_payment: payment.id, payment_id: ourId(payment.reference) };
    if (parsed.data.type === 'payment') {
      const { state: now_it_is, failure } = payment;
      return { kind: 'event', event: { kind: 'payment', ...about, state: now_it_is, failure } };
    }
    if (parsed.data.type === 'refund') {
      const { id: provider_refund, state: refund_state } = parsed.data.refund;
      return { kind: 'event', event: { kind: 'refund', ...about, provider_refund, state: refund_state } };
    }
    const { id: dispute, state: dispute_state, amount_cents } = parsed.data.dispute;
    return { kind: 'event', event: { kind: 'dispute', ...about, dispute, state: dispute_state, amount_cents } };
  }

  /** Null where nothing came back. */
  async #ask(method: 'GET' | 'POST', path: string, body?: unknown): Promise<{ status: number; body: unknown } | null> {
    try {
      const response = await fetch(`${this.#options.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#options.secret}`, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return { status: response.status, body: await response.json() };
    } catch {
      return null;
    }
  }
}
