import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { seal } from '../../domain/privacy/sealing.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { accountKey } from './account_key.ts';
import { caseOfAccount, lockCase, moveCase, partyOf, recordClosing } from './case_rows.ts';
import type { KycCase } from './case_rows.ts';
import { stepCase } from './case_state.ts';
import type { CaseEvent, CaseOutcome, CaseRefusal } from './case_state.ts';
import { claimNames } from './claims.ts';
import { stepDocument } from './document_state.ts';
import { documentsOf, endDocument, findDocument, recordDecision } from './document_rows.ts';
import type { KycDocument } from './document_rows.ts';
import { TYPE_OF_DOCUMENT } from './document_types.ts';
import type { DocumentType } from './document_types.ts';
import type { KycParts } from './kyc_parts.ts';
import { wordsOfReason } from './reasons.ts';
import type { ReasonCode } from './reasons.ts';
import { countsBy, missingOf } from './requirement_rule.ts';
import { requirementInForce } from './requirement_sets.ts';

/** What an admin does with a case. Each is told in the audit log, last in its transaction. */

export type Reviewed<More = never> =
  { kind: 'done'; kyc_case: KycCase } | { kind: 'unknown' } | { kind: 'case_refused'; refusal: CaseRefusal } | More;

interface Reviewing {
  case_id: string;
  admin_id: string;
  now: Date;
}

/** Takes a case, lets go of it, or lets somebody who was rejected try again. */
export async function moveByAdmin(
  { pool }: KycParts,
  { case_id, admin_id, now }: Reviewing,
  kind: 'take' | 'release' | 'reopen',
): Promise<Reviewed> {
  return inTransaction(pool, async (tx): Promise<Reviewed> => {
    const found = await lockCase(tx, case_id);
    if (found === null) return { kind: 'unknown' };
    const moved = await step(tx, found, kind === 'reopen' ? { kind } : { kind, reviewer_id: admin_id, now });
    if (moved.kind === 'done') await audit(tx, { case_id, admin_id, now }, found.account_id, `kyc_case.${kind}`);
    return moved;
  });
}

export interface Decision {
  document_id: string;
  admin_id: string;
  now: Date;
  event: 'approve' | 'reject' | 'ask_again';
  reason: ReasonCode | null;
  note: string | null;
  valid_until: string | null;
}

export type Decided = Reviewed<{ kind: 'decided_before' } | { kind: 'valid_until_needed' } | { kind: 'run_out' }>;

/** Decides about one document of the case that is one's own. */
export async function decideDocument(parts: KycParts, decision: Decision): Promise<Decided> {
  const { document_id, admin_id, now, event } = decision;
  return inTransaction(parts.pool, async (tx): Promise<Decided> => {
    const seen = await findDocument(tx, document_id);
    if (seen === null) return { kind: 'unknown' };
    const found = await caseOfAccount(tx, seen.account_id, now);
    const moved = await step(tx, found, { kind: 'decide', reviewer_id: admin_id, now });
    if (moved.kind !== 'done') return moved;
    const documents = await documentsOf(tx, seen.account_id);
    const document = documents.find(({ id }) => id === document_id);
    if (document?.state !== 'submitted') return { kind: 'decided_before' };
    const valid_until = event === 'approve' ? lastDay(document, decision) : null;
    if (event === 'approve' && valid_until === null) return { kind: 'valid_until_needed' };
    if (valid_until !== null && valid_until < today(now)) return { kind: 'run_out' };
    const note_sealed = await sealNote(tx, parts, document, decision);
    await recordDecision(tx, document, {
      ...{ event, valid_until, note_sealed, decided_by: admin_id, decided_at: now },
      reason: event === 'approve' ? null : decision.reason,
    });
    if (event === 'approve') await replaceOlder(tx, documents, document, now);
    const detail = { type: document.type, reason: decision.reason, valid_until };
    await appendAudit(tx, {
      ...{ at: now, actor: { kind: 'admin', id: admin_id }, action: `kyc_document.${event}` },
      ...{ account_id: document.account_id, subject: `kyc_document:${document_id}`, detail },
    });
    return moved;
  });
}

export type Closed = Reviewed<{ kind: 'undecided' } | { kind: 'incomplete'; missing: string[] } | { kind: 'complete' }>;

/** Ends a review. Approved is who has all that is asked for the number he wants; the customer hears of it. */
export async function closeCase(
  parts: KycParts,
  reviewing: Reviewing & { outcome: CaseOutcome; reason: ReasonCode | null },
): Promise<Closed> {
  const { case_id, admin_id, now, outcome, reason } = reviewing;
  return inTransaction(parts.pool, async (tx): Promise<Closed> => {
    const found = await lockCase(tx, case_id);
    if (found === null) return { kind: 'unknown' };
    const documents = await documentsOf(tx, found.account_id);
    const undecided = documents.filter(({ state }) => state === 'submitted');
    const stepped = stepCase(found.standing, { kind: 'close', reviewer_id: admin_id, now, outcome });
    if (stepped.kind === 'refused') return { kind: 'case_refused', refusal: stepped.refusal };
    if (outcome === 'rejected') {
      for (const document of undecided) await rejectWithCase(tx, document, admin_id, reason ?? 'not_accepted', now);
    } else {
      if (undecided.length > 0) return { kind: 'undecided' };
      const missing = await missingOfCase(tx, found, documents, now);
      if (outcome === 'approved' && missing.length > 0) return { kind: 'incomplete', missing };
      if (outcome === 'needs_more' && missing.length === 0) return { kind: 'complete' };
    }
    const kyc_case = await moveCase(tx, found, stepped.standing);
    await recordClosing(tx, case_id, admin_id, now);
    await tellOutcome(tx, found, outcome, reason === null ? askedOf(documents, found) : wordsOfReason(reason));
    if (outcome === 'approved') await parts.resumeOrders(tx, found.account_id);
    await audit(tx, reviewing, found.account_id, 'kyc_case.close', { outcome, reason });
    return { kind: 'done', kyc_case: { ...kyc_case, closed_at: now } };
  });
}

