import type { BridgePlan, CallSource, HelpCall, Prompt, SpokenCall, SwitchEvent, SwitchRecord } from '../switch.ts';
import { UNREACHABLE } from './behaviour.ts';
import type { BehaviourOf } from './behaviour.ts';
import type { VirtualClock } from './virtual_clock.ts';

/** What a call needs of the switch it lives in. */
export interface FakeCore {
  clock: VirtualClock;
  behaviour: BehaviourOf;
  emit: (event: SwitchEvent) => void;
  record: (record: Omit<SwitchRecord, 'position'>) => void;
  nextChannelId: () => string;
  forget: (call: FakeCall) => void;
}

/** How long the fake's prompts are, whatever they say. */
const PROMPT_MS = 3_000;

/** How long the fake speaks a digit, and what it says around them. */
const DIGIT_MS = 1_000;
const AROUND_MS = 4_000;

interface Attempt {
  plan: BridgePlan;
  ringing: boolean;
  b_channel_id: string | null;
  answered_at_ms: number | null;
}

/**
 * One A-leg in the fake switch, with what its caller hears.
 *
 *     waiting ── bridge ──> dialling ── answer ──> up ── deadline, hang-up ──> gone
 *        ^                     │
 *        └──── failed ─────────┘          waiting ── refuse ──> refusing ──> gone
 */
export class FakeCall {
  readonly channel_id: string;
  readonly source: CallSource;
  /** Prompts the caller was played, in order. */
  readonly prompts: Prompt[] = [];
  warnings = 0;
  /** Null while the A-leg is there. */
  ended_cause: number | null = null;
  ended_at_ms: number | null = null;
  attempt: Attempt | null = null;
  refusing_call_id: string | null = null;
  /** What whoever was called heard of the digits, twice. */
  digits_heard = '';
  readonly #core: FakeCore;
  readonly #arrived_at_ms: number;
  /** The call that the switch makes by itself; null for a caller's. */
  readonly #spoken: SpokenCall | null;
  /** The attempt that failed before this moment. */
  #last: Attempt | null = null;
  #timers: (() => void)[] = [];
  #deadline: (() => void) | null = null;

  constructor(core: FakeCore, source: CallSource, spoken: SpokenCall | null = null) {
    this.#core = core;
    this.#arrived_at_ms = core.clock.now_ms;
    this.#spoken = spoken;
    this.source = source;
    this.channel_id = spoken?.channel_id ?? core.nextChannelId();
  }

  /** Calls whoever it is for. */
  speak({ call_id, trunk, number, ...rest }: SpokenCall): void {
    this.bridge({ ...rest, call_id, attempt: 1, target: { kind: 'trunk', trunk, number }, help_code: null });
  }

  get waiting(): boolean {
    return this.attempt === null && this.refusing_call_id === null;
  }

