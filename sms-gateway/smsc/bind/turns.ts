import { Turn } from '../../lanes/turn.ts';

/** Lets one work at a time for each key; those of other keys go on beside it. */
export class Turns {
  readonly #turns = new Map<string, { turn: Turn; waiting: number }>();

  /** How many keys have work under way. */
  get size(): number {
    return this.#turns.size;
  }

  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const mine = this.#turns.get(key) ?? { turn: new Turn(), waiting: 0 };
    this.#turns.set(key, mine);
    mine.waiting += 1;
    try {
      return await mine.turn.take(work);
    } finally {
      mine.waiting -= 1;
      if (mine.waiting === 0) this.#turns.delete(key);
    }
  }
}
