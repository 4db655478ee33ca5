import type { Held } from '../charging/tariff.ts';
import { routeAt } from './attempt_target.ts';
import type { CallPlan } from './plan.ts';
import type { RefusalReason } from './refusal.ts';

/**
 * A call to a number of ours that may be forwarded to the outside is held for at both prices from its first moment: whoever answers, the
 * money is there, and no caller waits for a second decision after the phones have rung. What is charged is what was answered. By the
 * way on: the number's own price and that of the way on, for the same seconds. By a phone: the number's own price alone, and what was
 * put aside for the way on pays for further seconds or goes back.
 */

interface Charged {
  plan: CallPlan;
  held: Held;
}

/** What a call is charged by once that attempt has answered; the same when asked again. */
export function chargedFor<T extends Charged>(call: T, attempt: number): T {
  const { plan, held } = call;
  if (plan.tariff.forwarded === null || routeAt(plan, attempt) !== null) return call;
  // Its price is the number's own, and no pack pays that.
  const tariff = { ...plan.tariff, forwarded: null, pack: null };
  return { ...call, plan: { ...plan, tariff }, held: { ...held, pack_seconds: 0 } };
}

/** The same call without its way on: its phones, then its mailbox; null where it has neither, or no way on that could be left out. */
export function withoutForward(plan: CallPlan, because: RefusalReason): CallPlan | null {
  const { without_way_on, tariff } = plan;
  if (tariff.forwarded === null) return null;
  const routing = [...plan.routing, notForwarded(tariff.forwarded.to, because)];
  const rest: CallPlan = { ...plan, routing, tariff: { ...tariff, forwarded: null, pack: null }, without_way_on: null };
  if (plan.target.kind === 'devices') return { ...rest, otherwise: without_way_on };
  return without_way_on === null ? null : { ...rest, ...without_way_on, otherwise: null };
}

/** One of the words for which calls are refused; they are told in full where the call is explained. */
export function notForwarded(to: string, because: string): string {
  return `Not forwarded to ${to}: ${because.replaceAll('_', ' ')}.`;
}
