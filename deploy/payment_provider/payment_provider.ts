import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Book } from './book.ts';
import type { Card, Dispute, Payment } from './book.ts';
import { checkoutPage } from './checkout_page.ts';
import { toldPayment, Webhooks } from './webhooks.ts';

export interface PaymentProviderOptions {
  /** Of the loopback network only. */
  address?: string;
  port?: number;
  /** Signs webhooks, and is what callers prove themselves by. */
  secret: string;
  now?: () => Date;
}

interface Answer {
  status: number;
  body?: unknown;
  html?: string;
  location?: string;
}

const BODY_BYTES_MAX = 100_000;
const PAGE = 100;

/**
 * A payment provider in little: cards by token, a page to pay on, signed webhooks that may come twice, late and out of order, declines,
 * refunds and disputes. It shares no code with the portal, which it is there to be told apart from.
 */
export class SimulatedPaymentProvider {
  readonly book = new Book();
  readonly webhooks: Webhooks;
  readonly #options: PaymentProviderOptions;
  readonly #server: http.Server;
  readonly #now: () => Date;
  /** Answers nothing while it is true, as a provider that is away. */
  away = false;
  /** Customers of whom it begins no payment, each time by a fault of its own. */
  readonly faulty = new Set<string>();

  constructor(options: PaymentProviderOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => new Date());
    this.webhooks = new Webhooks(options.secret, this.#now);
    this.#server = http.createServer((request, response) => void this.#serve(request, response));
  }

