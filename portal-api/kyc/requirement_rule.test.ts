import { describe, expect, it } from 'vitest';
import { NUMBER_TYPES, PARTIES } from './document_types.ts';
import { counts, countsBy, missingOf, requirementRules } from './requirement_rule.ts';
import type { HeldDocument, RequirementRule } from './requirement_rule.ts';
import { localVerifier } from './verifier.ts';

const now = new Date('2027-05-05T12:00:00Z');
const held = (type: HeldDocument['type'], valid_until: string | null, state = 'approved'): HeldDocument => ({
  ...{ type, state, valid_until, decided_by: 'a reviewer' },
});

const rule: Pick<RequirementRule, 'documents' | 'claims'> = {
  documents: [
    { any_of: ['passport', 'country_identification'], why: 'who' },
    { any_of: ['proof_of_address'], why: 'where' },
  ],
  claims: [{ claim: 'full_name', why: 'who' }],
};

describe('what is missing', () => {
  it('is each need for which nothing counts', () => {
    const missing = (documents: HeldDocument[]) =>
      missingOf(rule, { documents, claims: ['full_name'] }, (document) => counts(document, now));
    expect(missing([])).toEqual(['passport|country_identification', 'proof_of_address']);
    expect(missing([held('country_identification', '2027-05-05')])).toEqual(['proof_of_address']);
    expect(missing([held('passport', '2027-05-04'), held('proof_of_address', '2028-01-01')])).toEqual([
      'passport|country_identification',
    ]);
    expect(missing([held('passport', '2028-01-01', 'expired'), held('proof_of_address', null)])).toHaveLength(2);
    expect(missingOf(rule, { documents: [], claims: [] }, () => true)).toContain('claim:full_name');
  });

  it('is also what a verifier approved, where the rule asks for a person', () => {
    const by_person = held('passport', '2028-01-01');
    const by_verifier = { ...by_person, decided_by: null };
    const run_out = held('passport', '2027-05-04');
    const counted = (auto_approval: boolean) =>
      [by_person, by_verifier, run_out].map((document) => countsBy({ auto_approval }, document, now));
    expect(counted(true)).toEqual([true, true, false]);
    expect(counted(false)).toEqual([true, false, false]);
  });
});

describe('a set of rules', () => {
  const everywhere = NUMBER_TYPES.flatMap((number_type) =>
    PARTIES.map((party) => ({ country: '*', number_type, party, documents: [], claims: [], auto_approval: false })),
  );

  it('has one for everywhere of each kind, and none twice', () => {
    expect(requirementRules.safeParse(everywhere).success).toBe(true);
    expect(requirementRules.safeParse(everywhere.slice(1)).success).toBe(false);
    expect(requirementRules.safeParse([...everywhere, everywhere[0]]).success).toBe(false);
    expect(requirementRules.safeParse([...everywhere, { ...everywhere[0], country: 'de' }]).success).toBe(false);
  });
});

describe('the local verifier', () => {
  it('has the same verdict for the same document and claims', async () => {
    const { verify } = localVerifier(() => now);
    const full = { type: 'passport' as const, pages: [Buffer.alloc(50_000)] };
    expect(await verify(full, { birth_date: '2009-05-05' })).toMatchObject({ verdict: 'passed' });
    expect(await verify(full, { birth_date: '2009-05-06' })).toMatchObject({ verdict: 'failed' });
    expect(await verify({ ...full, pages: [Buffer.alloc(500)] }, {})).toMatchObject({ verdict: 'unsure' });
  });
});
