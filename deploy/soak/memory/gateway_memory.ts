import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** What a process holds at a moment. */
export interface Held {
  at_s: number;
  /** By the kernel (proc(5), VmRSS). */
  rss_mb: number;
  /** By its own metrics: objects of JavaScript, and what is outside of their heap. */
  heap_mb: number;
  external_mb: number;
  /** Open file descriptors, by the kernel. */
  fds: number;
  /** What its event loop waits for: sockets, servers, timers of the system. */
  handles: number;
}

const EVERY_MS = 1_000;
const OCTETS_PER_MB = 1_000_000;

/** Looks each second at how much a gateway holds. */
export class GatewayMemory {
  readonly samples: Held[] = [];
  readonly #gateway: { pid: number; observe_url: string };
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  private constructor(gateway: { pid: number; observe_url: string }) {
    this.#gateway = gateway;
    this.#running = this.#look();
    // Told by `stop`.
    this.#running.catch(() => undefined);
  }

  static begin(gateway: { pid: number; observe_url: string }): GatewayMemory {
    return new GatewayMemory(gateway);
  }

  get latest(): Held | null {
    return this.samples.at(-1) ?? null;
  }

  /** @throws what kept it from looking. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #look(): Promise<void> {
    const began_ms = performance.now();
    for (let second = 0; await this.#pause(began_ms + second * EVERY_MS); second += 1) {
      this.samples.push(await this.#held((performance.now() - began_ms) / 1000));
    }
  }

  /** False when it was stopped, which is all that ends a pause early. */
  #pause(until_ms: number): Promise<boolean> {
    const { signal } = this.#stop;
    return wait(Math.max(0, until_ms - performance.now()), true, { signal }).catch(() => false);
  }

  async #held(at_s: number): Promise<Held> {
    const { pid, observe_url } = this.#gateway;
    const [status, fds, response] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8'),
      readdir(`/proc/${pid}/fd`),
      fetch(`${observe_url}/metrics`),
    ]);
    const metrics = await response.text();
    return {
      at_s,
      rss_mb: (numberIn(status, /^VmRSS:\s+(\d+) kB$/mu) * 1024) / OCTETS_PER_MB,
      heap_mb: numberIn(metrics, /^nodejs_heap_size_used_bytes (\S+)$/mu) / OCTETS_PER_MB,
      external_mb: numberIn(metrics, /^nodejs_external_memory_bytes (\S+)$/mu) / OCTETS_PER_MB,
      fds: fds.length,
      handles: numberIn(metrics, /^nodejs_active_handles_total (\S+)$/mu),
    };
  }
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`The gateway does not tell ${pattern.source}.`);
  return Number(found);
}
