import type { Transaction } from '../../domain/db/transaction.ts';

/** A legal document that whoever registers has to agree to. */
export interface DocumentInForce {
  id: string;
  /** What it is: terms, privacy notice. The same in several languages has one kind. */
  kind: string;
  locale: string;
}

/** What is kept of an acceptance beside who and what. */
export interface AcceptanceFacts {
  at: Date;
  /** The network address that it came from. */
  address: string;
}

/** What registration needs of the legal documents. */
export interface TermsPort {
  /** Those that have to be agreed to now, in all their languages. */
  termsInForce(tx: Transaction): Promise<readonly DocumentInForce[]>;
  recordAcceptances(
    tx: Transaction,
    user_id: string,
    account_id: string,
    document_ids: readonly string[],
    facts: AcceptanceFacts,
  ): Promise<void>;
}

/** The kinds that were not agreed to in any language; none: all were. */
export function kindsMissing(in_force: readonly DocumentInForce[], accepted_ids: readonly string[]): string[] {
  const accepted = new Set(accepted_ids);
  const agreed = new Set(in_force.filter(({ id }) => accepted.has(id)).map(({ kind }) => kind));
  return [...new Set(in_force.map(({ kind }) => kind))].filter((kind) => !agreed.has(kind));
}
