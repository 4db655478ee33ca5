import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import type { DocumentType } from './document_types.ts';
import { stepDocument } from './document_state.ts';
import type { DocumentEvent, DocumentState } from './document_state.ts';
import type { Verification } from './verifier.ts';

export interface KycDocument {
  id: string;
  account_id: string;
  type: DocumentType;
  state: DocumentState;
  file_id: string;
  page_bytes: number[];
  /** Null once what it shows is destroyed. */
  key_sealed: Buffer | null;
  uploaded_at: Date;
  submitted_at: Date | null;
  decided_at: Date | null;
  /** Null also where an automatic verifier approved it. */
  decided_by: string | null;
  reason: string | null;
  note_sealed: Buffer | null;
  /** As `2027-01-31`. */
  valid_until: string | null;
  told_days: number | null;
  auto_verdict: 'passed' | 'failed' | 'unsure' | null;
  auto_valid_until: string | null;
}

const DOCUMENT_COLUMNS = `id, account_id, type, state, file_id, page_bytes, key_sealed, uploaded_at, submitted_at, decided_at, decided_by, reason, note_sealed,
  to_char(valid_until, 'YYYY-MM-DD') as valid_until, told_days, auto_verdict, to_char(auto_valid_until, 'YYYY-MM-DD') as auto_valid_until`;

/** All of an account, the newest first. */
export async function documentsOf(db: Queryable, account_id: string): Promise<KycDocument[]> {
  const { rows } = await db.query<KycDocument>({
    name: 'kyc_documents_of',
    text: `select ${DOCUMENT_COLUMNS} from kyc_document where account_id = $1 order by uploaded_at desc, id`,
    values: [account_id],
  });
  return rows;
}

export async function findDocument(db: Queryable, id: string): Promise<KycDocument | null> {
  const { rows } = await db.query<KycDocument>(`select ${DOCUMENT_COLUMNS} from kyc_document where id = $1`, [id]);
  return rows[0] ?? null;
}

export interface NewDocument {
  id: string;
  account_id: string;
  type: DocumentType;
  file_id: string;
  page_bytes: readonly number[];
  key_sealed: Buffer;
  uploaded_by: string;
  uploaded_at: Date;
}

export async function insertDocument(tx: Transaction, document: NewDocument): Promise<void> {
  await tx.query(
    `insert into kyc_document (id, account_id, type, file_id, page_bytes, key_sealed, uploaded_by, uploaded_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ...[document.id, document.account_id, document.type, document.file_id, document.page_bytes, document.key_sealed],
      ...[document.uploaded_by, document.uploaded_at],
    ],
  );
}

export async function deleteDocument(tx: Transaction, id: string): Promise<void> {
  await tx.query('delete from kyc_document where id = $1', [id]);
}

/** Throws where the event cannot happen to it: whoever calls has looked, under the lock of the case. */
function next({ id, state }: KycDocument, event: DocumentEvent): DocumentState {
  const to = stepDocument(state, event);
  if (to === null) throw new Error(`The document ${id} is ${state}, to which no ${event} comes.`);
  return to;
}

export async function submitDocument(tx: Transaction, document: KycDocument, now: Date): Promise<void> {
  await tx.query('update kyc_document set state = $2, submitted_at = $3 where id = $1', [
    ...[document.id, next(document, 'submit'), now],
  ]);
}

export interface DocumentDecision {
  event: 'approve' | 'reject' | 'ask_again';
  /** Null: an automatic verifier, as the log has it. */
  decided_by: string | null;
  decided_at: Date;
  reason: string | null;
  note_sealed: Buffer | null;
  valid_until: string | null;
}

export async function recordDecision(
  tx: Transaction,
  document: KycDocument,
  decision: DocumentDecision,
): Promise<void> {
  await tx.query(
    `update kyc_document set state = $2, decided_by = $3, decided_at = $4, reason = $5, note_sealed = $6, valid_until = $7, told_days = null
      where id = $1`,
    [
      ...[document.id, next(document, decision.event), decision.decided_by, decision.decided_at, decision.reason],
      ...[decision.note_sealed, decision.valid_until],
    ],
  );
}

/** It ran out, or a newer one took its place. */
export async function endDocument(
  tx: Transaction,
  document: KycDocument,
  event: 'expire' | 'replace',
  now: Date,
): Promise<void> {
  await tx.query('update kyc_document set state = $2, decided_at = $3 where id = $1', [
    ...[document.id, next(document, event), now],
  ]);
}

/** What was decided about it no longer holds, and it is handed in anew. */
export async function recheckDocument(tx: Transaction, document: KycDocument): Promise<void> {
  await tx.query(
    `update kyc_document set state = $2, decided_by = null, decided_at = null, valid_until = null, told_days = null, auto_verdict = null,
            auto_valid_until = null
      where id = $1`,
    [document.id, next(document, 'recheck')],
  );
}

export async function recordTold(tx: Transaction, id: string, days: number): Promise<void> {
  await tx.query('update kyc_document set told_days = $2 where id = $1', [id, days]);
}

export async function recordVerdict(
  tx: Transaction,
  id: string,
  { verdict, valid_until }: Verification,
): Promise<void> {
  await tx.query('update kyc_document set auto_verdict = $2, auto_valid_until = $3 where id = $1', [
    ...[id, verdict, valid_until],
  ]);
}

/** Without its key the file is noise, from the commit on. */
export async function destroyDocumentKey(tx: Transaction, id: string, now: Date): Promise<void> {
  await tx.query(
    'update kyc_document set key_sealed = null, note_sealed = null, destroyed_at = $2 where id = $1 and key_sealed is not null',
    [id, now],
  );
}
