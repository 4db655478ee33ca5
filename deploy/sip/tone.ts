export const SAMPLES_PER_SECOND = 8000;
export const FRAME_SAMPLES = 160;
export const FRAME_MS = 20;

/** What a party says: a tone of one frequency, something as restless as a voice, silence, or nothing at all on the wire. */
export type Sound = { kind: 'tone'; tone_hz: number } | { kind: 'voice' } | { kind: 'silence' } | { kind: 'nothing' };

/** What one frame sounded like. `dual` is a pair of tones, as ring-back and DTMF are. */
export type FrameKind = { kind: 'silence' } | { kind: 'tone'; tone_hz: number } | { kind: 'dual' } | { kind: 'voice' };

const STEP_HZ = 25;
const LOWEST_HZ = 200;
const HIGHEST_HZ = 3400;
const SILENCE_RMS = 120;
const PURE = 0.85;

/** The samples of frame number `index`, continuous from frame to frame. */
export function soundFrame(sound: Sound, index: number): Int16Array {
  const first = index * FRAME_SAMPLES;
  const sampleAt = (at: number): number => {
    if (sound.kind === 'tone') return 8000 * Math.sin((2 * Math.PI * sound.tone_hz * at) / SAMPLES_PER_SECOND);
    return sound.kind === 'voice' ? voiceSample(at) : 0;
  };
  return Int16Array.from({ length: FRAME_SAMPLES }, (_, offset) => Math.round(sampleAt(first + offset)));
}

/** Noise in syllables of an eighth of a second: nothing like a tone, but repeatable. */
function voiceSample(at: number): number {
  const mixed = Math.imul(at ^ (at >>> 7), 0x9e3779b1) ^ Math.imul(at + 0x7f4a7c15, 0x85ebca6b);
  const noise = ((mixed ^ (mixed >>> 15)) & 0xffff) / 0x8000 - 1;
  return 6000 * noise * (0.5 + 0.5 * Math.sin((2 * Math.PI * 4 * at) / SAMPLES_PER_SECOND));
}

const COEFFICIENTS = Float64Array.from(
  { length: (HIGHEST_HZ - LOWEST_HZ) / STEP_HZ + 1 },
  (_, bin) => 2 * Math.cos((2 * Math.PI * (LOWEST_HZ + bin * STEP_HZ)) / SAMPLES_PER_SECOND),
);

/** Goertzel's power at one frequency. */
export function goertzelPower(samples: Int16Array, coefficient: number): number {
  let previous = 0;
  let before = 0;
  for (const sample of samples) {
    const next = sample + coefficient * previous - before;
    before = previous;
    previous = next;
  }
  return previous * previous + before * before - coefficient * previous * before;
}

/** Says whether a frame is silence, a tone (to 25 Hz), a pair of tones, or a voice: everything else with energy. */
export function classifyFrame(samples: Int16Array): FrameKind {
  let energy = 0;
  for (const sample of samples) energy += sample * sample;
  if (Math.sqrt(energy / samples.length) < SILENCE_RMS) return { kind: 'silence' };
  const powers = COEFFICIENTS.map((coefficient) => goertzelPower(samples, coefficient));
  const best = strongest(powers, () => true);
  // A pure sine has |X|² = N·energy/2, so this is its share of the whole energy.
  const share = (bin: number) => ((powers[bin] ?? 0) * 2) / (samples.length * energy);
  if (share(best) >= PURE) return { kind: 'tone', tone_hz: LOWEST_HZ + best * STEP_HZ };
  // Two bins of 25 Hz are apart once the 50 Hz resolution of a frame can tell them apart.
  const second = strongest(powers, (bin) => Math.abs(bin - best) >= 4);
  return share(best) + share(second) >= PURE ? { kind: 'dual' } : { kind: 'voice' };
}

function strongest(powers: Float64Array, counts: (bin: number) => boolean): number {
  let best = -1;
  for (const bin of powers.keys())
    if (counts(bin) && (best === -1 || (powers[bin] ?? 0) > (powers[best] ?? 0))) best = bin;
  return best;
}
