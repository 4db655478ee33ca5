import { CHARACTERS_MAX } from './field_limit.ts';
import { STATUS } from './status.ts';
import { NO_TLVS } from './tlv.ts';
import type { Tlv } from './tlv.ts';

/**
 * Reads the fields of one PDU after the other. What cannot be read is noted once in `status` and `why`, and nothing is
 * read after it, so that a decoder reads all its fields and asks once at the end.
 */
export class OctetReader {
  status: number = STATUS.ESME_ROK;
  why = '';
  /** In a response the last string may lack its NUL: several carriers leave it out. */
  lenient = false;
  #octets: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  begin(octets: Buffer, at: number, end: number, lenient: boolean): void {
    this.status = STATUS.ESME_ROK;
    this.why = '';
    this.lenient = lenient;
    this.#octets = octets;
    this.#at = at;
    this.#end = end;
  }

  get left_octets(): number {
    return this.#end - this.#at;
  }

  uint8(field: string): number {
    if (this.#at >= this.#end) {
      this.fail(STATUS.ESME_RINVPARLEN, `The PDU ends before ${field}.`);
      return 0;
    }
    return this.#octets[this.#at++] as number;
  }

  uint32(field: string): number {
    const at = this.#at;
    if (at + 4 > this.#end) {
      this.fail(STATUS.ESME_RINVPARLEN, `The PDU ends before or in ${field}.`);
      return 0;
    }
    this.#at = at + 4;
    return this.#octets.readUInt32BE(at);
  }

  /** `status` is the answer to a string that is too long. */
  text(field: string, characters_max: number, status: number): string {
    const octets = this.#octets;
    const start = this.#at;
    const end = this.#end;
    let at = start;
    while (at < end && octets[at] !== 0) at += 1;
    if (at === end) return this.#unended(field, start);
    this.#at = at + 1;
    if (at === start) return '';
    if (at - start > characters_max && !this.lenient) {
      return this.fail(status, `${field} has ${at - start} characters and may have ${characters_max}.`);
    }
    return octets.toString('latin1', start, at);
  }

  address(field: string, status: number): string {
    return this.text(field, CHARACTERS_MAX.address, status);
  }

  /** Without copying: the view keeps the bytes that arrived alive. */
  view(length_octets: number, field: string, status: number): Buffer {
    const start = this.#at;
    if (start + length_octets > this.#end) {
      this.fail(
        status,
        `${field} is said to have ${length_octets} octets, and ${this.left_octets} are left of the PDU.`,
      );
      return EMPTY;
    }
    if (length_octets === 0) return EMPTY;
    this.#at = start + length_octets;
    return this.#octets.subarray(start, start + length_octets);
  }

  /** All that is left. A response's broken rest is dropped: what came before it, a message id perhaps, is worth more. */
  tlvs(): readonly Tlv[] {
    if (this.#at === this.#end || this.status !== STATUS.ESME_ROK) return NO_TLVS;
    const octets = this.#octets;
    const tlvs: Tlv[] = [];
    while (this.left_octets >= 4) {
      const at = this.#at;
      const length_octets = ((octets[at + 2] as number) << 8) | (octets[at + 3] as number);
      if (at + 4 + length_octets > this.#end) break;
      const tag = ((octets[at] as number) << 8) | (octets[at + 1] as number);
      this.#at = at + 4;
      tlvs.push({ tag, value: this.view(length_octets, 'a TLV', STATUS.ESME_RINVTLVSTREAM) });
    }
    if (this.left_octets > 0 && !this.lenient) {
      this.fail(STATUS.ESME_RINVTLVSTREAM, `The last ${this.left_octets} octets are not a whole TLV.`);
    }
    return tlvs.length === 0 ? NO_TLVS : tlvs;
  }

  /** The first failure counts; it ends the reading. */
  fail(status: number, why: string): '' {
    if (this.status === STATUS.ESME_ROK) {
      this.status = status;
      this.why = why;
    }
    this.#at = this.#end;
    return '';
  }

  #unended(field: string, start: number): string {
    if (this.lenient && start < this.#end) {
      this.#at = this.#end;
      return this.#octets.toString('latin1', start, this.#end);
    }
    return this.fail(STATUS.ESME_RINVPARLEN, `The PDU ends before the NUL of ${field}.`);
  }
}

const EMPTY = Buffer.alloc(0);
