import type { Queryable } from '../db/transaction.ts';

/** What a customer could not be told: all attempts were in vain, or nobody wanted to hear it. */
export interface DeadLetter {
  id: bigint;
  /** How one of his texts ended, or a text that came for him. */
  kind: 'receipt' | 'text';
  message_id: string;
  channel: 'webhook' | 'smpp';
  /** The endpoint's id or the system_id of the bind. */
  target: string;
  last_error: string | null;
  dead_at: Date;
}

export interface DeadLetterPage {
  account_id: string;
  /** The last letter of the page before; null for the first page. */
  after: bigint | null;
  rows_max: number;
}

/** The oldest first. The next page begins after the last letter of this one, so what is told meanwhile moves nothing. */
export async function deadLetters(
  db: Queryable,
  { account_id, after, rows_max }: DeadLetterPage,
): Promise<DeadLetter[]> {
  const { rows } = await db.query<Omit<DeadLetter, 'id'> & { id: string }>({
    name: 'dead_letters',
    text: `select id, kind, message_id, channel, target, last_error, dead_at from customer_delivery
            where account_id = $1 and dead_at is not null and id > $2 order by id limit $3`,
    values: [account_id, (after ?? 0n).toString(), rows_max],
  });
  return rows.map((row) => ({ ...row, id: BigInt(row.id) }));
}

export interface ReplayWishes {
  account_id: string;
  /** Only what died since then; null: whenever it was. */
  since: Date | null;
  /** Only what was to be told of this text; null: of any. */
  message_id: string | null;
  rows_max: number;
}

export interface Replayed {
  replayed: number;
  /** Those that were meant and are still dead: beyond `rows_max`, or for endpoints and binds that are switched off. */
  left: number;
}

const MEANT = `account_id = $1 and dead_at is not null and ($2::timestamptz is null or dead_at >= $2)
           and ($3::uuid is null or message_id = $3)`;

/**
 * Gives the oldest dead letters of an account all their attempts once more, beginning now, and wakes those who tell. What is for an
 * endpoint or a bind that is switched off stays dead: it would only die again, or wait for ever.
 */
export async function replayDeadLetters(db: Queryable, wishes: ReplayWishes, now: Date): Promise<Replayed> {
  const { account_id, since, message_id, rows_max } = wishes;
  const { rows } = await db.query<Replayed>({
    name: 'replay_dead_letters',
    text: `
      with chosen as (
        select id from customer_delivery
         where ${MEANT}
           and (channel = 'webhook' and target in (select e.id::text from webhook_endpoint e where e.account_id = $1 and e.enabled)
                or channel = 'smpp' and target in (select e.system_id from esme e where e.account_id = $1 and e.enabled))
         order by id limit $4 for update skip locked
      ), replayed as (
        update customer_delivery d set dead_at = null, attempts = 0, due_at = $5 from chosen c where d.id = c.id returning 1
      ), counted as (
        select (select count(*) from replayed)::integer as replayed,
               (select count(*) from customer_delivery where ${MEANT})::integer as meant)
      select replayed, meant - replayed as left, case when replayed > 0 then pg_notify('customer_delivery', '') end from counted`,
    values: [account_id, since, message_id, rows_max, now],
  });
  const row = rows[0];
  if (row === undefined) throw new Error('the dead letters gave no row');
  return { replayed: row.replayed, left: row.left };
}

/**
 * What was due for a bind before that and was never fetched is a dead letter by now: its customer only sends, or does not come back.
 * Says how many there were.
 */
export async function buryUnfetched(db: Queryable, before: Date, now: Date, rows_max: number): Promise<number> {
  const { rowCount } = await db.query({
    name: 'bury_unfetched',
    text: `update customer_delivery d set dead_at = $2, last_error = coalesce(d.last_error, 'Nobody was bound who took it.')
            where d.id = any(array(
              select o.id from customer_delivery o
               where o.channel = 'smpp' and o.dead_at is null and o.due_at < $1 order by o.due_at limit $3 for update skip locked))`,
    values: [before, now, rows_max],
  });
  return rowCount ?? 0;
}
