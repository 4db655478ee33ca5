/** A reading of the switch's wall clock, and our own monotonic clock when we asked and when the answer came. */
export interface ClockReading {
  asked_at_ms: number;
  answered_at_ms: number;
  switch_ms: number;
}

/** A difference above this is a step of the wall clock, below it the noise of asking and the drift of quartz. */
const STEP_MS = 250;
/** A reading that took longer says too little about the moment at which the switch looked. */
const SLOW_MS = 100;

/**
 * The switch's wall clock as seen from here: our monotonic clock and an offset that readings keep true. Between readings it
 * never jumps; a step of the switch's wall clock is told once, as calls that are up have to be armed anew.
 */
export class SwitchClock {
  readonly #monotonic: () => number;
  readonly #onStep: (step_ms: number) => void;
  #offset_ms: number | null = null;

  constructor(monotonic: () => number, onStep: (step_ms: number) => void) {
    this.#monotonic = monotonic;
    this.#onStep = onStep;
  }

  /** @param wall_ms the offset's first guess, until the first reading: our own wall clock. */
  startFrom(wall_ms: number): void {
    this.#offset_ms ??= wall_ms - this.#monotonic();
  }

  now(): number {
    if (this.#offset_ms === null) throw new Error('The clock of the switch was never read.');
    return this.#monotonic() + this.#offset_ms;
  }

  read(reading: ClockReading): void {
    if (this.#offset_ms === null) throw new Error('The clock of the switch was never started.');
    const took_ms = reading.answered_at_ms - reading.asked_at_ms;
    if (took_ms > SLOW_MS) return;
    const offset_ms = reading.switch_ms - (reading.asked_at_ms + took_ms / 2);
    const difference_ms = offset_ms - this.#offset_ms;
    if (Math.abs(difference_ms) < STEP_MS) {
      this.#offset_ms += difference_ms / 8;
      return;
    }
    this.#offset_ms = offset_ms;
    this.#onStep(Math.round(difference_ms));
  }
}
