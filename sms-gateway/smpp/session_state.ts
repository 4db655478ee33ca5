import type { CloseReason } from './close_reason.ts';
import type { CommandName } from './command.ts';
import { STATUS } from './status.ts';

export type Role = 'esme' | 'smsc';

/** What a session may carry: as transmitter, receiver or both (SMPP 3.4 section 2.2). */
export type BindMode = 'tx' | 'rx' | 'trx';

/**
 * One session, from the connection to its end. SMPP 3.4 section 2.2 has OPEN, BOUND_TX, BOUND_RX, BOUND_TRX and CLOSED, and
 * 5.0 adds UNBOUND; how a bound one comes to its end in good order is ours.
 *
 *             bound              stop                 none in flight, or time over
 *      open ────────> bound ────────────> draining ────────────────────────> unbinding
 *       │               │                     │                    send unbind   │ answered and nothing owed,
 *       │               │ unbind received     │ unbind received                  │ or time over
 *       │               └──────> leaving <────┘                                  │
 *       │ stop                      │ nothing in flight or owed, or time over    │
 *       │                           │ answer the unbind                          │
 *       └──────────────────────> unbound <───────────────────────────────────────┘
 *                                   │ end the connection
 *      any ──── closed ────> closed <┘
 *
 * "In flight" are our requests without a response, "owed" the peer's requests without one of ours.
 * Serving goes on while draining; from then on new requests are refused with ESME_RINVBNDSTS.
 */
export type SessionState =
  | { phase: 'open' }
  | { phase: 'bound'; mode: BindMode }
  | { phase: 'draining'; mode: BindMode }
  | { phase: 'unbinding'; mode: BindMode; answered: boolean }
  | { phase: 'leaving'; mode: BindMode; sequence_number: number }
  | { phase: 'unbound'; reason: CloseReason }
  | { phase: 'closed'; reason: CloseReason };

export type SessionEvent =
  | { type: 'bound'; mode: BindMode }
  /** Our side wants the end. */
  | { type: 'stop' }
  | { type: 'unbind_received'; sequence_number: number }
  | { type: 'unbind_answered' }
  /** A request was answered on either side. */
  | { type: 'answered' }
  /** The phase has lasted as long as it may. */
  | { type: 'time_over' }
  | { type: 'closed'; reason: CloseReason };

export type SessionEffect =
  | { type: 'send_unbind' }
  | { type: 'answer_unbind'; sequence_number: number }
  /** After all that is written. */
  | { type: 'end'; reason: CloseReason };

export interface Load {
  in_flight: number;
  owed: number;
}

export interface SessionStep {
  state: SessionState;
  effects: readonly SessionEffect[];
}

const NO_EFFECTS: readonly SessionEffect[] = [];

/** The whole life of a session as a pure function; the diagram stands above `SessionState`. */
export function sessionTransition(state: SessionState, event: SessionEvent, load: Load): SessionStep {
  if (state.phase === 'closed') return { state, effects: NO_EFFECTS };
  if (event.type === 'closed') return { state: { phase: 'closed', reason: event.reason }, effects: NO_EFFECTS };
  switch (state.phase) {
    case 'open':
      return inOpen(state, event);
    case 'bound':
      return inBound(state, event, load);
    case 'draining':
      return inDraining(state, event, load);
    case 'unbinding':
      return inUnbinding(state, event, load);
    case 'leaving':
      return inLeaving(state, event, load);
    case 'unbound':
      return { state, effects: NO_EFFECTS };
  }
}

type Phase<P extends SessionState['phase']> = Extract<SessionState, { phase: P }>;

function inOpen(state: Phase<'open'>, event: SessionEvent): SessionStep {
  if (event.type === 'bound') return { state: { phase: 'bound', mode: event.mode }, effects: NO_EFFECTS };
  if (event.type === 'stop') return ended({ kind: 'closed_by_us' });
  return { state, effects: NO_EFFECTS };
}

function inBound(state: Phase<'bound'>, event: SessionEvent, load: Load): SessionStep {
  if (event.type === 'stop') return inDraining({ phase: 'draining', mode: state.mode }, event, load);
  if (event.type === 'unbind_received') return leave(state.mode, event.sequence_number, load);
  return { state, effects: NO_EFFECTS };
}

