import { createHash } from 'node:crypto';
import { parseE164 } from '../../domain/numbers/e164.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import type { NewMessage } from '../../domain/texts/accept_messages.ts';
import { decodeText } from '../../domain/texts/encoding/decode_text.ts';
import { countSegments } from '../../domain/texts/encoding/encode_text.ts';
import type { NationalLanguage } from '../../domain/texts/encoding/national_language.ts';
import { countNationalSegments } from '../../domain/texts/encoding/national_text.ts';
import { segmentsOfRaw } from '../../domain/texts/encoding/raw_text.ts';
import { textPrice } from '../../domain/texts/prices/text_prices.ts';
import type { TextRate } from '../../domain/texts/prices/text_prices.ts';
import type { TextPayer } from './payer.ts';
import { writeRawBody } from './raw_body.ts';
import { refusal } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import type { TextRequest } from './text_request.ts';

export interface JudgeOptions {
  sell: (number: E164, deck: string) => TextRate | null;
  newId: () => string;
  now: () => number;
  segments_max: number;
  /** Whose shift tables a text may be counted by, as whichever carrier gets it takes them. */
  national_languages: () => readonly NationalLanguage[];
  /** How long a text waits for a carrier where its sender does not say. */
  validity_ms: number;
  /** How far ahead a text may be scheduled. */
  ahead_ms_max: number;
}

/** A text that may be sent, all but where it will wait. */
export type JudgedText = Omit<NewMessage, 'carrier_id' | 'epoch' | 'hold_reason' | 'recipient'> & { recipient: E164 };

export type Judgement = { kind: 'good'; text: JudgedText } | { kind: 'refused'; refusal: Refusal };

const SENDER = /^(\+[1-9][0-9]{5,14}|[0-9]{3,8}|[A-Za-z0-9 &+._-]{3,11})$/u;

/** Checks, counts and prices a text. What only the database can say for sure is decided when it is charged. */
export function judgeText(request: TextRequest, payer: TextPayer, options: JudgeOptions): Judgement {
  const recipient = parseE164(request.recipient);
  if (recipient === null) return refused('invalid_recipient');
  if (!SENDER.test(request.sender)) return refused('invalid_sender');
  if (payer.blocked_prefixes.some((prefix) => recipient.startsWith(prefix, 1))) return refused('destination_blocked');
  const counted = count(request, options);
  if ('refusal' in counted) return { kind: 'refused', refusal: counted.refusal };
  const times = timesOf(request, options);
  if (times === null) return refused('invalid_time');
  const rate = options.sell(recipient, payer.text_deck);
  if (rate === null) return refused('destination_unknown');
  const { net, tax } = textPrice(counted.segments, rate, payer.tax_ppm);
  return {
    kind: 'good',
    text: {
      id: options.newId(),
      account_id: payer.account_id,
      wallet_id: payer.wallet_id,
      sender: request.sender,
      recipient,
      body: counted.body,
      encoding: counted.encoding,
      segments: counted.segments,
      class: request.class,
      on_doubt: request.on_doubt,
      net_micros: net,
      tax_micros: tax,
      rate: {
        deck_id: rate.deck.id,
        prefix: rate.prefix,
        destination: rate.destination,
        rate_micros_per_segment: rate.rate_micros_per_segment,
      },
      source: request.source,
      system_id: request.system_id,
      client_ref: request.client_ref,
      wants_receipt: request.wants_receipt,
      idempotency:
        request.idempotency_key === null
          ? null
          : { key: request.idempotency_key, content_sha256: contentHash(request) },
      due_at: times.due_at,
      valid_until: times.valid_until,
    },
  };
}

const refused = (code: Refusal['code'], detail?: string): Judgement => ({
  kind: 'refused',
  refusal: refusal(code, detail),
});

type Counted = Pick<NewMessage, 'body' | 'encoding' | 'segments'> | { refusal: Refusal };

type Counting = Pick<JudgeOptions, 'segments_max' | 'national_languages'>;

function count({ content }: TextRequest, counting: Counting): Counted {
  const { segments_max } = counting;
  if (content.kind === 'text') return countText(content.text, counting);
  const plain = plainText(content);
  if (plain !== null) return countText(plain, counting);
  const counted = segmentsOfRaw(content.data_coding, content.octets, content.has_udh, { segments_max });
  if (counted.kind === 'too_long') return { refusal: refusal('text_too_long', `${counted.segments} segments`) };
  if (counted.kind === 'malformed_udh') return { refusal: refusal('invalid_encoding') };
  return { body: writeRawBody(content), encoding: 'binary', segments: counted.segments };
}

/** Half of a character of two halves, and NUL: what the database cannot hold as text. */
export const UNKEEPABLE = /[\p{Cs}\0]/u;

/** Message class 0 (3GPP TS 23.038, section 4), in the general group of codings or in that of classes. */
function isFlash(data_coding: number): boolean {
  const has_class = (data_coding & 0xd0) === 0x10 || (data_coding & 0xf0) === 0xf0;
  return has_class && (data_coding & 0x03) === 0;
}

/** What is a text is kept as one, so that a person can read it and every carrier gets it in its own alphabet. Null: it is none. */
function plainText(content: Exclude<TextRequest['content'], { kind: 'text' }>): string | null {
  // One that is to be shown at once and not kept is sent on as it came, since a text has no word for that.
  if (content.has_udh || isFlash(content.data_coding)) return null;
  const plain = decodeText(content.octets, content.data_coding);
  if (plain.kind !== 'text') return null;
  return plain.text.includes('\ufffd') || UNKEEPABLE.test(plain.text) ? null : plain.text;
}

function countText(text: string, { segments_max, national_languages }: Counting): Counted {
  if (text === '') return { refusal: refusal('empty_text') };
  const counted = countSegments(text, { segments_max });
  if (counted.kind === 'too_long' || (counted.encoding === 'ucs2' && counted.segments > 1)) {
    const segments = countNationalSegments(text, national_languages());
    if (segments !== null && segments <= segments_max) return { body: text, encoding: 'gsm7', segments };
  }
  if (counted.kind === 'too_long') {
    return { refusal: refusal('text_too_long', `${counted.segments} segments, and ${segments_max} are allowed`) };
  }
  return { body: text, encoding: counted.encoding, segments: counted.segments };
}

function timesOf(
  { due_at_ms, valid_for_ms }: TextRequest,
  { now, validity_ms, ahead_ms_max }: JudgeOptions,
): Pick<NewMessage, 'due_at' | 'valid_until'> | null {
  const now_ms = now();
  if (due_at_ms !== null && (due_at_ms < now_ms - PAST_MS_MAX || due_at_ms > now_ms + ahead_ms_max)) return null;
  if (valid_for_ms !== null && (valid_for_ms <= 0 || valid_for_ms > ahead_ms_max)) return null;
  const begins_ms = Math.max(now_ms, due_at_ms ?? now_ms);
  return {
    due_at: due_at_ms === null || due_at_ms <= now_ms ? null : new Date(due_at_ms),
    valid_until: new Date(begins_ms + Math.min(valid_for_ms ?? validity_ms, ahead_ms_max)),
  };
}

/** A customer's clock may be somewhat behind ours. */
const PAST_MS_MAX = 300_000;

/** What makes a repeated request the same one: whatever the recipient would see, and when. */
export function contentHash(request: TextRequest): string {
  const { content } = request;
  const body = content.kind === 'text' ? content.text : (plainText(content) ?? writeRawBody(content));
  return createHash('sha256')
    .update(JSON.stringify([request.sender, request.recipient, body, request.due_at_ms, request.class]))
    .digest('hex');
}
