import type { Delivery } from './delivery.ts';
import type { Link } from './link.ts';
import { receiptBody } from './receipt.ts';

const SEQUENCE_NUMBER_MAX = 0x7fffffff;

interface Sent {
  delivery: Delivery;
  /** On the monotonic clock. */
  sent_at_ms: number;
}

/** A connection that may be sent deliver_sm, and what of it has no response yet. */
export class Receiver {
  readonly conn: number;
  readonly #link: Link;
  /** Oldest first. */
  readonly #sent = new Map<number, Sent>();
  #sequence_number = 0;
  /** The look at the oldest that is on the agenda. */
  watch: symbol | null = null;

  constructor(conn: number, link: Link) {
    this.conn = conn;
    this.#link = link;
  }

  get unacknowledged(): number {
    return this.#sent.size;
  }

  get oldest_sent_at_ms(): number | null {
    for (const { sent_at_ms } of this.#sent.values()) return sent_at_ms;
    return null;
  }

  send(delivery: Delivery): void {
    this.#sequence_number = this.#sequence_number === SEQUENCE_NUMBER_MAX ? 1 : this.#sequence_number + 1;
    this.#sent.set(this.#sequence_number, { delivery, sent_at_ms: performance.now() });
    const body = delivery.kind === 'receipt' ? receiptBody(delivery) : delivery.body;
    this.#link.write(body, 0, this.#sequence_number);
  }

  /** Null where nothing of that number is under way. */
  take(sequence_number: number): Delivery | null {
    const sent = this.#sent.get(sequence_number);
    if (sent === undefined) return null;
    this.#sent.delete(sequence_number);
    return sent.delivery;
  }

  takeAll(): Delivery[] {
    const all = Array.from(this.#sent.values(), ({ delivery }) => delivery);
    this.#sent.clear();
    return all;
  }

  takeSentBefore(before_ms: number): Delivery[] {
    const old: Delivery[] = [];
    for (const [sequence_number, { delivery, sent_at_ms }] of this.#sent) {
      if (sent_at_ms > before_ms) break;
      this.#sent.delete(sequence_number);
      old.push(delivery);
    }
    return old;
  }
}
