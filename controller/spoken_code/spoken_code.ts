import { judgeFailure } from '../call/blame.ts';
import type { CallEvent, CallState } from '../call/state.ts';

/**
 * A code that is spoken to somebody by a call, route by route. Each attempt is a call of its own, with its own hold and record, so each
 * is explained like any other.
 *
 *      asked ── taken ──> calling ── answered ──> spoken
 *        │                  │  └─ failed, and may fail over: the next route ─> calling
 *        │                  └──── failed, or no route is left ──> failed
 *        └── too old, unreadable, or nobody to call ──> failed
 *
 * It is taken before the first call is made, and by nobody twice: a controller that dies meanwhile leaves it `calling`, and the next one
 * calls nobody but says `interrupted`.
 */
export type SpokenCodeState =
  | { phase: 'calling'; route: number; routes: number }
  | { phase: 'spoken' }
  | { phase: 'failed'; failure: SpokenFailure };

/** `refused`: we had no free line, no route that is cheap enough, or no right to call there. */
export type SpokenFailure = 'busy' | 'no_answer' | 'unreachable' | 'refused' | 'interrupted' | 'too_late';

export function beginCalling(routes: number): SpokenCodeState {
  return routes > 0 ? { phase: 'calling', route: 0, routes } : { phase: 'failed', failure: 'refused' };
}

/** What a step of its call, which is in that state by now, means for the code; pure. The same state where it means nothing. */
export function codeAfterStep(
  state: SpokenCodeState,
  event: CallEvent,
  call: { phase: CallState['phase']; rang: boolean },
): SpokenCodeState {
  if (state.phase !== 'calling') return state;
  switch (event.type) {
    case 'answered':
      return { phase: 'spoken' };
    case 'attempt_failed': {
      const { may_fail_over, result } = judgeFailure(event.failure, call.rang);
      if (may_fail_over && state.route + 1 < state.routes) return { ...state, route: state.route + 1 };
      return { phase: 'failed', failure: result === 'busy' || result === 'no_answer' ? result : 'unreachable' };
    }
    case 'recorded':
      return event.record.answered_at_us === null ? state : { phase: 'spoken' };
    case 'hold_answered':
    case 'hold_failed':
      return call.phase === 'over' ? { phase: 'failed', failure: 'refused' } : state;
    case 'bridged':
      // Whether the switch called is not known: nobody is called again.
      return event.reach === 'failed' ? { phase: 'failed', failure: 'interrupted' } : state;
    case 'ended':
      return { phase: 'failed', failure: 'interrupted' };
    default:
      return state;
  }
}
