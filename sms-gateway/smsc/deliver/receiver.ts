import type { Session } from '../../smpp/session.ts';
import type { RequestOutcome } from '../../smpp/window.ts';
import type { TakenDelivery } from './due_deliveries.ts';
import type { DeliverSm } from './delivery_body.ts';
import { beginDelivery, bindEnded, endOf, nextPart, partAnswered, partSent, partUnwritable } from './progress.ts';
import type { DeliveryEnd, Progress } from './progress.ts';

export interface ReceiverOptions {
  session: Pick<Session, 'can_send' | 'in_flight' | 'request'>;
  system_id: string;
  /** How many deliver_sm may be without an answer. */
  window_max: () => number;
  /** Whether the peer understands TLVs. */
  with_tlvs: boolean;
  onEnd: (receiver: Receiver, delivery: TakenDelivery, end: DeliveryEnd) => void;
}

interface UnderWay {
  delivery: TakenDelivery;
  bodies: readonly DeliverSm[];
  progress: Progress;
}

/** A bind that receives: its deliveries go out in their order, as many at a time as its window holds. */
export class Receiver {
  readonly system_id: string;
  readonly with_tlvs: boolean;
  readonly #options: ReceiverOptions;
  /** Of which parts are still to be sent. */
  readonly #unsent: UnderWay[] = [];

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.system_id = options.system_id;
    this.with_tlvs = options.with_tlvs;
  }

  /** How many deliver_sm would go out at once. */
  get room(): number {
    const { session, window_max } = this.#options;
    const waiting = this.#unsent.reduce((sum, { progress }) => sum + progress.parts - progress.sent, 0);
    return Math.max(0, window_max() - session.in_flight - waiting);
  }

  /** Exactly one `onEnd` follows. */
  give(delivery: TakenDelivery, bodies: readonly DeliverSm[]): void {
    this.#unsent.push({ delivery, bodies, progress: beginDelivery(bodies.length) });
    this.pump();
  }

  /** Sends what can be sent: something was given, answered or written. */
  pump(): void {
    for (let first = this.#unsent[0]; first !== undefined; first = this.#unsent[0]) {
      const part = nextPart(first.progress);
      const body = part === null ? undefined : first.bodies[part];
      if (body !== undefined && !this.#send(first, body)) return;
      if (nextPart(first.progress) === null) this.#unsent.shift();
    }
  }

  /** The session has ended; the outcomes of what was sent have come. */
  ended(): void {
    for (const one of this.#unsent.splice(0)) {
      one.progress = bindEnded(one.progress);
      this.#settle(one);
    }
  }

  #send(one: UnderWay, body: DeliverSm): boolean {
    const { session, window_max } = this.#options;
    if (session.in_flight >= window_max() || !session.can_send) return false;
    try {
      if (!session.request(body, { onOutcome: (outcome) => this.#answered(one, outcome) })) return false;
      one.progress = partSent(one.progress);
    } catch (error) {
      // Whatever in it cannot be written, no later delivery shall wait for it.
      one.progress = partUnwritable(one.progress, (error as Error).message);
      this.#settle(one);
    }
    return true;
  }

  #answered(one: UnderWay, outcome: RequestOutcome): void {
    one.progress = partAnswered(one.progress, outcome);
    this.#settle(one);
    this.pump();
  }

  #settle({ delivery, progress }: UnderWay): void {
    const end = endOf(progress);
    if (end !== null) this.#options.onEnd(this, delivery, end);
  }
}
