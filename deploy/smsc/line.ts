/** A queue that things may come back to the front of. */
export class Line<T> {
  #items: (T | undefined)[] = [];
  #first = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const item = this.#items[this.#first];
    if (this.#first === this.#items.length) return undefined;
    this.#items[this.#first] = undefined;
    this.#first += 1;
    // The empty places are let go once they are most of it, so that this costs nothing by the piece.
    if (this.#first > 1_000 && this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }

  /** In the order given, before all that waits. */
  putBack(items: readonly T[]): void {
    if (items.length === 0) return;
    if (this.#first >= items.length) {
      this.#first -= items.length;
      for (const [index, item] of items.entries()) this.#items[this.#first + index] = item;
    } else {
      this.#items = [...items, ...this.#items.slice(this.#first)];
      this.#first = 0;
    }
  }
}
