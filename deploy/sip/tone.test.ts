import { expect, test } from 'vitest';
import { decodePayload, encodeAlaw, encodeUlaw } from './g711.ts';
import { classifyFrame, soundFrame } from './tone.ts';
import type { FrameKind, Sound } from './tone.ts';

function heard(sound: Sound, index: number, payload_type = 0): FrameKind {
  const encode = payload_type === 0 ? encodeUlaw : encodeAlaw;
  const samples = decodePayload(payload_type, Buffer.from(soundFrame(sound, index).map(encode)));
  if (samples === undefined) throw new Error('the payload was not decoded');
  return classifyFrame(samples);
}

test.each([300, 425, 700, 1000, 1400, 2225, 3000])('a tone of %i Hz is heard through both laws', (tone_hz) => {
  for (const payload_type of [0, 8]) {
    const frame = heard({ kind: 'tone', tone_hz }, 3, payload_type);
    expect(frame.kind).toBe('tone');
    expect(Math.abs((frame.kind === 'tone' ? frame.tone_hz : 0) - tone_hz)).toBeLessThanOrEqual(25);
  }
});

test('silence is silence, and a voice is neither a tone nor silence most of the time', () => {
  expect(heard({ kind: 'silence' }, 0)).toEqual({ kind: 'silence' });
  const frames = Array.from({ length: 100 }, (_, index) => heard({ kind: 'voice' }, index).kind);
  expect(frames.filter((kind) => kind === 'voice').length).toBeGreaterThan(80);
  expect(frames).not.toContain('tone');
});

test('a pair of tones is told from one', () => {
  const low = soundFrame({ kind: 'tone', tone_hz: 770 }, 0);
  const high = soundFrame({ kind: 'tone', tone_hz: 1336 }, 0);
  expect(classifyFrame(low.map((sample, at) => sample + (high[at] ?? 0)))).toEqual({ kind: 'dual' });
});

test('both laws keep every sample within an eighth of its size', () => {
  for (let sample = -32_000; sample <= 32_000; sample += 37) {
    for (const [payload_type, encode] of [
      [0, encodeUlaw],
      [8, encodeAlaw],
    ] as const) {
      const decoded = decodePayload(payload_type, Buffer.from([encode(sample)]))?.[0] ?? 0;
      expect(Math.abs(decoded - sample)).toBeLessThanOrEqual(Math.max(Math.abs(sample) / 8, 16));
    }
  }
});