  async start(): Promise<void> {
    const { address = '127.0.0.1', port = 0 } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, address, resolve);
    });
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  async stop(): Promise<void> {
    this.webhooks.stop();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  /** What a customer does on the provider's page. */
  pay(payment_id: string, number: string): Payment {
    const payment = this.#payment(payment_id);
    const card = this.book.tokenise(number, 12, 2040);
    if (card === null) throw new Error(`${number} is no card.`);
    this.book.charge(payment, card);
    this.webhooks.tellPayment(payment);
    return payment;
  }

  /** The end of a payment that was pending. */
  finish(payment_id: string, state: 'succeeded' | 'failed' | 'cancelled'): void {
    const payment = this.#payment(payment_id);
    payment.state = state;
    this.webhooks.tellPayment(payment);
  }

  dispute(payment_id: string): Dispute {
    const dispute = this.book.dispute(this.#payment(payment_id));
    this.webhooks.tellDispute(dispute);
    return dispute;
  }

  /** What was paid back comes back itself, days later. */
  failRefund(refund_id: string): void {
    const payment = this.book.failRefund(refund_id);
    if (payment === null) throw new Error(`There is no refund ${refund_id}.`);
    this.webhooks.tellFailedRefund(refund_id, payment);
  }

  decide(dispute_id: string, state: 'won' | 'lost'): void {
    const dispute = this.book.disputes.get(dispute_id);
    if (dispute === undefined) throw new Error(`There is no dispute ${dispute_id}.`);
    dispute.state = state;
    this.webhooks.tellDispute(dispute);
  }

  #payment(id: string): Payment {
    const payment = this.book.payments.get(id);
    if (payment === undefined) throw new Error(`There is no payment ${id}.`);
    return payment;
  }

  async #serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    if (this.away) {
      request.destroy();
      return;
    }
    const { status, body, html, location } = await this.#answer(request).catch((): Answer => ({
      status: 400,
      body: { error: 'malformed' },
    }));
    if (location !== undefined) response.setHeader('location', location);
    response.writeHead(status, {
      'content-type': html === undefined ? 'application/json' : 'text/html; charset=utf-8',
    });
    response.end(html ?? JSON.stringify(body ?? {}));
  }

  async #answer(request: http.IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? '/', 'http://provider');
    const [, area = '', id = '', part = ''] = url.pathname.replace(/^\/v1/u, '').split('/');
    const sent = await readBody(request);
    if (url.pathname === '/healthz') return { status: 200, body: { ok: true } };
    if (area === 'checkout') return this.#checkout(id, request.method === 'POST' ? new URLSearchParams(sent) : null);
    const body = (sent === '' ? {} : JSON.parse(sent)) as Record<string, unknown>;
    // As a provider's script in the browser does, for whoever types a card.
    if (area === 'tokens') return this.#tokenise(body);
    if (request.headers.authorization !== `Bearer ${this.#options.secret}`) return { status: 401 };
    if (area === 'customers') return { status: 200, body: { id: this.book.customer(String(body['reference'])) } };
    if (area === 'cards') return cardAnswer(this.book.cards.get(String(body['token'])));
    if (area !== 'payments') return { status: 404 };
    if (id === '') return request.method === 'POST' ? this.#begin(body) : this.#list(url.searchParams);
    const payment = this.book.payments.get(id);
    if (payment === undefined) return { status: 404 };
    if (part === 'card') return cardAnswer(payment.save_method ? (payment.card ?? undefined) : undefined);
    if (part === 'refunds') return this.#refund(payment, body);
    return { status: 200, body: toldPayment(payment) };
  }

  #begin(body: Record<string, unknown>): Answer {
    if (this.faulty.has(String(body['customer']))) return { status: 500 };
    const [payment, is_new] = this.book.begin({
      reference: String(body['reference']),
      amount_cents: BigInt(String(body['amount_cents'])),
      currency: String(body['currency']),
      created_at: this.#now(),
      card: null,
      save_method: body['save_method'] === true,
      return_url: String(body['return_url']),
    });
    if (!is_new) return { status: 200, body: toldPayment(payment) };
    const card = typeof body['method'] === 'string' ? this.book.cards.get(body['method']) : undefined;
    if (card === undefined) payment.checkout_url = `${this.url}/checkout/${payment.id}`;
    else {
      this.webhooks.tellPayment({ ...payment });
      this.book.charge(payment, card);
    }
    this.webhooks.tellPayment(payment);
    return { status: 200, body: toldPayment(payment) };
  }

  #list(query: URLSearchParams): Answer {
    const since = new Date(query.get('since') ?? 0);
    const after = query.get('after') ?? '';
    const all = [...this.book.payments.values()].filter(({ created_at, id }) => created_at >= since && id > after);
    const items = all.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, PAGE);
    const next = all.length > PAGE ? (items.at(-1)?.id ?? null) : null;
    return { status: 200, body: { items: items.map(toldPayment), next } };
  }

  #refund(payment: Payment, body: Record<string, unknown>): Answer {
    const refund = this.book.refund(payment, String(body['reference']), BigInt(String(body['amount_cents'])));
    return refund === null ? { status: 409, body: { error: 'too_much' } } : { status: 200, body: { id: refund.id } };
  }

  #tokenise(body: Record<string, unknown>): Answer {
    const { number, expires_month, expires_year } = body;
    return cardAnswer(this.book.tokenise(String(number), Number(expires_month), Number(expires_year)) ?? undefined);
  }

  #checkout(id: string, form: URLSearchParams | null): Answer {
    const payment = this.book.payments.get(id);
    if (payment === undefined) return { status: 404, html: 'There is no such payment.' };
    if (form === null) return { status: 200, html: checkoutPage(payment, null) };
    const card = this.book.tokenise((form.get('number') ?? '').replaceAll(/\D/gu, ''), 12, 2040);
    if (card === null) return { status: 422, html: checkoutPage(payment, 'That is none of the test cards.') };
    this.book.charge(payment, card);
    this.webhooks.tellPayment(payment);
    return { status: 303, location: payment.return_url };
  }
}

function cardAnswer(card: Card | undefined): Answer {
  if (card === undefined) return { status: 404 };
  const { token, brand, last4, expires_month, expires_year } = card;
  return { status: 200, body: { token, brand, last4, expires_month, expires_year } };
}

async function readBody(request: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new RangeError('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
