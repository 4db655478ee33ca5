/** Lets a few works run at once and some more wait for their turn, in their order. */
export class FewAtOnce {
  readonly #at_once_max: number;
  readonly #waiting_max: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor({ at_once_max, waiting_max }: { at_once_max: number; waiting_max: number }) {
    this.#at_once_max = at_once_max;
    this.#waiting_max = waiting_max;
  }

  /** Null, and nothing is done, where so many wait already that no more may. */
  take<T>(work: () => Promise<T>): Promise<T> | null {
    if (this.#running < this.#at_once_max) {
      this.#running += 1;
      return this.#run(work);
    }
    if (this.#waiting.length >= this.#waiting_max) return null;
    const turn = new Promise<void>((resolve) => this.#waiting.push(resolve));
    return turn.then(() => this.#run(work));
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      // Whoever comes next takes this one's place, so that nobody who comes meanwhile can.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
