interface Waiter<T> {
  resolve: (value: T) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

type Outcome<T> = { kind: 'open' } | { kind: 'met'; value: T } | { kind: 'failed'; error: Error };

/**
 * Something that happens once, or turns out to be impossible. Tests wait for it with a limit instead of sleeping.
 * Nobody has to wait: an impossible condition that nobody asked about is no unhandled rejection.
 */
export class Condition<T> {
  private readonly name: string;
  private outcome: Outcome<T> = { kind: 'open' };
  private readonly waiters = new Set<Waiter<T>>();

  constructor(name: string) {
    this.name = name;
  }

  /** The value once met, else undefined. */
  get value(): T | undefined {
    return this.outcome.kind === 'met' ? this.outcome.value : undefined;
  }

  /** The first outcome stands; later ones are ignored. */
  meet(value: T): void {
    if (this.outcome.kind !== 'open') return;
    this.outcome = { kind: 'met', value };
    for (const waiter of this.release()) waiter.resolve(value);
  }

  fail(why: string): void {
    if (this.outcome.kind !== 'open') return;
    const error = new Error(`${this.name} can no longer happen: ${why}`);
    this.outcome = { kind: 'failed', error };
    for (const waiter of this.release()) waiter.reject(error);
  }

  /** Resolves when met; rejects when it became impossible or within_ms passed. */
  within(within_ms: number): Promise<T> {
    const outcome = this.outcome;
    if (outcome.kind === 'met') return Promise.resolve(outcome.value);
    if (outcome.kind === 'failed') return Promise.reject(outcome.error);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters.delete(waiter);
        reject(new Error(`${this.name} did not happen within ${within_ms} ms`));
      }, within_ms);
      const waiter: Waiter<T> = { resolve, reject, timer };
      this.waiters.add(waiter);
    });
  }

  private release(): Waiter<T>[] {
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const waiter of waiters) clearTimeout(waiter.timer);
    return waiters;
  }
}