/** Asks for one document anew, of a case that nobody reviews now; the others stay as they are. */
export async function askAgain(
  parts: KycParts,
  asking: Reviewing & { type: DocumentType; reason: ReasonCode; note: string | null },
): Promise<Reviewed<{ kind: 'not_approved' }>> {
  const { case_id, admin_id, now, type, reason } = asking;
  return inTransaction(parts.pool, async (tx): Promise<Reviewed<{ kind: 'not_approved' }>> => {
    const found = await lockCase(tx, case_id);
    if (found === null) return { kind: 'unknown' };
    const moved = await step(tx, found, { kind: 'ask_again' });
    if (moved.kind !== 'done') return moved;
    const all = await documentsOf(tx, found.account_id);
    const approved = all.filter((document) => document.type === type && document.state === 'approved');
    if (approved.length === 0) return { kind: 'not_approved' };
    for (const document of approved) {
      const note_sealed = await sealNote(tx, parts, document, asking);
      const decided = { decided_by: admin_id, decided_at: now, reason, note_sealed, valid_until: null };
      await recordDecision(tx, document, { ...decided, event: 'ask_again' });
    }
    await tellOutcome(tx, found, 'needs_more', `${TYPE_OF_DOCUMENT[type].words}: ${wordsOfReason(reason)}`);
    await audit(tx, asking, found.account_id, 'kyc_case.ask_again', { type, reason });
    return moved;
  });
}

/** Writes the step, or says why there is none. */
async function step(
  tx: Transaction,
  found: KycCase,
  event: CaseEvent,
): Promise<Exclude<Reviewed, { kind: 'unknown' }>> {
  const stepped = stepCase(found.standing, event);
  if (stepped.kind === 'refused') return { kind: 'case_refused', refusal: stepped.refusal };
  return { kind: 'done', kyc_case: await moveCase(tx, found, stepped.standing) };
}

const today = (now: Date): string => now.toISOString().slice(0, 10);

/** What the document itself says; or, where it says nothing, what its type is good for. */
export function lastDay(
  { type }: KycDocument,
  { valid_until, now }: Pick<Decision, 'valid_until' | 'now'>,
): string | null {
  const { days_valid } = TYPE_OF_DOCUMENT[type];
  if (valid_until !== null || days_valid === null) return valid_until;
  return today(new Date(now.getTime() + days_valid * 86_400_000));
}

async function sealNote(
  tx: Transaction,
  { keys }: KycParts,
  { id, account_id }: KycDocument,
  { note, now }: { note: string | null; now: Date },
): Promise<Buffer | null> {
  if (note === null) return null;
  const key = await accountKey(tx, keys, account_id, now);
  return seal(key, `kyc_document.note_sealed:${id}`, Buffer.from(note));
}

/** Of what was approved before this one was handed in, nothing of its type counts any more; its other side came with it. */
export async function replaceOlder(
  tx: Transaction,
  documents: readonly KycDocument[],
  { type, submitted_at }: KycDocument,
  now: Date,
): Promise<void> {
  for (const older of documents) {
    const came_before = (older.submitted_at?.getTime() ?? 0) < (submitted_at?.getTime() ?? 0);
    if (older.type === type && came_before && stepDocument(older.state, 'replace') !== null) {
      await endDocument(tx, older, 'replace', now);
    }
  }
}

async function rejectWithCase(
  tx: Transaction,
  document: KycDocument,
  decided_by: string,
  reason: ReasonCode,
  now: Date,
): Promise<void> {
  const decision = {
    event: 'reject',
    decided_by,
    decided_at: now,
    reason,
    note_sealed: null,
    valid_until: null,
  } as const;
  await recordDecision(tx, document, decision);
}

async function missingOfCase(
  tx: Transaction,
  { account_id, wanted }: KycCase,
  documents: readonly KycDocument[],
  now: Date,
): Promise<string[]> {
  if (wanted === null) throw new Error(`The account ${account_id} handed a case in for no number.`);
  const party = await partyOf(tx, account_id);
  const { rule } = await requirementInForce(tx, { ...wanted, party, now });
  const claims = await claimNames(tx, account_id);
  return missingOf(rule, { documents, claims }, (document) => countsBy(rule, document, now));
}

/** What the customer is asked for: each document of this round that was not approved, and why. */
function askedOf(documents: readonly KycDocument[], { submitted_at }: KycCase): string {
  return documents
    .filter((document) => document.reason !== null && document.submitted_at?.getTime() === submitted_at?.getTime())
    .map(({ type, reason }) => `${TYPE_OF_DOCUMENT[type].words}: ${wordsOfReason(reason ?? '')}`)
    .join(' ');
}

export function tellOutcome(tx: Transaction, found: KycCase, outcome: CaseOutcome, asked: string): Promise<void> {
  return queueNotice(tx, { to: { account_id: found.account_id }, template: 'kyc_decided', facts: { outcome, asked } });
}

function audit(
  tx: Transaction,
  { case_id, admin_id, now }: Reviewing,
  account_id: string,
  action: string,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  return appendAudit(tx, {
    ...{ at: now, actor: { kind: 'admin', id: admin_id }, action, account_id, subject: `kyc_case:${case_id}` },
    detail,
  });
}
