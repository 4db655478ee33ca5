import type { Queryable } from '../../domain/db/transaction.ts';
import { composeStory } from './compose_story.ts';
import type { Leg } from './leg.ts';
import { legsBetween, openLeg, postingsOf, settledLeg } from './read_leg.ts';
import type { Story } from './story.ts';

export type Explanation =
  /** One story for each charged side of the call. */
  | { kind: 'told'; stories: readonly Story[] }
  | { kind: 'not_an_id' }
  | { kind: 'unknown' }
  /** Several calls begin like that; at most ten are named. */
  | { kind: 'ambiguous'; call_ids: readonly string[] };

const HEX_DIGITS = 32;
const DIGITS_MIN = 8;
const NAMED_MAX = 10;

/**
 * The story of the call or leg with that id, or with an id that begins like that (8 hexadecimal digits or more).
 * @param now_ms the switch's wall clock: up to where a call that lives is told
 */
export async function explainCall(db: Queryable, id: string, now_ms: number): Promise<Explanation> {
  const digits = id.trim().toLowerCase().replaceAll('-', '');
  if (digits.length < DIGITS_MIN || digits.length > HEX_DIGITS || !/^[0-9a-f]+$/u.test(digits))
    return { kind: 'not_an_id' };
  const lowest = uuidOf(digits.padEnd(HEX_DIGITS, '0'));
  const highest = uuidOf(digits.padEnd(HEX_DIGITS, 'f'));
  const names = await legsBetween(db, lowest, highest, NAMED_MAX);
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
  return settled === null ? null : { ...settled, postings: await postingsOf(db, leg_id) };
}

function uuidOf(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5');
}
