import pg from 'pg';
import type { Transaction } from '../../domain/db/transaction.ts';
import { Problem } from '../http/problem.ts';

/** What is made and edited at the desk: tables whose rows have a version and name the request that made them, and their keys. */
interface Keys {
  carrier: number;
  trunk: string;
  carrier_bind: string;
  content_rule: number;
}
export type StoredTable = keyof Keys;

/** By names that stand in the code. What is left out, or undefined, stays as it is, or is what the table says. */
export type Columns = Readonly<Record<string, unknown>>;

/** Written and never told, not to the log of who did what either; of a certificate it is enough that it changed. */
const UNTOLD = new Set(['auth_secret', 'password', 'outbind_password', 'tls_authorities']);

const given = (columns: Columns): [string, unknown][] =>
  Object.entries(columns).filter(([, value]) => value !== undefined);

/** What the log may tell of them. */
export const toldOf = (columns: Columns): Columns =>
  Object.fromEntries(given(columns).filter(([column]) => !UNTOLD.has(column)));

/** Null where another row stands in its way; `is_new` is false where this very request made it before. */
export async function insertRow<Table extends StoredTable>(
  tx: Transaction,
  { table, columns, operation_id }: { table: Table; columns: Columns; operation_id: string },
): Promise<{ id: Keys[Table]; is_new: boolean } | null> {
  const entries = given({ ...columns, operation_id });
  const places = entries.map((_, at) => `$${at + 1}`);
  const { rows } = await tx.query<{ id: Keys[Table] }>(
    `insert into ${table} (${entries.map(([column]) => column).join(', ')}) values (${places.join(', ')})
     on conflict do nothing returning id`,
    entries.map(([, value]) => value),
  );
  const [made] = rows;
  if (made !== undefined) return { id: made.id, is_new: true };
  const before = await tx.query<{ id: Keys[Table] }>(`select id from ${table} where operation_id = $1`, [operation_id]);
  const [row] = before.rows;
  return row === undefined ? null : { id: row.id, is_new: false };
}

/** Nobody else changes it until the transaction ends. Tells those of the columns that may be told. */
export async function lockRowAt(
  tx: Transaction,
  {
    table,
    id,
    version,
    columns,
  }: { table: StoredTable; id: string | number; version: number | null; columns: Columns },
): Promise<Columns> {
  const told = Object.keys(toldOf(columns));
  const { rows } = await tx.query<Record<string, unknown>>(
    `select ${['version', ...told].join(', ')} from ${table} where id = $1 for no key update`,
    [id],
  );
  const [row] = rows;
  if (row === undefined) throw new Problem('not_found');
  const { version: known, ...before } = row;
  if (known !== version) throw new Problem('version_conflict', 'Somebody else has changed it. Read it again.');
  return before;
}

/** Of a row that is locked. Tells its next version. */
export async function updateRow(
  tx: Transaction,
  { table, id, columns }: { table: StoredTable; id: string | number; columns: Columns },
): Promise<number> {
  const entries = given(columns);
  const set = [...entries.map(([column], at) => `${column} = $${at + 2}`), 'version = version + 1'];
  const { rows } = await tx.query<{ version: number }>(
    `update ${table} set ${set.join(', ')} where id = $1 returning version`,
    [id, ...entries.map(([, value]) => value)],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`A row of ${table} that was locked is gone.`);
  return row.version;
}

/** What was given to change; nothing at all is a slip of the pen. */
export function changedNames(body: Columns): string[] {
  const names = given(body).map(([name]) => name);
  if (names.length === 0) throw new Problem('invalid', 'Say at least one thing that is to change.');
  return names;
}

/** Says in words that a name is taken, where the database says so. */
export async function unlessTaken<T>(work: Promise<T>, words: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const unique_violation = '23505';
    if (error instanceof pg.DatabaseError && error.code === unique_violation) throw new Problem('conflict', words);
    throw error;
  }
}
