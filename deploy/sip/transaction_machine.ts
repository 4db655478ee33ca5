/**
 * The transaction machines of RFC 3261 17 with the Accepted states of RFC 6026, pure: (state, event) → {state, effects}.
 *
 *   INVITE client     calling ──1xx──> proceeding ──2xx──> accepted ──linger──> terminated
 *                        │                 └──3xx-6xx (ACK)──> completed ──linger──> terminated
 *                        └──give_up──> terminated (timed out)
 *   other client      calling ──1xx──> proceeding ──final──> completed ──linger──> terminated
 *   INVITE server     proceeding ──2xx──> accepted ──linger──> terminated
 *                        └──3xx-6xx──> completed ──ACK──> confirmed ──linger──> terminated
 *   other server      proceeding ──final──> completed ──linger──> terminated
 *   acceptance        waiting ──ACK──> acked;  waiting ──give_up──> never_acked      (the 2xx itself, 13.3.1.4)
 */
export interface TimerSettings {
  t1_ms: number;
  t2_ms: number;
  t4_ms: number;
  /** True over TCP: nothing is retransmitted there, except a 2xx. */
  reliable: boolean;
}

export const STANDARD_TIMERS: TimerSettings = { t1_ms: 500, t2_ms: 4000, t4_ms: 5000, reliable: false };

export type TimerName = 'retransmit' | 'give_up' | 'linger';
export type Phase =
  | 'calling'
  | 'proceeding'
  | 'completed'
  | 'confirmed'
  | 'accepted'
  | 'terminated'
  | 'waiting'
  | 'acked'
  | 'never_acked';

export interface State {
  phase: Phase;
  /** The wait before the next retransmission. */
  interval_ms: number;
}

export type Event =
  | { kind: 'start' }
  | { kind: 'response'; status: number }
  | { kind: 'respond'; status: number }
  | { kind: 'request_again' }
  | { kind: 'ack' }
  | { kind: 'timer'; timer: TimerName };

/** `send` is the request of a client, the latest response of a server. `deliver` hands what came to the user. */
export type Effect =
  | { kind: 'send' }
  | { kind: 'send_ack' }
  | { kind: 'deliver' }
  | { kind: 'timed_out' }
  | { kind: 'start_timer'; timer: TimerName; after_ms: number }
  | { kind: 'stop_timer'; timer: TimerName }
  | { kind: 'forget' };

export interface Step {
  state: State;
  effects: Effect[];
}

export type Machine = (state: State, event: Event, timers: TimerSettings) => Step;

const start = (timer: TimerName, after_ms: number): Effect => ({ kind: 'start_timer', timer, after_ms });
const STOP_RETRANSMITTING: Effect[] = [
  { kind: 'stop_timer', timer: 'retransmit' },
  { kind: 'stop_timer', timer: 'give_up' },
];
const stay = (state: State, ...effects: Effect[]): Step => ({ state, effects });
const enter = (state: State, phase: Phase, ...effects: Effect[]): Step => ({ state: { ...state, phase }, effects });
const forget = (state: State, ...effects: Effect[]): Step => enter(state, 'terminated', ...effects, { kind: 'forget' });

function begin(timers: TimerSettings): Step {
  const retransmit = timers.reliable ? [] : [start('retransmit', timers.t1_ms)];
  const state: State = { phase: 'calling', interval_ms: timers.t1_ms };
  return stay(state, { kind: 'send' }, ...retransmit, start('give_up', 64 * timers.t1_ms));
}

function sendAgain(state: State, interval_ms: number): Step {
  return { state: { ...state, interval_ms }, effects: [{ kind: 'send' }, start('retransmit', interval_ms)] };
}

export const inviteClient: Machine = (state, event, timers) => {
  if (event.kind === 'start') return begin(timers);
  if (event.kind === 'timer') {
    if (event.timer === 'linger') return forget(state);
    if (state.phase !== 'calling') return stay(state);
    if (event.timer === 'retransmit') return sendAgain(state, state.interval_ms * 2);
    return forget(state, { kind: 'timed_out' });
  }
  if (event.kind !== 'response') return stay(state);
  const early = state.phase === 'calling' || state.phase === 'proceeding';
  if (event.status < 200)
    return early ? enter(state, 'proceeding', ...STOP_RETRANSMITTING, { kind: 'deliver' }) : stay(state);
  if (event.status < 300) {
    if (early)
      return enter(state, 'accepted', ...STOP_RETRANSMITTING, start('linger', 64 * timers.t1_ms), { kind: 'deliver' });
    return state.phase === 'accepted' ? stay(state, { kind: 'deliver' }) : stay(state);
  }
  if (state.phase === 'completed') return stay(state, { kind: 'send_ack' });
  if (!early) return stay(state);
  const linger_ms = timers.reliable ? 0 : 64 * timers.t1_ms;
  return enter(state, 'completed', ...STOP_RETRANSMITTING, { kind: 'send_ack' }, start('linger', linger_ms), {
    kind: 'deliver',
  });
};

