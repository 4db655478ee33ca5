import { randomUUID } from 'node:crypto';
import { acceptMessages } from '../../../domain/texts/accept_messages.ts';
import type { NewMessage } from '../../../domain/texts/accept_messages.ts';
import { receiveMessages } from '../../../domain/texts/arrivals.ts';
import type { Arrival } from '../../../domain/texts/arrivals.ts';
import { recordOutcomes } from '../../../domain/texts/outcomes.ts';
import { receiveReceipts } from '../../../domain/texts/receipts.ts';
import { submitted, textBooks } from '../../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../../domain/texts/testing/texts.ts';
import type { Customer } from '../../../deploy/world/people.ts';
import { FakeClock } from '../../smpp/testing/fake_clock.ts';
import { hashPassword } from '../../../domain/texts/esmes/bind_password.ts';
import type { DeliveryEvent } from '../deliver/delivery_event.ts';
import { DeliverySender } from '../deliver/delivery_sender.ts';
import type { Receiver } from '../deliver/receiver.ts';
import { FakeBind } from './fake_bind.ts';

export const LEASE_MS = 60_000;

/** A sender whose time stands still until it is moved, and what it tells. */
export class SenderAtWork {
  readonly events: DeliveryEvent[] = [];
  readonly clock = new FakeClock();
  readonly sender: DeliverySender;
  at_ms: number;
  #heard: (() => void)[] = [];

  constructor({ pool }: TextBooks, begins_at: Date) {
    this.at_ms = begins_at.getTime();
    this.sender = new DeliverySender({
      ...{ db: pool, clock: this.clock, now: () => new Date(this.at_ms), random: () => 0 },
      ...{ lease_ms: LEASE_MS, poll_ms: 1000 },
      onEvent: (event) => {
        this.events.push(event);
        for (const heard of this.#heard.splice(0)) heard();
      },
    });
  }

  bind(system_id: string, { window_max = 10 } = {}): { bind: FakeBind; receiver: Receiver } {
    const bind = new FakeBind();
    const receiver = this.sender.add({ session: bind, system_id, window_max: () => window_max, with_tlvs: true });
    return { bind, receiver };
  }

  /** Moves the time of day. */
  later(ms: number): this {
    this.at_ms += ms;
    return this;
  }

  count(type: DeliveryEvent['type']): number {
    return this.events.filter((event) => event.type === type).length;
  }

  async until(type: DeliveryEvent['type'], count: number): Promise<void> {
    while (this.count(type) < count) await new Promise<void>((resolve) => this.#heard.push(resolve));
  }

  /** Waits until the bind was sent so much, which comes with no event. */
  async sent(bind: FakeBind, count: number): Promise<void> {
    while (bind.sent.length < count) await new Promise(setImmediate);
  }
}

/** Customers with leave to bind, and texts that they are to hear of. */
export class DeliveryStage {
  readonly books: TextBooks;
  #made = 0;

  constructor(books: TextBooks) {
    this.books = books;
  }

  static async make(): Promise<DeliveryStage> {
    return new DeliveryStage(await textBooks());
  }

  async esme(): Promise<Customer & { system_id: string }> {
    this.#made += 1;
    const customer = await this.books.customer(1_000_000n);
    const system_id = `esme-${this.#made}`;
    await this.books.pool.query('insert into esme (system_id, account_id, password_scrypt) values ($1, $2, $3)', [
      system_id,
      customer.account_id,
      await hashPassword('secret'),
    ]);
    return { ...customer, system_id };
  }

  /** A text of the bind that ends as delivered at that moment. */
  async delivered(
    { system_id, ...customer }: Customer & { system_id: string },
    at: Date,
    wishes: Partial<NewMessage> = {},
  ): Promise<NewMessage> {
    const { pool, lease, carrier_id } = this.books;
    const text = this.books.text(customer, { source: 'smpp', system_id, ...wishes });
    const id = randomUUID();
    await acceptMessages(pool, at, [text]);
    await recordOutcomes(pool, lease, randomUUID(), at, [submitted(this.books, text.id, id)]);
    const receipt = { carrier_id, carrier_message_ids: [id], state: 'delivered', error: null, done_at: at } as const;
    await receiveReceipts(pool, lease, at, [receipt]);
    return text;
  }

  async arrived(customer: Customer, at: Date, wishes: Partial<Arrival> = {}): Promise<void> {
    const arrival: Arrival = {
      ...{ id: randomUUID(), carrier_id: this.books.carrier_id, sender: '+447700900999', recipient: customer.number },
      ...{ body: 'Hello', encoding: 'gsm7', segments: 1, keyword: null, concatenation: null },
      ...wishes,
    };
    await receiveMessages(this.books.pool, this.books.lease, at, [arrival]);
  }

  async rows(system_id: string): Promise<Record<string, unknown>[]> {
    const { rows } = await this.books.pool.query<Record<string, unknown>>(
      `select attempts, due_at, dead_at, last_error from customer_delivery where channel = 'smpp' and target = $1 order by id`,
      [system_id],
    );
    return rows;
  }
}
