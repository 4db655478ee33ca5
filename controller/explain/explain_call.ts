import { idRange } from '../../domain/db/id_range.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { postedTransaction } from '../../domain/ledger/postings.ts';
import { composeStory } from './compose_story.ts';
import type { Leg } from './leg.ts';
import { legsBetween, openLeg, settledLeg } from './read_leg.ts';
import type { Story } from './story.ts';

export type Explanation =
  /** One story for each charged side of the call. */
  | { kind: 'told'; stories: readonly Story[] }
  | { kind: 'not_an_id' }
  | { kind: 'unknown' }
  /** Several calls begin like that; at most ten are named. */
  | { kind: 'ambiguous'; call_ids: readonly string[] };

const NAMED_MAX = 10;

/**
 * The story of the call or leg with that id, or with an id that begins like that (8 hexadecimal digits or more).
 * @param now_ms the switch's wall clock: up to where a call that lives is told
 */
export async function explainCall(db: Queryable, id: string, now_ms: number): Promise<Explanation> {
  const range = idRange(id);
  if (range === null) return { kind: 'not_an_id' };
  const names = await legsBetween(db, range.lowest, range.highest, NAMED_MAX);
  const call_ids = [...new Set(names.map((name) => name.call_id))];
  if (call_ids.length > 1) return { kind: 'ambiguous', call_ids };
  const legs = await Promise.all(names.map((name) => readLeg(db, name.leg_id)));
  const found = legs.filter((leg) => leg !== null);
  return found.length === 0
    ? { kind: 'unknown' }
    : { kind: 'told', stories: found.map((leg) => composeStory(leg, now_ms)) };
}

async function readLeg(db: Queryable, leg_id: string): Promise<Leg | null> {
  // The hold is looked at first: a call that is settled meanwhile is found by its record then.
  const open = await openLeg(db, leg_id);
  if (open !== null) return open;
  const settled = await settledLeg(db, leg_id);
  if (settled === null) return null;
  const posted = await postedTransaction(db, 'call', leg_id);
  return { ...settled, postings: posted?.postings ?? [] };
}
