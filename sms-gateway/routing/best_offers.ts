/** The best few of what is offered: the lighter first, of equals the one with the lower id. Made once and used again and again. */
export class BestOffers {
  readonly #size_max: number;
  readonly #places: Int32Array;
  readonly #weights: Float64Array;
  readonly #ids: Float64Array;
  #size = 0;

  constructor(size_max: number) {
    this.#size_max = size_max;
    this.#places = new Int32Array(size_max);
    this.#weights = new Float64Array(size_max);
    this.#ids = new Float64Array(size_max);
  }

  get size(): number {
    return this.#size;
  }

  clear(): void {
    this.#size = 0;
  }

  /** The place that was offered as the best but `at`. */
  place(at: number): number {
    return this.#places[at] ?? -1;
  }

  offer(place: number, weight: number, id: number): void {
    let at = this.#size;
    while (at > 0 && this.#isBetter(weight, id, at - 1)) at -= 1;
    if (at >= this.#size_max) return;
    if (this.#size < this.#size_max) this.#size += 1;
    for (let to = this.#size - 1; to > at; to -= 1) {
      this.#places[to] = this.#places[to - 1] ?? 0;
      this.#weights[to] = this.#weights[to - 1] ?? 0;
      this.#ids[to] = this.#ids[to - 1] ?? 0;
    }
    this.#places[at] = place;
    this.#weights[at] = weight;
    this.#ids[at] = id;
  }

  #isBetter(weight: number, id: number, than: number): boolean {
    const other = this.#weights[than] ?? 0;
    return weight < other || (weight === other && id < (this.#ids[than] ?? 0));
  }
}
