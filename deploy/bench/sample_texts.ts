export interface SampleText {
  /** +E.164. */
  recipient: string;
  text: string;
}

/** Texts of one segment to numbers that are spread over a country, each another. */
export class SampleTexts {
  #count = 0;

  next(): SampleText {
    this.#count += 1;
    return {
      recipient: `+4477${String((this.#count * 7919) % 100_000_000).padStart(8, '0')}`,
      text: `Your parcel ${this.#count} is on its way and comes tomorrow between nine and noon.`,
    };
  }
}
