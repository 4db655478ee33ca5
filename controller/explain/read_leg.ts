import type { CallRecord } from '../../domain/calls/hold.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { callPlanSchema } from '../call/plan.ts';
import { attemptsSchema, grantsSchema, parseSnapshot } from './leg.ts';
import type { OpenLeg, SettledLeg } from './leg.ts';

export interface LegName {
  leg_id: string;
  call_id: string;
}

/** The legs, settled or open, whose id or whose call's id lies between the two; at most `most` of them. */
export async function legsBetween(
  db: Queryable,
  lowest: string,
  highest: string,
  most: number,
): Promise<readonly LegName[]> {
  const { rows } = await db.query<LegName>(
    `select leg_id, call_id from cdr where leg_id between $1 and $2
      union select leg_id, call_id from cdr where call_id between $1 and $2
      union select leg_id, call_id from call_hold
             where state = 'o' and (leg_id between $1 and $2 or call_id between $1 and $2)
      order by call_id, leg_id limit $3`,
    [lowest, highest, most],
  );
  return rows;
}

interface CdrRow {
  leg_id: string;
  call_id: string;
  started_at: Date;
  direction: CallRecord['direction'];
  device: string | null;
  dialled: string;
  caller: string | null;
  callee: string | null;
  destination: string | null;
  answered_at: Date | null;
  ended_at: Date;
  duration_ms: string;
  duration_source: CallRecord['duration_source'];
  seconds_charged: number;
  seconds_billed: number;
  net_micros: string;
  tax_micros: string;
  operator_loss_micros: string;
  cost_micros: string;
  cost_currency: string | null;
  currency: string | null;
  pack_seconds: number;
  result: CallRecord['result'];
  refusal: string | null;
  cause: number;
  blame: CallRecord['blame'];
  pdd_ms: number | null;
  trunk_id: string | null;
  attempts: unknown;
  grants: unknown;
  snapshot: unknown;
}

/** The record of a leg without its postings; null when it has none (yet). Amounts inside JSON come as text, to be exact. */
export async function settledLeg(db: Queryable, leg_id: string): Promise<Omit<SettledLeg, 'postings'> | null> {
  const { rows } = await db.query<CdrRow>(
    `select leg_id, call_id, started_at, direction, device, dialled, caller, callee, destination, answered_at, ended_at,
            duration_ms, duration_source, seconds_charged, seconds_billed, net_micros, tax_micros, operator_loss_micros,
            cost_micros, cost_currency, currency, pack_seconds, result, refusal, cause, blame, pdd_ms, trunk_id, attempts,
            (select coalesce(jsonb_agg(g || jsonb_build_object('micros', g ->> 'micros') order by (g ->> 'no')::int), '[]')
               from jsonb_array_elements(grants) g) as grants, snapshot
       from cdr where leg_id = $1`,
    [leg_id],
  );
  const row = rows[0];
  if (row === undefined) return null;
  return {
    ...row,
    ...parseSnapshot(row.snapshot, row.result === 'refused'),
    kind: 'settled',
    duration_ms: Number(row.duration_ms),
    net_micros: BigInt(row.net_micros),
    tax_micros: BigInt(row.tax_micros),
    operator_loss_micros: BigInt(row.operator_loss_micros),
    cost_micros: BigInt(row.cost_micros),
    attempts: attemptsSchema.parse(row.attempts),
    grants: grantsSchema.parse(row.grants),
  };
}

interface OpenRow {
  leg_id: string;
  call_id: string;
  answered_at: Date | null;
  answered_attempt: number | null;
  deadline_at: Date;
  held_micros: string;
  pack_seconds_held: number;
  seconds_granted: number;
  snapshot: unknown;
  grants: unknown;
}

/** A leg for which money is held right now; null when there is no such hold. */
export async function openLeg(db: Queryable, leg_id: string): Promise<OpenLeg | null> {
  const { rows } = await db.query<OpenRow>(
    `select leg_id, call_id, answered_at, answered_attempt, deadline_at, held_micros, pack_seconds_held, seconds_granted, snapshot,
            (select jsonb_agg(jsonb_build_object('no', g.grant_no, 'at', g.granted_at, 'seconds', g.seconds,
                     'micros', g.micros::text, 'pack_seconds', g.pack_seconds) order by g.grant_no)
               from call_grant g where g.leg_id = h.leg_id) as grants
       from call_hold h where leg_id = $1 and state = 'o'`,
    [leg_id],
  );
  const row = rows[0];
  if (row === undefined) return null;
  return {
    kind: 'open',
    leg_id: row.leg_id,
    call_id: row.call_id,
    plan: callPlanSchema.parse(row.snapshot),
    answered_at: row.answered_at,
    answered_attempt: row.answered_attempt,
    deadline_at: row.deadline_at,
    held_micros: BigInt(row.held_micros),
    pack_seconds_held: row.pack_seconds_held,
    seconds_granted: row.seconds_granted,
    grants: grantsSchema.parse(row.grants),
  };
}
