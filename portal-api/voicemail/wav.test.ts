import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readWav, writeWav } from './wav.ts';

const samplesOf = (values: readonly number[]): Buffer => {
  const samples = Buffer.alloc(2 * values.length);
  values.forEach((value, at) => samples.writeInt16LE(value, 2 * at));
  return samples;
};
const values = fc.array(fc.integer({ min: -32_768, max: 32_767 }), { minLength: 1, maxLength: 300 });

describe('a WAV', () => {
  it('is read as it was written, whatever stands around its samples', () => {
    fc.assert(
      fc.property(values, fc.uint8Array({ maxLength: 40 }), (sounds, other) => {
        const samples = samplesOf(sounds);
        const wav = writeWav({ samples });
        const chunk = Buffer.alloc(8 + other.length + (other.length % 2));
        chunk.write('LIST', 0, 'latin1');
        chunk.writeUInt32LE(other.length, 4);
        Buffer.from(other).copy(chunk, 8);
        const dressed = Buffer.concat([wav.subarray(0, 12), chunk, wav.subarray(12), chunk]);
        for (const file of [wav, dressed]) {
          const read = readWav(file, 60);
          expect(read).toMatchObject({ samples, seconds: 1 });
          if (typeof read !== 'string') expect(writeWav(read)).toEqual(wav);
        }
      }),
    );
  });

  it('is never taken for one that it is not: bytes of any kind are refused in words', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), values, fc.nat(), fc.nat(255), (bytes, sounds, at, byte) => {
        for (const file of [Buffer.from(bytes), writeWav({ samples: samplesOf(sounds) })]) {
          if (file.length > 0) file.writeUInt8(byte, at % file.length);
          const read = readWav(file, 60);
          if (typeof read === 'string') expect(['no_wav', 'not_plain', 'too_long', 'empty']).toContain(read);
          else expect(read.samples.length).toBeLessThanOrEqual(file.length);
        }
      }),
    );
  });

  it('of twice the rate is halved', () => {
    const wav = writeWav({ samples: samplesOf([100, 300, -50, -50]) });
    wav.writeUInt32LE(16_000, 24);
    expect(readWav(wav, 60)).toMatchObject({ samples: samplesOf([200, -50]) });
  });

  it.each([
    ['stereo', 22, 2],
    ['of another kind', 20, 7],
    ['of eight bits', 34, 8],
  ])('that is %s is refused', (_what, at, value) => {
    const wav = writeWav({ samples: samplesOf([1, 2]) });
    wav.writeUInt16LE(value, at);
    expect(readWav(wav, 60)).toBe('not_plain');
  });

  it('that is too long is refused, and one without sound', () => {
    expect(readWav(writeWav({ samples: Buffer.alloc(16_002) }), 1)).toBe('too_long');
    expect(readWav(writeWav({ samples: Buffer.alloc(16_000) }), 1)).toMatchObject({ seconds: 1 });
    expect(readWav(writeWav({ samples: Buffer.alloc(0) }), 1)).toBe('empty');
  });
});
