import { Batch } from '../../domain/db/batch.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import { selectRoutingNumbers } from '../../domain/texts/screening/ported_numbers.ts';
import type { PortabilitySource } from './number_portability.ts';

const NUMBERS_MAX = 500;

/** The table ported_number as a source: what is asked for at once is one question to the database. */
export class PortedNumberTable implements PortabilitySource {
  readonly #batch: Batch<E164, E164 | null>;

  constructor(db: Queryable) {
    this.#batch = new Batch((numbers) => selectRoutingNumbers(db, numbers), { size_max: NUMBERS_MAX });
  }

  lookUp(number: E164): Promise<E164 | null> {
    return this.#batch.push(number);
  }
}
