import type { Queryable } from '../db/transaction.ts';
import type { MessageClass, MessageSource, OnDoubt } from './message.ts';
import { PRIORITIES } from './message.ts';

/** A text that was checked, counted and priced, and is to be charged and stored. */
export interface NewMessage {
  /** Of version 7, made by MessageIds. */
  id: string;
  account_id: string;
  wallet_id: bigint;
  /** +E.164, a short code or a name. */
  sender: string;
  /** +E.164. */
  recipient: string;
  body: string;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  segments: number;
  class: MessageClass;
  on_doubt: OnDoubt;
  net_micros: bigint;
  tax_micros: bigint;
  /** The row of the deck that says the price. Null for what nobody pays for. */
  rate: { deck_id: number; prefix: string; destination: string; rate_micros_per_segment: bigint } | null;
  source: MessageSource;
  /** Of the bind that it came by. */
  system_id: string | null;
  client_ref: string | null;
  wants_receipt: boolean;
  idempotency: { key: string; content_sha256: string } | null;
  /** Null: at once. */
  due_at: Date | null;
  valid_until: Date;
  /** The lane that it waits in; null where no carrier was chosen yet. */
  carrier_id: number | null;
  /** Of the gateway that sends it at once; null: it waits in its lane. */
  epoch: number | null;
  /** Why a person has to look at it first. */
  hold_reason: string | null;
}

/**
 * - `accepted`: charged and stored, for good once the transaction commits;
 * - `replay`: the same request made `id` before, and nothing was charged again;
 * - `key_conflict`: the idempotency key stands for another request;
 * - the rest: refused, and nothing was written.
 */
export type AcceptVerdict =
  | 'accepted'
  | 'replay'
  | 'key_conflict'
  | 'no_wallet'
  | 'no_money'
  | 'spend_hour'
  | 'spend_day'
  | 'account_inactive'
  | 'restricted'
  | 'terms_required'
  | 'sender_not_yours'
  | 'opted_out';

export interface AcceptAnswer {
  verdict: AcceptVerdict;
  /** The text's id; of a replay, that of the text which was made before. */
  id: string;
  /** What the wallet has left. */
  free_micros: bigint;
}

/**
 * The one way in for texts: each is charged and stored, or refused, in one statement for all of them. Within an open transaction
 * they are accepted when it commits; without one, when this resolves.
 */
export async function acceptMessages(
  db: Queryable,
  now: Date,
  messages: readonly NewMessage[],
): Promise<AcceptAnswer[]> {
  const { rows } = await db.query<{ n: number; verdict: AcceptVerdict; id: string; free_micros: string }>({
    name: 'accept_texts',
    text: 'select n, verdict, id, free_micros from accept_texts($1, $2)',
    values: [now, JSON.stringify(messages.map(toItem))],
  });
  const answers = new Array<AcceptAnswer>(messages.length);
  for (const { n, verdict, id, free_micros } of rows) answers[n] = { verdict, id, free_micros: BigInt(free_micros) };
  return answers;
}

/**
 * What is null is left out: it is read as null, and costs the reader of a batch nothing. Field by field, as it is in the way of every
 * text, where a copy of what is left of an object costs more than writing all of it.
 */
function toItem(one: NewMessage, n: number): Record<string, unknown> {
  return {
    n,
    id: one.id,
    account_id: one.account_id,
    wallet_id: one.wallet_id.toString(),
    sender: one.sender,
    recipient: one.recipient,
    body: one.body,
    encoding: one.encoding,
    segments: one.segments,
    class: one.class,
    on_doubt: one.on_doubt,
    net_micros: one.net_micros.toString(),
    tax_micros: one.tax_micros.toString(),
    deck_id: one.rate?.deck_id,
    prefix: one.rate?.prefix,
    destination: one.rate?.destination,
    rate_micros_per_segment: one.rate?.rate_micros_per_segment.toString(),
    source: one.source,
    system_id: one.system_id ?? undefined,
    client_ref: one.client_ref ?? undefined,
    wants_receipt: one.wants_receipt,
    idempotency_key: one.idempotency?.key,
    content_sha256: one.idempotency?.content_sha256,
    due_at: one.due_at ?? undefined,
    valid_until: one.valid_until,
    priority: PRIORITIES[one.class],
    carrier_id: one.carrier_id ?? undefined,
    epoch: one.epoch ?? undefined,
    hold_reason: one.hold_reason ?? undefined,
  };
}
