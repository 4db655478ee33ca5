import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HeardPacket } from './rtp.ts';

/** Between two sounds that are played one after the other nothing is sent: the sender's clock goes on, and its samples do not. */
const PAUSE_SAMPLES = 1_600;
/** A sound may begin this much off: whatever codec or frame it was cut by on its way. */
const SHIFT_SAMPLES_MAX = 320;
/** How alike two sounds are that are the same but for a codec; different digits stay far below. */
const ALIKE = 0.7;

/** What was heard, cut into the sounds that pauses separate. */
export function soundsIn(packets: readonly HeardPacket[]): Int16Array[] {
  const sounds: Int16Array[][] = [];
  let expected: number | null = null;
  for (const { timestamp, samples } of packets) {
    const pause = expected === null ? Infinity : (timestamp - expected) | 0;
    if (pause >= PAUSE_SAMPLES) sounds.push([]);
    sounds.at(-1)?.push(samples);
    expected = (timestamp + samples.length) >>> 0;
  }
  return sounds.map(joined);
}

export function joined(parts: readonly Int16Array[]): Int16Array {
  const whole = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The samples of a mono WAV of 16 bits: its chunk `data`. */
export function samplesOfWav(bytes: Buffer): Int16Array {
  const at = bytes.indexOf('data', 12, 'latin1');
  if (at < 0) throw new Error('The file has no samples.');
  const length = Math.min(bytes.readUInt32LE(at + 4), bytes.length - at - 8);
  return Int16Array.from({ length: length >> 1 }, (_, n) => bytes.readInt16LE(at + 8 + 2 * n));
}

/** Knows spoken digits by the sounds that the switch speaks them with. */
export class DigitEar {
  readonly #digits: readonly Int16Array[];

  /** @param sounds the folder of one language. */
  constructor(sounds: string) {
    this.#digits = Array.from({ length: 10 }, (_, digit) =>
      samplesOfWav(readFileSync(join(sounds, 'digits', `${digit}.wav`))),
    );
  }

  /** The digits among what was heard, in their order; other words are passed over. */
  digitsIn(packets: readonly HeardPacket[]): string {
    return soundsIn(packets)
      .map((sound) => this.#digitOf(sound))
      .join('');
  }

  #digitOf(sound: Int16Array): string {
    const alike = this.#digits.map((digit) => likeness(sound, digit));
    const best = Math.max(...alike);
    return best < ALIKE ? '' : String(alike.indexOf(best));
  }
}

/** From -1 to 1, at the shift at which they are most alike; 0 where one is much longer. */
export function likeness(one: Int16Array, other: Int16Array): number {
  if (Math.abs(one.length - other.length) > 4 * SHIFT_SAMPLES_MAX) return 0;
  let best = 0;
  for (let shift = -SHIFT_SAMPLES_MAX; shift <= SHIFT_SAMPLES_MAX; shift += 1)
    best = Math.max(best, correlation(one, other, shift));
  return best;
}

/** From -1 to 1, of one sound with another that begins `shift` samples later. */
export function correlation(one: Int16Array, other: Int16Array, shift: number): number {
  let [product, one_power, other_power] = [0, 0, 0];
  for (let at = Math.max(0, -shift); at < one.length && at + shift < other.length; at += 1) {
    const [a, b] = [one[at] ?? 0, other[at + shift] ?? 0];
    product += a * b;
    one_power += a * a;
    other_power += b * b;
  }
  return one_power === 0 || other_power === 0 ? 0 : product / Math.sqrt(one_power * other_power);
}
