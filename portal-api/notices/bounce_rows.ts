import { randomUUID } from 'node:crypto';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { BounceClass } from './bounce_class.ts';

export interface NewBounce {
  address_index: Buffer;
  class: BounceClass;
  smtp_code: number | null;
  status: string | null;
  source: 'refusal' | 'report';
  /** Null of a refusal. */
  report_sha256: Buffer | null;
  at: Date;
}

/** Keeps that a mail came back. But for `policy`, which is about us, hardly anything is mailed there for a while. False: taken before. */
export async function recordBounce(tx: Queryable, bounce: NewBounce): Promise<boolean> {
  const { address_index, class: bounce_class, smtp_code, status, source, report_sha256, at } = bounce;
  const { rows } = await tx.query(
    `insert into mail_bounce (id, address_index, class, smtp_code, status, source, report_sha256, at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (report_sha256) do nothing returning 1`,
    [randomUUID(), address_index, bounce_class, smtp_code, status, source, report_sha256, at],
  );
  if (rows.length === 0) return false;
  if (bounce_class !== 'policy') await markUndeliverable(tx, bounce);
  return true;
}

async function markUndeliverable(
  tx: Queryable,
  { address_index, class: bounce_class, smtp_code, status, at }: NewBounce,
): Promise<void> {
  await tx.query(
    `insert into undeliverable_address as u (id, address_index, class, smtp_code, status, since, last_at)
     values ($1, $2, $3, $4, $5, $6, $6)
     on conflict (address_index) do update set class = excluded.class, smtp_code = excluded.smtp_code, status = excluded.status,
       last_at = greatest(u.last_at, excluded.last_at), bounces = u.bounces + 1`,
    [randomUUID(), address_index, bounce_class, smtp_code, status, at],
  );
}

/**
 * Whether a notice is not sent since mail came back from the address lately; it is counted then. A full mailbox is asked again after a
 * day; any other after a week, and after twice as long each time that mail comes back again, up to 90 days.
 */
export async function holdBack(db: Queryable, address_index: Buffer, now: Date): Promise<boolean> {
  const { rows } = await db.query(
    `update undeliverable_address set held_back = held_back + 1
      where address_index = $1
        and last_at + case class when 'full' then interval '1 day'
                                 else least(interval '90 days', interval '7 days' * power(2, least(bounces - 1, 4))) end > $2
     returning 1`,
    [address_index, now],
  );
  return rows.length > 0;
}

/** Whether mail to the address of somebody comes back. */
export async function isUndeliverable(db: Queryable, user_id: string): Promise<boolean> {
  const { rows } = await db.query({
    name: 'address_is_undeliverable',
    text: `select 1 from portal_user u join undeliverable_address a on a.address_index = u.email_index where u.id = $1`,
    values: [user_id],
  });
  return rows.length > 0;
}

export interface UndeliverableRow {
  id: string;
  class: BounceClass;
  smtp_code: number | null;
  status: string | null;
  since: Date;
  last_at: Date;
  bounces: number;
  held_back: number;
  /** Whoever has that address; null where nobody with an account does. */
  user_id: string | null;
  email_sealed: Buffer | null;
  data_key_id: string | null;
}

const columns = `a.id, a.class, a.smtp_code, a.status, a.since, date_trunc('milliseconds', a.last_at) as last_at, a.bounces, a.held_back,
  u.id as user_id, u.email_sealed, u.data_key_id`;
/** Whoever is both customer and admin is told once. */
const from = `undeliverable_address a left join lateral (
  select id, email_sealed, data_key_id from portal_user where email_index = a.address_index and state <> 'closed' order by kind desc limit 1) u on true`;

/** Where mail came back last comes first. */
export async function listUndeliverable(
  db: Queryable,
  before: readonly [string, string] | null,
  limit: number,
): Promise<UndeliverableRow[]> {
  const { rows } = await db.query<UndeliverableRow>(
    `select ${columns} from ${from}
      where $1::timestamptz is null or (date_trunc('milliseconds', a.last_at), a.id) < ($1, $2::uuid)
      order by date_trunc('milliseconds', a.last_at) desc, a.id desc limit $3`,
    [before?.[0] ?? null, before?.[1] ?? null, limit],
  );
  return rows;
}

/** The user who has that address, where somebody does; undefined where the mark is gone. */
export async function clearUndeliverable(
  tx: Queryable,
  id: string,
): Promise<{ user_id: string | null; class: BounceClass } | undefined> {
  const { rows } = await tx.query<{ user_id: string | null; class: BounceClass }>(
    `delete from undeliverable_address a where a.id = $1
     returning a.class, (select u.id from portal_user u where u.email_index = a.address_index and u.state <> 'closed' order by u.kind desc limit 1) as user_id`,
    [id],
  );
  return rows[0];
}

/** Those of long ago, and marks of addresses that nobody has an account with. */
export async function forgetBounces(db: Queryable, before: Date): Promise<void> {
  await db.query('delete from mail_bounce where at < $1', [before]);
  await db.query(
    `delete from undeliverable_address a
      where a.last_at < $1 and not exists (select 1 from portal_user u where u.email_index = a.address_index and u.state <> 'closed')`,
    [before],
  );
}
