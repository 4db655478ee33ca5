import type { Queryable } from '../../domain/db/transaction.ts';

export interface OpenLeg {
  leg_id: string;
  answered_at: Date | null;
  authorized_at: Date;
}

/** Calls that money is held for, the newest first. Without what they are, which is asked for once: it is long, and stored apart. */
export async function selectOpenLegs(db: Queryable, rows_max: number): Promise<OpenLeg[]> {
  const { rows } = await db.query<OpenLeg>({
    name: 'watch_open_legs',
    text: `select leg_id, answered_at, authorized_at from call_hold where state = 'o' order by authorized_at desc, leg_id desc limit $1`,
    values: [rows_max],
  });
  return rows;
}

export interface LegFacts {
  leg_id: string;
  call_id: string;
  account_id: string;
  direction: string | null;
  device: string | null;
  dialled: string | null;
  destination: string | null;
}

export async function selectLegFacts(db: Queryable, leg_ids: readonly string[]): Promise<LegFacts[]> {
  const { rows } = await db.query<LegFacts>({
    name: 'watch_leg_facts',
    text: `select h.leg_id, h.call_id, w.account_id, h.snapshot ->> 'direction' as direction, h.snapshot ->> 'device' as device,
                  h.snapshot ->> 'dialled' as dialled, h.snapshot ->> 'destination' as destination
             from call_hold h join wallet w on w.id = h.wallet_id where h.leg_id = any($1)`,
    values: [leg_ids],
  });
  return rows;
}

export interface EndedLeg {
  leg_id: string;
  ended_at: Date;
  duration_ms: string;
  result: string;
  cause: number;
  blame: string;
}

/** What was written of calls that are over; of one that is settled a moment later nothing yet. */
export async function selectEndedLegs(
  db: Queryable,
  leg_ids: readonly string[],
  started_from: Date,
): Promise<EndedLeg[]> {
  const { rows } = await db.query<EndedLeg>({
    name: 'watch_ended_legs',
    text: `select leg_id, ended_at, duration_ms, result, cause, blame from cdr where leg_id = any($1) and started_at >= $2`,
    values: [leg_ids, started_from],
  });
  return rows;
}

export interface WatchedText {
  message_id: string;
  account_id: string | null;
  direction: string;
  sender: string;
  recipient: string;
  segments: number;
  destination: string | null;
  state: string;
  error: string | null;
  is_newest: boolean;
}

/** The newest texts of everybody, and how those that are followed stand. */
export async function selectWatchedTexts(
  db: Queryable,
  followed: readonly string[],
  rows_max: number,
): Promise<WatchedText[]> {
  const { rows } = await db.query<WatchedText>({
    name: 'watch_texts',
    // Each state is looked up by itself, as in the list: the view is made for all.
    text: `with newest as materialized (select id from message order by id desc limit $2)
           select m.*, s.state, s.error from (
             select id as message_id, account_id, direction, sender, recipient, segments::integer, destination,
                    id in (select n.id from newest n) as is_newest
               from message where id = any(array(select n.id from newest n) || $1::uuid[])) m
           cross join lateral (select t.state, t.error from message_state t where t.message_id = m.message_id offset 0) s
           order by m.message_id`,
    values: [followed, rows_max],
  });
  return rows;
}
