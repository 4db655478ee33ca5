import { Batch } from '../../domain/db/batch.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import { anyNumberIsPorted, selectRoutingNumbers } from '../../domain/texts/screening/ported_numbers.ts';
import type { PortabilitySource } from './number_portability.ts';

const NUMBERS_MAX = 500;

/**
 * The table ported_number as a source: what is asked for at once is one question to the database, and nothing is asked while
 * the operator has no porting data at all.
 */
export class PortedNumberTable implements PortabilitySource {
  readonly #db: Queryable;
  readonly #batch: Batch<E164, E164 | null>;
  #has_any = true;

  constructor(db: Queryable) {
    this.#db = db;
    this.#batch = new Batch((numbers) => selectRoutingNumbers(db, numbers), { size_max: NUMBERS_MAX });
  }

  get has_any(): boolean {
    return this.#has_any;
  }

  /** Looks whether there are any, which is to be asked now and then. */
  async refresh(): Promise<void> {
    this.#has_any = await anyNumberIsPorted(this.#db);
  }

  lookUp(number: E164): Promise<E164 | null> {
    return this.#batch.push(number);
  }
}
