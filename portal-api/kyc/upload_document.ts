import { randomUUID } from 'node:crypto';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { FolderUnwritable } from '../documents/document_folder.ts';
import type { Refusal } from '../documents/document_reader.ts';
import { sealDocument } from '../documents/sealed_document.ts';
import { accountKey } from './account_key.ts';
import { caseOfAccount, moveCase } from './case_rows.ts';
import type { KycCase } from './case_rows.ts';
import { stepCase } from './case_state.ts';
import type { CaseRefusal } from './case_state.ts';
import { documentsOf, findDocument, insertDocument } from './document_rows.ts';
import type { KycDocument } from './document_rows.ts';
import type { DocumentType } from './document_types.ts';
import type { KycParts } from './kyc_parts.ts';

/** So many that wait to be decided, or were, are kept of one account at once. */
const DOCUMENTS_MAX = 30;

export interface UploadedFile {
  id: string;
  account_id: string;
  user_id: string;
  type: DocumentType;
  bytes: Buffer;
  now: Date;
}

export type Uploading =
  | { kind: 'uploaded'; document: KycDocument }
  | { kind: 'case_refused'; refusal: CaseRefusal }
  | { kind: 'too_many' }
  | { kind: 'file_refused'; refusal: Refusal }
  | { kind: 'busy' }
  | { kind: 'no_room' };

/** Reads a file, and keeps what it shows and nothing else of it. */
export async function uploadDocument(parts: KycParts, upload: UploadedFile): Promise<Uploading> {
  const { pool, reader, folder } = parts;
  const before = await inTransaction(pool, (tx) => lookBefore(tx, upload));
  if ('kind' in before) return before;
  // Reading takes its time, for which no transaction is kept open.
  const read = await reader.read(upload.bytes);
  if (read.kind === 'busy') return read;
  if (read.kind === 'refused') return { kind: 'file_refused', refusal: read.refusal };
  const key = await inTransaction(pool, (tx) => accountKey(tx, parts.keys, upload.account_id, upload.now));
  const { file, ...sealed } = sealDocument(key, upload.id, read.pages);
  const file_id = randomUUID();
  try {
    await folder.write(file_id, file);
  } catch (error) {
    if (!(error instanceof FolderUnwritable)) throw error;
    parts.log.error({ err: error }, 'a document could not be written');
    return { kind: 'no_room' };
  }
  return keepOrRemove(parts, upload, { ...sealed, file_id });
}

/** The row and the move of the case; where they cannot be, the file goes again. */
async function keepOrRemove(
  { pool, folder }: KycParts,
  upload: UploadedFile,
  sealed: { file_id: string; key_sealed: Buffer; page_bytes: number[] },
): Promise<Uploading> {
  const { id, account_id, type, user_id, now } = upload;
  let kept = false;
  try {
    const uploading = await inTransaction(pool, async (tx): Promise<Uploading> => {
      // It may have been handed in meanwhile.
      const before = await lookBefore(tx, upload);
      if ('kind' in before) return before;
      await insertDocument(tx, { ...{ id, account_id, type, ...sealed }, uploaded_by: user_id, uploaded_at: now });
      await moveCase(tx, before.found, before.standing);
      const document = await findDocument(tx, id);
      if (document === null) throw new Error(`The document ${id} was inserted and is not there.`);
      return { kind: 'uploaded', document };
    });
    kept = uploading.kind === 'uploaded' && uploading.document.file_id === sealed.file_id;
    return uploading;
  } finally {
    if (!kept) await folder.remove(sealed.file_id);
  }
}

/** What the file would be added to, locked; or what comes of it without it being read. */
async function lookBefore(
  tx: Transaction,
  { id, account_id, now }: UploadedFile,
): Promise<Uploading | { found: KycCase; standing: KycCase['standing'] }> {
  const found = await caseOfAccount(tx, account_id, now);
  const documents = await documentsOf(tx, account_id);
  const made = documents.find((document) => document.id === id);
  if (made !== undefined) return { kind: 'uploaded', document: made };
  const step = stepCase(found.standing, { kind: 'change' });
  if (step.kind === 'refused') return { kind: 'case_refused', refusal: step.refusal };
  if (documents.filter(({ key_sealed }) => key_sealed !== null).length >= DOCUMENTS_MAX) return { kind: 'too_many' };
  return { found, standing: step.standing };
}
