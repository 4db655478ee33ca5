import { z } from 'zod';
import { readRawBody } from '../accept/raw_body.ts';
import type { WishedText } from '../accept/replace_text.ts';
import type { StoredText } from '../accept/stored_text.ts';
import type { TextRequest } from '../accept/text_request.ts';
import { problemsOf, readJson } from './json_body.ts';
import { contentFields, contentOf } from './text_body.ts';

const replacementSchema = z
  .strictObject({ ...contentFields, receipt: z.boolean().optional() })
  .refine((fields) => Object.values(fields).some((value) => value !== undefined), 'says nothing that is to be replaced')
  .refine(({ text, data }) => text === undefined || data === undefined, 'has either text or data');

export type ReadReplacement =
  | { kind: 'wish'; wish: WishedText }
  | { kind: 'invalid'; detail: string }
  /** Nothing new is to be said, and what the text said was erased. */
  | { kind: 'erased' };

/**
 * What a PATCH asks for. What it does not name stays as it was; a new time without a validity has the validity of a new text, as over
 * SMPP.
 */
export function readReplacementBody(octets: Buffer, stored: StoredText, now_ms: number): ReadReplacement {
  const json = readJson(octets);
  if (json.kind === 'invalid') return json;
  const parsed = replacementSchema.safeParse(json.value);
  if (!parsed.success) return { kind: 'invalid', detail: problemsOf(parsed.error) };
  const { text, data, send_at, valid_for_seconds, receipt } = parsed.data;
  const content = text === undefined && data === undefined ? storedContent(stored) : contentOf({ text, data });
  if (content === null) return { kind: 'erased' };
  const due_before_ms = stored.due_at === null || stored.due_at.getTime() <= now_ms ? null : stored.due_at.getTime();
  return {
    kind: 'wish',
    wish: {
      is_due_anew: send_at !== undefined,
      is_valid_anew: send_at !== undefined || valid_for_seconds !== undefined,
      request: {
        sender: stored.sender,
        recipient: stored.recipient,
        content,
        class: stored.class,
        on_doubt: 'resend',
        client_ref: null,
        idempotency_key: null,
        due_at_ms: send_at === undefined ? due_before_ms : Date.parse(send_at),
        valid_for_ms: valid_for_seconds === undefined ? null : valid_for_seconds * 1000,
        wants_receipt: receipt ?? stored.wants_receipt,
        source: 'http',
        system_id: null,
      },
    },
  };
}

function storedContent({ body, encoding }: StoredText): TextRequest['content'] | null {
  if (body === null) return null;
  return encoding === 'binary' ? { kind: 'raw', ...readRawBody(body) } : { kind: 'text', text: body };
}
