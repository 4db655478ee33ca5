/** What is to happen, in the order of its time; two things of one moment happen in the order in which they were planned. */
export class Agenda {
  now_ms: number;
  #planned: { at_ms: number; run: () => void }[] = [];

  constructor(now_ms: number) {
    this.now_ms = now_ms;
  }

  plan(delay_ms: number, run: () => void): void {
    this.#planned.push({ at_ms: this.now_ms + Math.max(0, delay_ms), run });
  }

  /** Lets the next thing happen; false when nothing is planned. */
  step(): boolean {
    let next = 0;
    for (let n = 1; n < this.#planned.length; n += 1)
      if ((this.#planned[n]?.at_ms ?? 0) < (this.#planned[next]?.at_ms ?? 0)) next = n;
    const [due] = this.#planned.splice(next, 1);
    if (due === undefined) return false;
    this.now_ms = due.at_ms;
    due.run();
    return true;
  }
}
