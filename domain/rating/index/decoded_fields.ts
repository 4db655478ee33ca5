const PLACES = 4096;

/**
 * Remembers what the bytes of a field were decoded to. Fields repeat a great deal and not only next to each other; a
 * field that was seen is found without making a string of it. Each hash has one place, and the later field takes it:
 * what is forgotten is merely decoded again.
 */
export class DecodedFields {
  private readonly fields: (Buffer | undefined)[] = new Array<Buffer | undefined>(PLACES).fill(undefined);
  private readonly numbers = new Uint32Array(PLACES);
  private readonly decode: (text: string) => number;

  /** `decode` gives the number that stands for a field. */
  constructor(decode: (text: string) => number) {
    this.decode = decode;
  }

  /** The number of the field in `bytes` from `start` to `end`, whose bytes have this hash (see `hashByte`). */
  number(bytes: Buffer, start: number, end: number, hash: number): number {
    const place = hash & (PLACES - 1);
    const known = this.fields[place];
    if (known && sameBytes(known, bytes, start, end)) return this.numbers[place] ?? 0;
    const number = this.decode(bytes.toString('utf8', start, end));
    // A copy, because the bytes belong to the connection.
    this.fields[place] = Buffer.from(bytes.subarray(start, end));
    this.numbers[place] = number;
    return number;
  }
}

/** Continues a hash by one byte (FNV-1a, folded so that its low bits depend on all bytes). Begin with 0. */
export function hashByte(hash: number, byte: number): number {
  const mixed = Math.imul(hash ^ byte, 0x01000193);
  return mixed ^ (mixed >>> 15);
}

function sameBytes(field: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (field.length !== end - start) return false;
  for (let i = 0; i < field.length; i += 1) if (field[i] !== bytes[start + i]) return false;
  return true;
}
