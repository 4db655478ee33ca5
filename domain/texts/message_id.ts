import { randomFillSync } from 'node:crypto';

const RANDOM_OCTETS = 8192;
const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

/**
 * Makes the ids of texts: UUIDs of version 7 (RFC 9562, 5.7), whose first 48 bits are the milliseconds since 1970. Texts of a
 * month are a range of ids, by which their tables are partitioned. Within a millisecond, and when the clock steps back, a counter
 * keeps the ids of one maker in the order in which they were made (RFC 9562, 6.2, method 1).
 */
export class MessageIds {
  readonly #now: () => number;
  readonly #random = Buffer.alloc(RANDOM_OCTETS);
  #used = RANDOM_OCTETS;
  #last_ms = 0;
  #counter = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  next(): string {
    const now_ms = Math.floor(this.#now());
    if (now_ms > this.#last_ms) {
      this.#last_ms = now_ms;
      this.#counter = 0;
    } else {
      this.#counter += 1;
      // Twelve bits are the counter; a maker that outruns them borrows from the next millisecond.
      if (this.#counter === 0x1000) {
        this.#last_ms += 1;
        this.#counter = 0;
      }
    }
    return this.#render(this.#last_ms, this.#counter);
  }

  #render(ms: number, counter: number): string {
    if (this.#used + 8 > RANDOM_OCTETS) {
      randomFillSync(this.#random);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used += 8;
    const hex = (n: number): string => HEX[this.#random[at + n] ?? 0] ?? '00';
    const time = ms.toString(16).padStart(12, '0');
    const variant = HEX[((this.#random[at] ?? 0) & 0x3f) | 0x80] ?? '80';
    const sequence = (0x7000 | counter).toString(16);
    return `${time.slice(0, 8)}-${time.slice(8)}-${sequence}-${variant}${hex(1)}-${hex(2)}${hex(3)}${hex(4)}${hex(5)}${hex(6)}${hex(7)}`;
  }
}

/** The instant at which the id was made, in milliseconds since 1970. */
export function madeAtMs(message_id: string): number {
  return Number.parseInt(message_id.slice(0, 8) + message_id.slice(9, 13), 16);
}
