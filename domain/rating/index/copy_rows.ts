import type { RateIndexBuilder } from './build_index.ts';
import { DecodedFields, hashByte } from './decoded_fields.ts';
import type { Terms } from './rate_columns.ts';

const TAB = 9;
const NEWLINE = 10;
const DIGIT_0 = 48;
/** Fifteen digits are below 2^53, so a number holds them exactly. */
const EXACT_DIGITS = 15;
const TERMS_FIELDS = 6;
const NOTHING = Buffer.alloc(0);

/** The columns that `CopyRows` reads, in their order, of a table `rate r`. */
export const COPY_COLUMNS =
  'r.deck_id, r.prefix, r.rate_micros_per_minute, r.connect_fee_micros, r.minimum_seconds, r.initial_increment_seconds, ' +
  'r.subsequent_increment_seconds, r.grace_seconds, r.free_seconds, r.destination';

/** The same of a table `text_rate r`. */
export const COPY_COLUMNS_OF_TEXTS = 'r.deck_id, r.prefix, r.rate_micros_per_segment, 0, 0, 1, 1, 0, 0, r.destination';

/**
 * Reads rates in Postgres' text format of COPY straight into an index: byte by byte, because four million rows made into
 * objects first take seconds and half a gigabyte. The format is documented under COPY in the PostgreSQL manual ("Text
 * Format").
 */
export class CopyRows {
  private readonly builder: RateIndexBuilder;
  private readonly deck_numbers: ReadonlyMap<number, number>;
  private rest: Buffer = NOTHING;
  private at = 0;
  private last_deck_id = -1;
  private last_deck_no = -1;
  private readonly terms: DecodedFields;
  private readonly destinations: DecodedFields;

  /** `deck_numbers` maps the id of each deck to the number that the builder gave it. */
  constructor(builder: RateIndexBuilder, deck_numbers: ReadonlyMap<number, number>) {
    this.builder = builder;
    this.deck_numbers = deck_numbers;
    const { columns } = builder;
    this.terms = new DecodedFields((text) => columns.termsId(parseTerms(text)));
    this.destinations = new DecodedFields((text) => columns.destinationId(unescape(text)));
  }

  /** Takes the next piece of the stream, cut anywhere. */
  feed(chunk: Buffer): void {
    const bytes = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    // Postgres sends whole rows, one at a time; to look for their end and to keep nothing would cost as much as to read them.
    const whole = bytes[bytes.length - 1] === NEWLINE;
    const end = whole ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
    for (this.at = 0; this.at < end;) this.row(bytes);
    // What is left must outlive the chunk, which belongs to the connection.
    this.rest = whole ? NOTHING : Buffer.from(bytes.subarray(end));
  }

  /** Says that the stream is over. Throws if it ended within a row. */
  end(): void {
    if (this.rest.length > 0) throw new Error('The rates from Postgres end in the middle of a row.');
  }

  private row(bytes: Buffer): void {
    const { builder } = this;
    const deck_no = this.deckNumber(this.integer(bytes));
    const start = this.at;
    let end = start + 1;
    while (bytes[end] !== TAB) end += 1;
    const node = builder.trie.insertBytes(bytes, start, end);
    this.at = end + 1;
    const rate = this.amount(bytes);
    const terms_id = this.termsId(bytes);
    const destination_id = this.destinationId(bytes);
    builder.place(node, deck_no, builder.columns.add(rate, terms_id, destination_id, end - start));
  }

  private deckNumber(deck_id: number): number {
    if (deck_id !== this.last_deck_id) {
      const known = this.deck_numbers.get(deck_id);
      if (known === undefined) throw new Error(`A rate belongs to the unknown deck ${deck_id}.`);
      this.last_deck_id = deck_id;
      this.last_deck_no = known;
    }
    return this.last_deck_no;
  }

  private integer(bytes: Buffer): number {
    let value = 0;
    let at = this.at;
    for (; bytes[at] !== TAB; at += 1) value = value * 10 + (bytes[at] ?? 0) - DIGIT_0;
    this.at = at + 1;
    return value;
  }

  private amount(bytes: Buffer): number | bigint {
    const start = this.at;
    const value = this.integer(bytes);
    const end = this.at - 1;
    return end - start <= EXACT_DIGITS ? value : BigInt(bytes.toString('latin1', start, end));
  }

  private termsId(bytes: Buffer): number {
    const start = this.at;
    let hash = 0;
    let at = start;
    for (let fields = 0; fields < TERMS_FIELDS; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === TAB) fields += 1;
      hash = hashByte(hash, byte);
    }
    this.at = at;
    return this.terms.number(bytes, start, at - 1, hash);
  }

  private destinationId(bytes: Buffer): number {
    const start = this.at;
    let hash = 0;
    let at = start;
    for (; bytes[at] !== NEWLINE; at += 1) hash = hashByte(hash, bytes[at] ?? 0);
    this.at = at + 1;
    return this.destinations.number(bytes, start, at, hash);
  }
}

function parseTerms(text: string): Terms {
  const [fee = '', minimum, initial, subsequent, grace, free] = text.split('\t');
  return {
    connect_fee_micros: BigInt(fee),
    minimum_seconds: Number(minimum),
    initial_increment_seconds: Number(initial),
    subsequent_increment_seconds: Number(subsequent),
    grace_seconds: Number(grace),
    free_seconds: Number(free),
  };
}

const ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function unescape(text: string): string {
  return text.includes('\\') ? text.replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter) : text;
}
