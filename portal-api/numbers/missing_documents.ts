import type { Queryable } from '../../domain/db/transaction.ts';
import type { NumberType } from './offers/offer_rows.ts';

export interface DocumentQuestion {
  account_id: string;
  country: string;
  number_type: NumberType;
  now: Date;
}

/** Which documents whoever wants to hold such a number still has to bring; empty where none is missing. */
export type MissingDocuments = (db: Queryable, question: DocumentQuestion) => Promise<readonly string[]>;
