import { createHmac, timingSafeEqual } from 'node:crypto';

/** The local provider signs what it tells as Stripe does: by HMAC-SHA-256 over the time and the bytes. */

/** A signature of another time than this far from now is refused: what was overheard cannot be told again later. */
export const TOLERANCE_MS = 300_000;

/** Null where it is right, else why it is not. */
export function whySignatureIsWrong(secret: string, payload: Buffer, header: string, now: Date): string | null {
  const [, t, v1] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/u.exec(header) ?? [];
  if (t === undefined || v1 === undefined) return 'there is no signature';
  if (!timingSafeEqual(Buffer.from(v1, 'hex'), macOf(secret, Number(t), payload))) return 'the signature is wrong';
  if (Math.abs(now.getTime() - Number(t) * 1000) > TOLERANCE_MS) return 'the signature is of another time';
  return null;
}

function macOf(secret: string, t: number, payload: Buffer): Buffer {
  return createHmac('sha256', secret).update(`${t}.`).update(payload).digest();
}