function inDraining(state: Phase<'draining'>, event: SessionEvent, load: Load): SessionStep {
  if (event.type === 'unbind_received') return leave(state.mode, event.sequence_number, load);
  if (load.in_flight > 0 && event.type !== 'time_over') return { state, effects: NO_EFFECTS };
  return { state: { phase: 'unbinding', mode: state.mode, answered: false }, effects: [{ type: 'send_unbind' }] };
}

function inUnbinding(state: Phase<'unbinding'>, event: SessionEvent, load: Load): SessionStep {
  if (event.type === 'time_over') return ended({ kind: 'closed_by_us' });
  // Both sides may ask at the same time; the peer then waits for our answer, and we know that it leaves.
  const effects: SessionEffect[] =
    event.type === 'unbind_received' ? [{ type: 'answer_unbind', sequence_number: event.sequence_number }] : [];
  const answered = state.answered || event.type === 'unbind_answered' || event.type === 'unbind_received';
  if (!answered || load.owed > 0) return { state: { ...state, answered }, effects };
  const end = ended({ kind: 'closed_by_us' });
  return { state: end.state, effects: [...effects, ...end.effects] };
}

function leave(mode: BindMode, sequence_number: number, load: Load): SessionStep {
  return inLeaving({ phase: 'leaving', mode, sequence_number }, { type: 'answered' }, load);
}

function inLeaving(state: Phase<'leaving'>, event: SessionEvent, load: Load): SessionStep {
  if (event.type !== 'time_over' && load.in_flight + load.owed > 0) return { state, effects: NO_EFFECTS };
  const end = ended({ kind: 'unbound_by_peer' });
  const answer: SessionEffect = { type: 'answer_unbind', sequence_number: state.sequence_number };
  return { state: end.state, effects: [answer, ...end.effects] };
}

function ended(reason: CloseReason): SessionStep {
  return { state: { phase: 'unbound', reason }, effects: [{ type: 'end', reason }] };
}

const SUBMITTING: readonly BindMode[] = ['tx', 'trx'];
const RECEIVING: readonly BindMode[] = ['rx', 'trx'];
const EVERY: readonly BindMode[] = ['tx', 'rx', 'trx'];

/** Who may send what in which bound state: SMPP 3.4 section 2.3, table 2-1. */
const SENT_BY: Readonly<Record<Role, Partial<Record<CommandName, readonly BindMode[]>>>> = {
  esme: {
    submit_sm: SUBMITTING,
    submit_multi: SUBMITTING,
    data_sm: SUBMITTING,
    query_sm: SUBMITTING,
    cancel_sm: SUBMITTING,
    replace_sm: SUBMITTING,
    enquire_link: EVERY,
    unbind: EVERY,
  },
  smsc: {
    deliver_sm: RECEIVING,
    data_sm: RECEIVING,
    alert_notification: RECEIVING,
    enquire_link: EVERY,
    unbind: EVERY,
  },
};

/** Whether `sender` may send the command in a session of that mode. */
export function maySend(sender: Role, command: CommandName, mode: BindMode): boolean {
  return SENT_BY[sender][command]?.includes(mode) ?? false;
}

/**
 * The status that a request of the peer is refused with, or ESME_ROK. An enquire_link is answered in every state, as 5.0 has it.
 * @param us our own role.
 */
export function admission(us: Role, command: CommandName, state: SessionState): number {
  if (command === 'enquire_link') return STATUS.ESME_ROK;
  const peer = us === 'esme' ? 'smsc' : 'esme';
  switch (state.phase) {
    case 'bound':
    case 'draining':
      return maySend(peer, command, state.mode) ? STATUS.ESME_ROK : STATUS.ESME_RINVBNDSTS;
    case 'unbinding':
      return command === 'unbind' ? STATUS.ESME_ROK : STATUS.ESME_RINVBNDSTS;
    case 'open':
    case 'leaving':
    case 'unbound':
    case 'closed':
      return STATUS.ESME_RINVBNDSTS;
  }
}
