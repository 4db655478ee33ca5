import { createHash } from 'node:crypto';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { DocumentState } from './document_state.ts';

export const DOCUMENT_KINDS = ['terms', 'privacy', 'payment_policy'] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

export interface DocumentRow {
  id: string;
  kind: DocumentKind;
  version: number;
  locale: string;
  title: string;
  body: string;
  sha256: string;
  change_note: string;
  is_material: boolean;
  state: DocumentState;
  in_force_from: Date | null;
  written_by: string;
  published_by: string | null;
  created_at: Date;
  edit: number;
}

const columns = `id, kind, version, locale, title, body, sha256, change_note, is_material, state, in_force_from, written_by, published_by,
  created_at, edit`;

export const hashOf = (body: string): string => createHash('sha256').update(body).digest('hex');

export async function readDocument(db: Queryable, id: string): Promise<DocumentRow | null> {
  const { rows } = await db.query<DocumentRow>(`select ${columns} from legal_document where id = $1`, [id]);
  return rows[0] ?? null;
}

/** For a change: nobody else changes it until the transaction ends. */
export async function lockDocument(tx: Queryable, id: string): Promise<DocumentRow | null> {
  const { rows } = await tx.query<DocumentRow>(
    `select ${columns} from legal_document where id = $1 for no key update`,
    [id],
  );
  return rows[0] ?? null;
}

/** What holds at that moment, in each language; a text whose time has come counts though nobody has noted it yet. */
export async function documentsInForce(db: Queryable, now: Date): Promise<DocumentRow[]> {
  const { rows } = await db.query<DocumentRow>({
    name: 'legal_documents_in_force',
    text: `select distinct on (kind, locale) ${columns} from legal_document
            where state in ('scheduled', 'in_force') and in_force_from <= $1
            order by kind, locale, version desc`,
    values: [now],
  });
  return rows;
}

/** What was ever published of a kind in a language, and what is to come; the newest first. */
export async function publishedVersions(db: Queryable, kind: DocumentKind, locale: string): Promise<DocumentRow[]> {
  const { rows } = await db.query<DocumentRow>(
    `select ${columns} from legal_document where kind = $1 and locale = $2 and state <> 'draft' order by version desc limit 200`,
    [kind, locale],
  );
  return rows;
}

/** One version, in each language in which it is published. */
export async function versionInEachLanguage(
  db: Queryable,
  kind: DocumentKind,
  version: number,
): Promise<DocumentRow[]> {
  const { rows } = await db.query<DocumentRow>(
    `select ${columns} from legal_document where kind = $1 and version = $2 and state <> 'draft' order by locale`,
    [kind, version],
  );
  return rows;
}

export async function allDocuments(
  db: Queryable,
  after: { created_at: string; id: string } | null,
  limit: number,
): Promise<DocumentRow[]> {
  const { rows } = await db.query<DocumentRow>(
    `select ${columns} from legal_document
      where $1::timestamptz is null or (created_at, id) < ($1, $2::uuid) order by created_at desc, id desc limit $3`,
    [after?.created_at ?? null, after?.id ?? null, limit],
  );
  return rows;
}

export interface NewDocument {
  id: string;
  kind: DocumentKind;
  locale: string;
  title: string;
  body: string;
  change_note: string;
  is_material: boolean;
  /** Of which version this is another language; null: it is a new version. */
  translates_version: number | null;
  written_by: string;
  now: Date;
}

/**
 * A draft. Whoever asks again with the same id finds the one that was made. Null where the version that it translates is not there, or
 * is there in this language. The first version of a kind is always one that has to be agreed to, and a translation asks as much as its
 * original does.
 */
export async function insertDraft(tx: Queryable, document: NewDocument): Promise<DocumentRow | null> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('legal_document'), hashtext($1))`, [document.kind]);
  const made = await readDocument(tx, document.id);
  if (made !== null) return made;
  const { rows } = await tx.query<DocumentRow>(
    `insert into legal_document (id, kind, version, locale, title, body, sha256, change_note, is_material, written_by, created_at)
     select $1::uuid, $2::text, v.version, $3::text, $4::text, $5::text, $6::text, $7::text,
            coalesce(o.is_material, $8::boolean or v.version = 1), $9::text, $10::timestamptz
       from (select coalesce($11::integer, (select coalesce(max(version), 0) + 1 from legal_document where kind = $2)) as version) v
       left join lateral (select is_material from legal_document where kind = $2 and version = v.version limit 1) o on true
      where ($11::integer is null or o.is_material is not null)
        and not exists (select 1 from legal_document where kind = $2 and version = v.version and locale = $3)
     returning ${columns}`,
    [
      ...[document.id, document.kind, document.locale, document.title, document.body, hashOf(document.body)],
      ...[document.change_note, document.is_material, document.written_by, document.now, document.translates_version],
    ],
  );
  return rows[0] ?? null;
}

export async function updateDraft(
  tx: Queryable,
  id: string,
  { title, body, change_note, is_material }: Pick<DocumentRow, 'title' | 'body' | 'change_note' | 'is_material'>,
): Promise<DocumentRow> {
  const { rows } = await tx.query<DocumentRow>(
    `update legal_document set title = $2, body = $3, sha256 = $4, change_note = $5, is_material = $6 or version = 1, edit = edit + 1
      where id = $1 and state = 'draft' returning ${columns}`,
    [id, title, body, hashOf(body), change_note, is_material],
  );
  return sole(rows);
}

export async function scheduleDocument(
  tx: Queryable,
  id: string,
  { in_force_from, published_by }: { in_force_from: Date; published_by: string },
): Promise<DocumentRow> {
  const { rows } = await tx.query<DocumentRow>(
    `update legal_document set state = 'scheduled', in_force_from = $2, published_by = $3, edit = edit + 1
      where id = $1 and state in ('draft', 'scheduled') returning ${columns}`,
    [id, in_force_from, published_by],
  );
  return sole(rows);
}

/** Those whose time has come, locked, the older versions first. */
export async function lockDueDocuments(tx: Queryable, now: Date): Promise<DocumentRow[]> {
  const { rows } = await tx.query<DocumentRow>(
    `select ${columns} from legal_document where state = 'scheduled' and in_force_from <= $1
      order by version for no key update skip locked`,
    [now],
  );
  return rows;
}

/** In force from now on, in the place of the one before it. */
export async function putInForce(tx: Queryable, { id, kind, locale }: DocumentRow): Promise<void> {
  await tx.query(
    `update legal_document set state = 'superseded', edit = edit + 1 where kind = $1 and locale = $2 and state = 'in_force'`,
    [kind, locale],
  );
  await tx.query(`update legal_document set state = 'in_force', edit = edit + 1 where id = $1`, [id]);
}

function sole(rows: readonly DocumentRow[]): DocumentRow {
  const [row] = rows;
  if (row === undefined) throw new Error('A legal document that was locked is gone.');
  return row;
}
