import type { Queryable } from '../../../domain/db/transaction.ts';
import { forgetTextVolumes, saveTextVolumes, selectTextVolumes } from '../../../domain/texts/screening/text_volumes.ts';
import type { VolumeWatch } from './volume_watch.ts';

export interface VolumeKeepingOptions {
  db: Queryable;
  watch: VolumeWatch;
  now: () => number;
  /** Of an account that sent nothing for so long, nothing is known any more. */
  kept_ms: number;
  forget_every_ms: number;
  rows_max: number;
}

/** Takes what is usual for accounts over a restart: without it, nobody's volume would be sudden for days. */
export class VolumeKeeping {
  readonly #options: VolumeKeepingOptions;
  #forgot_at_ms = 0;

  constructor(options: VolumeKeepingOptions) {
    this.#options = options;
  }

  async load(): Promise<void> {
    const { db, watch, rows_max } = this.#options;
    const since = this.#since();
    for (let after: string | null = null; ;) {
      const volumes = await selectTextVolumes(db, since, after, rows_max);
      for (const volume of volumes) watch.learn(volume);
      if (volumes.length < rows_max) return;
      after = volumes.at(-1)?.account_id ?? null;
    }
  }

  /** What changed since the last time. Rejects while the database is away, and then it is saved by the next. */
  async save(): Promise<void> {
    const { db, watch, rows_max } = this.#options;
    for (;;) {
      const volumes = watch.toSave(rows_max);
      try {
        if (volumes.length > 0) await saveTextVolumes(db, volumes);
      } catch (error) {
        watch.unsaved(volumes);
        throw error;
      }
      if (volumes.length < rows_max) break;
    }
    await this.#forget();
  }

  async #forget(): Promise<void> {
    const { db, now, forget_every_ms } = this.#options;
    if (now() - this.#forgot_at_ms < forget_every_ms) return;
    await forgetTextVolumes(db, this.#since());
    this.#forgot_at_ms = now();
  }

  #since(): Date {
    return new Date(this.#options.now() - this.#options.kept_ms);
  }
}
