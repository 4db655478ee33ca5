import { idRange } from '../../domain/db/id_range.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { composeTextStory } from './compose_text_story.ts';
import { readText, textsBetween } from './read_text.ts';
import type { TextStory } from './text_story.ts';

export type TextExplanation =
  | { kind: 'told'; story: TextStory }
  | { kind: 'not_an_id' }
  | { kind: 'unknown' }
  /** Several texts begin like that; at most ten are named. */
  | { kind: 'ambiguous'; message_ids: readonly string[] };

const NAMED_MAX = 10;

/**
 * The story of the text with that id, or with an id that begins like that (8 hexadecimal digits or more).
 * @param db a transaction of one snapshot, else what happens meanwhile looks like a contradiction
 * @param with_body whether it may say what the text says
 */
export async function explainText(db: Queryable, id: string, with_body: boolean): Promise<TextExplanation> {
  const range = idRange(id);
  if (range === null) return { kind: 'not_an_id' };
  const message_ids = await textsBetween(db, range.lowest, range.highest, NAMED_MAX);
  const [message_id, ...others] = message_ids;
  if (others.length > 0) return { kind: 'ambiguous', message_ids };
  const record = message_id === undefined ? null : await readText(db, message_id);
  return record === null ? { kind: 'unknown' } : { kind: 'told', story: composeTextStory(record, with_body) };
}

/** The text that came last, in or out; null before the first one. Ids of texts begin with their time. */
export async function newestText(db: Queryable): Promise<{ message_id: string; at: Date } | null> {
  const { rows } = await db.query<{ message_id: string; at: Date }>(
    'select id as message_id, accepted_at as at from message order by id desc limit 1',
  );
  return rows[0] ?? null;
}
