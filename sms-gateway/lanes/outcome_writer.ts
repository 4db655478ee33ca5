import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Batch, Outage } from '../../domain/db/batch.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { recordOutcomes } from '../../domain/texts/outcomes.ts';
import type { Outcome } from '../../domain/texts/outcomes.ts';
import type { GatewayLease } from '../../domain/texts/queue.ts';
import type { Turn } from './turn.ts';

export interface OutcomeWriterOptions {
  db: Queryable;
  turn: Turn;
  lease: () => GatewayLease;
  now: () => Date;
  onSuperseded: () => void;
  log: Logger;
}

const SIZE_MAX = 500;
const RETRY_MS = { first: 100, most: 2_000 };
/** What carriers said may wait this long for company, save where receipts wait for it: a batch costs the database a tenth. */
const LINGER_MS = 50;

/** Writes what became of parts. While the database is away it asks again, for as long as it takes: nothing of it is lost. */
export class OutcomeWriter {
  readonly #options: OutcomeWriterOptions;
  readonly #batch: Batch<Outcome, null>;
  readonly #stop = new AbortController();
  readonly #settled: (() => void)[] = [];
  readonly #barriers: { given: number; resolve: () => void }[] = [];
  readonly #unwritten = new Set<Outcome>();
  /** How many were given, and how many of them are done with; they are written in their order. */
  #given = 0;
  #written = 0;

  constructor(options: OutcomeWriterOptions) {
    this.#options = options;
    this.#batch = new Batch((outcomes) => this.#write(outcomes), { size_max: SIZE_MAX, linger_ms: LINGER_MS });
  }

  /** How many are not in the database yet. */
  get unwritten(): number {
    return this.#unwritten.size;
  }

  /** Whose they are. */
  *unwrittenIds(): Iterable<string> {
    for (const { message_id } of this.#unwritten) yield message_id;
  }

  write(outcome: Outcome): void {
    this.#unwritten.add(outcome);
    this.#given += 1;
    this.#batch
      .push(outcome)
      .catch((error: unknown) => {
        if (this.#stop.signal.aborted) return;
        // What is not written stays claimed, and the next start finds it as a doubt.
        this.#options.log.error({ err: error, message_id: outcome.message_id }, 'an outcome could not be written');
      })
      .finally(() => {
        this.#unwritten.delete(outcome);
        this.#written += 1;
        while ((this.#barriers[0]?.given ?? Infinity) <= this.#written) this.#barriers.shift()?.resolve();
        if (this.#unwritten.size === 0) for (const resolve of this.#settled.splice(0)) resolve();
      });
  }

  /** Resolves when all that was given so far is written: a receipt that came after an answer is looked for after it. */
  caughtUp(): Promise<void> {
    if (this.#written === this.#given) return Promise.resolve();
    this.#batch.hurry();
    return new Promise((resolve) => this.#barriers.push({ given: this.#given, resolve }));
  }

  /** Resolves when everything is written, or after `within_ms`. */
  async settle(within_ms: number): Promise<void> {
    if (this.#unwritten.size === 0) return;
    this.#batch.hurry();
    const written = new Promise<void>((resolve) => {
      this.#settled.push(resolve);
    });
    await Promise.race([written, wait(within_ms, undefined, { signal: this.#stop.signal })]);
  }

  stop(): void {
    this.#stop.abort();
  }

  async #write(outcomes: readonly Outcome[]): Promise<null[]> {
    const { db, turn, lease, now, onSuperseded, log } = this.#options;
    const batch_id = randomUUID();
    for (let retry_ms = RETRY_MS.first; ; retry_ms = Math.min(retry_ms * 2, RETRY_MS.most)) {
      try {
        const written = await turn.take(() => recordOutcomes(db, lease(), batch_id, now(), outcomes));
        if (!written) onSuperseded();
        return outcomes.map(() => null);
      } catch (error) {
        if (!Outage.is(error)) throw error;
        log.warn({ err: error, outcomes: outcomes.length }, 'what carriers said waits for the database');
        await wait(retry_ms, undefined, { signal: this.#stop.signal });
      }
    }
  }
}
