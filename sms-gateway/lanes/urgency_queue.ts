/** A queue of each urgency; the lowest number goes first. */
export class UrgencyQueue<T> {
  readonly #queues: Fifo<T>[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): T | undefined {
    return this.#foremost()?.first;
  }

  push(item: T, urgency: number): void {
    this.#of(urgency).push(item);
    this.#length += 1;
  }

  /** In front of its equals. */
  unshift(item: T, urgency: number): void {
    this.#of(urgency).unshift(item);
    this.#length += 1;
  }

  shift(): T | undefined {
    const queue = this.#foremost();
    if (queue === undefined) return undefined;
    this.#length -= 1;
    return queue.shift();
  }

  takeAll(): T[] {
    const all = this.#queues.flatMap((queue) => queue.takeAll());
    this.#length = 0;
    return all;
  }

  #foremost(): Fifo<T> | undefined {
    return this.#queues.find((queue) => queue.length > 0);
  }

  #of(urgency: number): Fifo<T> {
    for (let at = this.#queues.length; at <= urgency; at += 1) this.#queues.push(new Fifo());
    const queue = this.#queues[urgency];
    if (queue === undefined) throw new RangeError(`${urgency} is no urgency.`);
    return queue;
  }
}

/** Where the front of the array is given back: seldom enough that each item is moved about once. */
const SPARE_MAX = 1024;

/** First in, first out, without moving the whole array for each that leaves. */
class Fifo<T> {
  #items: T[] = [];
  #front = 0;

  get length(): number {
    return this.#items.length - this.#front;
  }

  get first(): T | undefined {
    return this.#items[this.#front];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  unshift(item: T): void {
    if (this.#front === 0) {
      this.#items.unshift(item);
      return;
    }
    this.#front -= 1;
    this.#items[this.#front] = item;
  }

  shift(): T | undefined {
    const item = this.#items[this.#front];
    this.#front += 1;
    if (this.#front > SPARE_MAX && this.#front * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#front);
      this.#front = 0;
    }
    return item;
  }

  takeAll(): T[] {
    const all = this.#items.slice(this.#front);
    this.#items = [];
    this.#front = 0;
    return all;
  }
}
