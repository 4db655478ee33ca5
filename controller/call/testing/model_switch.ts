import type { AttemptFailure, BridgePlan, SwitchRecord } from '../../switch/switch.ts';
import type { CallPlan } from '../plan.ts';
import type { CallEvent } from '../state.ts';
import type { Agenda } from './agenda.ts';
import type { Tape } from './tape.ts';

/** The latest that a call is ended after its deadline. */
export const LATENESS_MS_MAX = 400;
/** The longest that the news of an end is under way. */
export const NEWS_MS_MAX = 120;

export interface MediaCall {
  channel_id: string;
  call_id: string | null;
  phase: 'waiting' | 'refusing' | 'dialling' | 'up' | 'gone';
  attempt: number;
  answered_at_ms: number | null;
  ended_at_ms: number | null;
  limit_ms: number;
  deadline_at_ms: number;
  /** Ended by the switch itself, because what is paid for was used up. */
  cut_off: boolean;
  record: SwitchRecord | null;
  /** Of a call for help: what stands in for its device and number, from which the same is decided again. */
  help_plan: CallPlan | null;
}

const failures: readonly [AttemptFailure, ...AttemptFailure[]] = [
  { cause: 17, sip_status: 486, responded: true, unreachable: false, timed_out: false },
  { cause: 34, sip_status: 503, responded: true, unreachable: false, timed_out: false },
  { cause: 0, sip_status: null, responded: true, unreachable: false, timed_out: true },
  { cause: 0, sip_status: null, responded: false, unreachable: true, timed_out: false },
];

/** A switch as its port promises it: bridges by itself, ends calls at their deadline with or without a controller, writes records. */
export class ModelSwitch {
  readonly calls = new Map<string, MediaCall>();
  readonly #agenda: Agenda;
  readonly #tape: Tape;
  readonly #tell: (channel_id: string, event: CallEvent) => void;

  constructor(agenda: Agenda, tape: Tape, tell: (channel_id: string, event: CallEvent) => void) {
    this.#agenda = agenda;
    this.#tape = tape;
    this.#tell = tell;
  }

  arrive(channel_id: string): void {
    const call: MediaCall = {
      channel_id,
      call_id: null,
      phase: 'waiting',
      attempt: 0,
      answered_at_ms: null,
      ended_at_ms: null,
      limit_ms: 0,
      deadline_at_ms: Number.POSITIVE_INFINITY,
      cut_off: false,
      record: null,
      help_plan: null,
    };
    this.calls.set(channel_id, call);
    // A caller's patience with a call that never gets anywhere.
    this.#agenda.plan(this.#tape.pick([9000, 30, 400, 2500]), () => {
      if (call.phase !== 'up') this.end(channel_id, 16);
    });
  }

  bridge(channel_id: string, plan: BridgePlan, help_plan: CallPlan | null): 'done' | 'gone' {
    const call = this.calls.get(channel_id);
    if (call?.phase !== 'waiting') return 'gone';
    Object.assign(call, { phase: 'dialling', call_id: plan.call_id, attempt: plan.attempt, limit_ms: plan.limit_ms });
    call.help_plan = help_plan;
    if (this.#tape.oneIn(4)) {
      this.#agenda.plan(this.#tape.pick([300, 4000]), () => this.#fail(call, plan.attempt));
    } else {
      this.#agenda.plan(this.#tape.pick([200, 0, 3000]), () => this.#answer(call));
    }
    return 'done';
  }

  /** The caller hears why, and then the call ends. */
  refuse(channel_id: string): void {
    const call = this.calls.get(channel_id);
    if (call?.phase !== 'waiting') return;
    call.phase = 'refusing';
    this.#agenda.plan(this.#tape.pick([20, 4000]), () => this.end(channel_id, 21));
  }

  arm(channel_id: string, deadline_at_ms: number): void {
    const call = this.calls.get(channel_id);
    // One that is due already is being ended; lateness does not begin anew.
    if (call?.phase !== 'up' || call.deadline_at_ms <= this.#agenda.now_ms) return;
    call.deadline_at_ms = Math.max(this.#agenda.now_ms + 1, deadline_at_ms);
    this.#endAtDeadline(call);
  }

  end(channel_id: string, cause: number): void {
    const call = this.calls.get(channel_id);
    if (call === undefined || call.phase === 'gone') return;
    call.phase = 'gone';
    call.ended_at_ms = this.#agenda.now_ms;
    const told: CallEvent = { type: 'ended', cause, at_ms: call.ended_at_ms };
    this.#agenda.plan(this.#tape.pick([5, 0, NEWS_MS_MAX]), () => this.#tell(channel_id, told));
    if (call.call_id === null || this.#tape.oneIn(6)) return;
    const record: SwitchRecord = {
      call_id: call.call_id,
      attempt: call.attempt,
      channel_id,
      started_at_us: 0n,
      answered_at_us: call.answered_at_ms === null ? null : BigInt(call.answered_at_ms) * 1000n,
      ended_at_us: BigInt(call.ended_at_ms) * 1000n,
      cause,
      help: null,
      position: '',
    };
    this.#agenda.plan(this.#tape.pick([20, 0, 300, 2200]), () => {
      call.record = record;
      this.#tell(channel_id, { type: 'recorded', record });
    });
  }

  #answer(call: MediaCall): void {
    if (call.phase !== 'dialling') return;
    const at_ms = this.#agenda.now_ms;
    Object.assign(call, { phase: 'up', answered_at_ms: at_ms, deadline_at_ms: at_ms + call.limit_ms });
    this.#agenda.plan(this.#tape.pick([5, 0, 150]), () =>
      this.#tell(call.channel_id, { type: 'answered', b_channel_id: `${call.channel_id}-b`, at_ms }),
    );
    this.#endAtDeadline(call);
    this.#agenda.plan(this.#tape.pick([7300, 999, 1000, 1001, 21_000, 60_000, 3999]), () =>
      this.end(call.channel_id, 16),
    );
  }

  #endAtDeadline(call: MediaCall): void {
    const deadline_at_ms = call.deadline_at_ms;
    const late_ms = this.#tape.pick([0, 150, LATENESS_MS_MAX]);
    this.#agenda.plan(deadline_at_ms - this.#agenda.now_ms + late_ms, () => {
      if (call.deadline_at_ms !== deadline_at_ms || call.phase !== 'up') return;
      call.cut_off = true;
      this.end(call.channel_id, 16);
    });
  }

  #fail(call: MediaCall, attempt: number): void {
    if (call.phase !== 'dialling' || call.attempt !== attempt) return;
    call.phase = 'waiting';
    const failure = this.#tape.pick(failures);
    this.#tell(call.channel_id, { type: 'attempt_failed', attempt, failure, at_ms: this.#agenda.now_ms });
  }
}
