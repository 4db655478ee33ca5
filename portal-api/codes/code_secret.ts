import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';
import type { KeyRing } from '../../domain/privacy/sealing.ts';

/** Six digits: with five tries at each, and a few an hour, nobody guesses one. */
export function newCode(): string {
  return String(randomInt(1_000_000)).padStart(6, '0');
}

/** What is kept of a code; without the key of the ring a million guesses would tell it from a plain hash. */
export function codeHmac(ring: KeyRing, code_id: string, code: string): Buffer {
  return createHmac('sha256', ring.index_key).update(`code\0${code_id}\0${code}`).digest();
}

export function isSameHmac(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
