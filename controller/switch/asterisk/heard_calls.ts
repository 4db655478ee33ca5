import type { SwitchEvent } from '../switch.ts';
import type { CallEvent } from './call_event.ts';
import type { Heard } from './live_calls.ts';

interface HeardCall extends Heard {
  /** The name of the A-leg's channel, by which the switch finds it soonest. */
  name: string;
  ringing: boolean;
}

/** What was heard of each A-leg that is up: what is told of a channel that is not in here concerns nobody. */
export class HeardCalls {
  readonly #calls = new Map<string, HeardCall>();
  /** Those that the last list of the switch did not have. */
  #missed: ReadonlySet<string> = new Set();

  get(channel_id: string): Readonly<HeardCall> | undefined {
    return this.#calls.get(channel_id);
  }

  clear(): void {
    this.#calls.clear();
  }

  /** A call that was up before this process listened; its answer may be known. */
  found(channel_id: string, name: string, answer: Heard = { b_channel_id: null, answered_at_ms: null }): void {
    this.#calls.set(channel_id, { ...answer, name, ringing: answer.b_channel_id !== null });
  }

  /**
   * The switch's list of what is up. What two of them in a row do not have is gone, though nothing told so: an event in which a caller
   * wrote line breaks is not believed.
   */
  listed(present: ReadonlySet<string>): void {
    const missed = [...this.#calls.keys()].filter((channel_id) => !present.has(channel_id));
    for (const channel_id of missed) if (this.#missed.has(channel_id)) this.#calls.delete(channel_id);
    this.#missed = new Set(missed);
  }

  /** The switch's event as the port tells it; null when it concerns nobody or says again what was told. */
  take(event: CallEvent): SwitchEvent | null {
    const { channel_id, at_ms } = event;
    switch (event.type) {
      case 'given': {
        const { source, dialled, claimed_caller } = event;
        this.found(channel_id, event.name);
        return {
          type: 'arrived',
          arrival: { channel_id, source, dialled, claimed_caller, arrived_at_ms: at_ms },
        };
      }
      case 'unspoken':
      case 'given_back': {
        const { call_id, attempt, failure } = event;
        this.found(channel_id, event.name);
        return { type: 'attempt_failed', channel_id, call_id, attempt, failure, at_ms };
      }
      case 'audible': {
        const call = this.#calls.get(channel_id);
        if (call === undefined || call.ringing) return null;
        call.ringing = true;
        return { type: 'ringing', channel_id, at_ms };
      }
      case 'answered': {
        const { name, b_channel_id } = event;
        this.found(channel_id, name, { b_channel_id, answered_at_ms: at_ms });
        return { type: 'answered', channel_id, b_channel_id, at_ms };
      }
      case 'gone':
        if (!this.#calls.delete(channel_id)) return null;
        return { type: 'ended', channel_id, cause: event.cause, at_ms };
    }
  }
}
