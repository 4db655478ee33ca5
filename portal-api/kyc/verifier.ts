import type { Claims } from './claims.ts';
import type { DocumentType } from './document_types.ts';

/**
 * Somebody else's program that compares a document with what is claimed. What it says is a hint to the reviewer, who decides; only where
 * the rule of a number says so is a case approved by it, and none is ever refused (GDPR, article 22).
 */
export interface Verifier {
  /** As the audit log has it. */
  name: string;
  /** Whether it compares what stands in a document; the word of one that does not approves nothing. */
  reads_documents: boolean;
  verify: (document: { type: DocumentType; pages: readonly Buffer[] }, claims: Claims) => Promise<Verification>;
}

export type Verdict = 'passed' | 'failed' | 'unsure';

export interface Verification {
  verdict: Verdict;
  /** The last day on which the document counts, where it says so and that was read. */
  valid_until: string | null;
}

/** A page that compresses to this has nothing on it. */
const BLANK_BYTES = 6_000;
const ADULT_YEARS = 18;

/** A verifier without anybody else: the same document and claims always have the same verdict. It sees blank pages and minors. */
export const localVerifier = (now: () => Date): Verifier => ({
  name: 'local_verifier',
  reads_documents: false,
  verify: ({ pages }, claims) => {
    const { birth_date } = claims;
    if (birth_date !== undefined && !isAdult(birth_date, now())) return Promise.resolve(told('failed'));
    if (pages.every((page) => page.length < BLANK_BYTES)) return Promise.resolve(told('unsure'));
    return Promise.resolve(told('passed'));
  },
});

/** It reads no dates. */
const told = (verdict: Verdict): Verification => ({ verdict, valid_until: null });

function isAdult(birth_date: string, now: Date): boolean {
  const limit = new Date(now);
  limit.setUTCFullYear(limit.getUTCFullYear() - ADULT_YEARS);
  return birth_date <= limit.toISOString().slice(0, 10);
}
