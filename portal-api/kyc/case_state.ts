/**
 *            change                            close, with what is still missing
 *           ┌──────┐              ┌──────────────────────────────────────────────┐
 *           ▼      │ submit       │                                              ▼
 *        ┌────────────┐     ┌───────────┐  take   ┌───────────┐  close      ┌────────────┐
 *   ───▶ │    open    │────▶│ submitted │────────▶│ in_review │────────────▶│ needs_more │──submit──▶ submitted
 *        └────────────┘     └───────────┘◀────────└───────────┘             └────────────┘
 *           ▲      ▲                      release    │     │                       ▲
 *           │      │ change                    close │     │ close                 │ ask_again, expire
 *           │      │               ┌──────────┐      │     │                       │ (also of open)
 *           │      └───────────────│ approved │◀─────┘     │                       │
 *           │                      └──────────┘────────────┼───────────────────────┘
 *           │ reopen               ┌──────────┐            │
 *           └──────────────────────│ rejected │◀───────────┘
 *                                  └──────────┘
 *
 * From submitted it is also approved at once, without a reviewer, where the rule lets a verifier pass it.
 *
 * In review it is one reviewer's for half an hour from the last thing that he did with it; then anybody may take it.
 */
export type CaseStanding =
  | { state: 'open' | 'submitted' | 'needs_more' | 'approved' | 'rejected' }
  | { state: 'in_review'; reviewer_id: string; locked_until: Date };

export type CaseState = CaseStanding['state'];

export type CaseOutcome = 'approved' | 'needs_more' | 'rejected';

export type CaseEvent =
  /** The customer adds a document, takes one back, or says something else about himself. */
  | { kind: 'change' }
  | { kind: 'submit' }
  | { kind: 'take'; reviewer_id: string; now: Date }
  | { kind: 'release'; reviewer_id: string; now: Date }
  /** The reviewer says what he thinks of one document. */
  | { kind: 'decide'; reviewer_id: string; now: Date }
  | { kind: 'close'; reviewer_id: string; now: Date; outcome: CaseOutcome }
  /** By a verifier, where the rule allows it and nobody has taken the case yet. */
  | { kind: 'pass' }
  /** One document of a case that nobody reviews now. */
  | { kind: 'ask_again' }
  | { kind: 'expire' }
  | { kind: 'reopen' };

export type CaseRefusal =
  'handed_in' | 'rejected' | 'not_submitted' | 'taken' | 'not_yours' | 'already_approved' | 'not_rejected';

export type CaseStep = { kind: 'to'; standing: CaseStanding } | { kind: 'refused'; refusal: CaseRefusal };

export const LOCK_MS = 30 * 60_000;

const to = (standing: CaseStanding): CaseStep => ({ kind: 'to', standing });
const refused = (refusal: CaseRefusal): CaseStep => ({ kind: 'refused', refusal });

export function stepCase(standing: CaseStanding, event: CaseEvent): CaseStep {
  switch (event.kind) {
    case 'change':
      return customerStep(standing, standing.state === 'approved' ? 'open' : standing.state);
    case 'submit':
      return standing.state === 'approved' ? refused('already_approved') : customerStep(standing, 'submitted');
    case 'take':
      return take(standing, event);
    case 'release':
      return isTheirs(standing, event) ? to({ state: 'submitted' }) : refused('not_yours');
    case 'decide':
      return isTheirs(standing, event) ? lockedFor(event) : refused('not_yours');
    case 'close':
      return isTheirs(standing, event) ? to({ state: event.outcome }) : refused('not_yours');
    case 'pass':
      return standing.state === 'submitted' ? to({ state: 'approved' }) : refused('not_submitted');
    case 'ask_again':
      return customerStep(standing, 'needs_more');
    case 'expire':
      // What is handed in or rejected stays so: the reviewer sees what expired.
      return ['open', 'approved'].includes(standing.state) ? to({ state: 'needs_more' }) : to(standing);
    case 'reopen':
      return standing.state === 'rejected' ? to({ state: 'open' }) : refused('not_rejected');
  }
}

/** What is not done to a case that is handed in or rejected. */
function customerStep(standing: CaseStanding, next: CaseState): CaseStep {
  if (standing.state === 'submitted' || standing.state === 'in_review' || next === 'in_review') {
    return refused('handed_in');
  }
  return standing.state === 'rejected' ? refused('rejected') : to({ state: next });
}

function take(standing: CaseStanding, event: { reviewer_id: string; now: Date }): CaseStep {
  if (standing.state === 'submitted') return lockedFor(event);
  if (standing.state !== 'in_review') return refused('not_submitted');
  const is_free = standing.reviewer_id === event.reviewer_id || standing.locked_until <= event.now;
  return is_free ? lockedFor(event) : refused('taken');
}

const lockedFor = ({ reviewer_id, now }: { reviewer_id: string; now: Date }): CaseStep =>
  to({ state: 'in_review', reviewer_id, locked_until: new Date(now.getTime() + LOCK_MS) });

/** Whoever was away for longer than his lock takes the case again first, as another may have had it meanwhile. */
const isTheirs = (standing: CaseStanding, { reviewer_id, now }: { reviewer_id: string; now: Date }): boolean =>
  standing.state === 'in_review' && standing.reviewer_id === reviewer_id && standing.locked_until > now;
