import type { Queryable } from '../../domain/db/transaction.ts';
import type { AppealState } from './appeal_state.ts';

export interface AppealRow {
  id: string;
  restriction_id: string;
  restriction_set_by: string;
  account_id: string;
  words: string;
  state: AppealState;
  opened_at: Date;
  decided_by: string | null;
  decided_at: Date | null;
  decision_words: string | null;
  version: number;
}

const columns = `id, restriction_id, restriction_set_by, account_id, words, state, opened_at, decided_by, decided_at, decision_words, version`;

/** Null where the restriction was appealed against before, by another request. */
export async function insertAppeal(
  tx: Queryable,
  appeal: Pick<AppealRow, 'id' | 'restriction_id' | 'restriction_set_by' | 'account_id' | 'words' | 'opened_at'> & {
    opened_by: string;
  },
): Promise<AppealRow | null> {
  const { rows } = await tx.query<AppealRow>(
    `insert into appeal as p (id, restriction_id, restriction_set_by, account_id, opened_by, words, opened_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (restriction_id) do update set words = p.words where p.id = excluded.id returning ${columns}`,
    [
      ...[appeal.id, appeal.restriction_id, appeal.restriction_set_by, appeal.account_id, appeal.opened_by],
      ...[appeal.words, appeal.opened_at],
    ],
  );
  return rows[0] ?? null;
}

/** Locked for a change, where `lock` says so. */
export async function readAppeal(db: Queryable, id: string, lock = false): Promise<AppealRow | null> {
  const { rows } = await db.query<AppealRow>(
    `select ${columns} from appeal where id = $1 ${lock ? 'for no key update' : ''}`,
    [id],
  );
  return rows[0] ?? null;
}

export interface AppealQuery {
  account_id: string | null;
  state: AppealState | null;
  after: { opened_at: string; id: string } | null;
  limit: number;
}

/** The oldest first, as they wait. */
export async function listAppeals(db: Queryable, query: AppealQuery): Promise<AppealRow[]> {
  const { account_id, state, after, limit } = query;
  const { rows } = await db.query<AppealRow>(
    `select ${columns} from appeal
      where ($1::uuid is null or account_id = $1) and ($2::text is null or state = $2)
        and ($3::timestamptz is null or (opened_at, id) > ($3, $4::uuid))
      order by opened_at, id limit $5`,
    [account_id, state, after?.opened_at ?? null, after?.id ?? null, limit],
  );
  return rows;
}

export async function decideAppeal(
  tx: Queryable,
  id: string,
  decision: { state: AppealState; decided_by: string; decision_words: string; now: Date },
): Promise<AppealRow> {
  const { rows } = await tx.query<AppealRow>(
    `update appeal set state = $2, decided_by = $3, decision_words = $4, decided_at = $5, version = version + 1
      where id = $1 and state = 'open' returning ${columns}`,
    [id, decision.state, decision.decided_by, decision.decision_words, decision.now],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('An appeal that was locked open is not.');
  return row;
}
