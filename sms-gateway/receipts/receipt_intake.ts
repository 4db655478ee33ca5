import { Batch, Outage } from '../../domain/db/batch.ts';
import type { Receipt, ReceiptVerdict } from '../../domain/texts/receipts.ts';
import { backoffMs } from '../smpp/backoff.ts';
import type { Backoff } from '../smpp/backoff.ts';
import type { Clock } from '../smpp/clock.ts';

/** unstorable: the database refuses this receipt itself, so it would for ever. */
export type IntakeVerdict = ReceiptVerdict | 'unstorable';

export interface ReceiptIntakeOptions {
  /** Stores them in one transaction, through `receiveReceipts`; what else must not overlap with it takes turns in there. */
  write: (receipts: readonly Receipt[]) => Promise<readonly ReceiptVerdict[]>;
  clock: Clock;
  random: () => number;
  retry: Backoff;
  batch_size_max: number;
  /** Waits for company for those that are there, of which there are `count()` by now. */
  gather: (count: () => number) => Promise<void>;
  /** The database is away, and what waits is tried again after this long. */
  onOutage: (error: Error, retry_ms: number) => void;
  onUnstorable: (receipt: Receipt, error: Error) => void;
  /** For counters; once for each batch that was answered. */
  onVerdicts: (verdicts: readonly IntakeVerdict[]) => void;
}

interface Waiting {
  receipt: Receipt;
  done: (verdict: IntakeVerdict) => void;
}

/**
 * Takes receipts to the database, in the order in which they came and one batch at a time, and says of each when it is there
 * for good: then the carrier may be told so. While the database is away they wait, for as long as it takes. How many can
 * wait is bounded by the carriers' windows, since what is not acknowledged counts against them; and what is lost with this
 * process was never acknowledged, so the carrier sends it again.
 */
export class ReceiptIntake {
  readonly #options: ReceiptIntakeOptions;
  readonly #batch: Batch<Receipt, ReceiptVerdict>;
  readonly #waiting: Waiting[] = [];
  #draining: Promise<void> | null = null;
  #stopped = false;
  #endPause: () => void = () => undefined;

  constructor(options: ReceiptIntakeOptions) {
    this.#options = options;
    this.#batch = new Batch((receipts) => options.write(receipts), { size_max: options.batch_size_max });
  }

  /** How many have no verdict yet. */
  get length(): number {
    return this.#waiting.length;
  }

  /** `done` is called once, after the commit; never, when this is stopped before. */
  push(receipt: Receipt, done: (verdict: IntakeVerdict) => void): void {
    if (this.#stopped) return;
    this.#waiting.push({ receipt, done });
    this.#draining ??= this.#drain();
  }

  /** Resolves when the batch under way has been answered; the others are the carrier's to send again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endPause();
    await this.#draining;
  }

  async #drain(): Promise<void> {
    let outages = 0;
    while (this.#waiting.length > 0) {
      await this.#options.gather(() => this.#waiting.length);
      if (this.#stopped) break;
      const outage = await this.#writeSome();
      if (outage === null) {
        outages = 0;
        continue;
      }
      const retry_ms = backoffMs(outages, this.#options.retry, this.#options.random);
      outages += 1;
      this.#options.onOutage(outage, retry_ms);
      await this.#pause(retry_ms);
    }
    // In the same turn as the last look at what waits, so that nobody is left behind.
    this.#draining = null;
  }

  /** Those that were not answered for want of a database stay in front; gives why. */
  async #writeSome(): Promise<Outage | null> {
    const asked = this.#waiting.slice(0, this.#options.batch_size_max);
    const answers = await Promise.allSettled(asked.map(({ receipt }) => this.#batch.push(receipt)));
    const left: Waiting[] = [];
    const verdicts: IntakeVerdict[] = [];
    const calls: (() => void)[] = [];
    let outage: Outage | null = null;
    for (const [n, one] of asked.entries()) {
      const answer = answers[n];
      if (answer?.status === 'rejected' && answer.reason instanceof Outage) {
        outage = answer.reason;
        left.push(one);
        continue;
      }
      const verdict = this.#verdictOf(one, answer);
      verdicts.push(verdict);
      calls.push(() => one.done(verdict));
    }
    this.#waiting.splice(0, asked.length, ...left);
    if (verdicts.length > 0) this.#options.onVerdicts(verdicts);
    for (const call of calls) call();
    return outage;
  }

  #verdictOf({ receipt }: Waiting, answer: PromiseSettledResult<ReceiptVerdict> | undefined): IntakeVerdict {
    if (answer?.status === 'fulfilled') return answer.value;
    const reason: unknown = answer?.reason;
    this.#options.onUnstorable(receipt, reason instanceof Error ? reason : new Error(String(reason)));
    return 'unstorable';
  }

  #pause(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const takeBack = this.#options.clock.after(ms, resolve);
      this.#endPause = () => {
        takeBack();
        resolve();
      };
    });
  }
}
