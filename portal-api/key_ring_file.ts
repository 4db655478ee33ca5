import { z } from 'zod';
import { keyRingOf } from '../domain/privacy/sealing.ts';
import type { KeyRing } from '../domain/privacy/sealing.ts';

const secret = z.base64().transform((text) => Buffer.from(text, 'base64'));

const fileSchema = z.object({
  /** The newest first; older ones stay until every key was wrapped anew. */
  keks: z.array(z.object({ id: z.string().min(1).max(60), secret_base64: secret })).min(1),
  index_secret_base64: secret,
});

/** Reads the file of secrets; throws what is wrong with it, without telling any of them. */
export function parseKeyRing(text: string): KeyRing {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error('KEY_RING_FILE does not hold JSON.');
  }
  const parsed = fileSchema.safeParse(json);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path }) => path.join('.')).join(', ');
    throw new Error(`KEY_RING_FILE is not as it has to be at: ${wrong}.`);
  }
  const { keks, index_secret_base64 } = parsed.data;
  return keyRingOf(
    keks.map(({ id, secret_base64 }) => ({ id, secret: secret_base64 })),
    index_secret_base64,
  );
}
