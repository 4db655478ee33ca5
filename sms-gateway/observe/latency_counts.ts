/** In seconds, as Prometheus counts them: how many took no longer than that. */
export const LATENCY_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** How long answers took, in plain numbers: a histogram of the package costs a text more than all that is counted of it besides. */
export class LatencyCounts {
  readonly #counts = new Float64Array(LATENCY_BUCKETS.length);
  #sum_s = 0;
  #count = 0;

  add(took_ms: number): void {
    const took_s = took_ms / 1000;
    this.#sum_s += took_s;
    this.#count += 1;
    for (let at = 0; at < LATENCY_BUCKETS.length; at += 1) {
      if (took_s <= (LATENCY_BUCKETS[at] ?? 0)) {
        this.#counts[at] = (this.#counts[at] ?? 0) + 1;
        return;
      }
    }
  }

  get sum_s(): number {
    return this.#sum_s;
  }

  get count(): number {
    return this.#count;
  }

  /** Of each bucket, those of the smaller ones included; the last one is all. */
  buckets(): { le: string; count: number }[] {
    let upto = 0;
    const told = LATENCY_BUCKETS.map((le, at) => {
      upto += this.#counts[at] ?? 0;
      return { le: String(le), count: upto };
    });
    return [...told, { le: '+Inf', count: this.#count }];
  }
}
