/** A field that does not fit its place in the PDU; nothing of the PDU was written. */
export class EncodeError extends Error {
  readonly field: string;

  constructor(field: string, why: string) {
    super(`${field} cannot be sent: ${why}`);
    this.name = 'EncodeError';
    this.field = field;
  }
}

const INITIAL_OCTETS = 4_096;

/** A buffer that grows. What was written must fit what was reserved before. */
export class OctetWriter {
  octets: Buffer;
  /** How much of `octets` is written. */
  length_octets = 0;

  constructor(initial_octets = INITIAL_OCTETS) {
    this.octets = Buffer.allocUnsafe(initial_octets);
  }

  reserve(more_octets: number): void {
    const needed_octets = this.length_octets + more_octets;
    if (needed_octets <= this.octets.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed_octets, 2 * this.octets.length));
    grown.set(this.octets.subarray(0, this.length_octets));
    this.octets = grown;
  }

  uint8(value: number, field: string): void {
    if (value >>> 8 !== 0 || !Number.isInteger(value)) throw new EncodeError(field, `${value} is not an octet.`);
    this.octets[this.length_octets++] = value;
  }

  uint16(value: number, field: string): void {
    if (value >>> 16 !== 0 || !Number.isInteger(value)) throw new EncodeError(field, `${value} is not of 16 bits.`);
    this.octets[this.length_octets++] = value >>> 8;
    this.octets[this.length_octets++] = value;
  }

  uint32(value: number, field: string): void {
    if (value >>> 0 !== value) throw new EncodeError(field, `${value} is not an unsigned number of 32 bits.`);
    this.uint32At(this.length_octets, value);
    this.length_octets += 4;
  }

  /** Overwrites four octets that are there already. */
  uint32At(at: number, value: number): void {
    const octets = this.octets;
    octets[at] = value >>> 24;
    octets[at + 1] = value >>> 16;
    octets[at + 2] = value >>> 8;
    octets[at + 3] = value;
  }

  /** The text and a NUL. */
  text(value: string, characters_max: number, field: string): void {
    const length = value.length;
    if (length > characters_max) {
      throw new EncodeError(field, `it has ${length} characters and may have ${characters_max}.`);
    }
    const octets = this.octets;
    let at = this.length_octets;
    for (let index = 0; index < length; index += 1) {
      const code = value.charCodeAt(index);
      if (code === 0 || code > 0xff) {
        throw new EncodeError(field, `character ${index + 1} is not one octet other than NUL.`);
      }
      octets[at++] = code;
    }
    octets[at++] = 0;
    this.length_octets = at;
  }

  bytes(value: Uint8Array): void {
    this.octets.set(value, this.length_octets);
    this.length_octets += value.length;
  }
}
