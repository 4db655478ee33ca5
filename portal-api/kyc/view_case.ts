import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { unseal } from '../../domain/privacy/sealing.ts';
import { accountKey } from './account_key.ts';
import { openDocument } from './approved_documents.ts';
import { findCase, lockCase, partyOf } from './case_rows.ts';
import type { KycCase } from './case_rows.ts';
import { claimNames, readClaims } from './claims.ts';
import type { Claims } from './claims.ts';
import { documentsOf, findDocument } from './document_rows.ts';
import type { KycDocument } from './document_rows.ts';
import type { Party } from './document_types.ts';
import type { KycParts } from './kyc_parts.ts';

export interface NotedDocument {
  document: KycDocument;
  note: string | null;
}

export interface OwnCase {
  /** Null as long as nothing was begun. */
  kyc_case: KycCase | null;
  documents: NotedDocument[];
  claims_version: number;
}

/** A customer's own case. */
export async function viewOwnCase({ pool, keys }: KycParts, account_id: string, now: Date): Promise<OwnCase> {
  return inTransaction(pool, async (tx) => {
    const kyc_case = await findCase(tx, account_id);
    if (kyc_case === null) return { kyc_case, documents: [], claims_version: 0 };
    const key = await accountKey(tx, keys, account_id, now);
    const { version: claims_version } = await readClaims(tx, account_id, key);
    return { kyc_case, documents: await notedDocuments(tx, account_id, key), claims_version };
  });
}

export interface Viewing {
  admin_id: string;
  purpose: string;
  now: Date;
}

export interface ViewedCase {
  kyc_case: KycCase;
  party: Party;
  claims: Claims;
  documents: NotedDocument[];
}

/** A case with what the customer says about himself, for an admin who says what for; told in the audit log before it is shown. */
export async function viewCase(
  { pool, keys }: KycParts,
  case_id: string,
  { admin_id, purpose, now }: Viewing,
): Promise<ViewedCase | null> {
  return inTransaction(pool, async (tx) => {
    const kyc_case = await lockCase(tx, case_id);
    if (kyc_case === null) return null;
    const { account_id } = kyc_case;
    const key = await accountKey(tx, keys, account_id, now);
    const { claims } = await readClaims(tx, account_id, key);
    const viewed = { kyc_case, claims, party: await partyOf(tx, account_id) };
    const documents = await notedDocuments(tx, account_id, key);
    await appendAudit(tx, {
      ...{ at: now, actor: { kind: 'admin', id: admin_id }, action: 'kyc_case.view', account_id, purpose },
      ...{ subject: `kyc_case:${case_id}`, detail: { claims: await claimNames(tx, account_id) } },
    });
    return { ...viewed, documents };
  });
}

/** One page of a document, from 1; null where there is none, or none any more. */
export async function viewPage(
  { pool, keys, folder }: KycParts,
  { document_id, page }: { document_id: string; page: number },
  { admin_id, purpose, now }: Viewing,
): Promise<Buffer | null> {
  return inTransaction(pool, async (tx) => {
    const document = await findDocument(tx, document_id);
    if (document === null) return null;
    const pages = await openDocument(tx, { keys, folder }, document, now);
    const bytes = pages?.[page - 1];
    if (bytes === undefined) return null;
    await appendAudit(tx, {
      ...{ at: now, actor: { kind: 'admin', id: admin_id }, action: 'kyc_document.view', purpose },
      ...{ account_id: document.account_id, subject: `kyc_document:${document_id}` },
      detail: { page, type: document.type },
    });
    return bytes;
  });
}

async function notedDocuments(tx: Transaction, account_id: string, key: Buffer): Promise<NotedDocument[]> {
  const documents = await documentsOf(tx, account_id);
  return documents.map((document) => ({ document, note: noteOf(document, key) }));
}

export function noteOf({ id, note_sealed }: KycDocument, key: Buffer): string | null {
  return note_sealed === null ? null : unseal(key, `kyc_document.note_sealed:${id}`, note_sealed).toString('utf8');
}
