import type { Queryable } from '../db/transaction.ts';

/** A hold that is open, as reconciliation and takeover need it. */
export interface OpenHold {
  leg_id: string;
  call_id: string;
  channel_id: string;
}

export interface OpenHoldDetail extends OpenHold {
  held_micros: bigint;
  pack_seconds_held: number;
  grant_no: number;
  seconds_granted: number;
  answered_at_ms: number | null;
  /** Which attempt answered; null while none did, or where whoever noted it did not say. */
  answered_attempt: number | null;
  deadline_at_ms: number;
  /** When money was held for the call for the last time: it lived then. */
  last_granted_at_ms: number;
  /** What was decided about the call, as stored; the reader parses it. */
  snapshot: unknown;
}

export async function openHolds(db: Queryable, switch_id: string): Promise<readonly OpenHold[]> {
  const { rows } = await db.query<{ leg_id: string; call_id: string; channel_id: string }>({
    name: 'open_holds',
    text: `select leg_id, call_id, channel_id from call_hold where state = 'o' and switch_id = $1`,
    values: [switch_id],
  });
  return rows;
}

interface DetailRow {
  leg_id: string;
  call_id: string;
  channel_id: string;
  held_micros: string;
  pack_seconds_held: number;
  grant_no: number;
  seconds_granted: number;
  answered_at: Date | null;
  answered_attempt: number | null;
  deadline_at: Date;
  last_granted_at: Date;
  snapshot: unknown;
}

/** The whole of some open holds; one that was settled meanwhile is missing from the answer. */
export async function openHoldDetails(db: Queryable, leg_ids: readonly string[]): Promise<readonly OpenHoldDetail[]> {
  const { rows } = await db.query<DetailRow>({
    name: 'open_hold_details',
    text: `select h.leg_id, h.call_id, h.channel_id, h.held_micros, h.pack_seconds_held, h.grant_no, h.seconds_granted,
                  h.answered_at, h.answered_attempt, h.deadline_at, h.snapshot,
                  (select max(g.granted_at) from call_grant g where g.leg_id = h.leg_id) as last_granted_at
             from call_hold h where h.leg_id = any($1::uuid[]) and h.state = 'o'`,
    values: [leg_ids],
  });
  return rows.map((row) => ({
    leg_id: row.leg_id,
    call_id: row.call_id,
    channel_id: row.channel_id,
    held_micros: BigInt(row.held_micros),
    pack_seconds_held: row.pack_seconds_held,
    grant_no: row.grant_no,
    seconds_granted: row.seconds_granted,
    answered_at_ms: row.answered_at?.getTime() ?? null,
    answered_attempt: row.answered_attempt,
    deadline_at_ms: row.deadline_at.getTime(),
    last_granted_at_ms: row.last_granted_at.getTime(),
    snapshot: row.snapshot,
  }));
}
