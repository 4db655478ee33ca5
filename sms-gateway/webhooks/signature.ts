import { createHmac, timingSafeEqual } from 'node:crypto';

/** Of Standard Webhooks 1.0.0; a signature is of all three and of the body. */
export interface WebhookHeaders {
  'webhook-id': string;
  /** Seconds since 1970 of this attempt, not of what it tells. */
  'webhook-timestamp': string;
  /** `v1,` and the base64 of an HMAC-SHA256; several, with blanks between them, while a secret is being replaced. */
  'webhook-signature': string;
}

/** - `too_old`, `too_new`: it may be a replay, or one of the clocks is wrong. */
export type WebhookVerdict = 'valid' | 'forged' | 'malformed' | 'too_old' | 'too_new';

const SECRET_PREFIX = 'whsec_';
export const TOLERANCE_SECONDS = 300;

/**
 * Signs `id.timestamp.body` with each secret, as Standard Webhooks 1.0.0 wants it.
 * @param secrets `whsec_` and base64; two while one is being replaced by the other.
 * @param id without a full stop, which the signature's own are told apart from by that.
 */
export function signWebhook(secrets: readonly string[], id: string, timestamp_s: number, body: string): WebhookHeaders {
  const timestamp = timestamp_s.toString();
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => `v1,${mac(secret, id, timestamp, body).toString('base64')}`).join(' '),
  };
}

/**
 * What a receiver does before it believes a webhook. The body has to be the octets that came, not JSON that was read and
 * written again. Whoever acts on webhooks should also remember the ids of the last minutes, since one may come twice.
 * @param secrets those that may have signed: one signature by one of them is enough.
 */
export function verifyWebhook(
  secrets: readonly string[],
  headers: WebhookHeaders,
  body: string,
  now_s: number,
): WebhookVerdict {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (!/^[0-9]{1,12}$/u.test(timestamp) || id === '') return 'malformed';
  if (!secrets.some((secret) => isSignedBy(secret, id, timestamp, body, signatures))) return 'forged';
  if (now_s - Number(timestamp) > TOLERANCE_SECONDS) return 'too_old';
  return Number(timestamp) - now_s > TOLERANCE_SECONDS ? 'too_new' : 'valid';
}

function isSignedBy(secret: string, id: string, timestamp: string, body: string, signatures: string): boolean {
  const expected = mac(secret, id, timestamp, body);
  return signatures.split(' ').some((signature) => {
    if (!signature.startsWith('v1,')) return false;
    const given = Buffer.from(signature.slice('v1,'.length), 'base64');
    // The time that this takes says nothing about how much of it is right.
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function mac(secret: string, id: string, timestamp: string, body: string): Buffer {
  if (!secret.startsWith(SECRET_PREFIX))
    throw new Error(`A webhook secret begins with ${SECRET_PREFIX}; this one does not.`);
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
  return createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
}
