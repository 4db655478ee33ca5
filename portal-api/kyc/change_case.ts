import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { enqueue } from '../jobs/task.ts';
import { accountKey } from './account_key.ts';
import { caseOfAccount, moveCase, partyOf, recordSubmission } from './case_rows.ts';
import type { KycCase } from './case_rows.ts';
import { stepCase } from './case_state.ts';
import type { CaseRefusal } from './case_state.ts';
import { changedClaims, claimNames, readClaims, writeClaims } from './claims.ts';
import type { Claims } from './claims.ts';
import { deleteDocument, documentsOf, recheckDocument, submitDocument } from './document_rows.ts';
import { TYPE_OF_DOCUMENT } from './document_types.ts';
import type { NumberType } from './document_types.ts';
import type { KycParts } from './kyc_parts.ts';
import { countsBy, missingOf } from './requirement_rule.ts';
import { requirementInForce } from './requirement_sets.ts';

type CaseRefused = { kind: 'case_refused'; refusal: CaseRefusal };

/** What a customer says about himself from now on. Documents that bore out something else are to be looked at again. */
export async function setClaims(
  { pool, keys }: KycParts,
  said: { account_id: string; user_id: string; claims: Claims; version: number; now: Date },
): Promise<{ kind: 'set'; version: number } | { kind: 'version_conflict' } | CaseRefused> {
  const { account_id, user_id, claims, version, now } = said;
  return inTransaction(pool, async (tx) => {
    const found = await caseOfAccount(tx, account_id, now);
    const key = await accountKey(tx, keys, account_id, now);
    const before = await readClaims(tx, account_id, key);
    if (before.version !== version) return { kind: 'version_conflict' };
    const changed = changedClaims(before.claims, claims);
    if (changed.length === 0) return { kind: 'set', version };
    const step = stepCase(found.standing, { kind: 'change' });
    if (step.kind === 'refused') return { kind: 'case_refused', refusal: step.refusal };
    await writeClaims(tx, key, { account_id, version: version + 1, claims, made_by: user_id, now });
    for (const document of await documentsOf(tx, account_id)) {
      const is_borne_out = TYPE_OF_DOCUMENT[document.type].bears_out.some((name) => changed.includes(name));
      if (document.state === 'approved' && is_borne_out) await recheckDocument(tx, document);
    }
    await moveCase(tx, found, step.standing);
    return { kind: 'set', version: version + 1 };
  });
}

/** Takes back a document that was not handed in yet. */
export async function withdrawDocument(
  { pool }: KycParts,
  wish: { account_id: string; document_id: string; now: Date },
): Promise<'withdrawn' | 'unknown' | 'too_late'> {
  return inTransaction(pool, async (tx) => {
    await caseOfAccount(tx, wish.account_id, wish.now);
    const documents = await documentsOf(tx, wish.account_id);
    const document = documents.find(({ id }) => id === wish.document_id);
    if (document === undefined) return 'unknown';
    if (document.state !== 'uploaded') return 'too_late';
    await deleteDocument(tx, document.id);
    await enqueue(tx, { task: 'remove_document_file', payload: { file_id: document.file_id } });
    return 'withdrawn';
  });
}

export type Submission =
  | { kind: 'submitted'; kyc_case: KycCase }
  | { kind: 'incomplete'; missing: string[] }
  | { kind: 'nothing_new' }
  | CaseRefused;

/** Hands everything that was uploaded in, for a number of that type in that country. */
export async function submitCase(
  { pool, verifier }: KycParts,
  wish: { account_id: string; country: string; number_type: NumberType; now: Date },
): Promise<Submission> {
  const { account_id, country, number_type, now } = wish;
  return inTransaction(pool, async (tx): Promise<Submission> => {
    const found = await caseOfAccount(tx, account_id, now);
    const step = stepCase(found.standing, { kind: 'submit' });
    if (step.kind === 'refused') {
      const is_done = found.wanted?.country === country && found.wanted.number_type === number_type;
      if (step.refusal === 'handed_in' && is_done) return { kind: 'submitted', kyc_case: found };
      return { kind: 'case_refused', refusal: step.refusal };
    }
    const documents = await documentsOf(tx, account_id);
    const party = await partyOf(tx, account_id);
    const { rule } = await requirementInForce(tx, { country, number_type, party, now });
    const missing = missingOf(
      rule,
      { documents, claims: await claimNames(tx, account_id) },
      (document) => document.state === 'uploaded' || countsBy(rule, document, now),
    );
    if (missing.length > 0) return { kind: 'incomplete', missing };
    const uploaded = documents.filter(({ state }) => state === 'uploaded');
    if (uploaded.length === 0) return { kind: 'nothing_new' };
    for (const document of uploaded) await submitDocument(tx, document, now);
    await recordSubmission(tx, found.id, { country, number_type }, now);
    if (verifier !== null) await enqueueVerifying(tx, uploaded);
    const moved = await moveCase(tx, found, step.standing);
    return { kind: 'submitted', kyc_case: { ...moved, wanted: { country, number_type }, submitted_at: now } };
  });
}

async function enqueueVerifying(tx: Transaction, documents: readonly { id: string }[]): Promise<void> {
  for (const { id } of documents) {
    await enqueue(tx, { task: 'verify_document', payload: { document_id: id }, key: `verify_document:${id}` });
  }
}
