import { createHash } from 'node:crypto';
import type { Queryable } from '../../domain/db/transaction.ts';
import { withTax } from '../../domain/rating/price.ts';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import type { AcceptVerdict } from '../../domain/texts/accept_messages.ts';
import { countSegments } from '../../domain/texts/encoding/encode_text.ts';

export interface TextWish {
  /** A new one of version 7. */
  id: string;
  account_id: string;
  sender: string;
  /** +E.164. */
  recipient: string;
  text: string;
  due_at: Date | null;
  client_ref: string | null;
  /** The same wish asked again makes no second text. */
  key: string;
  now: Date;
}

export type Sent =
  | {
      kind: 'accepted';
      message_id: string;
      encoding: 'gsm7' | 'ucs2';
      segments: number;
      net_micros: bigint;
      tax_micros: bigint;
      currency: string;
    }
  | {
      kind: 'refused';
      why: Exclude<AcceptVerdict, 'accepted' | 'replay'> | 'too_long' | 'destination_blocked' | 'destination_unknown';
    };

const SEGMENTS_MAX = 10;
const VALID_FOR_MS = 48 * 3_600_000;

interface PayerRow {
  wallet_id: string;
  currency: string;
  tax_ppm: number;
  is_blocked: boolean;
  deck_id: number | null;
  prefix: string;
  destination: string;
  rate_micros_per_segment: string;
}

/**
 * Prices a text by the account's deck, charges and stores it; it waits in the database for a gateway to send it. Accepting is one
 * statement, and all that is written: a transaction around it would cost two turns more and keep nothing together.
 */
export async function sendText(db: Queryable, wish: TextWish): Promise<Sent> {
  const counted = countSegments(wish.text, { segments_max: SEGMENTS_MAX });
  if (counted.kind === 'too_long') return { kind: 'refused', why: 'too_long' };
  const payer = await readPayer(db, wish);
  if (payer === null) return { kind: 'refused', why: 'no_wallet' };
  if (payer.is_blocked) return { kind: 'refused', why: 'destination_blocked' };
  if (payer.deck_id === null) return { kind: 'refused', why: 'destination_unknown' };
  const rate_micros_per_segment = BigInt(payer.rate_micros_per_segment);
  const { net, tax } = withTax(rate_micros_per_segment * BigInt(counted.segments), payer.tax_ppm);
  const { sender, recipient, text, due_at, now } = wish;
  const content = JSON.stringify([sender, recipient, text, due_at?.getTime() ?? null]);
  const { deck_id, prefix, destination } = payer;
  const [answer] = await acceptMessages(db, now, [
    {
      ...{
        id: wish.id,
        account_id: wish.account_id,
        wallet_id: BigInt(payer.wallet_id),
        sender,
        recipient,
        body: text,
      },
      ...{ encoding: counted.encoding, segments: counted.segments, class: 'normal', on_doubt: 'resend' },
      ...{ net_micros: net, tax_micros: tax, rate: { deck_id, prefix, destination, rate_micros_per_segment } },
      ...{ source: 'portal', system_id: null, client_ref: wish.client_ref, wants_receipt: false, due_at },
      idempotency: { key: wish.key, content_sha256: createHash('sha256').update(content).digest('hex') },
      valid_until: new Date((due_at ?? now).getTime() + VALID_FOR_MS),
      ...{ carrier_id: null, epoch: null, hold_reason: null },
    },
  ]);
  if (answer === undefined) throw new Error('accept_messages answered nothing');
  if (answer.verdict !== 'accepted' && answer.verdict !== 'replay') return { kind: 'refused', why: answer.verdict };
  return {
    ...{ kind: 'accepted', message_id: answer.id, encoding: counted.encoding, segments: counted.segments },
    ...{ net_micros: net, tax_micros: tax, currency: payer.currency },
  };
}

/** Who pays, and the row of the longest prefix in the deck in force; its deck is null where none is of this number. */
async function readPayer(db: Queryable, { account_id, recipient, now }: TextWish): Promise<PayerRow | null> {
  const digits = recipient.slice(1);
  const prefixes = Array.from({ length: digits.length }, (_, at) => digits.slice(0, at + 1));
  const { rows } = await db.query<PayerRow>({
    name: 'text_payer',
    text: `select w.id as wallet_id, w.currency, a.tax_ppm, coalesce(l.blocked_prefixes && $2::text[], false) as is_blocked,
                  r.deck_id, r.prefix, r.destination, r.rate_micros_per_segment
             from account a
             join lateral (select id, currency from wallet where account_id = a.id order by id limit 1) w on true
             left join call_limit l on l.account_id = a.id
             left join rate_deck d on d.name = a.text_deck and d.state = 'active' and d.service = 'texts' and d.side = 'sell'
                                  and d.currency = w.currency
             left join lateral (
               select t.deck_id, t.prefix, t.destination, t.rate_micros_per_segment from text_rate t
                where t.deck_id = d.id and t.prefix = any($2::text[]) and t.effective_from <= $3
                  and (t.effective_to is null or t.effective_to > $3)
                order by length(t.prefix) desc limit 1) r on true
            where a.id = $1`,
    values: [account_id, prefixes, now],
  });
  return rows[0] ?? null;
}
