import type { Queryable } from '../../domain/db/transaction.ts';
import type { TermsPort } from '../registration/terms_port.ts';
import { documentsInForce } from './document_rows.ts';
import type { DocumentKind } from './document_rows.ts';

/** What is agreed to. The privacy notice tells what is done with data, and is no agreement. */
const AGREED_KINDS: readonly DocumentKind[] = ['terms', 'payment_policy'];

export interface TermInForce {
  id: string;
  kind: DocumentKind;
  version: number;
  locale: string;
}

/** What has to be agreed to at that moment, in every language that it is written in. */
export async function termsInForce(db: Queryable, now: Date): Promise<TermInForce[]> {
  const in_force = await documentsInForce(db, now);
  return in_force
    .filter(({ kind }) => AGREED_KINDS.includes(kind))
    .map(({ id, kind, version, locale }) => ({ id, kind, version, locale }));
}

export interface AcceptanceOf {
  user_id: string;
  account_id: string;
  document_ids: readonly string[];
  at: Date;
  address: string;
}

/** Keeps that somebody agreed. What was agreed to before stays as it was. */
export async function recordAcceptances(
  tx: Queryable,
  { user_id, account_id, document_ids, at, address }: AcceptanceOf,
): Promise<void> {
  await tx.query(
    `insert into acceptance (user_id, account_id, document_id, at, address)
     select $1, $2, d.id, $4, $5 from legal_document d where d.id = any($3::uuid[]) and d.state <> 'draft'
     on conflict do nothing`,
    [user_id, account_id, document_ids, at, address],
  );
}

/**
 * Whether somebody agreed, for this account, to the newest version of each kind that asked for it, or to a later one. Where nothing was
 * ever published there is nothing to agree to. Calls and texts are refused by the same function.
 */
export async function termsAccepted(tx: Queryable, account_id: string, now: Date): Promise<boolean> {
  const { rows } = await tx.query<{ accepted: boolean }>({
    name: 'terms_accepted',
    text: 'select not owes_terms($1, $2) as accepted',
    values: [account_id, now],
  });
  return rows[0]?.accepted ?? true;
}

/** As registration asks for it. */
export function termsPort(now: () => Date): TermsPort {
  return {
    termsInForce: (tx) => termsInForce(tx, now()),
    recordAcceptances: (tx, user_id, account_id, document_ids, { at, address }) =>
      recordAcceptances(tx, { user_id, account_id, document_ids, at, address }),
  };
}
