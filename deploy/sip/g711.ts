const BIAS = 0x84;
const CLIP = 32_635;

/** One linear 16-bit sample to µ-law (ITU-T G.711). */
export function encodeUlaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), CLIP) + BIAS;
  const exponent = 31 - Math.clz32(magnitude) - 7;
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

function decodeUlaw(byte: number): number {
  const bits = ~byte & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + BIAS) << ((bits >> 4) & 7)) - BIAS;
  return (bits & 0x80) === 0 ? magnitude : -magnitude;
}

export function encodeAlaw(sample: number): number {
  const magnitude = Math.min(Math.abs(sample), CLIP) >> 3;
  const exponent = magnitude < 32 ? 0 : 31 - Math.clz32(magnitude) - 4;
  const mantissa = (exponent === 0 ? magnitude >> 1 : magnitude >> exponent) & 0x0f;
  return (((sample < 0 ? 0 : 0x80) | (exponent << 4) | mantissa) ^ 0x55) & 0xff;
}

function decodeAlaw(byte: number): number {
  const bits = (byte ^ 0x55) & 0xff;
  const exponent = (bits >> 4) & 7;
  const mantissa = bits & 0x0f;
  const magnitude = exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1);
  return (bits & 0x80) === 0 ? -magnitude : magnitude;
}

const ULAW = Int16Array.from({ length: 256 }, (_, byte) => decodeUlaw(byte));
const ALAW = Int16Array.from({ length: 256 }, (_, byte) => decodeAlaw(byte));

/** The linear samples of a PCMU (0) or PCMA (8) payload; undefined for other payload types. */
export function decodePayload(payload_type: number, payload: Buffer): Int16Array | undefined {
  const table = payload_type === 0 ? ULAW : payload_type === 8 ? ALAW : undefined;
  return table === undefined ? undefined : Int16Array.from(payload, (byte) => table[byte] ?? 0);
}
