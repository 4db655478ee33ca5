import type { Queryable } from '../db/transaction.ts';

/** How many of the texts that a carrier took to a country arrived, as counts that fade. */
export interface TextQuality {
  carrier_id: number;
  /** ISO 3166-1, for the whole of a calling code: US for +1. ZZ: a number of no country. */
  country: string;
  /** From when on nothing has faded yet. */
  faded_at: Date;
  ended: number;
  delivered: number;
}

/** The oldest first, as what fades is added up in the order of time. There is one for each carrier and country, some thousands. */
export async function selectTextQualities(db: Queryable): Promise<TextQuality[]> {
  const { rows } = await db.query<TextQuality>(
    'select carrier_id, country, faded_at, ended, delivered from text_quality order by faded_at',
  );
  return rows;
}

/** Writes them over what stands there. */
export async function saveTextQualities(db: Queryable, qualities: readonly TextQuality[]): Promise<void> {
  const of = <K extends keyof TextQuality>(key: K): TextQuality[K][] => qualities.map((one) => one[key]);
  await db.query({
    name: 'save_text_qualities',
    text: `insert into text_quality (carrier_id, country, faded_at, ended, delivered)
           select * from unnest($1::integer[], $2::text[], $3::timestamptz[], $4::float8[], $5::float8[])
           on conflict (carrier_id, country) do update
              set faded_at = excluded.faded_at, ended = excluded.ended, delivered = excluded.delivered`,
    values: [of('carrier_id'), of('country'), of('faded_at'), of('ended'), of('delivered')],
  });
}
