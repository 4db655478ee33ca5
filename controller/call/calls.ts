import { randomUUID } from 'node:crypto';
import type { CallArrival, SwitchEvent, SwitchRecord } from '../switch/switch.ts';
import { CallSession } from './session.ts';
import type { CallWorld } from './session.ts';
import { newCall } from './transition.ts';
import { TrunkCalls } from './trunk_calls.ts';
import type { CallEvent, CallState, Decision } from './state.ts';

export interface CallsOptions extends Omit<CallWorld, 'onStep'> {
  decide: (arrival: CallArrival) => Promise<Decision>;
  onStep: CallWorld['onStep'];
  /** A record of a call that no session knows: made while nobody listened, or settled long ago. */
  onStrayRecord: (record: SwitchRecord) => void;
}

/** All calls of one switch that live in this controller. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #world: CallWorld;
  readonly #by_channel = new Map<string, CallSession>();
  readonly #by_call = new Map<string, CallSession>();
  readonly #trunks = new TrunkCalls();
  /** Records that came, oldest first, whose calls may not be settled yet; see `settledPosition`. */
  #records: { call_id: string; position: string }[] = [];
  #position: string | null = null;
  #refusing_new = false;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.#world = {
      ...options,
      onStep: (session, before, event, effects) => {
        options.onStep(session, before, event, effects);
        this.#trunks.stepped(before, session.state);
        if (session.state.phase === 'over' && before.phase !== 'over') this.#by_call.delete(session.state.call_id);
        if (event.type === 'ended') this.#by_channel.delete(session.channel_id);
      },
    };
  }

  get live(): readonly CallSession[] {
    return [...this.#by_call.values()];
  }

  /** Calls that are over and whose channels were not told to be gone. */
  get lingering(): readonly CallSession[] {
    return [...this.#by_channel.values()].filter(({ state }) => state.phase === 'over');
  }

  /** How many calls are up on a trunk, in both directions together. */
  onTrunk(trunk_id: string): number {
    return this.#trunks.on(trunk_id);
  }

  byChannel(channel_id: string): CallSession | undefined {
    return this.#by_channel.get(channel_id);
  }

  byCall(call_id: string): CallSession | undefined {
    return this.#by_call.get(call_id);
  }

  /** New calls are refused from now on, save for those for help; the ones that live go on. */
  refuseNew(): void {
    this.#refusing_new = true;
  }

  /** A call whose state was found in the database and whose channel lives in the switch. */
  adopt(state: CallState): CallSession {
    const session = new CallSession(state, this.#world);
    this.#trunks.appeared(state);
    this.#by_channel.set(session.channel_id, session);
    this.#by_call.set(state.call_id, session);
    return session;
  }

  /** Everything this controller knows of its calls is forgotten; what is stored decides. For a lost lease. */
  abandon(): void {
    for (const session of this.live) session.abandon();
    this.#by_channel.clear();
    this.#by_call.clear();
    this.#trunks.clear();
  }

  moneyArrived(wallet_id: bigint): void {
    for (const session of this.live) {
      if (session.state.phase === 'talking' && session.state.plan.wallet_id === wallet_id)
        session.dispatch({ type: 'money_arrived' });
    }
  }

  /** Word of a payment may have been missed: calls that wait for one look for themselves. */
  moneyMayHaveArrived(): void {
    for (const session of this.live) {
      if (session.state.phase === 'talking' && session.state.last_grant) session.dispatch({ type: 'money_arrived' });
    }
  }

  clockStepped(step_ms: number): void {
    for (const session of this.live) session.dispatch({ type: 'clock_stepped', step_ms });
  }

  onSwitchEvent(event: SwitchEvent): void {
    switch (event.type) {
      case 'arrived':
        return this.#arrived(event.arrival);
      case 'recorded':
        return this.#recorded(event.record);
      case 'connected':
      case 'disconnected':
        return;
      default: {
        const { channel_id, ...told } = event;
        this.#by_channel.get(channel_id)?.dispatch(told satisfies CallEvent);
      }
    }
  }

  /** How far in the switch's records everything is settled, so that a new start need not read it again. */
  settledPosition(): string | null {
    const open = this.#records.findIndex((record) => this.#by_call.has(record.call_id));
    const done = open < 0 ? this.#records.length : open;
    this.#position = this.#records[done - 1]?.position ?? this.#position;
    this.#records = this.#records.slice(done);
    return this.#position;
  }

  #arrived(arrival: CallArrival): void {
    if (this.#by_channel.has(arrival.channel_id)) return;
    const session = this.adopt(newCall({ call_id: randomUUID(), leg_id: randomUUID(), arrival }));
    const draining = this.#refusing_new;
    this.#options
      .decide(arrival)
      .then(
        (decision) => (draining && !isHelp(decision) ? refused('draining', payerOf(decision)) : decision),
        (error: unknown) => {
          session.log.warn({ err: error }, 'no decision on the call could be made');
          return refused(draining ? 'draining' : 'outage', null);
        },
      )
      .then((decision) => session.dispatch({ type: 'decided', decision }))
      .catch((error: unknown) => session.log.error({ err: error }, 'the call broke a rule of its own'));
  }

  #recorded(record: SwitchRecord): void {
    this.#records.push({ call_id: record.call_id, position: record.position });
    const session = this.#by_call.get(record.call_id);
    if (session === undefined) this.#options.onStrayRecord(record);
    else session.dispatch({ type: 'recorded', record });
  }
}

function refused(reason: 'draining' | 'outage', account_id: string | null): Decision {
  return { kind: 'refuse', reason, account_id, facts: {} };
}

/** Whose call it would have been: its record is theirs to see, whatever it was refused for. */
function payerOf(decision: Decision): string | null {
  return decision.kind === 'refuse' ? decision.account_id : decision.plan.account_id;
}

/** Where a call for help cannot go out it is told so: that is worth more than that somebody stops. */
function isHelp(decision: Decision): boolean {
  if (decision.kind === 'refuse') return decision.reason === 'emergency_unavailable';
  return decision.plan.direction === 'emergency';
}
