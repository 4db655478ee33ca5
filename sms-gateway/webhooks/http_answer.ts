/** What came of one POST. */
export type HttpAnswer =
  | { kind: 'answered'; status: number; retry_after: string | null }
  /** - `refused_address`: it leads into a network of ours, and nothing was sent there. */
  | { kind: 'failed'; reason: 'timeout' | 'refused_address' | 'connection'; why: string };

export type FailureReason = 'status' | 'redirect' | Extract<HttpAnswer, { kind: 'failed' }>['reason'];

/** - `gone`: the customer's server wants to hear nothing more. */
export type PostVerdict =
  | { kind: 'delivered' }
  | { kind: 'gone' }
  | {
      kind: 'failed';
      reason: FailureReason;
      /** For the customer to read. */
      why: string;
      /** How long the server asks us to wait, the others for it included. */
      retry_after_ms: number | null;
    };

const RETRY_AFTER_MS_MAX = 24 * 3_600_000;

/** As Standard Webhooks 1.0.0 advises ("Delivery success and failure"). Redirects are failures: a URL is changed, not chased. */
export function judgeAnswer(answer: HttpAnswer, now: Date): PostVerdict {
  if (answer.kind === 'failed') return { ...answer, retry_after_ms: null };
  const { status, retry_after } = answer;
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status === 410) return { kind: 'gone' };
  if (status >= 300 && status < 400) {
    const why = `The server answered ${status}, a redirect, and none is followed: change the endpoint's URL.`;
    return { kind: 'failed', reason: 'redirect', why, retry_after_ms: null };
  }
  const obeys = status === 429 || status === 503;
  return {
    kind: 'failed',
    reason: 'status',
    why: `The server answered ${status}.`,
    retry_after_ms: obeys && retry_after !== null ? retryAfterMs(retry_after, now) : null,
  };
}

/** RFC 9110, 10.2.3: seconds, or a date. Null for anything else. */
function retryAfterMs(retry_after: string, now: Date): number | null {
  const ms = /^[0-9]+$/u.test(retry_after) ? Number(retry_after) * 1000 : Date.parse(retry_after) - now.getTime();
  return Number.isNaN(ms) ? null : Math.min(RETRY_AFTER_MS_MAX, Math.max(0, ms));
}
