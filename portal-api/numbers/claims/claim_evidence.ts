import type { Queryable } from '../../../domain/db/transaction.ts';
import type { Claim } from './claim_rows.ts';

/** What went over a number since it is said not to work: whoever decides on a claim sees whether it is so. */
export interface ClaimEvidence {
  calls_out: number;
  calls_out_answered: number;
  calls_in: number;
  calls_in_answered: number;
  texts_out: number;
  texts_out_delivered: number;
  texts_in: number;
  /** Whether there was more than is looked at: then these are of the latest. */
  is_cut_short: boolean;
}

/** So many calls, and as many texts, of the account are looked at. */
const LOOKED_AT_MAX = 5_000;

export async function claimEvidence(
  db: Queryable,
  { account_id, number, began_at }: Claim,
  now: Date,
): Promise<ClaimEvidence> {
  const [calls, texts] = [
    await countCalls(db, account_id, number, began_at, now),
    await countTexts(db, account_id, number, began_at),
  ];
  const { looked_at: calls_seen, ...of_calls } = calls;
  const { looked_at: texts_seen, ...of_texts } = texts;
  return { ...of_calls, ...of_texts, is_cut_short: Math.max(calls_seen, texts_seen) >= LOOKED_AT_MAX };
}

type CallCounts = Pick<ClaimEvidence, 'calls_out' | 'calls_out_answered' | 'calls_in' | 'calls_in_answered'>;

async function countCalls(
  db: Queryable,
  account_id: string,
  number: string,
  since: Date,
  until: Date,
): Promise<CallCounts & { looked_at: number }> {
  const { rows } = await db.query<CallCounts & { looked_at: number }>({
    name: 'claim_calls',
    text: `with looked_at as materialized (
             select direction, result, caller, callee from cdr
              where account_id = $1 and started_at between $3 and $4 order by started_at desc limit $5)
           select count(*) filter (where direction = 'outbound' and caller = $2)::integer as calls_out,
                  count(*) filter (where direction = 'outbound' and caller = $2 and result = 'answered')::integer as calls_out_answered,
                  count(*) filter (where direction = 'inbound' and callee = $2)::integer as calls_in,
                  count(*) filter (where direction = 'inbound' and callee = $2 and result = 'answered')::integer as calls_in_answered,
                  count(*)::integer as looked_at
             from looked_at`,
    values: [account_id, number, since, until, LOOKED_AT_MAX],
  });
  if (rows[0] === undefined) throw new Error('A count has one row.');
  return rows[0];
}

type TextCounts = Pick<ClaimEvidence, 'texts_out' | 'texts_out_delivered' | 'texts_in'>;

/** Texts are found by their ids, which begin with the time. */
async function countTexts(
  db: Queryable,
  account_id: string,
  number: string,
  since: Date,
): Promise<TextCounts & { looked_at: number }> {
  const { rows } = await db.query<TextCounts & { looked_at: number }>({
    name: 'claim_texts',
    text: `with looked_at as materialized (
             select id, direction, sender, recipient from message
              where account_id = $1 and id >= uuid_v7_floor($3) order by id desc limit $4),
           of_number as (
             select t.direction, exists (select 1 from message_event e
                                          where e.message_id = t.id and e.kind = 'final' and e.state = 'delivered') as is_delivered
               from looked_at t where $2 = case t.direction when 'mt' then t.sender else t.recipient end)
           select count(*) filter (where direction = 'mt')::integer as texts_out,
                  count(*) filter (where direction = 'mt' and is_delivered)::integer as texts_out_delivered,
                  count(*) filter (where direction = 'mo')::integer as texts_in,
                  (select count(*)::integer from looked_at) as looked_at
             from of_number`,
    values: [account_id, number, since, LOOKED_AT_MAX],
  });
  if (rows[0] === undefined) throw new Error('A count has one row.');
  return rows[0];
}
