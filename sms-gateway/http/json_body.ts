import type { z } from 'zod';

export type JsonBody = { kind: 'json'; value: unknown } | { kind: 'invalid'; detail: string };

export function readJson(octets: Buffer): JsonBody {
  try {
    return { kind: 'json', value: JSON.parse(octets.toString('utf8')) };
  } catch {
    return { kind: 'invalid', detail: 'The body is no JSON.' };
  }
}

/** What is wrong with a body, in words, field by field. */
export function problemsOf(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ');
}
