/** How a bind came to be as it is. Times are of the wall clock, in milliseconds. */
export interface BindStanding {
  readonly is_bound: boolean;
  /** Since when it is bound, or is away. */
  readonly since_ms: number;
  /** Why it was lost or could not be made, the last time; that it is bound again forgets nothing. */
  readonly last_error: { readonly why: string; readonly at_ms: number } | null;
  /** When it tries again, in the past while it does; null while it is bound, before a first attempt has failed, and where its carrier is to come to us. */
  readonly next_attempt_at_ms: number | null;
}

export function begun(now_ms: number): BindStanding {
  return { is_bound: false, since_ms: now_ms, last_error: null, next_attempt_at_ms: null };
}

export function bound({ last_error }: BindStanding, now_ms: number): BindStanding {
  return { is_bound: true, since_ms: now_ms, last_error, next_attempt_at_ms: null };
}

/**
 * It was lost, or an attempt failed.
 * @param why null where it ends for good, as was wished.
 * @param retry_in_ms null where nothing is tried again by us.
 */
export function lost(
  standing: BindStanding,
  why: string | null,
  retry_in_ms: number | null,
  now_ms: number,
): BindStanding {
  return {
    is_bound: false,
    since_ms: standing.is_bound ? now_ms : standing.since_ms,
    last_error: why === null ? standing.last_error : { why, at_ms: now_ms },
    next_attempt_at_ms: retry_in_ms === null ? null : now_ms + retry_in_ms,
  };
}
