import type { Agenda } from './agenda.ts';
import type { Behaviour } from './behaviour.ts';
import { isTemporary } from './delivery.ts';
import type { Delivery } from './delivery.ts';
import type { FactLog } from './fact_log.ts';
import { Line } from './line.ts';
import type { Receiver } from './receiver.ts';

/**
 * Everything that is to go to one system_id, oldest first, over whichever of its connections can receive. What is not
 * acknowledged goes back to the front: with a connection that is lost, or that stays silent for too long.
 */
export class Outbox {
  readonly #log: FactLog;
  readonly #agenda: Agenda;
  #deliveries: Behaviour['deliveries'];
  readonly #waiting = new Line<Delivery>();
  readonly #receivers: Receiver[] = [];
  #turn = 0;

  constructor(log: FactLog, agenda: Agenda, deliveries: Behaviour['deliveries']) {
    this.#log = log;
    this.#agenda = agenda;
    this.#deliveries = deliveries;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  behave(deliveries: Behaviour['deliveries']): void {
    this.#deliveries = deliveries;
    for (const receiver of this.#receivers) {
      receiver.watch = null;
      this.#expire(receiver);
    }
    this.#pump();
  }

  add(delivery: Delivery): void {
    this.#waiting.push(delivery);
    this.#pump();
  }

  join(receiver: Receiver): void {
    this.#receivers.push(receiver);
    this.#pump();
  }

  /** What the connection has not acknowledged is sent again, before all that is newer. */
  leave(receiver: Receiver): void {
    const at = this.#receivers.indexOf(receiver);
    if (at < 0) return;
    this.#receivers.splice(at, 1);
    this.#waiting.putBack(receiver.takeAll());
    this.#pump();
  }

  /** A response to a deliver_sm. False: there is none of that number under way. */
  onResponse(receiver: Receiver, sequence_number: number, status: number): boolean {
    const delivery = receiver.take(sequence_number);
    if (delivery === null) return false;
    if (delivery.kind === 'receipt') this.#log.receiptAck(delivery, receiver.conn, status);
    else this.#log.moAck(delivery, receiver.conn, status);
    if (isTemporary(status)) {
      this.#agenda.after(this.#deliveries.again_after_ms, () => {
        this.#waiting.putBack([delivery]);
        this.#pump();
      });
    } else if (delivery.kind === 'mo') {
      delivery.onDone(status);
    }
    this.#pump();
    return true;
  }

  #pump(): void {
    while (this.#waiting.length > 0) {
      const receiver = this.#nextReceiver();
      if (receiver === null) return;
      const delivery = this.#waiting.shift();
      if (delivery !== undefined) this.#send(receiver, delivery);
    }
  }

  /** Each in its turn, of those that have room. */
  #nextReceiver(): Receiver | null {
    const count = this.#receivers.length;
    for (let step = 0; step < count; step += 1) {
      this.#turn = (this.#turn + 1) % count;
      const receiver = this.#receivers[this.#turn];
      if (receiver !== undefined && receiver.unacknowledged < this.#deliveries.window) return receiver;
    }
    return null;
  }

  #send(receiver: Receiver, delivery: Delivery): void {
    delivery.tries += 1;
    // First into the log: what is written leaves only after it.
    if (delivery.kind === 'receipt') this.#log.receipt(delivery, receiver.conn);
    else this.#log.mo(delivery, receiver.conn);
    receiver.send(delivery);
    if (receiver.watch === null) this.#watch(receiver, this.#deliveries.response_timeout_ms);
  }

  /** All have the same patience, so one look at the oldest is enough. */
  #watch(receiver: Receiver, after_ms: number): void {
    const watch = Symbol('watch');
    receiver.watch = watch;
    this.#agenda.after(after_ms, () => {
      if (receiver.watch !== watch) return;
      receiver.watch = null;
      this.#expire(receiver);
      this.#pump();
    });
  }

  #expire(receiver: Receiver): void {
    const timeout_ms = this.#deliveries.response_timeout_ms;
    this.#waiting.putBack(receiver.takeSentBefore(performance.now() - timeout_ms));
    const oldest_sent_at_ms = receiver.oldest_sent_at_ms;
    if (oldest_sent_at_ms === null) return;
    this.#watch(receiver, Math.max(1, oldest_sent_at_ms + timeout_ms - performance.now()));
  }
}
