import type { Queryable } from '../../domain/db/transaction.ts';
import type { NumberType, Party } from './document_types.ts';
import type { RequirementRule } from './requirement_rule.ts';

export interface RequirementSet {
  id: string;
  number: number;
  state: 'draft' | 'published';
  note: string;
  made_by: string | null;
  made_at: Date;
  in_force_at: Date | null;
  published_by: string | null;
  published_at: Date | null;
  version: number;
}

const SET_COLUMNS = 'id, number, state, note, made_by, made_at, in_force_at, published_by, published_at, version';

export interface WhatIsAsked {
  country: string;
  number_type: NumberType;
  party: Party;
  now: Date;
}

/** What is asked for now. Throws where no version has a rule, which publishing one makes sure of. */
export async function requirementInForce(
  db: Queryable,
  { country, number_type, party, now }: WhatIsAsked,
): Promise<{ number: number; in_force_at: Date; rule: RequirementRule }> {
  const { rows } = await db.query<RequirementRule & { number: number; in_force_at: Date }>({
    name: 'requirement_in_force',
    text: `select s.number, s.in_force_at, r.country, r.number_type, r.party, r.documents, r.claims, r.auto_approval
             from (select id, number, in_force_at from document_requirement_set
                    where state = 'published' and in_force_at <= $4 order by in_force_at desc limit 1) s
             join document_requirement r on r.set_id = s.id
            where r.country in ($1, '*') and r.number_type = $2 and r.party = $3
            order by r.country = '*' limit 1`,
    values: [country, number_type, party, now],
  });
  const row = rows[0];
  if (row === undefined) throw new Error(`No rule says what a ${number_type} number of ${country} asks for.`);
  const { number, in_force_at, ...rule } = row;
  return { number, in_force_at, rule };
}

export async function listSets(db: Queryable, before: number | null, limit: number): Promise<RequirementSet[]> {
  const { rows } = await db.query<RequirementSet>(
    `select ${SET_COLUMNS} from document_requirement_set where number < coalesce($1, 2147483647) order by number desc limit $2`,
    [before, limit],
  );
  return rows;
}

export async function readSet(
  db: Queryable,
  id: string,
  lock = false,
): Promise<(RequirementSet & { rules: RequirementRule[] }) | null> {
  const { rows } = await db.query<RequirementSet>(
    `select ${SET_COLUMNS} from document_requirement_set where id = $1${lock ? ' for update' : ''}`,
    [id],
  );
  const set = rows[0];
  if (set === undefined) return null;
  const rules = await db.query<RequirementRule>(
    `select country, number_type, party, documents, claims, auto_approval from document_requirement
      where set_id = $1 order by country, number_type, party`,
    [id],
  );
  return { ...set, rules: rules.rows };
}

/** The id of the set that is in force at that moment. */
export async function setInForce(db: Queryable, now: Date): Promise<string | null> {
  const { rows } = await db.query<{ id: string }>(
    `select id from document_requirement_set where state = 'published' and in_force_at <= $1 order by in_force_at desc limit 1`,
    [now],
  );
  return rows[0]?.id ?? null;
}

/** False where a draft of that id was made before. */
export async function insertDraft(
  db: Queryable,
  draft: { id: string; note: string; made_by: string; made_at: Date },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into document_requirement_set (id, note, made_by, made_at) values ($1, $2, $3, $4) on conflict (id) do nothing`,
    [draft.id, draft.note, draft.made_by, draft.made_at],
  );
  return rowCount === 1;
}

export async function copyRules(db: Queryable, from_id: string, to_id: string): Promise<void> {
  await db.query(
    `insert into document_requirement (set_id, country, number_type, party, documents, claims, auto_approval)
     select $2, country, number_type, party, documents, claims, auto_approval from document_requirement where set_id = $1`,
    [from_id, to_id],
  );
}

/** Puts these rules and that note in place of what a draft had. */
export async function replaceRules(
  db: Queryable,
  id: string,
  note: string,
  rules: readonly RequirementRule[],
): Promise<void> {
  await db.query('delete from document_requirement where set_id = $1', [id]);
  await db.query(
    `insert into document_requirement (set_id, country, number_type, party, documents, claims, auto_approval)
     select $1, r.country, r.number_type, r.party, r.documents, r.claims, r.auto_approval
       from jsonb_to_recordset($2) as r(country text, number_type text, party text, documents jsonb, claims jsonb, auto_approval boolean)`,
    [id, JSON.stringify(rules)],
  );
  await db.query('update document_requirement_set set note = $2, version = version + 1 where id = $1', [id, note]);
}

/** False where another set comes into force at that very moment. */
export async function publishSet(
  db: Queryable,
  set: { id: string; in_force_at: Date; published_by: string; published_at: Date },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update document_requirement_set
        set state = 'published', in_force_at = $2, published_by = $3, published_at = $4, version = version + 1
      where id = $1 and state = 'draft' and not exists (
        select 1 from document_requirement_set other where other.state = 'published' and other.in_force_at = $2)`,
    [set.id, set.in_force_at, set.published_by, set.published_at],
  );
  return rowCount === 1;
}

export async function deleteDraft(db: Queryable, id: string): Promise<void> {
  await db.query(`delete from document_requirement_set where id = $1 and state = 'draft'`, [id]);
}
