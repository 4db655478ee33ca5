/** A queue of each urgency; the lowest number goes first. */
export class UrgencyQueue<T> {
  readonly #queues: Fifo<T>[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get first(): T | undefined {
    return this.#mostUrgent()?.first;
  }

  /** The first so many, in the order in which they go. */
  *foremost(items_max: number): Iterable<T> {
    let left = items_max;
    for (const queue of this.#queues) {
      for (const item of queue.foremost(left)) yield item;
      left -= Math.min(left, queue.length);
    }
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
    const queue = this.#mostUrgent();
    if (queue === undefined) return undefined;
    this.#length -= 1;
    return queue.shift();
  }

  /** Takes one out, wherever it stands; false where it does not. */
  remove(item: T, urgency: number): boolean {
    const is_removed = this.#of(urgency).remove(item);
    if (is_removed) this.#length -= 1;
    return is_removed;
  }

  takeAll(): T[] {
    const all = this.#queues.flatMap((queue) => queue.takeAll());
    this.#length = 0;
    return all;
  }

  /** The most urgent that has any. */
  #mostUrgent(): Fifo<T> | undefined {
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

  foremost(items_max: number): readonly T[] {
    return this.#items.slice(this.#front, this.#front + items_max);
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

  remove(item: T): boolean {
    const at = this.#items.indexOf(item, this.#front);
    if (at < 0) return false;
    if (at === this.#front) this.shift();
    else this.#items.splice(at, 1);
    return true;
  }

  takeAll(): T[] {
    const all = this.#items.slice(this.#front);
    this.#items = [];
    this.#front = 0;
    return all;
  }
}
