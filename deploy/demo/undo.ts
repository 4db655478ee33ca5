/** What has to be undone at the end, whatever happens: the last first. */
export class Undo {
  readonly #steps: { what: string; run: () => Promise<unknown> }[] = [];
  #pending: Promise<unknown> = Promise.resolve();
  #ended: Promise<readonly string[]> | null = null;

  /** Begins something and remembers how it ends. What still begins when the end comes is waited for, and ended too. */
  async begin<T>(what: string, start: () => Promise<T>, end: (begun: T) => Promise<unknown>): Promise<T> {
    if (this.#ended !== null) throw new Error(`${what} was not begun, as the end has come.`);
    const beginning = start().then((begun) => {
      this.#steps.push({ what, run: () => end(begun) });
      return begun;
    });
    this.#pending = beginning.catch(() => undefined);
    return beginning;
  }

  /** Ends everything; resolves with a sentence for each that did not end in good order. */
  end(): Promise<readonly string[]> {
    this.#ended ??= this.#endAll();
    return this.#ended;
  }

  async #endAll(): Promise<readonly string[]> {
    await this.#pending;
    const failed: string[] = [];
    for (const { what, run } of this.#steps.toReversed()) {
      try {
        await run();
      } catch (error) {
        failed.push(`${what} did not end in good order: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return failed;
  }
}
