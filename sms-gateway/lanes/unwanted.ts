import type { Queryable } from '../../domain/db/transaction.ts';
import { unwantedClaims } from '../../domain/texts/queue.ts';
import type { GatewayLease } from '../../domain/texts/queue.ts';

export interface UnwantedOptions {
  db: Queryable;
  lease: () => GatewayLease;
  /** To the database, which ends it; a text of which some is on its way goes on. */
  giveBack: (message_id: string) => Promise<void>;
}

/**
 * Texts in our hands whose recipients have said STOP since, and not to us: the desk handed it on. They are looked for when the database
 * says that there may be some, and until it answered.
 */
export class Unwanted {
  readonly #options: UnwantedOptions;
  #is_expected = false;

  constructor(options: UnwantedOptions) {
    this.#options = options;
  }

  /** There may be some. */
  expect(): void {
    this.#is_expected = true;
  }

  /** To be called often: it asks only where there may be some. */
  async passSoon(): Promise<void> {
    if (!this.#is_expected) return;
    this.#is_expected = false;
    const { db, lease, giveBack } = this.#options;
    const message_ids = await unwantedClaims(db, lease()).catch((error: unknown) => {
      this.#is_expected = true;
      throw error;
    });
    await Promise.all(message_ids.map((message_id) => giveBack(message_id)));
  }
}
