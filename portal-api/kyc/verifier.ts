import type { Claims } from './claims.ts';
import type { DocumentType } from './document_types.ts';

/**
 * Somebody else's program that compares a document with what is claimed. What it says is a hint to the reviewer, who alone decides
 * (GDPR, article 22).
 */
export interface Verifier {
  /** As the audit log has it. */
  name: string;
  verify: (document: { type: DocumentType; pages: readonly Buffer[] }, claims: Claims) => Promise<Verdict>;
}

export type Verdict = 'passed' | 'failed' | 'unsure';

/** A page that compresses to this has nothing on it. */
const BLANK_BYTES = 6_000;
const ADULT_YEARS = 18;

/** A verifier without anybody else: the same document and claims always have the same verdict. It sees blank pages and minors. */
export const localVerifier = (now: () => Date): Verifier => ({
  name: 'local_verifier',
  verify: ({ pages }, claims) => {
    const { birth_date } = claims;
    if (birth_date !== undefined && !isAdult(birth_date, now())) return Promise.resolve('failed');
    if (pages.every((page) => page.length < BLANK_BYTES)) return Promise.resolve('unsure');
    return Promise.resolve('passed');
  },
});

function isAdult(birth_date: string, now: Date): boolean {
  const limit = new Date(now);
  limit.setUTCFullYear(limit.getUTCFullYear() - ADULT_YEARS);
  return birth_date <= limit.toISOString().slice(0, 10);
}
