import type { Rate } from '../rate.ts';

/** All of a rate but its price per minute. Few differ within a deck, so each is kept once. */
export type Terms = Omit<Rate, 'rate_micros_per_minute'>;

/** Bits of a row's last word that hold the length of the prefix, 1 to 15; the number of the destination is above them. */
const LENGTH_BITS = 4;
const LENGTH_MASK = 2 ** LENGTH_BITS - 1;
/** The price per minute (low word, high word), the number of the terms, that of the destination with the length. */
const WORDS_PER_ROW = 4;
const WORD = 2 ** 32;
const WORD_BITS = 32n;
/** A high word below this leaves a number exact. */
const EXACT_HIGH = 2 ** 21;

/**
 * The rates of an index, 16 bytes each in one typed array: the price per minute, the number of the terms, that of the
 * destination, the length of the prefix. An object with its bigint takes ten times as much, and four million of them
 * would keep the garbage collector busy for ever.
 */
export class RateColumns {
  private words: Uint32Array;
  private count = 0;
  private readonly terms: Terms[] = [];
  private last_terms_id = -1;
  private readonly terms_by_key = new Map<string, number>();
  private last_destination_id = -1;
  private readonly destinations: string[] = [];
  private readonly destinations_by_name = new Map<string, number>();

  constructor(expected_rows: number) {
    this.words = new Uint32Array(Math.max(16, expected_rows) * WORDS_PER_ROW);
  }

  /** Keeps one rate and gives its number. The price may be a number where that is exact, which spares a bigint. */
  add(
    rate_micros_per_minute: bigint | number,
    terms_id: number,
    destination_id: number,
    prefix_length: number,
  ): number {
    const row = this.count;
    const at = row * WORDS_PER_ROW;
    if (at === this.words.length) this.grow();
    this.count += 1;
    if (typeof rate_micros_per_minute === 'number') {
      this.words[at] = rate_micros_per_minute % WORD;
      this.words[at + 1] = Math.floor(rate_micros_per_minute / WORD);
    } else {
      this.words[at] = Number(BigInt.asUintN(32, rate_micros_per_minute));
      this.words[at + 1] = Number(rate_micros_per_minute >> WORD_BITS);
    }
    this.words[at + 2] = terms_id;
    this.words[at + 3] = (destination_id << LENGTH_BITS) | prefix_length;
    return row;
  }

  /** The number of these terms. Neighbours mostly share theirs, so those of the last call are tried first. */
  termsId(terms: Terms): number {
    const last = this.terms[this.last_terms_id];
    if (!last || !sameTerms(last, terms)) this.last_terms_id = this.findTerms(terms);
    return this.last_terms_id;
  }

  /** The number of this destination; as with terms, neighbours mostly share it. */
  destinationId(name: string): number {
    if (this.destinations[this.last_destination_id] !== name) this.last_destination_id = this.findDestination(name);
    return this.last_destination_id;
  }

  private findDestination(name: string): number {
    const known = this.destinations_by_name.get(name);
    if (known !== undefined) return known;
    this.destinations_by_name.set(name, this.destinations.length);
    return this.destinations.push(name) - 1;
  }

  rate(row: number): Rate {
    const at = row * WORDS_PER_ROW;
    const terms = this.terms[this.words[at + 2] ?? -1];
    if (!terms) throw new RangeError(`The rate index has no row ${row}.`);
    const high = this.words[at + 1] ?? 0;
    const low = BigInt(this.words[at] ?? 0);
    const rate_micros_per_minute = high === 0 ? low : (BigInt(high) << WORD_BITS) | low;
    return {
      rate_micros_per_minute,
      connect_fee_micros: terms.connect_fee_micros,
      minimum_seconds: terms.minimum_seconds,
      initial_increment_seconds: terms.initial_increment_seconds,
      subsequent_increment_seconds: terms.subsequent_increment_seconds,
      grace_seconds: terms.grace_seconds,
      free_seconds: terms.free_seconds,
    };
  }

  /** The price per minute as a number, which is exact below 2^53 micros; beyond them, where no price is, it is infinite. */
  price(row: number): number {
    const at = row * WORDS_PER_ROW;
    const high = this.words[at + 1] ?? 0;
    return high < EXACT_HIGH ? high * WORD + (this.words[at] ?? 0) : Number.POSITIVE_INFINITY;
  }

  destination(row: number): string {
    return this.destinations[(this.words[row * WORDS_PER_ROW + 3] ?? 0) >>> LENGTH_BITS] ?? '';
  }

  prefixLength(row: number): number {
    return (this.words[row * WORDS_PER_ROW + 3] ?? 0) & LENGTH_MASK;
  }

  get rows(): number {
    return this.count;
  }

  get bytes(): number {
    return this.words.byteLength;
  }

  private findTerms(terms: Terms): number {
    const { connect_fee_micros, minimum_seconds, initial_increment_seconds } = terms;
    const { subsequent_increment_seconds, grace_seconds, free_seconds } = terms;
    const increments = `${initial_increment_seconds}/${subsequent_increment_seconds}`;
    const key = `${connect_fee_micros} ${minimum_seconds} ${increments} ${grace_seconds} ${free_seconds}`;
    const known = this.terms_by_key.get(key);
    if (known !== undefined) return known;
    this.terms_by_key.set(key, this.terms.length);
    const kept = { connect_fee_micros, minimum_seconds, initial_increment_seconds };
    return this.terms.push({ ...kept, subsequent_increment_seconds, grace_seconds, free_seconds }) - 1;
  }

  private grow(): void {
    const words = new Uint32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
  }
}

function sameTerms(a: Terms, b: Terms): boolean {
  return (
    a.initial_increment_seconds === b.initial_increment_seconds &&
    a.subsequent_increment_seconds === b.subsequent_increment_seconds &&
    a.minimum_seconds === b.minimum_seconds &&
    a.grace_seconds === b.grace_seconds &&
    a.free_seconds === b.free_seconds &&
    a.connect_fee_micros === b.connect_fee_micros
  );
}
