import type { Queryable } from '../../domain/db/transaction.ts';
import { findCase, partyOf } from './case_rows.ts';
import { claimNames } from './claims.ts';
import { documentsOf } from './document_rows.ts';
import type { NumberType } from './document_types.ts';
import { countsBy, missingOf } from './requirement_rule.ts';
import { requirementInForce } from './requirement_sets.ts';

export interface WantedNumber {
  account_id: string;
  country: string;
  number_type: NumberType;
  now: Date;
}

/**
 * What an account still has to prove before it may have such a number: types of documents (`passport|country_identification`: one of
 * them), and claims (`claim:address`). Empty: all that the rules in force ask for is approved and has not run out.
 */
export async function missingDocuments(db: Queryable, wanted: WantedNumber): Promise<string[]> {
  const { account_id, country, number_type, now } = wanted;
  const party = await partyOf(db, account_id);
  const { rule } = await requirementInForce(db, { country, number_type, party, now });
  const found = await findCase(db, account_id);
  // Whoever was rejected has to be let in again first; what was approved before does not count until then.
  const documents = found?.standing.state === 'rejected' ? [] : await documentsOf(db, account_id);
  const claims = await claimNames(db, account_id);
  return missingOf(rule, { documents, claims }, (document) => countsBy(rule, document, now));
}
