import type { Queryable } from '../db/transaction.ts';
import type { OnDoubt } from './message.ts';

/** The fence: what a gateway of an older epoch asks for is answered with nothing. */
export interface GatewayLease {
  gateway_id: string;
  epoch: number;
}

/** A text that a gateway has claimed and is to send. */
export interface ClaimedMessage {
  message_id: string;
  account_id: string;
  sender: string;
  recipient: string;
  body: string;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  segments: number;
  on_doubt: OnDoubt;
  priority: number;
  /** Counts up whenever it may have been sent before. */
  attempt: number;
  /** When it was to be sent first. */
  wanted_at_ms: number;
  valid_until_ms: number;
  /** What the customer pays, for the margin; null where nobody does. */
  sale: { currency: string; rate_micros_per_segment: bigint } | null;
  /** Parts that carriers took already. */
  parts_submitted: readonly number[];
  /** Whether its recipient has said since that he wants no more of them. */
  is_unwanted: boolean;
}

interface ClaimedRow {
  message_id: string;
  account_id: string;
  sender: string;
  recipient: string;
  body: string | null;
  encoding: ClaimedMessage['encoding'];
  segments: number;
  on_doubt: OnDoubt;
  priority: number;
  attempt: number;
  wanted_at: Date;
  valid_until: Date;
  currency: string | null;
  rate_micros_per_segment: string | null;
  parts_submitted: number[];
  is_unwanted: boolean;
}

const isUnwanted = `m.source <> 'system' and exists (
    select 1 from opt_out o where o.account_id = m.account_id and o.recipient = m.recipient and o.sender in (m.sender, '*') offset 0)`;

const claimedColumns = `
  q.message_id, m.account_id, m.sender, m.recipient, m.body, m.encoding, m.segments, m.on_doubt, q.priority, q.attempt, q.valid_until,
  coalesce(m.due_at, m.accepted_at) as wanted_at,
  m.currency, m.rate_micros_per_segment,
  case when q.attempt = 1 and q.looked_at is null and m.segments = 1 then '{}' else
    array(select distinct e.part_no from message_event e where e.message_id = m.id and e.kind = 'submitted') end as parts_submitted,
  ${isUnwanted} as is_unwanted`;

/**
 * What was just claimed is read by a statement of its own. Joined to the function that claims it, a text whose acceptance commits
 * between the two looks of that one statement would be claimed and not be seen: ours in the database, and in nobody's hands.
 */
async function readClaimed(db: Queryable, claimed: readonly { message_id: string }[]): Promise<ClaimedMessage[]> {
  if (claimed.length === 0) return [];
  const { rows } = await db.query<ClaimedRow>({
    name: 'read_claimed',
    text: `select ${claimedColumns} from message_queue q join message m on m.id = q.message_id
            where q.message_id = any($1) order by q.priority, q.due_at, q.message_id`,
    values: [claimed.map(({ message_id }) => message_id)],
  });
  return claimedOf(rows);
}

function claimedOf(rows: readonly ClaimedRow[]): ClaimedMessage[] {
  return rows.map(({ wanted_at, valid_until, currency, rate_micros_per_segment, body, ...row }) => ({
    ...row,
    // A body that was erased while its text waited leaves nothing to send but an empty text.
    body: body ?? '',
    wanted_at_ms: wanted_at.getTime(),
    valid_until_ms: valid_until.getTime(),
    sale:
      currency === null || rate_micros_per_segment === null
        ? null
        : { currency, rate_micros_per_segment: BigInt(rate_micros_per_segment) },
  }));
}

/** The most urgent texts that wait for that carrier. Null: those for which no carrier was chosen yet. */
export async function claimMessages(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  carrier_id: number | null,
  now: Date,
  rows_max: number,
): Promise<ClaimedMessage[]> {
  const { rows } = await db.query<{ message_id: string }>({
    name: 'claim_messages',
    text: 'select message_id from claim_messages($1, $2, $3, $4, $5)',
    values: [gateway_id, epoch, carrier_id, now, rows_max],
  });
  return readClaimed(db, rows);
}

/** The same of a carrier that is away, of texts that were not looked at since `looked_before`. */
export async function claimStranded(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  carrier_id: number | null,
  now: Date,
  looked_before: Date,
  rows_max: number,
): Promise<ClaimedMessage[]> {
  const { rows } = await db.query<{ message_id: string }>({
    name: 'claim_stranded',
    text: 'select message_id from claim_stranded($1, $2, $3, $4, $5, $6)',
    values: [gateway_id, epoch, carrier_id, now, looked_before, rows_max],
  });
  return readClaimed(db, rows);
}

export interface Release {
  message_id: string;
  carrier_id: number | null;
  /** Null: as before. */
  due_at: Date | null;
  attempt: number;
}

