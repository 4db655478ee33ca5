import type { Clock } from './clock.ts';
import type { ReadingTime } from './reading_time.ts';
import type { SessionSettings } from './session_settings.ts';
import type { Wire } from './wire.ts';

/**
 * Reading stops while our side owes the peer too many answers, or while the peer takes none of what is written,
 * and goes on when that has eased.
 */
export class Flow {
  readonly #settings: SessionSettings;
  readonly #clock: Clock;
  readonly #reading: ReadingTime;
  readonly #wire: Wire;
  #owed = 0;

  constructor(settings: SessionSettings, clock: Clock, reading: ReadingTime, wire: Wire) {
    this.#settings = settings;
    this.#clock = clock;
    this.#reading = reading;
    this.#wire = wire;
  }

  /** Requests of the peer that our side has not answered. */
  get owed(): number {
    return this.#owed;
  }

  get is_backlogged(): boolean {
    return this.#wire.backlog_octets > this.#settings.backlog_octets_max;
  }

  owe(): void {
    this.#owed += 1;
    if (this.#owed >= this.#settings.incoming_requests_max) this.#pause();
  }

  pay(): void {
    this.#owed -= 1;
    this.wrote();
    this.ease();
  }

  /** Something was written. */
  wrote(): void {
    if (this.is_backlogged) this.#pause();
  }

  ease(): void {
    if (!this.#reading.paused || this.is_backlogged) return;
    if (this.#owed > this.#settings.incoming_requests_max / 2) return;
    this.#reading.resume(this.#clock.now_ms());
    this.#wire.resume();
  }

  #pause(): void {
    if (this.#reading.paused) return;
    this.#reading.pause(this.#clock.now_ms());
    this.#wire.pause();
  }
}
