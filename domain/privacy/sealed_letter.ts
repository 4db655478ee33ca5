import { createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { KEY_BYTES, seal, unseal } from './sealing.ts';
import type { SealContext } from './sealing.ts';

/**
 * What one process tells another through the database without telling the database: sealed for a key whose other half never leaves the
 * memory of whoever it is for. X25519 (RFC 7748) with a fresh key of the sender's for each letter, HKDF, AES-256-GCM.
 */

const POINT_BYTES = 32;

/** Of whoever letters are for. When the process ends, what was not read is unreadable. */
export interface LetterKey {
  public_key: Buffer;
  private_key: KeyObject;
}

export function makeLetterKey(): LetterKey {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  return { public_key: pointOf(publicKey), private_key: privateKey };
}

export function sealLetter(public_key: Buffer, context: SealContext, plain: Buffer): Buffer {
  const sender = makeLetterKey();
  const secret = diffieHellman({ privateKey: sender.private_key, publicKey: keyOf(public_key) });
  return Buffer.concat([sender.public_key, seal(derived(secret, sender.public_key, public_key), context, plain)]);
}

/** Throws where it was sealed for another key or context, or was changed. */
export function openLetter({ private_key }: LetterKey, context: SealContext, letter: Buffer): Buffer {
  const sender = letter.subarray(0, POINT_BYTES);
  const secret = diffieHellman({ privateKey: private_key, publicKey: keyOf(sender) });
  const public_key = pointOf(createPublicKey(private_key));
  return unseal(derived(secret, sender, public_key), context, letter.subarray(POINT_BYTES));
}

function derived(secret: Buffer, sender: Buffer, receiver: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, Buffer.concat([sender, receiver]), 'letsdial letter', KEY_BYTES));
}

function pointOf(key: KeyObject): Buffer {
  const { x } = key.export({ format: 'jwk' });
  if (x === undefined) throw new Error('The key is none of X25519.');
  return Buffer.from(x, 'base64url');
}

function keyOf(point: Buffer): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: point.toString('base64url') }, format: 'jwk' });
}