export const otherClient: Machine = (state, event, timers) => {
  if (event.kind === 'start') return begin(timers);
  const early = state.phase === 'calling' || state.phase === 'proceeding';
  if (event.kind === 'timer') {
    if (event.timer === 'linger') return forget(state);
    if (!early) return stay(state);
    if (event.timer === 'give_up') return forget(state, { kind: 'timed_out' });
    const doubled_ms = Math.min(state.interval_ms * 2, timers.t2_ms);
    return sendAgain(state, state.phase === 'proceeding' ? timers.t2_ms : doubled_ms);
  }
  if (event.kind !== 'response' || !early) return stay(state);
  if (event.status < 200) return enter(state, 'proceeding', { kind: 'deliver' });
  const linger_ms = timers.reliable ? 0 : timers.t4_ms;
  return enter(state, 'completed', ...STOP_RETRANSMITTING, start('linger', linger_ms), { kind: 'deliver' });
};

export const inviteServer: Machine = (state, event, timers) => {
  if (event.kind === 'request_again') {
    return state.phase === 'proceeding' || state.phase === 'completed' ? stay(state, { kind: 'send' }) : stay(state);
  }
  if (event.kind === 'respond') {
    if (state.phase === 'accepted' && event.status >= 200 && event.status < 300) return stay(state, { kind: 'send' });
    if (state.phase !== 'proceeding') return stay(state);
    if (event.status < 200) return stay(state, { kind: 'send' });
    if (event.status < 300) return enter(state, 'accepted', { kind: 'send' }, start('linger', 64 * timers.t1_ms));
    const retransmit = timers.reliable ? [] : [start('retransmit', timers.t1_ms)];
    const completed: State = { phase: 'completed', interval_ms: timers.t1_ms };
    return stay(completed, { kind: 'send' }, ...retransmit, start('give_up', 64 * timers.t1_ms));
  }
  if (event.kind === 'ack' && state.phase === 'completed') {
    return enter(state, 'confirmed', ...STOP_RETRANSMITTING, start('linger', timers.reliable ? 0 : timers.t4_ms));
  }
  if (event.kind !== 'timer') return stay(state);
  if (event.timer === 'linger') return forget(state);
  if (state.phase !== 'completed') return stay(state);
  if (event.timer === 'give_up') return forget(state, { kind: 'timed_out' });
  return sendAgain(state, Math.min(state.interval_ms * 2, timers.t2_ms));
};

export const otherServer: Machine = (state, event, timers) => {
  if (state.phase === 'terminated') return stay(state);
  if (event.kind === 'request_again') return stay(state, { kind: 'send' });
  if (event.kind === 'timer') return event.timer === 'linger' ? forget(state) : stay(state);
  if (event.kind !== 'respond' || state.phase !== 'proceeding') return stay(state);
  if (event.status < 200) return stay(state, { kind: 'send' });
  return enter(state, 'completed', { kind: 'send' }, start('linger', timers.reliable ? 0 : 64 * timers.t1_ms));
};

/** A 2xx goes out again and again until its ACK came, over TCP too. */
export const acceptance: Machine = (state, event, timers) => {
  if (event.kind === 'start') {
    const waiting: State = { phase: 'waiting', interval_ms: timers.t1_ms };
    return stay(waiting, { kind: 'send' }, start('retransmit', timers.t1_ms), start('give_up', 64 * timers.t1_ms));
  }
  if (state.phase !== 'waiting') {
    return event.kind === 'timer' && event.timer === 'linger' ? stay(state, { kind: 'forget' }) : stay(state);
  }
  if (event.kind === 'ack') {
    return enter(state, 'acked', ...STOP_RETRANSMITTING, { kind: 'deliver' }, start('linger', 64 * timers.t1_ms));
  }
  if (event.kind !== 'timer') return stay(state);
  if (event.timer === 'retransmit') return sendAgain(state, Math.min(state.interval_ms * 2, timers.t2_ms));
  return enter(
    state,
    'never_acked',
    { kind: 'stop_timer', timer: 'retransmit' },
    { kind: 'timed_out' },
    { kind: 'forget' },
  );
};
