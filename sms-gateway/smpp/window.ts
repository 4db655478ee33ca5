import type { ResponseName } from './command.ts';
import type { ResponsePdu } from './pdu.ts';

/** How a request ended. */
export type RequestOutcome =
  /** Also generic_nack is a response. */
  | { kind: 'response'; pdu: ResponsePdu }
  /**
   * `written: false`: it was never handed to the kernel, so the peer surely does not have it. Otherwise the peer may have acted
   * on it. `malformed`: a response came that could not be read.
   */
  | { kind: 'unanswered'; why: 'timeout' | 'closed' | 'malformed'; written: boolean };

/** Who sent a request. */
export interface Requester {
  /** Exactly once. */
  onOutcome(outcome: RequestOutcome): void;
  /** At most once, after an outcome of `timeout`: the response came after all, and settles the doubt. */
  onLateResponse?(pdu: ResponsePdu): void;
}

export interface InFlight {
  response: ResponseName;
  requester: Requester;
  sent_at_ms: number;
  /** The number of the write that it goes out with. */
  batch: number;
}

const SEQUENCE_NUMBER_MAX = 0x7fffffff;

/** Our requests that have no response yet, oldest first, and those given up of which a response may still come. */
export class Window {
  readonly #in_flight = new Map<number, InFlight>();
  readonly #late = new Map<number, Requester>();
  readonly #late_max: number;
  #sequence_number: number;

  /** @param before the sequence number before the first, for tests of its wrapping. */
  constructor(late_max: number, before = 0) {
    this.#late_max = late_max;
    this.#sequence_number = before;
  }

  get in_flight(): number {
    return this.#in_flight.size;
  }

  /** 1 to 0x7FFFFFFF and around again, passing over those that still mean something. */
  nextSequenceNumber(is_taken: (sequence_number: number) => boolean): number {
    do {
      this.#sequence_number = this.#sequence_number >= SEQUENCE_NUMBER_MAX ? 1 : this.#sequence_number + 1;
    } while (
      this.#in_flight.has(this.#sequence_number) ||
      this.#late.has(this.#sequence_number) ||
      is_taken(this.#sequence_number)
    );
    return this.#sequence_number;
  }

  add(sequence_number: number, request: InFlight): void {
    this.#in_flight.set(sequence_number, request);
  }

  /** The request that the response belongs to, which is in flight no more. A response of another command belongs to none. */
  take(sequence_number: number, command: ResponseName): Requester | null {
    const request = this.#in_flight.get(sequence_number);
    if (request === undefined) return null;
    if (command !== request.response && command !== 'generic_nack') return null;
    this.#in_flight.delete(sequence_number);
    return request.requester;
  }

  takeLate(sequence_number: number): Requester | null {
    const requester = this.#late.get(sequence_number);
    if (requester === undefined) return null;
    this.#late.delete(sequence_number);
    return requester;
  }

  /** Gives up the requests that were sent at or before that time. All have the same patience, so the oldest are due first. */
  expire(sent_until_ms: number): void {
    for (const [sequence_number, { sent_at_ms, requester }] of this.#in_flight) {
      if (sent_at_ms > sent_until_ms) return;
      this.#in_flight.delete(sequence_number);
      this.#remember(sequence_number, requester);
      // What waits to be written may still be written, so even then the peer may come to have it.
      requester.onOutcome({ kind: 'unanswered', why: 'timeout', written: true });
    }
  }

  closeAll(wasHanded: (batch: number) => boolean): void {
    const requests = [...this.#in_flight.values()];
    this.#in_flight.clear();
    this.#late.clear();
    for (const { requester, batch } of requests) {
      requester.onOutcome({ kind: 'unanswered', why: 'closed', written: wasHanded(batch) });
    }
  }

  #remember(sequence_number: number, requester: Requester): void {
    this.#late.set(sequence_number, requester);
    if (this.#late.size <= this.#late_max) return;
    for (const oldest of this.#late.keys()) {
      this.#late.delete(oldest);
      return;
    }
  }
}
