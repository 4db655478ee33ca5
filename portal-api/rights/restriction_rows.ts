import type { Queryable } from '../../domain/db/transaction.ts';
import type { AppealState } from './appeal_state.ts';

export const RESTRICTION_SCOPES = ['calls_out', 'calls_in', 'sms', 'purchases', 'all'] as const;
export type RestrictionScope = (typeof RESTRICTION_SCOPES)[number];

export interface RestrictionRow {
  id: string;
  account_id: string;
  scope: RestrictionScope;
  reason: string;
  evidence: string | null;
  set_by: string;
  starts_at: Date;
  ends_at: Date | null;
  ended_by: string | null;
  end_reason: string | null;
  version: number;
  appeal_id: string | null;
  appeal_state: AppealState | null;
}

const columns = `r.id, r.account_id, r.scope, r.reason, r.evidence, r.set_by, date_trunc('milliseconds', r.starts_at) as starts_at, r.ends_at,
  r.ended_by, r.end_reason, r.version, a.id as appeal_id, a.state as appeal_state`;
const from = 'restriction r left join appeal a on a.restriction_id = r.id';

/**
 * The scopes that an account is kept from at that moment. Calls and texts look themselves, in the database, each time; whatever sells
 * something asks here.
 */
export async function restrictionsInForce(tx: Queryable, account_id: string, now: Date): Promise<RestrictionScope[]> {
  const { rows } = await tx.query<{ scope: RestrictionScope }>({
    name: 'restrictions_in_force',
    text: `select distinct scope from restriction
            where account_id = $1 and starts_at <= $2 and (ends_at is null or ends_at > $2)`,
    values: [account_id, now],
  });
  return rows.map(({ scope }) => scope);
}

export interface NewRestriction {
  id: string;
  account_id: string;
  scope: RestrictionScope;
  reason: string;
  evidence: string | null;
  set_by: string;
  starts_at: Date;
  ends_at: Date | null;
}

/** Whoever asks again with the same id finds the one that was set. False where it was there already. */
export async function insertRestriction(tx: Queryable, restriction: NewRestriction): Promise<boolean> {
  const { id, account_id, scope, reason, evidence, set_by, starts_at, ends_at } = restriction;
  const { rowCount } = await tx.query(
    `insert into restriction (id, account_id, scope, reason, evidence, set_by, starts_at, ends_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing`,
    [id, account_id, scope, reason, evidence, set_by, starts_at, ends_at],
  );
  return rowCount === 1;
}

/** Locked for a change, where `lock` says so. */
export async function readRestriction(db: Queryable, id: string, lock = false): Promise<RestrictionRow | null> {
  const { rows } = await db.query<RestrictionRow>(
    `select ${columns} from ${from} where r.id = $1 ${lock ? 'for no key update of r' : ''}`,
    [id],
  );
  return rows[0] ?? null;
}

export interface RestrictionQuery {
  /** Null: of everybody. */
  account_id: string | null;
  /** Only those that are in force at that moment; null: all. */
  in_force_at: Date | null;
  after: { starts_at: string; id: string } | null;
  limit: number;
}

/** The newest first. */
export async function listRestrictions(db: Queryable, query: RestrictionQuery): Promise<RestrictionRow[]> {
  const { account_id, in_force_at, after, limit } = query;
  const { rows } = await db.query<RestrictionRow>(
    `select ${columns} from ${from}
      where ($1::uuid is null or r.account_id = $1)
        and ($2::timestamptz is null or (r.starts_at <= $2 and (r.ends_at is null or r.ends_at > $2)))
        and ($3::timestamptz is null or (date_trunc('milliseconds', r.starts_at), r.id) < ($3, $4::uuid))
      order by date_trunc('milliseconds', r.starts_at) desc, r.id desc limit $5`,
    [account_id, in_force_at, after?.starts_at ?? null, after?.id ?? null, limit],
  );
  return rows;
}

/** Over from now on, before its time. */
export async function endRestriction(
  tx: Queryable,
  id: string,
  { ended_by, end_reason, now }: { ended_by: string; end_reason: string; now: Date },
): Promise<void> {
  await tx.query(
    `update restriction set ends_at = greatest($2, starts_at + interval '1 microsecond'), ended_by = $3, end_reason = $4, end_told_at = $2,
            version = version + 1 where id = $1`,
    [id, now, ended_by, end_reason],
  );
}

/** Those that ran out and whose customers do not know; they count as told from here on. */
export async function takeRunOut(
  tx: Queryable,
  now: Date,
  limit: number,
): Promise<{ id: string; account_id: string; scope: RestrictionScope }[]> {
  const { rows } = await tx.query<{ id: string; account_id: string; scope: RestrictionScope }>(
    `update restriction set end_told_at = $1 where id in (
       select id from restriction where ends_at <= $1 and end_told_at is null limit $2 for no key update skip locked)
     returning id, account_id, scope`,
    [now, limit],
  );
  return rows;
}
