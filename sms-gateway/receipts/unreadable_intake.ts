import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Batch, Outage } from '../../domain/db/batch.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { GatewayLease } from '../../domain/texts/queue.ts';
import { keepUnreadableReceipts } from '../../domain/texts/unreadable_receipts.ts';
import type { UnreadableReceipt } from '../../domain/texts/unreadable_receipts.ts';

export interface UnreadableIntakeOptions {
  db: Queryable;
  lease: () => GatewayLease;
  now: () => number;
  /** How many are kept in all; the oldest go first. */
  kept_max: number;
  log: Logger;
}

const RETRY_MS = { first: 100, most: 2_000 };

/**
 * Keeps receipts that cannot be read. Each is safe once `keep` says so, and is not acknowledged before; while the database is away it
 * waits, bounded by the window of its carrier.
 */
export class UnreadableIntake {
  readonly #options: UnreadableIntakeOptions;
  readonly #batch: Batch<UnreadableReceipt, boolean>;
  readonly #stop = new AbortController();

  constructor(options: UnreadableIntakeOptions) {
    this.#options = options;
    const { db, lease, now, kept_max } = options;
    this.#batch = new Batch(async (receipts) => {
      const are_kept = await keepUnreadableReceipts(db, lease(), new Date(now()), receipts, kept_max);
      return receipts.map(() => are_kept);
    });
  }

  /** False where another gateway took over, or this one stops: the carrier is to send it again. */
  async keep(receipt: UnreadableReceipt): Promise<boolean> {
    for (let retry_ms = RETRY_MS.first; ; retry_ms = Math.min(retry_ms * 2, RETRY_MS.most)) {
      try {
        return await this.#batch.push(receipt);
      } catch (error) {
        if (!Outage.is(error)) throw error;
        this.#options.log.warn(
          { err: error, retry_ms, bind: receipt.bind_id },
          'a receipt that cannot be read waits for the database, unacknowledged',
        );
      }
      const goes_on = await wait(retry_ms, true, { signal: this.#stop.signal }).catch(() => false);
      if (!goes_on) return false;
    }
  }

  stop(): void {
    this.#stop.abort();
  }
}
