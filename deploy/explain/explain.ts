import type pg from 'pg';
import { explainCall } from '../../controller/explain/explain_call.ts';
import type { Explanation as CallExplanation } from '../../controller/explain/explain_call.ts';
import { newestCall } from '../../controller/explain/newest_call.ts';
import type { Story } from '../../controller/explain/story.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { explainText, newestText } from '../../sms-gateway/explain/explain_text.ts';
import type { TextExplanation } from '../../sms-gateway/explain/explain_text.ts';
import type { TextStory } from '../../sms-gateway/explain/text_story.ts';

export type Explanation =
  /** One story for each charged side of the call. */
  | { kind: 'call'; stories: readonly Story[] }
  | { kind: 'text'; story: TextStory }
  | { kind: 'not_an_id' }
  | { kind: 'unknown' }
  /** Before the first call and the first text there is no last one. */
  | { kind: 'nothing_yet' }
  /** Several begin like that. */
  | { kind: 'ambiguous'; call_ids: readonly string[]; message_ids: readonly string[] };

export interface ExplainOptions {
  /** Of a call or a text, or what such an id begins with; `last` is the newest of both. */
  id: string;
  with_body: boolean;
  /** Up to where a call that lives is told. */
  now_ms: number;
}

/** The story of a call or a text, from one snapshot of the database. */
export async function explain(client: pg.ClientBase, options: ExplainOptions): Promise<Explanation> {
  await client.query('begin transaction isolation level repeatable read, read only');
  try {
    const id = options.id === 'last' ? await newest(client) : options.id;
    return id === null ? { kind: 'nothing_yet' } : await explainOne(client, { ...options, id });
  } finally {
    await client.query('rollback');
  }
}

async function explainOne(db: Queryable, { id, with_body, now_ms }: ExplainOptions): Promise<Explanation> {
  const call = await explainCall(db, id, now_ms);
  const text = await explainText(db, id, with_body);
  const call_ids = idsOfCalls(call);
  const message_ids = idsOfTexts(text);
  if (call_ids.length + message_ids.length > 1) return { kind: 'ambiguous', call_ids, message_ids };
  if (call.kind === 'told') return { kind: 'call', stories: call.stories };
  if (text.kind === 'told') return { kind: 'text', story: text.story };
  return { kind: call.kind === 'not_an_id' ? 'not_an_id' : 'unknown' };
}

function idsOfCalls(call: CallExplanation): readonly string[] {
  if (call.kind === 'ambiguous') return call.call_ids;
  return call.kind === 'told' ? call.stories.slice(0, 1).map(({ call_id }) => call_id) : [];
}

function idsOfTexts(text: TextExplanation): readonly string[] {
  if (text.kind === 'ambiguous') return text.message_ids;
  return text.kind === 'told' ? [text.story.message_id] : [];
}

async function newest(db: Queryable): Promise<string | null> {
  const call = await newestCall(db);
  const text = await newestText(db);
  if (call === null || text === null) return call?.call_id ?? text?.message_id ?? null;
  return text.at.getTime() > call.at.getTime() ? text.message_id : call.call_id;
}
