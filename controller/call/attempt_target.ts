import type { CallPlan, CallTarget, Route } from './plan.ts';

/** Whom one attempt tries to reach. */
export type AttemptTarget = Exclude<CallTarget, { kind: 'routes' }> | { kind: 'route'; route: Route };

/**
 * Attempts are numbered through all that a plan names: those of its target, a route each, then those of what is tried otherwise. Null
 * where there is no such attempt.
 */
export function targetAt(plan: CallPlan, attempt: number): AttemptTarget | null {
  const first = attemptsOf(plan.target);
  if (attempt <= first) return attemptAt(plan.target, attempt);
  return plan.otherwise === null ? null : attemptAt(plan.otherwise.target, attempt - first);
}

/** The route of an attempt that goes over a carrier at a price; null where it goes to phones of ours, or for help. */
export function routeAt(plan: CallPlan, attempt: number): Route | null {
  const target = targetAt(plan, attempt);
  return target?.kind === 'route' ? target.route : null;
}

/** How long the attempt may ring. */
export function ringTimeoutAt(plan: CallPlan, attempt: number): number {
  const is_first = attempt <= attemptsOf(plan.target);
  return is_first ? plan.ring_timeout_ms : (plan.otherwise?.ring_timeout_ms ?? plan.ring_timeout_ms);
}

/** The longest that a caller waits for an answer. */
export function ringingMsMax(plan: CallPlan): number {
  return plan.ring_timeout_ms + (plan.otherwise?.ring_timeout_ms ?? 0);
}

function attemptsOf(target: CallTarget): number {
  return target.kind === 'routes' ? target.routes.length : 1;
}

function attemptAt(target: CallTarget, attempt: number): AttemptTarget | null {
  if (target.kind !== 'routes') return attempt === 1 ? target : null;
  const route = target.routes[attempt - 1];
  return route === undefined ? null : { kind: 'route', route };
}
