import type { Queryable } from '../../../domain/db/transaction.ts';
import type { Claim } from './claim_rows.ts';

/** What went over a number while it is said not to work: whoever decides on a claim sees whether it is so. */
export interface ClaimEvidence {
  calls_out: number;
  calls_out_answered: number;
  /** Of the account: a call that we refuse is not known to be one from this number. */
  calls_out_refused: number;
  calls_in: number;
  calls_in_answered: number;
  calls_in_refused: number;
  texts_out: number;
  texts_out_delivered: number;
  texts_in: number;
  /** Whether there was more than is looked at: then these are of the latest. */
  is_cut_short: boolean;
}

/** So many calls, and as many texts, of the account are looked at. */
const LOOKED_AT_MAX = 5_000;

/** Of the time from its begin to its end, or to `now`. */
export async function claimEvidence(db: Queryable, claim: Claim, now: Date): Promise<ClaimEvidence> {
  const { account_id, number, began_at: since, ended_at } = claim;
  const span = { account_id, number, since, until: ended_at ?? now };
  const { looked_at: calls, ...of_calls } = await countCalls(db, span);
  const { looked_at: texts, ...of_texts } = await countTexts(db, span);
  return { ...of_calls, ...of_texts, is_cut_short: Math.max(calls, texts) > LOOKED_AT_MAX };
}

interface Span {
  account_id: string;
  number: string;
  since: Date;
  until: Date;
}

type Counts<K extends keyof ClaimEvidence> = Pick<ClaimEvidence, K> & { looked_at: number };
type CallCounts = Counts<`calls_${'out' | 'in'}${'' | '_answered' | '_refused'}`>;
type TextCounts = Counts<'texts_out' | 'texts_out_delivered' | 'texts_in'>;

/** A call that was refused has no numbers but the one that was dialled, as it came. */
async function countCalls(db: Queryable, { account_id, number, since, until }: Span): Promise<CallCounts> {
  const { rows } = await db.query<CallCounts>({
    name: 'claim_calls',
    text: `with looked_at as materialized (
             select direction, result, caller, coalesce(callee, '+' || regexp_replace(dialled, '^(\\+|00)', '')) as callee from cdr
              where account_id = $1 and started_at between $3 and $4 order by started_at desc limit $5 + 1)
           select count(*) filter (where direction = 'outbound' and caller = $2)::integer as calls_out,
                  count(*) filter (where direction = 'outbound' and caller = $2 and result = 'answered')::integer as calls_out_answered,
                  count(*) filter (where direction = 'outbound' and result = 'refused')::integer as calls_out_refused,
                  count(*) filter (where direction = 'inbound' and callee = $2)::integer as calls_in,
                  count(*) filter (where direction = 'inbound' and callee = $2 and result = 'answered')::integer as calls_in_answered,
                  count(*) filter (where direction = 'inbound' and callee = $2 and result = 'refused')::integer as calls_in_refused,
                  count(*)::integer as looked_at
             from looked_at`,
    values: [account_id, number, since, until, LOOKED_AT_MAX],
  });
  return counted(rows);
}

/** Texts are found by their ids, which begin with the time. */
async function countTexts(db: Queryable, { account_id, number, since, until }: Span): Promise<TextCounts> {
  const { rows } = await db.query<TextCounts>({
    name: 'claim_texts',
    // The offset keeps it from looking through the ends of all texts.
    text: `with looked_at as materialized (
             select id, direction, sender, recipient from message
              where account_id = $1 and id >= uuid_v7_floor($3) and id < uuid_v7_floor($4) order by id desc limit $5 + 1),
           of_number as (
             select t.direction, f.state from looked_at t
              left join lateral (select e.state from message_event e
                                  where e.message_id = t.id and e.kind = 'final' limit 1 offset 0) f on true
              where $2 = case t.direction when 'mt' then t.sender else t.recipient end)
           select count(*) filter (where direction = 'mt')::integer as texts_out,
                  count(*) filter (where direction = 'mt' and state = 'delivered')::integer as texts_out_delivered,
                  count(*) filter (where direction = 'mo')::integer as texts_in,
                  (select count(*)::integer from looked_at) as looked_at
             from of_number`,
    values: [account_id, number, since, until, LOOKED_AT_MAX],
  });
  return counted(rows);
}

function counted<T>([counts]: readonly T[]): T {
  if (counts === undefined) throw new Error('A count has one row.');
  return counts;
}
