import type { Queryable } from '../../domain/db/transaction.ts';
import type { SpokenFailure } from './spoken_code.ts';

/** A code that nobody else takes any more. */
export interface TakenCode {
  id: string;
  box: Buffer;
  asked_at: Date;
}

/** Takes up to `rows_max` codes, oldest first, and empties their boxes in the same step. */
export async function takeCodes(db: Queryable, switch_id: string, now: Date, rows_max: number): Promise<TakenCode[]> {
  const { rows } = await db.query<TakenCode>(
    `with due as materialized (
       select id, box, asked_at from spoken_code where switch_id = $1 and state = 'asked'
        order by asked_at limit $3 for update skip locked)
     update spoken_code c set state = 'calling', box = null, begun_at = greatest($2, due.asked_at)
       from due where c.id = due.id
     returning c.id, due.box, due.asked_at`,
    [switch_id, now, rows_max],
  );
  return rows;
}

export async function noteCall(db: Queryable, id: string, call_id: string): Promise<void> {
  await db.query(`update spoken_code set call_id = $2 where id = $1 and state = 'calling'`, [id, call_id]);
}

export async function noteSpoken(db: Queryable, id: string, now: Date): Promise<void> {
  await db.query(`update spoken_code set state = 'spoken', ended_at = $2 where id = $1 and state = 'calling'`, [
    id,
    now,
  ]);
}

export async function noteFailed(db: Queryable, id: string, failure: SpokenFailure, now: Date): Promise<void> {
  await db.query(
    `update spoken_code set state = 'failed', failure = $2, ended_at = $3 where id = $1 and state = 'calling'`,
    [id, failure, now],
  );
}

/** Whatever a controller before us was calling when it ended: nobody is called again. Says how many those were. */
export async function interruptCalling(db: Queryable, switch_id: string, now: Date): Promise<number> {
  const { rowCount } = await db.query(
    `update spoken_code set state = 'failed', failure = 'interrupted', ended_at = $2
      where switch_id = $1 and state = 'calling'`,
    [switch_id, now],
  );
  return rowCount ?? 0;
}

/** Says that codes can be spoken here, and how they are sealed for us. */
export async function showSpeaker(db: Queryable, switch_id: string, public_key: Buffer, now: Date): Promise<void> {
  await db.query(
    `insert into speaker (switch_id, public_key, alive_at) values ($1, $2, $3)
     on conflict (switch_id) do update set public_key = excluded.public_key, alive_at = excluded.alive_at`,
    [switch_id, public_key, now],
  );
}
