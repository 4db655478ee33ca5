import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { uuid } from '../http/fields.ts';
import { enqueue, task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { accountKey } from './account_key.ts';
import { approveAutomatically } from './approve_automatically.ts';
import { openDocument } from './approved_documents.ts';
import { caseOfAccount, moveCase } from './case_rows.ts';
import type { KycCase } from './case_rows.ts';
import { stepCase } from './case_state.ts';
import { readClaims } from './claims.ts';
import * as rows from './document_rows.ts';
import type { KycDocument } from './document_rows.ts';
import { DONE_STATES } from './document_state.ts';
import { TYPE_OF_DOCUMENT } from './document_types.ts';
import type { KycParts } from './kyc_parts.ts';

/** What is done about documents by itself. Each finds its own work anew, so that it may be done twice or too late. */
export const kycTasks = (parts: KycParts): Task[] => [
  task('destroy_refused_documents', z.object({}), () => destroyRefused(parts), '17 3 * * *'),
  task('tell_expiring_documents', z.object({}), () => tellExpiring(parts), '31 5 * * *'),
  task('sweep_document_files', z.object({}), () => sweepFiles(parts), '47 3 * * *'),
  task('rotate_data_keys', z.object({}), () => rotateKeys(parts), '*/10 * * * *'),
  task('remove_document_file', z.object({ file_id: uuid }), ({ file_id }) => parts.folder.remove(file_id)),
  // Also where nobody verifies any more: what waited for somebody who did is then gone with nothing done.
  task('verify_document', z.object({ document_id: uuid }), ({ document_id }) => verify(parts, document_id)),
];

const DAY_MS = 86_400_000;
const BATCH = 200;

/** What decides nothing any more is kept for its days and then destroyed; so is what was uploaded and never handed in. */
async function destroyRefused({ pool, now, settings }: KycParts): Promise<void> {
  const at = now();
  const before = new Date(at.getTime() - settings.REFUSED_DOCUMENTS_DAYS * DAY_MS);
  for (let count = BATCH; count === BATCH;) {
    count = await inTransaction(pool, async (tx) => {
      const due = await tx.query<{ id: string; file_id: string; state: string }>(
        `select id, file_id, state from kyc_document
          where key_sealed is not null
            and ((state = any($1) and decided_at < $2) or (submitted_at is null and uploaded_at < $2))
          limit $3 for update skip locked`,
        [DONE_STATES, before, BATCH],
      );
      for (const { id, file_id, state } of due.rows) {
        if (state === 'uploaded') await rows.deleteDocument(tx, id);
        else await rows.destroyDocumentKey(tx, id, at);
        await enqueue(tx, { task: 'remove_document_file', payload: { file_id } });
      }
      return due.rows.length;
    });
  }
}

/** How many days before its last day the customer is told. */
const TOLD_DAYS = [7, 30] as const;

async function tellExpiring(parts: KycParts): Promise<void> {
  const { pool, now } = parts;
  const at = now();
  const soon = new Date(at.getTime() + 30 * DAY_MS).toISOString().slice(0, 10);
  for (let after = '00000000-0000-0000-0000-000000000000', more = true; more;) {
    const due = await pool.query<{ id: string; account_id: string }>(
      `select id, account_id from kyc_document where state = 'approved' and valid_until <= $1 and id > $2 order by id limit $3`,
      [soon, after, BATCH],
    );
    for (const { id, account_id } of due.rows) {
      await inTransaction(pool, (tx) => tellOrExpire(tx, { id, account_id }, at));
      after = id;
    }
    more = due.rows.length === BATCH;
  }
}

/** Looked at again under the lock of its case: it may have been replaced meanwhile. */
async function tellOrExpire(tx: Transaction, due: { id: string; account_id: string }, now: Date): Promise<void> {
  const found = await caseOfAccount(tx, due.account_id, now);
  const document = await rows.findDocument(tx, due.id);
  if (document?.state !== 'approved' || document.valid_until === null) return;
  const today = now.toISOString().slice(0, 10);
  if (document.valid_until < today) {
    await expire(tx, found, document, now);
    return;
  }
  const days_left = Math.round((Date.parse(document.valid_until) - Date.parse(today)) / DAY_MS);
  const days = TOLD_DAYS.find((limit) => days_left <= limit);
  if (days === undefined || (document.told_days !== null && document.told_days <= days)) return;
  await rows.recordTold(tx, document.id, days);
  await tellAbout(tx, document, days_left);
}

/** The case waits for another one, unless it is with a reviewer now, or there is another one already. */
async function expire(tx: Transaction, found: KycCase, document: KycDocument, now: Date): Promise<void> {
  await rows.endDocument(tx, document, 'expire', now);
  const others = await rows.documentsOf(tx, document.account_id);
  const is_renewed = others.some(({ type, state }) => type === document.type && state === 'approved');
  const stepped = stepCase(found.standing, { kind: 'expire' });
  if (!is_renewed && stepped.kind === 'to' && stepped.standing.state !== found.standing.state) {
    await moveCase(tx, found, stepped.standing);
  }
  await tellAbout(tx, document, 0);
}

function tellAbout(tx: Transaction, { account_id, type, valid_until }: KycDocument, days_left: number): Promise<void> {
  return queueNotice(tx, {
    to: { account_id },
    template: 'kyc_document_expires',
    facts: { document: TYPE_OF_DOCUMENT[type].words, valid_until: valid_until ?? '', days_left: String(days_left) },
  });
}

/** Files that belong to no document: their process died between the file and the row, or could not remove them. */
async function sweepFiles({ pool, folder, now }: KycParts): Promise<void> {
  const ids = await folder.listBefore(new Date(now().getTime() - DAY_MS));
  if (ids.length === 0) return;
  const kept = await pool.query<{ file_id: string }>(
    'select file_id from kyc_document where file_id = any($1) and key_sealed is not null',
    [ids],
  );
  const known = new Set(kept.rows.map(({ file_id }) => file_id));
  for (const id of ids) if (!known.has(id)) await folder.remove(id);
}

/** Until every key is wrapped by the newest key encryption key, and the older ones can go. */
async function rotateKeys({ pool, keys }: KycParts): Promise<void> {
  for (let count = BATCH; count === BATCH;) {
    count = await inTransaction(pool, (tx) => keys.rotate(tx, BATCH));
  }
}

/** The document, under the lock of its case. */
async function caseOfDocument(tx: Transaction, document_id: string, now: Date): Promise<KycDocument | null> {
  const seen = await rows.findDocument(tx, document_id);
  if (seen === null) return null;
  await caseOfAccount(tx, seen.account_id, now);
  return rows.findDocument(tx, document_id);
}

async function verify(parts: KycParts, document_id: string): Promise<void> {
  const { pool, keys, verifier, now } = parts;
  if (verifier === null) return;
  const at = now();
  const seen = await inTransaction(pool, async (tx) => {
    const document = await rows.findDocument(tx, document_id);
    if (document?.state !== 'submitted') return null;
    const pages = await openDocument(tx, parts, document, at);
    const key = await accountKey(tx, keys, document.account_id, at);
    const { claims } = await readClaims(tx, document.account_id, key);
    const actor = { kind: 'system', id: verifier.name } as const;
    await appendAudit(tx, {
      ...{ at, actor, action: 'kyc_document.view', account_id: document.account_id },
      ...{ subject: `kyc_document:${document_id}`, purpose: 'automatic check of what is claimed' },
    });
    return pages === null ? null : { type: document.type, pages, claims };
  });
  if (seen === null) return;
  const { claims, ...document } = seen;
  const verification = await verifier.verify(document, claims);
  await inTransaction(pool, async (tx) => {
    const still = await caseOfDocument(tx, document_id, now());
    // What was decided meanwhile, or handed in anew, is another matter.
    if (still?.state !== 'submitted') return;
    await rows.recordVerdict(tx, document_id, verification);
    await approveAutomatically(tx, parts, { account_id: still.account_id, verifier, now: now() });
  });
}