/** Puts claimed texts back to wait. Says how many were still ours. */
export async function releaseMessages(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  releases: readonly Release[],
): Promise<number> {
  const { rows } = await db.query<{ released: number }>('select release_messages($1, $2, $3, $4, $5, $6) as released', [
    gateway_id,
    epoch,
    releases.map((one) => one.message_id),
    releases.map((one) => one.carrier_id),
    releases.map((one) => one.due_at),
    releases.map((one) => one.attempt),
  ]);
  return rows[0]?.released ?? 0;
}

/** Which of these may go to the wire now; the others were cancelled or belong to another gateway. */
export async function markSending(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  message_ids: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ id: string }>({
    name: 'mark_sending',
    text: 'select mark_sending as id from mark_sending($1, $2, $3)',
    values: [gateway_id, epoch, message_ids],
  });
  return new Set(rows.map((row) => row.id));
}

/** Which of these texts are claimed in our name: accepted, though nobody said so. */
export async function ownClaims(
  db: Queryable,
  { epoch }: GatewayLease,
  message_ids: readonly string[],
): Promise<ClaimedMessage[]> {
  const { rows } = await db.query<ClaimedRow>({
    name: 'own_claims',
    text: `select ${claimedColumns} from message_queue q join message m on m.id = q.message_id
            where q.message_id = any($1) and q.state = 'c' and q.epoch = $2`,
    values: [message_ids, epoch],
  });
  return claimedOf(rows);
}

/** What an older gateway had in its hands waits again, flagged where it may have been sent, or is held. */
export async function recoverMessages(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  now: Date,
): Promise<{ waiting: number; resent: number; held: number }> {
  const { rows } = await db.query<{ waiting: string; resent: string; held: string }>(
    'select waiting, resent, held from recover_messages($1, $2, $3)',
    [gateway_id, epoch, now],
  );
  const { waiting = '0', resent = '0', held = '0' } = rows[0] ?? {};
  return { waiting: Number(waiting), resent: Number(resent), held: Number(held) };
}

/** All texts that are claimed in our name. */
export async function allOwnClaims(db: Queryable, { epoch }: GatewayLease): Promise<string[]> {
  const { rows } = await db.query<{ message_id: string }>({
    name: 'all_own_claims',
    text: `select message_id from message_queue where state = 'c' and epoch = $1`,
    values: [epoch],
  });
  return rows.map(({ message_id }) => message_id);
}

/** Of these, which are claimed in our name and not in our hands, each waits again, flagged where it may have been sent, or is held. */
export async function recoverStrays(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  now: Date,
  message_ids: readonly string[],
): Promise<number> {
  const { rows } = await db.query<{ strays: number }>('select recover_strays($1, $2, $3, $4) as strays', [
    gateway_id,
    epoch,
    now,
    message_ids,
  ]);
  return rows[0]?.strays ?? 0;
}

export interface Waiting {
  /** Which carriers texts wait for; null among them where no carrier was chosen for some. */
  carriers: (number | null)[];
  /** Whether some wait to be screened. */
  has_unscreened: boolean;
}

/** From one carrier to the next along the index message_queue_waiting: a `distinct` reads all that waits. */
export async function whatWaits(db: Queryable): Promise<Waiting> {
  const { rows } = await db.query<Waiting>(
    `with recursive waiting as (
       (select coalesce(q.carrier_id, 0) as lane from message_queue q where q.state = 'w' order by 1 limit 1)
       union all
       select (select coalesce(q.carrier_id, 0) from message_queue q
                where q.state = 'w' and coalesce(q.carrier_id, 0) > w.lane order by 1 limit 1)
         from waiting w where w.lane is not null)
     select array(select nullif(w.lane, 0) from waiting w where w.lane is not null) as carriers,
            exists (select 1 from message_queue q where q.state = 'u') as has_unscreened`,
  );
  return rows[0] ?? { carriers: [], has_unscreened: false };
}

/** Ends what is past its validity and in nobody's hands. Says how many there were. */
export async function expireMessages(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  now: Date,
  rows_max: number,
): Promise<number> {
  const { rows } = await db.query<{ expired: number }>('select expire_messages($1, $2, $3, $4) as expired', [
    gateway_id,
    epoch,
    now,
    rows_max,
  ]);
  return rows[0]?.expired ?? 0;
}

/** Those of them whose recipients have said since that they want no more texts from their senders. */
export async function unwantedClaims(db: Queryable, { epoch }: GatewayLease): Promise<string[]> {
  const { rows } = await db.query<{ message_id: string }>({
    name: 'unwanted_claims',
    text: `select q.message_id from message_queue q join message m on m.id = q.message_id
            where q.state = 'c' and q.epoch = $1 and ${isUnwanted}`,
    values: [epoch],
  });
  return rows.map(({ message_id }) => message_id);
}
