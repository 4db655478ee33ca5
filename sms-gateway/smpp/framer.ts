import { decode } from './decode.ts';
import type { Decoded } from './decode.ts';
import { HEADER_OCTETS } from './field_limit.ts';

/**
 * A length that no PDU has: where the next one begins is not known any more, so nothing after it can be read.
 * It is answered with generic_nack (ESME_RINVCMDLEN), and the connection closed.
 */
export interface Unframeable {
  kind: 'unframeable';
  command_length: number;
  why: string;
}

/** What is allocated for a PDU whose rest has not come; it grows as it comes, so a length alone costs nothing. */
const PARTIAL_OCTETS = 1_024;
const LENGTH_OCTETS = 4;

/**
 * Bytes in, PDUs out. A PDU that lies whole in a chunk is decoded where it lies; only one that lies across a border is copied,
 * each of its bytes once. What was pushed must not be written into again, as decoded PDUs hold views of it.
 *
 * `push` a chunk, then call `next` until it gives null. Stopping in between is allowed: what is left waits.
 */
export class Framer {
  #pdu_octets_max: number;
  #chunk: Buffer = NOTHING;
  #at = 0;
  #partial: Buffer = NOTHING;
  #partial_octets = 0;
  /** The whole length of the PDU that `#partial` is the beginning of, once four of its bytes are there. */
  #wanted_octets = LENGTH_OCTETS;
  #broken = false;

  constructor(pdu_octets_max: number) {
    this.#pdu_octets_max = pdu_octets_max;
  }

  /** A peer that has not bound needs no long PDUs. */
  set pdu_octets_max(octets: number) {
    this.#pdu_octets_max = octets;
  }

  push(chunk: Buffer): void {
    if (this.#broken) return;
    const left = this.#chunk.length - this.#at;
    this.#chunk = left === 0 ? chunk : Buffer.concat([this.#chunk.subarray(this.#at), chunk]);
    this.#at = 0;
  }

  /** The next PDU, or null until more is pushed. After an `unframeable` there is nothing more. */
  next(): Decoded | Unframeable | null {
    if (this.#broken) return null;
    if (this.#partial_octets > 0) return this.#continuePartial();
    const left = this.#chunk.length - this.#at;
    if (left < LENGTH_OCTETS) return this.#keep(left, LENGTH_OCTETS);
    const command_length = this.#chunk.readUInt32BE(this.#at);
    if (command_length < HEADER_OCTETS || command_length > this.#pdu_octets_max) return this.#break(command_length);
    if (left < command_length) return this.#keep(left, command_length);
    const start = this.#at;
    this.#at = start + command_length;
    return decode(this.#chunk, start, this.#at);
  }

  #continuePartial(): Decoded | Unframeable | null {
    if (!this.#fill()) return null;
    if (this.#wanted_octets === LENGTH_OCTETS) {
      const command_length = this.#partial.readUInt32BE(0);
      if (command_length < HEADER_OCTETS || command_length > this.#pdu_octets_max) return this.#break(command_length);
      this.#wanted_octets = command_length;
      if (!this.#fill()) return null;
    }
    const whole = this.#partial;
    const end = this.#wanted_octets;
    this.#forgetPartial();
    return decode(whole, 0, end);
  }

  /** Moves bytes from the chunk into the partial PDU; true once it has what it wants. */
  #fill(): boolean {
    const take = Math.min(this.#wanted_octets - this.#partial_octets, this.#chunk.length - this.#at);
    this.#reserve(this.#partial_octets + take);
    this.#chunk.copy(this.#partial, this.#partial_octets, this.#at, this.#at + take);
    this.#partial_octets += take;
    this.#at += take;
    return this.#partial_octets === this.#wanted_octets;
  }

  #keep(octets: number, wanted_octets: number): null {
    if (octets === 0) {
      this.#chunk = NOTHING;
      this.#at = 0;
      return null;
    }
    this.#wanted_octets = wanted_octets;
    this.#fill();
    return null;
  }

  #reserve(octets: number): void {
    if (octets <= this.#partial.length) return;
    const doubled = Math.max(octets, PARTIAL_OCTETS, 2 * this.#partial.length);
    // Of its own, not of Node's pool: views of it are handed out, and it is not to be kept alive by strangers' bytes.
    const grown = Buffer.allocUnsafeSlow(
      Math.max(octets, Math.min(doubled, Math.max(this.#wanted_octets, PARTIAL_OCTETS))),
    );
    this.#partial.copy(grown, 0, 0, this.#partial_octets);
    this.#partial = grown;
  }

  #break(command_length: number): Unframeable {
    this.#broken = true;
    this.#chunk = NOTHING;
    this.#at = 0;
    this.#forgetPartial();
    return { kind: 'unframeable', command_length, why: whyUnframeable(command_length, this.#pdu_octets_max) };
  }

  #forgetPartial(): void {
    this.#partial = NOTHING;
    this.#partial_octets = 0;
    this.#wanted_octets = LENGTH_OCTETS;
  }
}

const NOTHING = Buffer.alloc(0);

/** Other protocols' first bytes, read as a length. */
const STRANGERS: ReadonlyMap<number, string> = new Map(
  [...['GET ', 'POST', 'HEAD', 'PUT ', 'OPTI', 'CONN', 'PRI '].map((text): [string, string] => [text, 'HTTP'])].map(
    ([text, protocol]) => [Buffer.from(text, 'latin1').readUInt32BE(0), protocol],
  ),
);

function whyUnframeable(command_length: number, pdu_octets_max: number): string {
  if (command_length < HEADER_OCTETS) return `command_length is ${command_length}, less than a header has.`;
  const stranger = STRANGERS.get(command_length) ?? (command_length >>> 16 === 0x1603 ? 'TLS' : null);
  return stranger === null
    ? `command_length is ${command_length}, and no PDU may be longer than ${pdu_octets_max} octets.`
    : `The peer speaks ${stranger}, not SMPP.`;
}