  get help(): HelpCall | null {
    const code = (this.attempt ?? this.#last)?.plan.help_code ?? null;
    if (code === null || this.source.kind !== 'device') return null;
    return { code, device: this.source.device, arrived_at_ms: this.#arrived_at_ms };
  }

  get ringing(): boolean {
    return this.attempt?.ringing ?? false;
  }

  get answered(): boolean {
    return (this.attempt?.answered_at_ms ?? null) !== null;
  }

  bridge(plan: BridgePlan): void {
    const attempt: Attempt = {
      plan,
      ringing: false,
      b_channel_id: null,
      answered_at_ms: null,
    };
    this.attempt = attempt;
    const behaviour = this.#core.behaviour(plan);
    const responded = behaviour.kind !== 'silent';
    this.#later(plan.ring_timeout_ms, () =>
      this.#fail({ cause: 0, sip_status: null, responded, unreachable: false, timed_out: true }),
    );
    if (behaviour.kind === 'unreachable') this.#later(1, () => this.#fail(UNREACHABLE));
    if (behaviour.kind === 'fails') this.#later(behaviour.after_ms, () => this.#fail(behaviour.failure));
    if (behaviour.kind === 'answers' || behaviour.kind === 'rings') {
      this.#later(behaviour.ring_after_ms, () => this.#ring(attempt));
    }
    if (behaviour.kind === 'answers') this.#later(behaviour.answer_after_ms, () => this.#answer(attempt));
  }

  refuse(call_id: string, prompt: Prompt, cause: number): void {
    this.refusing_call_id = call_id;
    this.prompts.push(prompt);
    this.#later(PROMPT_MS, () => this.end(cause));
  }

  armDeadline(remaining_ms: number): void {
    this.#deadline?.();
    this.#deadline = this.#core.clock.after(Math.max(1, remaining_ms), () => this.end(16));
  }

  /** The A-leg goes away, for whatever reason, and with it what was running. */
  end(cause: number): void {
    if (this.ended_cause !== null) return;
    this.ended_cause = cause;
    this.ended_at_ms = this.#core.clock.now_ms;
    this.#drop();
    this.#record(cause);
    this.#core.forget(this);
    this.#core.emit({ type: 'ended', channel_id: this.channel_id, cause, at_ms: this.#core.clock.now_ms });
  }

  /** The switch itself died: nothing is recorded and nobody is told. */
  vanish(): void {
    this.ended_cause = 0;
    this.#drop();
  }

  #ring(attempt: Attempt): void {
    attempt.ringing = true;
    this.#core.emit({ type: 'ringing', channel_id: this.channel_id, at_ms: this.#core.clock.now_ms });
  }

  #answer(attempt: Attempt): void {
    this.#drop();
    const at_ms = this.#core.clock.now_ms;
    attempt.answered_at_ms = at_ms;
    attempt.b_channel_id = this.#spoken === null ? this.#core.nextChannelId() : this.channel_id;
    this.armDeadline(attempt.plan.limit_ms);
    if (this.#spoken !== null) this.#say(this.#spoken.digits);
    const { channel_id } = this;
    this.#core.emit({ type: 'answered', channel_id, b_channel_id: attempt.b_channel_id, at_ms });
  }

  #fail(failure: typeof UNREACHABLE): void {
    const plan = this.attempt?.plan;
    if (plan === undefined) return;
    this.#drop();
    this.#last = this.attempt;
    this.attempt = null;
    const { call_id, attempt } = plan;
    const at_ms = this.#core.clock.now_ms;
    this.#core.emit({ type: 'attempt_failed', channel_id: this.channel_id, call_id, attempt, failure, at_ms });
    if (this.#spoken !== null) this.end(failure.cause);
  }

  #say(digits: string): void {
    const spoken = digits + digits;
    for (let n = 0; n < spoken.length; n += 1) {
      this.#later(AROUND_MS + n * DIGIT_MS, () => {
        this.digits_heard += spoken.charAt(n);
      });
    }
    this.#later(AROUND_MS + spoken.length * DIGIT_MS, () => this.end(16));
  }

  /** One for each call, of its last attempt; none for a call that was refused. */
  #record(cause: number): void {
    const last = this.attempt ?? this.#last;
    if (last === null || this.refusing_call_id !== null) return;
    const { plan, answered_at_ms } = last;
    this.#core.record({
      call_id: plan.call_id,
      attempt: plan.attempt,
      channel_id: this.channel_id,
      started_at_us: BigInt(this.#arrived_at_ms) * 1000n,
      answered_at_us: answered_at_ms === null ? null : BigInt(answered_at_ms) * 1000n,
      ended_at_us: BigInt(this.#core.clock.now_ms) * 1000n,
      cause,
      help: this.help,
    });
  }

  #later(ms: number, run: () => void): void {
    this.#timers.push(this.#core.clock.after(ms, run));
  }

  #drop(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers = [];
    this.#deadline?.();
    this.#deadline = null;
  }
}
