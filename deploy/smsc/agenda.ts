interface Entry {
  due_ms: number;
  /** What is due at the same moment happens in the order in which it was asked for. */
  order: number;
  act: () => void;
}

/** What is to happen later, all of it behind one timer: a carrier that waits has ten thousands of answers and receipts due. */
export class Agenda {
  /** A binary heap, the earliest first. */
  readonly #entries: Entry[] = [];
  #order = 0;
  #timer: NodeJS.Timeout | null = null;
  #timer_due_ms = Infinity;
  #closed = false;

  /** At once, before this returns, where there is nothing to wait for. */
  after(delay_ms: number, act: () => void): void {
    if (this.#closed) return;
    if (delay_ms <= 0) {
      act();
      return;
    }
    this.#order += 1;
    const entry = { due_ms: performance.now() + delay_ms, order: this.#order, act };
    this.#entries.push(entry);
    this.#rise(this.#entries.length - 1, entry);
    this.#arm();
  }

  /** Nothing of what was asked for happens any more. */
  close(): void {
    this.#closed = true;
    this.#entries.length = 0;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #arm(): void {
    const first = this.#entries[0];
    if (first === undefined || first.due_ms >= this.#timer_due_ms) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer_due_ms = first.due_ms;
    this.#timer = setTimeout(() => this.#run(), Math.max(1, Math.ceil(first.due_ms - performance.now())));
  }

  #run(): void {
    this.#timer = null;
    this.#timer_due_ms = Infinity;
    const now_ms = performance.now();
    for (let first = this.#entries[0]; first !== undefined && first.due_ms <= now_ms; first = this.#entries[0]) {
      this.#removeFirst();
      first.act();
    }
    this.#arm();
  }

  #removeFirst(): void {
    const last = this.#entries.pop();
    if (last !== undefined && this.#entries.length > 0) this.#sink(last);
  }

  #rise(from: number, entry: Entry): void {
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#entries[above];
      if (parent === undefined || isBefore(parent, entry)) break;
      this.#entries[at] = parent;
      at = above;
    }
    this.#entries[at] = entry;
  }

  /** Finds the place for an entry from the top downwards. */
  #sink(entry: Entry): void {
    const entries = this.#entries;
    let at = 0;
    for (;;) {
      const left = entries[2 * at + 1];
      if (left === undefined) break;
      const right = entries[2 * at + 2];
      const [below, child] =
        right !== undefined && isBefore(right, left) ? ([2 * at + 2, right] as const) : ([2 * at + 1, left] as const);
      if (isBefore(entry, child)) break;
      entries[at] = child;
      at = below;
    }
    entries[at] = entry;
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.due_ms < other.due_ms || (one.due_ms === other.due_ms && one.order < other.order);
}
