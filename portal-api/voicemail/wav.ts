/** A recording as we keep it, and as the switch plays it: one voice, 8,000 samples of 16 bits a second. */
export interface Recording {
  /** Little-endian, as in the file. */
  samples: Buffer;
  seconds: number;
}

/** Why a file is not taken. */
export type WavRefusal = 'no_wav' | 'not_plain' | 'too_long' | 'empty';

export const SAMPLES_PER_SECOND = 8_000;
const HEADER_BYTES = 44;
const PCM = 1;

interface Format {
  kind: number;
  channels: number;
  rate: number;
  bits: number;
}

/**
 * Reads a WAV (RIFF, WAVE_FORMAT_PCM; mono, 16 bits, 8 or 16 kHz) for its samples and nothing else: what is kept is written anew from
 * them, so nothing that stood around them reaches whoever plays it.
 * @param beyond what becomes of one that has more seconds
 */
export function readWav(
  bytes: Buffer,
  seconds_max: number,
  beyond: 'refuse' | 'cut' = 'refuse',
): Recording | WavRefusal {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE')
    return 'no_wav';
  const { format, data: all } = chunksOf(bytes);
  if (format === null || all === null) return 'no_wav';
  const is_plain = format.kind === PCM && format.channels === 1 && format.bits === 16;
  if (!is_plain || (format.rate !== SAMPLES_PER_SECOND && format.rate !== 2 * SAMPLES_PER_SECOND)) return 'not_plain';
  const data = all.subarray(0, 2 * format.rate * seconds_max);
  if (data.length < all.length && beyond === 'refuse') return 'too_long';
  const whole = data.subarray(0, data.length - (data.length % 4));
  const samples = format.rate === SAMPLES_PER_SECOND ? Buffer.from(data.subarray(0, data.length & ~1)) : halved(whole);
  if (samples.length === 0) return 'empty';
  return { samples, seconds: Math.ceil(samples.length / 2 / SAMPLES_PER_SECOND) };
}

/** The first of each kind; one that claims to be longer than the file ends with it, as a recorder that was cut off leaves it. */
function chunksOf(bytes: Buffer): { format: Format | null; data: Buffer | null } {
  let format: Format | null = null;
  for (let at = 12; at + 8 <= bytes.length;) {
    const name = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    const chunk = bytes.subarray(at + 8, at + 8 + length);
    if (name === 'fmt ' && chunk.length >= 16) format = formatOf(chunk);
    if (name === 'data') return { format, data: chunk };
    at += 8 + length + (length % 2);
  }
  return { format, data: null };
}

function formatOf(chunk: Buffer): Format {
  return {
    kind: chunk.readUInt16LE(0),
    channels: chunk.readUInt16LE(2),
    rate: chunk.readUInt32LE(4),
    bits: chunk.readUInt16LE(14),
  };
}

/** Each two samples become one, their mean: what is above the half of the new rate mostly falls away. */
function halved(samples: Buffer): Buffer {
  const half = Buffer.alloc(samples.length / 2);
  for (let at = 0; at < half.length; at += 2)
    half.writeInt16LE((samples.readInt16LE(2 * at) + samples.readInt16LE(2 * at + 2)) >> 1, at);
  return half;
}

export function writeWav({ samples }: Pick<Recording, 'samples'>): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(HEADER_BYTES - 8 + samples.length, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(PCM, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(SAMPLES_PER_SECOND, 24);
  header.writeUInt32LE(2 * SAMPLES_PER_SECOND, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}
