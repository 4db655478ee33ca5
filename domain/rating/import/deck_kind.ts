import type { Transaction } from '../../db/transaction.ts';
import type { Service } from '../index/load_index.ts';
import type { DatedPrefix } from '../rate_deck.ts';
import type { Column } from './columns.ts';

/** Gives what stands in a column of the line that is being read. */
export type ReadField = <T>(column: Column<T>) => T;

/** What a deck of calls and one of texts differ in. All else of an import is the same for both. */
export type DeckKind<Row extends DatedPrefix> = {
  readonly service: Service;
  /** The file in words, for who wrote it. */
  readonly file: string;
  /** In the order of the template. */
  readonly columns: readonly Column<unknown>[];
  /** Reads the columns in the order in which their problems are to be reported. */
  readonly rowOf: (read: ReadField) => Row;
  /** Writes some thousand rows in one statement: arrays of the columns take a tenth of the time that single rows do. */
  readonly insert: (tx: Transaction, deck_id: number, rows: readonly Row[]) => Promise<void>;
};
