import { connect } from 'node:net';
import type { OnReadOpts, Socket } from 'node:net';

export interface HttpLoadOptions {
  host: string;
  port: number;
  connections: number;
  /** The next text's request, head and body, all of it in ASCII. */
  nextRequest: () => string;
  /** How an answer begins that counts; by default that of an accepted text. */
  succeeds?: string;
  /** Requests a second over all connections; null: as fast as answers come. */
  per_second: number | null;
}

export interface HttpLoadResult {
  accepted: number;
  failed: number;
  /** From request to answer, sorted. */
  latencies_ms: Float64Array;
  seconds: number;
}

/**
 * Customers' programs, written so that they cost little themselves: on two cores the measure takes away from what it measures.
 * Each connection has one request under way; at a set rate a request that is late counts from when it should have gone.
 */
export class HttpLoad {
  readonly #options: HttpLoadOptions;
  readonly #sockets: Socket[] = [];
  #latencies: number[] = [];
  #accepted = 0;
  #failed = 0;
  #ends_at_ms = 0;
  #next_due_ms = 0;

  constructor(options: HttpLoadOptions) {
    this.#options = options;
  }

  async run(seconds: number): Promise<HttpLoadResult> {
    const began_ms = performance.now();
    this.#latencies = [];
    [this.#accepted, this.#failed] = [0, 0];
    this.#next_due_ms = began_ms;
    this.#ends_at_ms = began_ms + seconds * 1000;
    await Promise.all(Array.from({ length: this.#options.connections }, () => this.#converse()));
    for (const socket of this.#sockets.splice(0)) socket.destroy();
    return {
      accepted: this.#accepted,
      failed: this.#failed,
      latencies_ms: Float64Array.from(this.#latencies).sort(),
      seconds: (performance.now() - began_ms) / 1000,
    };
  }

  #converse(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      let sent_ms = 0;
      let received = '';
      const next = (): void => {
        const due_ms = this.#dueMs();
        if (due_ms === null) return resolve();
        const wait_ms = due_ms - performance.now();
        if (wait_ms > 1) {
          setTimeout(() => ask(due_ms), wait_ms);
        } else ask(due_ms);
      };
      const ask = (due_ms: number): void => {
        sent_ms = this.#options.per_second === null ? performance.now() : due_ms;
        socket.write(this.#options.nextRequest(), 'latin1');
      };
      const receive = (chunk: string): void => {
        received += chunk;
        if (!isWhole(received)) return;
        this.#latencies.push(performance.now() - sent_ms);
        if (received.startsWith(this.#options.succeeds ?? 'HTTP/1.1 202')) this.#accepted += 1;
        else this.#failed += 1;
        received = '';
        next();
      };
      const socket = connect({ host, port, noDelay: true, onread: intoOneBuffer(receive) });
      this.#sockets.push(socket);
      socket.on('connect', next);
      socket.on('error', reject);
      socket.on('close', () => reject(new Error(`${host}:${port} closed a connection while it was asked.`)));
    });
  }

  /** Null when the time is over. */
  #dueMs(): number | null {
    const now_ms = performance.now();
    const { per_second } = this.#options;
    if (per_second === null) return now_ms < this.#ends_at_ms ? now_ms : null;
    const due_ms = this.#next_due_ms;
    if (due_ms >= this.#ends_at_ms) return null;
    this.#next_due_ms += 1000 / per_second;
    return due_ms;
  }
}

/** A stream allocates 64 KB for each answer, which costs more than all the rest of hearing it. */
function intoOneBuffer(receive: (chunk: string) => void): OnReadOpts {
  const buffer = Buffer.alloc(65_536);
  return {
    buffer,
    callback: (octets) => {
      receive(buffer.toString('latin1', 0, octets));
      return true;
    },
  };
}

const LENGTH = /content-length: (\d+)/iu;

function isWhole(received: string): boolean {
  const head_ends = received.indexOf('\r\n\r\n');
  if (head_ends < 0) return false;
  const [, length = '0'] = LENGTH.exec(received.slice(0, head_ends)) ?? [];
  return received.length >= head_ends + 4 + Number(length);
}

export function percentile(sorted: Float64Array, per_cent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * per_cent) / 100))] ?? Number.NaN;
}
