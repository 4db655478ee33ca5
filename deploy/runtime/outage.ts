import { explainRefusal } from './refusal.ts';

/** Something outside this program is in the way. The message is one sentence for a person: what happened, what it means, what to do. */
export class Outage extends Error {
  override readonly name = 'Outage';
}

/** What a person should read about `error`: an outage explains itself, a refusal is explained, anything else is a bug and shows where it was. */
export function explainError(error: unknown): string {
  if (error instanceof Outage) return error.message;
  if (error instanceof Error) return explainRefusal(error) ?? error.stack ?? error.message;
  return String(error);
}

/** The `code` of a Node system error such as `ENOENT`, or null. */
export function errorCode(error: unknown): string | null {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return null;
}
