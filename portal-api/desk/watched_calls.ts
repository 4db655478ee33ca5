import type { Queryable } from '../../domain/db/transaction.ts';
import { maskPhone } from './masking.ts';
import { selectEndedLegs, selectLegFacts, selectOpenLegs } from './live_watch_rows.ts';
import type { EndedLeg, LegFacts, OpenLeg } from './live_watch_rows.ts';

/** What happens to calls or texts, as one of the operator's is told it. */
export interface WatchedEvent {
  type: string;
  facts: Readonly<Record<string, unknown>>;
}

interface KnownLeg extends LegFacts {
  answered_at: Date | null;
  authorized_at: Date;
  /** At how many looks it was not there any more, and no record of it either. */
  looked_for: number;
}

/** The newest are followed, should there ever be more. */
const LEGS_MAX = 5_000;
/** How much earlier than its money was held a call may have begun. */
const BEGAN_BEFORE_MS = 300_000;
/** Its record is written with its end; of what left the list without one, nothing is told. */
const LOOKED_FOR_MAX = 20;

/** Calls as they were at the last look, and what is different at this one. A call that is over within one look is never seen. */
export class WatchedCalls {
  readonly #known = new Map<string, KnownLeg>();
  #is_primed = false;

  /** At the first look nothing is told: what is there already is in the list. */
  async look(db: Queryable): Promise<WatchedEvent[]> {
    const open = await selectOpenLegs(db, LEGS_MAX);
    const began = await this.#learn(db, open);
    const answered = this.#answered(open);
    const ended = await this.#ended(db, open);
    const was_primed = this.#is_primed;
    this.#is_primed = true;
    return was_primed ? [...began, ...answered, ...ended] : [];
  }

  async #learn(db: Queryable, open: readonly OpenLeg[]): Promise<WatchedEvent[]> {
    const fresh = new Map(open.filter(({ leg_id }) => !this.#known.has(leg_id)).map((leg) => [leg.leg_id, leg]));
    if (fresh.size === 0) return [];
    const events: WatchedEvent[] = [];
    for (const facts of await selectLegFacts(db, [...fresh.keys()])) {
      const leg = fresh.get(facts.leg_id);
      if (leg === undefined) continue;
      this.#known.set(facts.leg_id, { ...facts, authorized_at: leg.authorized_at, answered_at: null, looked_for: 0 });
      events.push({ type: 'call_began', facts: { ...whole(facts), since: leg.authorized_at } });
    }
    return events;
  }

  #answered(open: readonly OpenLeg[]): WatchedEvent[] {
    return open.flatMap(({ leg_id, answered_at }) => {
      const known = this.#known.get(leg_id);
      if (known === undefined || answered_at === null || known.answered_at !== null) return [];
      known.answered_at = answered_at;
      return [{ type: 'call_answered', facts: { ...short(known), answered_at } }];
    });
  }

  async #ended(db: Queryable, open: readonly OpenLeg[]): Promise<WatchedEvent[]> {
    const still = new Set(open.map(({ leg_id }) => leg_id));
    const gone = [...this.#known.values()].filter(({ leg_id }) => !still.has(leg_id));
    if (gone.length === 0) return [];
    const first_ms = Math.min(...gone.map(({ authorized_at }) => authorized_at.getTime()));
    const ids = gone.map(({ leg_id }) => leg_id);
    const events: WatchedEvent[] = [];
    for (const ended of await selectEndedLegs(db, ids, new Date(first_ms - BEGAN_BEFORE_MS))) {
      const known = this.#known.get(ended.leg_id);
      if (known === undefined) continue;
      this.#known.delete(ended.leg_id);
      events.push({ type: 'call_ended', facts: { ...short(known), ...endOf(ended) } });
    }
    for (const leg of gone) if ((leg.looked_for += 1) > LOOKED_FOR_MAX) this.#known.delete(leg.leg_id);
    return events;
  }
}

const short = ({ leg_id, call_id, account_id }: LegFacts) => ({ leg_id, call_id, account_id });

const whole = (facts: LegFacts) => ({
  ...short(facts),
  ...{ direction: facts.direction ?? 'unknown', device: facts.device, destination: facts.destination ?? '' },
  dialled_masked: maskPhone(facts.dialled ?? ''),
});

const endOf = ({ ended_at, duration_ms, result, cause, blame }: EndedLeg) => ({
  ...{ ended_at, duration_ms: Number(duration_ms), result, cause, blame },
});
