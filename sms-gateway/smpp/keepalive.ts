import type { CloseReason } from './close_reason.ts';
import type { ReadingTime } from './reading_time.ts';
import type { SessionSettings } from './session_settings.ts';

/** The enquire_link timer and the inactivity timer of SMPP 3.4 section 7.2. */
export class Keepalive {
  readonly #settings: SessionSettings;
  #heard_at_ms: number;
  /** The same in reading time. */
  #heard_reading_ms: number;
  #asked_at_ms: number;
  /** When the first unanswered enquire_link was sent, in reading time. */
  #waiting_since_ms: number | null = null;

  constructor(settings: SessionSettings, now_ms: number) {
    this.#settings = settings;
    this.#heard_at_ms = now_ms;
    this.#heard_reading_ms = now_ms;
    this.#asked_at_ms = now_ms;
  }

  heard(now_ms: number, reading: ReadingTime): void {
    this.#heard_at_ms = now_ms;
    this.#heard_reading_ms = reading.at(now_ms);
  }

  answered(): void {
    this.#waiting_since_ms = null;
  }

  /**
   * What has to be done now. A paused peer is asked again and again although its answers are not read:
   * to one that is gone the asking itself fails, and nothing else would tell.
   */
  due(now_ms: number, reading: ReadingTime, is_bound: boolean): CloseReason | 'enquire_link' | null {
    const reading_ms = reading.at(now_ms);
    const { enquire_link_idle_ms, enquire_link_timeout_ms, inactivity_ms } = this.#settings;
    if (this.#waiting_since_ms !== null && reading_ms - this.#waiting_since_ms >= enquire_link_timeout_ms) {
      return { kind: 'enquire_link_unanswered' };
    }
    if (inactivity_ms !== null && reading_ms - this.#heard_reading_ms >= inactivity_ms) {
      return { kind: 'inactive' };
    }
    const idle_ms = now_ms - Math.max(this.#heard_at_ms, this.#asked_at_ms);
    if (!is_bound || idle_ms < enquire_link_idle_ms) return null;
    if (this.#waiting_since_ms !== null && !reading.paused) return null;
    this.#asked_at_ms = now_ms;
    this.#waiting_since_ms ??= reading_ms;
    return 'enquire_link';
  }
}
