import { inDialling } from './dialling.ts';
import { inDeciding, inHolding } from './holding.ts';
import { causes } from './refusal.ts';
import { inSettling } from './settling.ts';
import { inTalking } from './talking.ts';
import type { CallEvent, CallIdentity, CallSettings, CallState, Deciding, Step } from './state.ts';

/** A call that has just arrived; what is decided about it comes as its first event. */
export function newCall(identity: CallIdentity): Deciding {
  return { ...identity, phase: 'deciding', ended: null };
}

/**
 * The whole life of a call as a pure function; the diagram stands above `CallState`.
 * @param now_ms the switch's wall clock.
 */
export function transition(state: CallState, event: CallEvent, now_ms: number, settings: CallSettings): Step {
  if (event.type === 'hang_up_asked') return hangUpAsked(state);
  switch (state.phase) {
    case 'deciding':
      return inDeciding(state, event, now_ms, settings);
    case 'holding':
      return inHolding(state, event, now_ms, settings);
    case 'dialling':
      return inDialling(state, event, now_ms, settings);
    case 'talking':
      return inTalking(state, event, now_ms, settings);
    case 'settling':
      return inSettling(state, event);
    case 'over':
      return { state, effects: [] };
  }
}

/** In every phase the same: the switch is told, and the end comes as any other. One that is ending needs no word. */
function hangUpAsked(state: CallState): Step {
  const is_up = state.phase !== 'settling' && state.phase !== 'over';
  return { state, effects: is_up ? [{ type: 'hang_up', cause: causes.normal }] : [] };
}
