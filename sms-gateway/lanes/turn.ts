/**
 * Lets one work at a time. What carriers answer and the receipts that they send are written in turns: were both under way at
 * once, a receipt might look for its part just before the part is stored, and be looked for just before it is stored itself.
 */
export class Turn {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}
