import { z } from 'zod';
import type { TextRequest } from '../accept/text_request.ts';
import { UNKEEPABLE } from '../accept/judge_text.ts';
import { problemsOf, readJson } from './json_body.ts';

const hex = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{2})*$/u, 'must be octets in hexadecimal')
  .max(8192);

/** Octets as the handset shall get them, for whoever encodes by itself. */
const dataSchema = z.strictObject({ coding: z.int().min(0).max(255), hex, udh: z.boolean().default(false) });
/** What neither a phone nor the database can hold: half of a character of two halves, as of an emoji that was cut, and NUL. */
const isWhole = (words: string): boolean => !UNKEEPABLE.test(words);
const WHOLE = 'holds half a character, or NUL: send whole characters';

/** What a text may say, and when it goes: of a new one, and of one that replaces another. */
export const contentFields = {
  text: z.string().max(20_000).refine(isWhole, WHOLE).optional(),
  data: dataSchema.optional(),
  send_at: z.iso.datetime({ offset: true }).optional(),
  valid_for_seconds: z
    .int()
    .min(1)
    .max(366 * 86_400)
    .optional(),
};

export const KEY_LENGTH_MAX = 200;

const textSchema = z
  .strictObject({
    from: z.string().min(1).max(21),
    to: z.string().min(4).max(21),
    ...contentFields,
    class: z.enum(['code', 'normal', 'bulk']).default('normal'),
    on_doubt: z.enum(['resend', 'hold']).default('resend'),
    ref: z.string().min(1).max(100).refine(isWhole, WHOLE).optional(),
    receipt: z.boolean().default(true),
    idempotency_key: z.string().min(1).max(KEY_LENGTH_MAX).refine(isWhole, WHOLE).optional(),
  })
  .refine(({ text, data }) => (text === undefined) !== (data === undefined), 'has either text or data');

const batchSchema = z.strictObject({ messages: z.array(z.unknown()).min(1).max(500) });

export type ReadText = { kind: 'text'; request: TextRequest } | { kind: 'invalid'; detail: string };

/** One text of a request. @param header_key of the header Idempotency-Key, which a single text may have instead. */
export function readText(body: unknown, header_key: string | null): ReadText {
  const parsed = textSchema.safeParse(body);
  if (!parsed.success) return { kind: 'invalid', detail: problemsOf(parsed.error) };
  const read = parsed.data;
  return {
    kind: 'text',
    request: {
      sender: read.from,
      recipient: read.to,
      content: contentOf(read),
      class: read.class,
      on_doubt: read.on_doubt,
      client_ref: read.ref ?? null,
      idempotency_key: read.idempotency_key ?? header_key,
      due_at_ms: read.send_at === undefined ? null : Date.parse(read.send_at),
      valid_for_ms: read.valid_for_seconds === undefined ? null : read.valid_for_seconds * 1000,
      wants_receipt: read.receipt,
      source: 'http',
      system_id: null,
    },
  };
}

export function contentOf({
  text,
  data,
}: {
  text?: string | undefined;
  data?: z.output<typeof dataSchema> | undefined;
}): TextRequest['content'] {
  if (data === undefined) return { kind: 'text', text: text ?? '' };
  return { kind: 'raw', data_coding: data.coding, has_udh: data.udh, octets: Buffer.from(data.hex, 'hex') };
}

export type ReadBody =
  { kind: 'one'; body: unknown } | { kind: 'many'; bodies: readonly unknown[] } | { kind: 'invalid'; detail: string };

/** A request is one text, or up to 500 of them under `messages`. */
export function readBody(octets: Buffer): ReadBody {
  const read = readJson(octets);
  if (read.kind === 'invalid') return read;
  const body = read.value;
  if (typeof body !== 'object' || body === null || !('messages' in body)) return { kind: 'one', body };
  const parsed = batchSchema.safeParse(body);
  return parsed.success
    ? { kind: 'many', bodies: parsed.data.messages }
    : { kind: 'invalid', detail: problemsOf(parsed.error) };
}
