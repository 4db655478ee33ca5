import type { Logger } from 'pino';
import type { CallLedger } from '../charging/call_ledger.ts';
import { SwitchLost } from '../switch/lost.ts';
import type { Switch } from '../switch/switch.ts';
import type { CallEffect, CallEvent, CallSettings, CallState, TimerName } from './state.ts';
import { transition } from './transition.ts';

/** What a call needs of the world. `now` is the switch's wall clock in milliseconds. */
export interface CallWorld {
  ledger: CallLedger;
  media: Pick<Switch, 'bridge' | 'refuse' | 'hangUp' | 'warn' | 'armDeadline'>;
  now: () => number;
  settings: CallSettings;
  log: Logger;
  /** Whether this controller certainly drives the switch: what could end another's call waits until it does. */
  sure: () => boolean;
  /** Told after every step, for metrics and for the list of live calls. */
  onStep: (session: CallSession, before: CallState, event: CallEvent, effects: readonly CallEffect[]) => void;
}

/** After a failure to move the switch's deadline it is tried again this soon. */
const ARM_RETRY_MS = 300;

/** One call that lives: holds its state, feeds it events one at a time, and runs what the transition asks for. */
export class CallSession {
  state: CallState;
  readonly log: Logger;
  readonly #world: CallWorld;
  readonly #timers = new Map<TimerName, NodeJS.Timeout>();
  #arming: Promise<void> = Promise.resolve();
  #deadline_wanted: { b_channel_id: string; at_ms: number } | null = null;

  constructor(state: CallState, world: CallWorld) {
    this.state = state;
    this.#world = world;
    this.log = world.log.child({ call_id: state.call_id });
  }

  get channel_id(): string {
    return this.state.arrival.channel_id;
  }

  dispatch(event: CallEvent): void {
    const before = this.state;
    const { state, effects } = transition(before, event, this.#world.now(), this.#world.settings);
    this.state = state;
    if (before.phase !== state.phase) this.#clearTimers();
    for (const effect of effects) this.#run(effect);
    this.#world.onStep(this, before, event, effects);
  }

  /** Forgets the call without ending it: another controller, or the next start, goes on from what is stored. */
  abandon(): void {
    this.#clearTimers();
    this.#deadline_wanted = null;
  }

  #clearTimers(): void {
    for (const name of [...this.#timers.keys()]) this.#clearTimer(name);
  }

  #run(effect: CallEffect): void {
    const { ledger, media } = this.#world;
    switch (effect.type) {
      case 'hold':
        return this.#ask(ledger.authorize(effect.item), (answer) => ({ type: 'hold_answered', answer }), {
          type: 'hold_failed',
        });
      case 'renew':
        return this.#ask(ledger.renew(effect.item), (answer) => ({ type: 'renew_answered', answer }), {
          type: 'renew_failed',
        });
      case 'settle':
        return this.#ask(ledger.settle(effect.item), (answer) => ({ type: 'settled', answer }), null);
      case 'bridge':
        return this.#ask(
          media.bridge(this.channel_id, effect.plan).catch(reachOfLost),
          (reach) => ({ type: 'bridged', reach }),
          { type: 'bridged', reach: 'failed' },
        );
      case 'note_answer':
        return this.#tell(
          ledger.noteAnswer({
            leg_id: this.state.leg_id,
            attempt: effect.attempt,
            answered_at: new Date(effect.answered_at_ms),
            deadline_at: new Date(effect.deadline_at_ms),
          }),
          'the answer was not noted',
        );
      case 'record_unheld':
        return this.#tell(ledger.recordUnheld(effect.record), 'the record of the call was not written');
      case 'refuse':
        return this.#tell(media.refuse(this.channel_id, effect.refusal), 'the caller was not told the refusal');
      case 'hang_up':
        // The switch ends the call by itself; a call that is up may be another controller's by now, which has moved its end.
        if (this.state.phase === 'talking' && !this.#world.sure()) return;
        return this.#tell(media.hangUp(this.channel_id, effect.cause), 'the call was not hung up');
      case 'warn':
        return this.#tell(media.warn(this.channel_id), 'the warning was not played');
      case 'arm':
        return this.#arm(effect.b_channel_id, effect.deadline_at_ms);
      case 'timer':
        return this.#setTimer(effect.name, effect.at_ms);
    }
  }

  #ask<T>(question: Promise<T>, answered: (answer: T) => CallEvent, failed: CallEvent | null): void {
    question
      .then(
        (answer) => answered(answer),
        (error: unknown) => {
          this.log.warn({ err: error, phase: this.state.phase }, 'a question of the call was not answered');
          return failed;
        },
      )
      .then((event) => event && this.dispatch(event))
      .catch((error: unknown) => this.log.error({ err: error }, 'the call broke a rule of its own'));
  }

  #tell(done: Promise<unknown>, otherwise: string): void {
    done.catch((error: unknown) => this.log.warn({ err: error }, otherwise));
  }

  /** One at a time, and always the newest: the switch counts from the arrival of the command, so an old one would be wrong. */
  #arm(b_channel_id: string, at_ms: number): void {
    this.#deadline_wanted = { b_channel_id, at_ms };
    this.#arming = this.#arming.then(() => this.#armNow());
  }

  async #armNow(): Promise<void> {
    const wanted = this.#deadline_wanted;
    if (wanted === null || this.state.phase !== 'talking') return;
    this.#deadline_wanted = null;
    const remaining_ms = Math.max(1, wanted.at_ms - this.#world.now());
    try {
      if (!this.#world.sure()) throw new Error('The lease of the switch is not certain.');
      await this.#world.media.armDeadline(this.channel_id, wanted.b_channel_id, remaining_ms);
    } catch (error) {
      this.log.warn({ err: error }, 'the deadline was not moved; trying again');
      await new Promise((resolve) => setTimeout(resolve, ARM_RETRY_MS));
      this.#armUnlessNewer(wanted);
    }
  }

  /** A newer deadline that was wanted meanwhile is armed by itself. */
  #armUnlessNewer(wanted: { b_channel_id: string; at_ms: number }): void {
    if (this.#deadline_wanted === null && this.#world.now() < wanted.at_ms)
      this.#arm(wanted.b_channel_id, wanted.at_ms);
  }

  #setTimer(name: TimerName, at_ms: number): void {
    this.#clearTimer(name);
    const delay_ms = Math.max(0, at_ms - this.#world.now());
    this.#timers.set(
      name,
      setTimeout(() => {
        this.#timers.delete(name);
        this.dispatch({ type: 'timer', name });
      }, delay_ms),
    );
  }

  #clearTimer(name: TimerName): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

/** A call that may be on its way out is not taken for one that failed, or somebody would talk for nothing. */
function reachOfLost(error: unknown): 'unknown' {
  if (error instanceof SwitchLost && error.may_have_happened) return 'unknown';
  throw error;
}
