import { appendAudit } from '../../domain/audit/append_audit.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { caseOfAccount, moveCase, partyOf, recordClosing } from './case_rows.ts';
import { stepCase } from './case_state.ts';
import { claimNames } from './claims.ts';
import { documentsOf, recordDecision } from './document_rows.ts';
import type { KycDocument } from './document_rows.ts';
import type { KycPorts } from './kyc_parts.ts';
import { countsBy, missingOf } from './requirement_rule.ts';
import { requirementInForce } from './requirement_sets.ts';
import { lastDay, replaceOlder, tellOutcome } from './review_case.ts';
import type { Verifier } from './verifier.ts';

/**
 * Approves a case without a person, where the rule of the number allows it: when nobody has taken it yet, a verifier that reads documents passed
 * every one that was handed in, it is known until when each of them counts, and nothing else is missing. Otherwise a person looks at it, as ever.
 */
export async function approveAutomatically(
  tx: Transaction,
  { resumeOrders }: KycPorts,
  { account_id, verifier, now }: { account_id: string; verifier: Omit<Verifier, 'verify'>; now: Date },
): Promise<boolean> {
  if (!verifier.reads_documents) return false;
  const found = await caseOfAccount(tx, account_id, now);
  const stepped = stepCase(found.standing, { kind: 'pass' });
  if (stepped.kind === 'refused' || found.wanted === null) return false;
  const party = await partyOf(tx, account_id);
  const { rule } = await requirementInForce(tx, { ...found.wanted, party, now });
  if (!rule.auto_approval) return false;
  const documents = await documentsOf(tx, account_id);
  const passed = passedOf(documents, now);
  if (passed === null) return false;
  const claims = await claimNames(tx, account_id);
  const is_there = (document: KycDocument): boolean => document.state === 'submitted' || countsBy(rule, document, now);
  if (missingOf(rule, { documents, claims }, is_there).length > 0) return false;
  for (const { document, valid_until } of passed) {
    const decision = { event: 'approve', decided_by: null, decided_at: now, reason: null, note_sealed: null } as const;
    await recordDecision(tx, document, { ...decision, valid_until });
    await replaceOlder(tx, documents, document, now);
  }
  await moveCase(tx, found, stepped.standing);
  await recordClosing(tx, found.id, null, now);
  await tellOutcome(tx, found, 'approved', '');
  await resumeOrders(tx, account_id);
  const detail = { outcome: 'approved', documents: passed.map(({ document }) => document.id) };
  await appendAudit(tx, {
    ...{ at: now, actor: { kind: 'system', id: verifier.name }, action: 'kyc_case.pass', account_id },
    ...{ subject: `kyc_case:${found.id}`, detail },
  });
  return true;
}

/** Those that are handed in, with their last day; null where one of them is for a person to look at. */
function passedOf(
  documents: readonly KycDocument[],
  now: Date,
): { document: KycDocument; valid_until: string }[] | null {
  const passed: { document: KycDocument; valid_until: string }[] = [];
  for (const document of documents.filter(({ state }) => state === 'submitted')) {
    const valid_until = lastDay(document, { valid_until: document.auto_valid_until, now });
    const is_over = valid_until === null || valid_until < now.toISOString().slice(0, 10);
    if (document.auto_verdict !== 'passed' || is_over) return null;
    passed.push({ document, valid_until });
  }
  return passed.length === 0 ? null : passed;
}
