import type { Problem } from './problem.ts';
import { problem } from './problem.ts';

/** What a request is answered with. */
export interface Reply {
  status: number;
  /** Null for none. */
  body: unknown;
  retry_after_s?: number;
}

export function replyOf(body: Problem): Reply {
  return { status: body.status, body };
}

export const NO_TEXT = problem(404, 'not_found', 'The account has no such text.');

export function wrongMethod(detail: string): Reply {
  return replyOf(problem(405, 'method_not_allowed', detail));
}
