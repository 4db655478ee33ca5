import type { Queryable } from '../transaction.ts';

/** All that a role may do with what is ours, by whichever way it came to it: granted, as a member, or as everybody may. */
export interface Privileges {
  /** `verb table`, or `verb table: columns` where it is not for all of them. */
  tables: string[];
  functions: string[];
  /** What belongs to a role itself or is for a whole database; each of them is too much. */
  powers: string[];
}

export async function privilegesOf(db: Queryable, role: string): Promise<Privileges> {
  const ask = async (sql: string): Promise<string[]> => {
    const { rows } = await db.query<{ name: string }>(sql, [role]);
    return rows.map(({ name }) => name).sort();
  };
  return { tables: await ask(onTables), functions: await ask(onFunctions), powers: await ask(powers) };
}

const ours = `not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'`;

const onTables = `
with relation as (
  select c.oid, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where n.nspname ${ours} and c.relkind in ('r', 'p', 'v', 'm', 'f')),
whole as (
  select r.oid, r.name, verb from relation r, unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) verb
   where has_table_privilege($1, r.oid, verb))
select format('%s %s', verb, name) as name from whole
union all
select format('%s %s: %s', v.verb, r.name, string_agg(a.attname, ', ' order by a.attname))
  from relation r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped,
       unnest(array['select', 'insert', 'update', 'references']) as v (verb)
 where has_column_privilege($1, r.oid, a.attnum, v.verb) and not exists (select from whole w where w.oid = r.oid and w.verb = v.verb)
 group by r.name, v.verb
union all
select format('%s %s', verb, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace, unnest(array['usage', 'select', 'update']) verb
 where n.nspname ${ours} and c.relkind = 'S' and has_sequence_privilege($1, c.oid, verb)`;

/** With the attributes by which a function has more rights than who calls it. */
const onFunctions = `
select concat_ws(' ', p.proname, case when p.prosecdef then 'as its owner' end, array_to_string(p.proconfig, ' ')) as name
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
 where n.nspname ${ours} and has_function_privilege($1, p.oid, 'execute')`;

const powers = `
select key as name from pg_roles r, jsonb_each_text(to_jsonb(r))
 where r.rolname = $1 and key in ('rolsuper', 'rolcreaterole', 'rolcreatedb', 'rolreplication', 'rolbypassrls') and value = 'true'
union all
select 'member of ' || g.rolname from pg_roles g join pg_auth_members m on m.roleid = g.oid join pg_roles r on r.oid = m.member where r.rolname = $1
union all
select 'creates in schema ' || n.nspname from pg_namespace n where n.nspname ${ours} and has_schema_privilege($1, n.oid, 'create')
union all
select 'creates schemas' where has_database_privilege($1, current_database(), 'create')
union all
select 'owns ' || c.relname from pg_class c join pg_roles r on r.oid = c.relowner where r.rolname = $1`;
