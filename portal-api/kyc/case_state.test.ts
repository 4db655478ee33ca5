import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOCK_MS, stepCase } from './case_state.ts';
import type { CaseEvent, CaseStanding } from './case_state.ts';
import { stepDocument } from './document_state.ts';
import type { DocumentEvent, DocumentState } from './document_state.ts';

const START_MS = Date.parse('2027-01-01T00:00:00Z');

/** One thing that happens, some minutes after the one before. */
interface Happening {
  minutes: number;
  kind: CaseEvent['kind'];
  reviewer_id: string;
  outcome: 'approved' | 'needs_more' | 'rejected';
}

const KINDS = [
  'change',
  'submit',
  'take',
  'release',
  'decide',
  'close',
  'ask_again',
  'expire',
  'reopen',
  'pass',
] as const;

const happening: fc.Arbitrary<Happening> = fc.record({
  minutes: fc.constantFrom(0, 1, 10, 29, 30, 31, 100),
  // What moves a case on comes more often, so that sequences get far.
  kind: fc.constantFrom(...KINDS, 'submit', 'take', 'decide', 'close', 'take', 'close'),
  reviewer_id: fc.constantFrom('ann', 'bob'),
  outcome: fc.constantFrom('approved', 'needs_more', 'rejected'),
});

function eventOf({ kind, reviewer_id, outcome }: Happening, now: Date): CaseEvent {
  switch (kind) {
    case 'take':
    case 'release':
    case 'decide':
      return { kind, reviewer_id, now };
    case 'close':
      return { kind, reviewer_id, now, outcome };
    case 'change':
    case 'submit':
    case 'ask_again':
    case 'expire':
    case 'reopen':
    case 'pass':
      return { kind };
  }
}

/** What the diagram says about one step, told another way than the code does it. */
function judgeStep(before: CaseStanding, event: CaseEvent, after: CaseStanding): void {
  const at = 'now' in event ? event.now.getTime() : null;
  const is_locked_for_another =
    before.state === 'in_review' &&
    'reviewer_id' in event &&
    before.reviewer_id !== event.reviewer_id &&
    before.locked_until.getTime() > (at ?? 0);
  expect(is_locked_for_another, 'a step in a case that is another’s').toBe(false);
  if (event.kind === 'expire' && after.state === before.state) return;
  if (after.state === 'in_review') {
    expect(['take', 'decide']).toContain(event.kind);
    expect(after.locked_until.getTime()).toBe((at ?? 0) + LOCK_MS);
  }
  if (after.state === 'approved')
    expect(['in_review close', 'submitted pass']).toContain(`${before.state} ${event.kind}`);
  if (after.state === 'rejected' && before.state !== 'rejected') {
    expect([before.state, event.kind]).toEqual(['in_review', 'close']);
  }
  if (before.state === 'rejected' && after.state !== 'rejected') expect(event.kind).toBe('reopen');
  if (['submitted', 'in_review'].includes(before.state) && after.state !== before.state) {
    expect(['take', 'release', 'close', 'pass']).toContain(event.kind);
  }
}

describe('a case', () => {
  it('goes the ways of its diagram and no others, whatever happens in whatever order', () => {
    const reached = new Set<string>();
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
        let standing: CaseStanding = { state: 'open' };
        let now_ms = START_MS;
        for (const one of happenings) {
          now_ms += one.minutes * 60_000;
          const event = eventOf(one, new Date(now_ms));
          const step = stepCase(standing, event);
          if (step.kind === 'refused') continue;
          judgeStep(standing, event, step.standing);
          standing = step.standing;
          reached.add(standing.state);
        }
      }),
      { numRuns: 2_000 },
    );
    expect([...reached].toSorted()).toEqual(['approved', 'in_review', 'needs_more', 'open', 'rejected', 'submitted']);
  });

  it('is one reviewer’s for half an hour, and then anybody’s', () => {
    const now = new Date(START_MS);
    const later = new Date(START_MS + LOCK_MS);
    const taken = stepCase({ state: 'submitted' }, { kind: 'take', reviewer_id: 'ann', now });
    if (taken.kind !== 'to') throw new Error('It could not be taken.');
    const { standing } = taken;
    const byBob = (at: Date) => stepCase(standing, { kind: 'take', reviewer_id: 'bob', now: at });
    expect(byBob(new Date(later.getTime() - 1))).toEqual({ kind: 'refused', refusal: 'taken' });
    expect(byBob(later)).toMatchObject({ kind: 'to', standing: { reviewer_id: 'bob' } });
    const decide = { kind: 'decide', reviewer_id: 'ann', now: later } as const;
    expect(stepCase(standing, decide)).toEqual({ kind: 'refused', refusal: 'not_yours' });
  });
});

describe('a document', () => {
  it('counts only after somebody approved it, and never again once it is done', () => {
    const events: DocumentEvent[] = ['submit', 'approve', 'reject', 'ask_again', 'expire', 'replace', 'recheck'];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 20 }), (happened) => {
        let state: DocumentState = 'uploaded';
        let is_done = false;
        for (const event of happened) {
          const next = stepDocument(state, event);
          if (next === null) continue;
          expect(is_done).toBe(false);
          if (next === 'approved') expect([state, event]).toEqual(['submitted', 'approve']);
          is_done = ['rejected', 'asked_again', 'expired', 'replaced'].includes(next);
          state = next;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
