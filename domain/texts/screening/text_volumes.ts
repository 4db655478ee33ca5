import type { Queryable } from '../../db/transaction.ts';

/** How many texts an account sends, as counts that fade. */
export interface TextVolume {
  account_id: string;
  /** From when on nothing has faded yet. */
  stepped_at: Date;
  /** Texts that count still. */
  lately: number;
  /** `lately` of each step so far, as far as it counts still. */
  usual_sum: number;
  /** How much the steps count together, so that `usual_sum` by this is what is usual. */
  usual_weight: number;
}

/** Those that sent something since then, by their id, a page at a time. @param after null for the first page. */
export async function selectTextVolumes(
  db: Queryable,
  since: Date,
  after: string | null,
  rows_max: number,
): Promise<TextVolume[]> {
  const { rows } = await db.query<TextVolume>({
    name: 'text_volumes',
    text: `select account_id, stepped_at, lately, usual_sum, usual_weight from text_volume
            where stepped_at >= $1 and ($2::uuid is null or account_id > $2) order by account_id limit $3`,
    values: [since, after, rows_max],
  });
  return rows;
}

/** Writes them over what stands there: who takes texts in is one at a time. */
export async function saveTextVolumes(db: Queryable, volumes: readonly TextVolume[]): Promise<void> {
  const of = <K extends keyof TextVolume>(key: K): TextVolume[K][] => volumes.map((one) => one[key]);
  await db.query({
    name: 'save_text_volumes',
    text: `insert into text_volume (account_id, stepped_at, lately, usual_sum, usual_weight)
           select * from unnest($1::uuid[], $2::timestamptz[], $3::float8[], $4::float8[], $5::float8[])
           on conflict (account_id) do update
              set stepped_at = excluded.stepped_at, lately = excluded.lately,
                  usual_sum = excluded.usual_sum, usual_weight = excluded.usual_weight`,
    values: [of('account_id'), of('stepped_at'), of('lately'), of('usual_sum'), of('usual_weight')],
  });
}

/** Of accounts that have sent nothing since then, what they used to send is no longer known. */
export async function forgetTextVolumes(db: Queryable, before: Date): Promise<void> {
  await db.query('delete from text_volume where stepped_at < $1', [before]);
}
