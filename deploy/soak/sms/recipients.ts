/**
 * Phones in the countries of both carriers, spread so that nobody could take them for a range that is pumped. All are in the
 * United Kingdom or in Germany: some that begin with +44 are of Jersey, Guernsey or Man, and to those neither carrier sends.
 */
export class Recipients {
  #count = 0;

  next(): string {
    this.#count += 1;
    const digits = String((this.#count * 7919) % 10_000_000).padStart(7, '0');
    return this.#count % 2 === 0 ? `+44740${digits}` : `+491512${digits}`;
  }
}
