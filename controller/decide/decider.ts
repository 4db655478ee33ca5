import { setTimeout as wait } from 'node:timers/promises';
import { calleeProfiles } from '../../domain/accounts/callee_profile.ts';
import type { CalleeProfile } from '../../domain/accounts/callee_profile.ts';
import { callerProfiles } from '../../domain/accounts/caller_profile.ts';
import type { CallerProfile, CallerQuestion } from '../../domain/accounts/caller_profile.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { CallPlan } from '../call/plan.ts';
import type { Decision } from '../call/state.ts';
import { Batch } from '../../domain/db/batch.ts';
import { emergencyCode } from '../../domain/numbers/dialled.ts';
import type { RateBook } from '../routing/rate_book.ts';
import type { CallArrival } from '../switch/switch.ts';
import type { CallRate } from './call_rate.ts';
import { decideEmergency } from './emergency.ts';
import { withoutWayOn } from './forwarded.ts';
import { decideInbound } from './inbound.ts';
import { KnownCallers } from './known_callers.ts';
import { decideOutbound } from './outbound.ts';

export interface DeciderOptions {
  db: Queryable;
  book: () => RateBook;
  /** How many calls are up on a trunk. */
  callsOn: (trunk_id: string) => number;
  call_rate: CallRate;
  ring_timeout_ms: number;
}

/**
 * On a busy switch callers are looked up together this often. They go through everything that follows together too, so that a round
 * trip, and what it costs each side to wake up for it, is shared; nobody hears twenty milliseconds in the time until it rings.
 */
const PACE_MS = 20;

/** How long a call for help waits to be looked up before it goes out by what is remembered of its caller. */
const HELP_WAIT_MS = 500;

/** An account without limits may hear once a second that it cannot call. */
const CALLS_PER_SECOND_WITHOUT_LIMITS = 1;

/**
 * Looks up what a decision needs to know, then decides. Throws when the database is away, save for a call for help from a device that
 * is remembered.
 */
export class Decider {
  readonly #options: DeciderOptions;
  readonly #callers: Batch<CallerQuestion, CallerProfile | null>;
  readonly #callees: Batch<string, CalleeProfile | null>;
  readonly #known: KnownCallers;

  constructor(options: DeciderOptions) {
    this.#options = options;
    this.#callers = new Batch((questions) => callerProfiles(options.db, questions), { pace_ms: PACE_MS });
    this.#callees = new Batch((numbers) => calleeProfiles(options.db, numbers), { pace_ms: PACE_MS });
    this.#known = new KnownCallers(options.db);
  }

  async decide(arrival: CallArrival): Promise<Decision> {
    const { source } = arrival;
    return source.kind === 'trunk' ? this.#decideInbound(arrival) : this.#decideOutbound(arrival, source.device);
  }

  /** What is decided about a call for help that was sent out before; null where it would not be any more. */
  async planOfHelp(arrival: CallArrival, device: string): Promise<CallPlan | null> {
    await this.#lookUp(arrival, device);
    const decision = this.#helpFromMemory(arrival, device);
    return decision?.kind === 'authorize' ? decision.plan : null;
  }

  async #decideInbound(arrival: CallArrival): Promise<Decision> {
    const { book, callsOn, call_rate, ring_timeout_ms } = this.#options;
    const profile = await this.#callees.push(didOf(arrival.dialled));
    const decision = decideInbound(arrival, profile, { book: book(), callsOn, ring_timeout_ms });
    const forwarded = decision.kind === 'refuse' ? null : decision.plan.tariff.forwarded;
    if (decision.kind === 'refuse' || forwarded === null) return decision;
    // Its way on is a call that the account makes, and counts as one.
    const max = profile?.limits?.calls_per_second_max ?? 0;
    if (await call_rate.allows(decision.plan.account_id, max)) return decision;
    return withoutWayOn(decision.plan, forwarded.to, 'calls_per_second');
  }

  async #decideOutbound(arrival: CallArrival, device: string): Promise<Decision> {
    const { book, callsOn, ring_timeout_ms } = this.#options;
    const looked_up = this.#lookUp(arrival, device);
    const help = this.#helpFromMemory(arrival, device);
    if (help !== null && !(await resolvesWithin(looked_up, HELP_WAIT_MS))) return help;
    const profile = await looked_up;
    return (
      (await this.#tooFast(arrival, profile)) ??
      decideOutbound(arrival, { profile, book: book(), callsOn, ring_timeout_ms })
    );
  }

  async #lookUp({ claimed_caller }: CallArrival, device: string): Promise<CallerProfile | null> {
    const profile = await this.#callers.push({ device, claimed_caller });
    this.#known.lookedUp(device, profile);
    return profile;
  }

  /** What becomes of a call for help by what was known of its caller before; null for any other call and for a stranger. */
  #helpFromMemory(arrival: CallArrival, device: string): Decision | null {
    const { book, ring_timeout_ms } = this.#options;
    const caller = this.#known.get(device);
    const code = caller && emergencyCode(arrival.dialled, caller.home_country);
    if (caller === undefined || code === undefined || code === null) return null;
    return decideEmergency(arrival, caller, code, { book: book(), ring_timeout_ms });
  }

  /** Every call counts, those too that will be refused: a refusal takes a channel, a voice and a record. Only help is never too fast. */
  async #tooFast({ dialled }: CallArrival, profile: CallerProfile | null): Promise<Decision | null> {
    if (profile === null || emergencyCode(dialled, profile.home_country) !== null) return null;
    const { account_id, limits } = profile;
    const calls_per_second_max = limits?.calls_per_second_max ?? CALLS_PER_SECOND_WITHOUT_LIMITS;
    if (await this.#options.call_rate.allows(account_id, calls_per_second_max)) return null;
    return { kind: 'refuse', reason: 'calls_per_second', account_id, facts: { calls_per_second_max } };
  }
}

/** False when the promise rejects, or is still silent after that long. */
async function resolvesWithin(promise: Promise<unknown>, within_ms: number): Promise<boolean> {
  const stop = new AbortController();
  const resolved = promise.then(
    () => true,
    () => false,
  );
  const late = wait(within_ms, false, { signal: stop.signal }).catch(() => false);
  try {
    return await Promise.race([resolved, late]);
  } finally {
    stop.abort();
  }
}

/** Carriers write our numbers with or without the plus, or with a 00; all of them mean the same DID. */
function didOf(dialled: string): string {
  return `+${dialled.replace(/^\+|^00/u, '')}`;
}
