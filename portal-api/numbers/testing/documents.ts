import { randomUUID } from 'node:crypto';
import type pg from 'pg';

/** Has rules in force by which numbers need no documents, but for those of these countries, which need a passport. */
export async function needDocumentsIn(pool: pg.Pool, countries: readonly string[]): Promise<void> {
  const id = randomUUID();
  await pool.query('insert into document_requirement_set (id, note, made_at) values ($1, $2, now())', [
    id,
    'for a test',
  ]);
  const need = JSON.stringify([{ any_of: ['passport'], why: 'A test asks for it.' }]);
  await pool.query(
    `insert into document_requirement (set_id, country, number_type, party, documents, claims)
     select $1, c, t, p, case when c = '*' then '[]' else $3 end::jsonb, '[]'
       from unnest(array['*'] || $2::text[]) c, unnest(array['geographic', 'mobile', 'toll_free']) t, unnest(array['person', 'business']) p`,
    [id, countries, need],
  );
  await pool.query(
    `update document_requirement_set set state = 'published', published_at = now(),
            in_force_at = (select max(in_force_at) + interval '1 day' from document_requirement_set) where id = $1`,
    [id],
  );
}
