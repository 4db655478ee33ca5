/** How often the pace is looked at. */
const INTERVAL_MS = 100;
/** Of what was sent in an interval; a carrier that throttles less than this is only being noisy. */
const THROTTLED_SHARE_MAX = 0.05;
const SLOWER = 0.8;
/** Of the whole pace, each interval without trouble: full again within two seconds. */
const FASTER = 0.05;
const PACE_MIN = 0.02;
/**
 * What congestion_state says (SMPP 5.0, 4.8.4.18): from 80 on the carrier is used as well as it can be, from 90 on it nears
 * congestion, at 100 it is congested.
 */
const OPTIMUM = 80;
const NEARING = 90;
const CONGESTED = 100;
const SLIGHTLY_SLOWER = 0.95;
/** What may go out at once after a pause, in seconds' worth of the rate. */
const BURST_SECONDS = 0.05;

/**
 * How fast a bind may send: the rate of its contract, and less while the carrier throttles or says that it is congested (additive
 * increase, multiplicative decrease). The link itself never sleeps: what one bind may not send now goes another way or a moment later. Time is passed
 * in, monotonic.
 */
export class Pace {
  readonly #per_second_max: number;
  #share = 1;
  #tokens: number;
  #filled_at_ms: number;
  #interval_ends_at_ms: number;
  #sent = 0;
  #throttled = 0;
  /** The worst that the carrier said in this interval. */
  #congestion = 0;

  constructor(per_second_max: number, now_ms: number) {
    this.#per_second_max = per_second_max;
    this.#tokens = this.#burst;
    this.#filled_at_ms = now_ms;
    this.#interval_ends_at_ms = now_ms + INTERVAL_MS;
  }

  /** What it sends at most at the moment. */
  get per_second(): number {
    return this.#per_second_max * this.#share;
  }

  /** Takes the right to send one; false when there is none now. */
  take(now_ms: number): boolean {
    this.#look(now_ms);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    this.#sent += 1;
    return true;
  }

  /** How long until one may be sent. */
  waitMs(now_ms: number): number {
    this.#look(now_ms);
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) / this.per_second) * 1000);
  }

  throttled(): void {
    this.#throttled += 1;
  }

  /** The carrier said how busy it is, from 0 to 100: carriers of SMPP 5.0 do with each answer. */
  congested(congestion_state: number): void {
    this.#congestion = Math.max(this.#congestion, congestion_state);
  }

  get #burst(): number {
    return Math.max(1, this.per_second * BURST_SECONDS);
  }

  #look(now_ms: number): void {
    if (now_ms >= this.#interval_ends_at_ms) this.#judge(now_ms);
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now_ms - this.#filled_at_ms) / 1000) * this.per_second);
    this.#filled_at_ms = now_ms;
  }

  #judge(now_ms: number): void {
    const share_throttled = this.#throttled / Math.max(1, this.#sent);
    const is_too_fast = share_throttled > THROTTLED_SHARE_MAX || this.#congestion >= CONGESTED;
    if (is_too_fast) this.#share = Math.max(PACE_MIN, this.#share * SLOWER);
    else if (this.#congestion >= NEARING) this.#share = Math.max(PACE_MIN, this.#share * SLIGHTLY_SLOWER);
    else if (this.#congestion < OPTIMUM) this.#share = Math.min(1, this.#share + FASTER);
    this.#sent = 0;
    this.#throttled = 0;
    this.#congestion = 0;
    this.#interval_ends_at_ms = now_ms + INTERVAL_MS;
  }
}
