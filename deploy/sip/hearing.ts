import { Condition } from './condition.ts';
import { FRAME_MS } from './tone.ts';
import type { FrameKind } from './tone.ts';

/** `tone` without a frequency is any single tone. Frequencies match within 30 Hz. */
export type Wanted = 'tone' | 'voice' | 'silence' | 'dual' | { tone_hz: number };

export interface Heard {
  tone_ms: number;
  dual_ms: number;
  voice_ms: number;
  silence_ms: number;
}

/** Frames that make up one's mind: 200 ms; a tone must hold its pitch for so long without a break. */
const FRAMES_NEEDED = 10;

interface Listener {
  wanted: Wanted;
  frames: number;
  condition: Condition<number>;
}

function matches(wanted: Wanted, frame: FrameKind): boolean {
  if (typeof wanted === 'string') return frame.kind === wanted;
  return frame.kind === 'tone' && Math.abs(frame.tone_hz - wanted.tone_hz) <= 30;
}

/** Turns classified frames into "I hear a voice". */
export class Hearing {
  readonly heard: Heard = { tone_ms: 0, dual_ms: 0, voice_ms: 0, silence_ms: 0 };
  private readonly listeners = new Set<Listener>();
  private last_tone_hz = 0;
  private closed_because: string | undefined;

  frame(frame: FrameKind): void {
    this.heard[`${frame.kind}_ms`] += FRAME_MS;
    const steady = frame.kind === 'tone' && Math.abs(frame.tone_hz - this.last_tone_hz) <= 30;
    this.last_tone_hz = frame.kind === 'tone' ? frame.tone_hz : 0;
    for (const listener of this.listeners) this.update(listener, frame, steady);
  }

  /** Resolves with what was asked for, heard for 200 ms from now on; rejects after within_ms or at the end of the call. */
  async hears(wanted: Wanted, within_ms: number): Promise<void> {
    const condition = new Condition<number>(
      `Hearing ${typeof wanted === 'string' ? wanted : `a tone of ${wanted.tone_hz} Hz`}`,
    );
    if (this.closed_because !== undefined) condition.fail(this.closed_because);
    const listener: Listener = { wanted, frames: 0, condition };
    this.listeners.add(listener);
    const before = { ...this.heard };
    try {
      await condition.within(within_ms);
    } catch (error) {
      const instead = (Object.keys(before) as (keyof Heard)[]).map((key) => `${key} ${this.heard[key] - before[key]}`);
      throw new Error(
        `${error instanceof Error ? error.message : String(error)}; heard instead: ${instead.join(', ')}`,
      );
    } finally {
      this.listeners.delete(listener);
    }
  }

  close(why: string): void {
    this.closed_because = why;
    for (const listener of this.listeners) listener.condition.fail(why);
  }

  private update(listener: Listener, frame: FrameKind, steady: boolean): void {
    const tonal = listener.wanted === 'tone' || typeof listener.wanted === 'object';
    if (matches(listener.wanted, frame)) listener.frames = tonal && !steady ? 1 : listener.frames + 1;
    // A voice pauses between syllables; a tone and silence do not.
    else if (listener.wanted !== 'voice') listener.frames = 0;
    if (listener.frames >= FRAMES_NEEDED) listener.condition.meet(listener.frames);
  }
}
