import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/**
 * Envelope encryption: what is personal is sealed by the key of its subject, and that key is wrapped by a key encryption key which is in
 * no database. AES-256-GCM (NIST SP 800-38D) throughout; a sealed value begins with its nonce and ends with its tag.
 */

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const KEY_BYTES = 32;

/** Authenticated but not hidden: a value that is moved to another column or another person does not open there. */
export type SealContext = `${string}.${string}:${string}`;

export function seal(key: Buffer, context: SealContext, plain: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Throws where key or context are others than it was sealed with, or the value was changed. */
export function unseal(key: Buffer, context: SealContext, sealed: Buffer): Buffer {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new Error(`A sealed value of ${context} is too short to be one.`);
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
}

/** The keys that are held outside the database. The first wraps what is new; the others open what was wrapped before a rotation. */
export interface KeyRing {
  readonly keks: readonly { readonly id: string; readonly key: Buffer }[];
  /** Of the blind indexes; it cannot be rotated without reading every value again. */
  readonly index_key: Buffer;
  /** The seed of the Ed25519 key (RFC 8032) that signs the head of the audit log. */
  readonly audit_seed: Buffer;
}

/** A ring out of one secret of at least 32 bytes, for an operator who keeps one in a file. */
export function keyRingOf(secrets: readonly { id: string; secret: Buffer }[], index_secret: Buffer): KeyRing {
  const derived = (secret: Buffer, use: string): Buffer => {
    if (secret.length < KEY_BYTES) throw new Error(`A secret for ${use} has at least ${KEY_BYTES} bytes.`);
    return Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), use, KEY_BYTES));
  };
  return {
    keks: secrets.map(({ id, secret }) => ({ id, key: derived(secret, 'letsdial key encryption key') })),
    index_key: derived(index_secret, 'letsdial blind index'),
    audit_seed: derived(index_secret, 'letsdial audit signature'),
  };
}

/**
 * By which an address or a number is found without being readable: HMAC-SHA-256 of its one spelling. The same value has the same index
 * everywhere of that use, so that it is unique, and another one of another use.
 */
export function blindIndex(ring: KeyRing, use: 'email' | 'phone', spelling: string): Buffer {
  return createHmac('sha256', ring.index_key).update(`${use}\0${spelling}`).digest();
}

/** The one spelling of an address: its mailbox is compared without regard to case, as all but a few hosts do. */
export function emailSpelling(email: string): string {
  return email.trim().normalize('NFC').toLowerCase();
}
