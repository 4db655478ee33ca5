import { randomBytes, randomUUID } from 'node:crypto';
import { acceptMessages } from '../../../domain/texts/accept_messages.ts';
import type { NewMessage } from '../../../domain/texts/accept_messages.ts';
import { receiveMessages } from '../../../domain/texts/arrivals.ts';
import type { Arrival } from '../../../domain/texts/arrivals.ts';
import type { Customer } from '../../../deploy/world/people.ts';
import { recordOutcomes } from '../../../domain/texts/outcomes.ts';
import { receiveReceipts } from '../../../domain/texts/receipts.ts';
import { submitted, textBooks } from '../../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../../domain/texts/testing/texts.ts';
import { FakeClock } from '../../smpp/testing/fake_clock.ts';
import { HttpPoster } from '../http_poster.ts';
import type { WebhookEvent } from '../webhook_event.ts';
import { WebhookSender } from '../webhook_sender.ts';
import type { WebhookSenderOptions } from '../webhook_sender.ts';

export interface Endpoint {
  id: string;
  secret: string;
}

/** A sender whose time stands still until it is moved; it looks when it is woken, and tells what it did. */
export class SenderAtWork {
  readonly events: WebhookEvent[] = [];
  readonly clock = new FakeClock();
  readonly sender: WebhookSender;
  readonly poster: HttpPoster;
  at_ms: number;
  #heard: (() => void)[] = [];

  constructor(
    books: TextBooks,
    begins_at_ms: number,
    wishes: Partial<WebhookSenderOptions> = {},
    allow_private = true,
  ) {
    this.at_ms = begins_at_ms;
    this.poster = new HttpPoster({
      clock: this.clock,
      timeout_ms: 10_000,
      response_octets_max: 10_000,
      idle_ms: 60_000,
      allow_private_addresses: allow_private,
      resolve: () => Promise.reject(new Error('no name is looked up here')),
    });
    this.sender = new WebhookSender({
      db: books.pool,
      clock: this.clock,
      now: () => new Date(this.at_ms),
      random: () => 0,
      post: (url, headers, body) => this.poster.post(url, headers, body),
      under_way_max: 20,
      under_way_max_per_endpoint: 4,
      lease_ms: 60_000,
      poll_ms: 1000,
      retry: { first_ms: 100, most_ms: 1000 },
      onEvent: (event) => {
        this.events.push(event);
        for (const heard of this.#heard.splice(0)) heard();
      },
      ...wishes,
    });
  }

  /** Moves the time of day, not the timers. */
  later(ms: number): this {
    this.at_ms += ms;
    return this;
  }

  /** Without those that only say that a delivery was taken. */
  get told(): string[] {
    return this.events.map(({ type }) => type).filter((type) => type !== 'taken');
  }

  count(type: WebhookEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#heard.push(resolve));
  }

  /** Wakes the sender, and waits until that many events of a type are there since the beginning. */
  async wakeUntil(type: WebhookEvent['type'], count: number): Promise<void> {
    this.sender.wake();
    await this.until(() => this.count(type) >= count);
  }

  async stop(): Promise<void> {
    this.poster.close();
    await this.sender.stop();
  }
}

/** Customers with endpoints, and texts that they are to hear of. */
export class WebhookWorld {
  readonly books: TextBooks;
  #carrier_ids = 0;

  constructor(books: TextBooks) {
    this.books = books;
  }

  static async make(): Promise<WebhookWorld> {
    return new WebhookWorld(await textBooks());
  }

  customer(): Promise<Customer> {
    return this.books.customer(1_000_000n);
  }

  async endpoint(customer: Customer, url: string): Promise<Endpoint> {
    const endpoint = { id: randomUUID(), secret: `whsec_${randomBytes(32).toString('base64')}` };
    await this.books.pool.query('insert into webhook_endpoint (id, account_id, url, secret) values ($1, $2, $3, $4)', [
      endpoint.id,
      customer.account_id,
      url,
      endpoint.secret,
    ]);
    return endpoint;
  }

  /** A text that ends as delivered at that moment. */
  async delivered(customer: Customer, at: Date, wishes: Partial<NewMessage> = {}): Promise<NewMessage> {
    const { pool, lease, carrier_id } = this.books;
    const text = this.books.text(customer, wishes);
    this.#carrier_ids += 1;
    const id = `c-${this.#carrier_ids}`;
    await acceptMessages(pool, at, [text]);
    await recordOutcomes(pool, lease, randomUUID(), at, [submitted(this.books, text.id, id)]);
    const receipt = { carrier_id, carrier_message_ids: [id], state: 'delivered', error: null, done_at: at } as const;
    await receiveReceipts(pool, lease, at, [receipt]);
    return text;
  }

  async arrived(customer: Customer, at: Date, wishes: Partial<Arrival> = {}): Promise<Arrival> {
    const arrival: Arrival = {
      ...{ id: randomUUID(), carrier_id: this.books.carrier_id, sender: '+447700900999', recipient: customer.number },
      ...{ body: 'Grüße', encoding: 'gsm7', segments: 1, keyword: null, concatenation: null },
      ...wishes,
    };
    await receiveMessages(this.books.pool, this.books.lease, at, [arrival]);
    return arrival;
  }

  async deliveries(endpoint: Endpoint): Promise<Record<string, unknown>[]> {
    const { rows } = await this.books.pool.query<Record<string, unknown>>(
      'select attempts, due_at, dead_at, last_error from customer_delivery where target = $1 order by id',
      [endpoint.id],
    );
    return rows;
  }

  /** What earlier tests left would be taken by the next one's sender. */
  async forgetDeliveries(): Promise<void> {
    await this.books.pool.query('delete from customer_delivery');
  }
}
