import { z } from 'zod';
import { line } from '../http/fields.ts';
import { CLAIMS, DOCUMENT_TYPES, NUMBER_TYPES, PARTIES } from './document_types.ts';
import type { ClaimName, DocumentType } from './document_types.ts';

/** What one kind of number in one country asks of one kind of customer. */

export const neededDocument = z.object({
  /** One of them is enough. */
  any_of: z
    .array(z.enum(DOCUMENT_TYPES))
    .min(1)
    .max(DOCUMENT_TYPES.length)
    .refine((types) => new Set(types).size === types.length, 'each only once'),
  why: line(200),
});

export const neededClaim = z.object({ claim: z.enum(CLAIMS), why: line(200) });

export const requirementRule = z.object({
  /** `*`: wherever no country has a rule of its own. */
  country: z.string().regex(/^([A-Z]{2}|\*)$/u),
  number_type: z.enum(NUMBER_TYPES),
  party: z.enum(PARTIES),
  documents: z.array(neededDocument).max(10),
  claims: z.array(neededClaim).max(CLAIMS.length),
  /** Whether a case of which an automatic verifier passed every document is approved without a person; nothing is refused so. */
  auto_approval: z.boolean().default(false),
});

export type RequirementRule = z.output<typeof requirementRule>;

/** The rules of one version: each once, and one for everywhere for each kind of number and of customer, so that none is ever missing. */
export const requirementRules = z
  .array(requirementRule)
  .min(NUMBER_TYPES.length * PARTIES.length)
  .max(1_500)
  .superRefine((rules, check) => {
    const keys = rules.map(({ country, number_type, party }) => `${country} ${number_type} ${party}`);
    if (new Set(keys).size < keys.length) check.addIssue({ code: 'custom', message: 'a rule is there twice' });
    const missing = NUMBER_TYPES.flatMap((type) => PARTIES.map((party) => `* ${type} ${party}`)).filter(
      (key) => !keys.includes(key),
    );
    if (missing.length > 0) check.addIssue({ code: 'custom', message: `there is no rule for ${missing.join(', ')}` });
  });

export interface HeldDocument {
  type: DocumentType;
  state: string;
  /** The last day on which it counts, as `2027-01-31`. */
  valid_until: string | null;
  /** The person who decided about it; null: nobody, or an automatic verifier. */
  decided_by: string | null;
}

/** Approved, and not run out on that day in UTC. */
export function counts({ state, valid_until }: Pick<HeldDocument, 'state' | 'valid_until'>, now: Date): boolean {
  return state === 'approved' && valid_until !== null && valid_until >= now.toISOString().slice(0, 10);
}

/** Whether it counts by that rule: what a verifier approved for another kind of number does not where the rule asks for a person. */
export function countsBy(
  { auto_approval }: Pick<RequirementRule, 'auto_approval'>,
  document: HeldDocument,
  now: Date,
): boolean {
  return counts(document, now) && (auto_approval || document.decided_by !== null);
}

/**
 * What is still missing: of documents the type, or the types of which one is needed with a bar between them, and of claims
 * `claim:` and the name. `is_there` says what is good enough: approved, or at least uploaded.
 */
export function missingOf<D extends HeldDocument>(
  rule: Pick<RequirementRule, 'documents' | 'claims'>,
  held: { documents: readonly D[]; claims: readonly ClaimName[] },
  is_there: (document: D) => boolean,
): string[] {
  const types = new Set(held.documents.filter(is_there).map(({ type }) => type));
  return [
    ...rule.documents
      .filter(({ any_of }) => !any_of.some((type) => types.has(type)))
      .map(({ any_of }) => any_of.join('|')),
    ...rule.claims.filter(({ claim }) => !held.claims.includes(claim)).map(({ claim }) => `claim:${claim}`),
  ];
}
