import type { Queryable } from '../../domain/db/transaction.ts';
import { saveTextQualities, selectTextQualities } from '../../domain/texts/text_qualities.ts';
import type { Quality } from './quality.ts';

/** Takes what is known of carriers over a restart. */
export class QualityKeeping {
  readonly #db: Queryable;
  readonly #quality: Quality;

  constructor(db: Queryable, quality: Quality) {
    this.#db = db;
    this.#quality = quality;
  }

  async load(): Promise<void> {
    for (const quality of await selectTextQualities(this.#db)) this.#quality.learn(quality);
  }

  /** What changed since the last time. Rejects while the database is away, and then it is saved by the next. */
  async save(): Promise<void> {
    const qualities = this.#quality.toSave();
    if (qualities.length === 0) return;
    try {
      await saveTextQualities(this.#db, qualities);
    } catch (error) {
      this.#quality.unsaved(qualities);
      throw error;
    }
  }
}
