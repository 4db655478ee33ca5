import { calleeProfiles } from '../../domain/accounts/callee_profile.ts';
import type { CalleeProfile } from '../../domain/accounts/callee_profile.ts';
import { callerProfiles } from '../../domain/accounts/caller_profile.ts';
import type { CallerProfile, CallerQuestion } from '../../domain/accounts/caller_profile.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { Decision } from '../call/state.ts';
import { Batch } from '../../domain/db/batch.ts';
import type { RateBook } from '../routing/rate_book.ts';
import type { CallArrival } from '../switch/switch.ts';
import type { CallRate } from './call_rate.ts';
import { withoutWayOn } from './forwarded.ts';
import { decideInbound } from './inbound.ts';
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

/** Looks up what a decision needs to know, then decides. Throws when the database is away. */
export class Decider {
  readonly #options: DeciderOptions;
  readonly #callers: Batch<CallerQuestion, CallerProfile | null>;
  readonly #callees: Batch<string, CalleeProfile | null>;

  constructor(options: DeciderOptions) {
    this.#options = options;
    this.#callers = new Batch((questions) => callerProfiles(options.db, questions), { pace_ms: PACE_MS });
    this.#callees = new Batch((numbers) => calleeProfiles(options.db, numbers), { pace_ms: PACE_MS });
  }

  async decide(arrival: CallArrival): Promise<Decision> {
    const { source } = arrival;
    return source.kind === 'trunk' ? this.#decideInbound(arrival) : this.#decideOutbound(arrival, source.device);
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
    const { book, callsOn, call_rate, ring_timeout_ms } = this.#options;
    const profile = await this.#callers.push({ device, claimed_caller: arrival.claimed_caller });
    const decision = decideOutbound(arrival, { profile, book: book(), callsOn, ring_timeout_ms });
    if (decision.kind === 'refuse' || decision.plan.direction === 'emergency') return decision;
    const max = profile?.limits?.calls_per_second_max ?? 0;
    if (await call_rate.allows(decision.plan.account_id, max)) return decision;
    return {
      kind: 'refuse',
      reason: 'calls_per_second',
      account_id: decision.plan.account_id,
      facts: { calls_per_second_max: max },
    };
  }
}

/** Carriers write our numbers with or without the plus, or with a 00; all of them mean the same DID. */
function didOf(dialled: string): string {
  return `+${dialled.replace(/^\+|^00/u, '')}`;
}
