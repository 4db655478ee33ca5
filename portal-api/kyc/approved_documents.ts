import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import type { DataKeys } from '../../domain/privacy/data_keys.ts';
import type { DocumentFolder } from '../documents/document_folder.ts';
import { unsealDocument } from '../documents/sealed_document.ts';
import { accountKey } from './account_key.ts';
import { findCase } from './case_rows.ts';
import { readClaims } from './claims.ts';
import type { Claims } from './claims.ts';
import { documentsOf } from './document_rows.ts';
import type { KycDocument } from './document_rows.ts';
import type { ClaimName, DocumentType } from './document_types.ts';
import { counts } from './requirement_rule.ts';

export interface ApprovedDocument {
  document_id: string;
  type: DocumentType;
  page_count: number;
  /** The last day on which it counts. */
  valid_until: string;
}

/** What may be handed to whoever asks for these types, and of no other type: approved, and not run out. */
export async function approvedDocuments(
  db: Queryable,
  account_id: string,
  types: readonly DocumentType[],
  now: Date,
): Promise<ApprovedDocument[]> {
  const found = await findCase(db, account_id);
  if (found?.standing.state === 'rejected') return [];
  const documents = await documentsOf(db, account_id);
  return documents
    .filter((document) => types.includes(document.type) && counts(document, now))
    .map(({ id, type, page_bytes, valid_until }) => ({
      ...{ document_id: id, type, page_count: page_bytes.length },
      valid_until: valid_until ?? '',
    }));
}

export interface OpeningParts {
  keys: DataKeys;
  folder: DocumentFolder;
}

/** The pages of a document, each a JPEG. Null where it is not there any more. Whoever shows or hands them on writes to the audit log. */
export async function openDocument(
  tx: Transaction,
  { keys, folder }: OpeningParts,
  document: Pick<KycDocument, 'id' | 'account_id' | 'file_id' | 'key_sealed' | 'page_bytes'>,
  now: Date,
): Promise<readonly Buffer[] | null> {
  const { id, account_id, file_id, key_sealed, page_bytes } = document;
  if (key_sealed === null) return null;
  const account_key = await accountKey(tx, keys, account_id, now);
  return unsealDocument(account_key, id, { key_sealed, page_bytes, file: await folder.read(file_id) });
}

/** Of what a customer says about himself, the named fields alone. */
export async function openClaims<N extends ClaimName>(
  tx: Transaction,
  keys: DataKeys,
  { account_id, names, now }: { account_id: string; names: readonly N[]; now: Date },
): Promise<Pick<Claims, N>> {
  const { claims } = await readClaims(tx, account_id, await accountKey(tx, keys, account_id, now));
  return Object.fromEntries(names.map((name) => [name, claims[name]])) as Pick<Claims, N>;
}
