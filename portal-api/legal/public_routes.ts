import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { instantOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER, OWNER } from '../identity/policy.ts';
import { customerOf } from '../identity/whose.ts';
import { DOCUMENT_KINDS, documentsInForce, publishedVersions, readDocument } from './document_rows.ts';
import type { DocumentRow } from './document_rows.ts';
import { inLanguage } from './in_language.ts';
import { recordAcceptances, termsAccepted } from './terms_in_force.ts';

export const kindField = z.enum(DOCUMENT_KINDS);
export const localeField = z.string().regex(/^[a-z]{2}(-[A-Z]{2})?$/u);
const localeQuery = z.object({ locale: localeField.default('en') });

export const listedDocument = z
  .object({
    document_id: uuid,
    kind: kindField,
    version: z.int(),
    locale: z.string(),
    title: z.string(),
    sha256: z.string(),
    /** What is different from the version before. */
    change_note: z.string(),
    /** Whether whoever agreed to the version before has to agree again. */
    is_material: z.boolean(),
    state: z.enum(['draft', 'scheduled', 'in_force', 'superseded']),
    in_force_from: instantOut.nullable(),
  })
  .meta({ id: 'LegalDocument' });

export const wholeDocument = listedDocument
  .extend({ body: z.string(), previous_document_id: uuid.nullable() })
  .meta({ id: 'WholeLegalDocument' });

export function listedOf(row: DocumentRow): z.input<typeof listedDocument> {
  const { id, kind, version, locale, title, sha256, change_note, is_material, state, in_force_from } = row;
  return { document_id: id, kind, version, locale, title, sha256, change_note, is_material, state, in_force_from };
}

export async function wholeOf(db: Queryable, row: DocumentRow): Promise<z.input<typeof wholeDocument>> {
  const versions = await publishedVersions(db, row.kind, row.locale);
  const previous = versions.find(({ version }) => version < row.version);
  return { ...listedOf(row), body: row.body, previous_document_id: previous?.id ?? null };
}

export function publicRoutes(context: PortalContext): Route[] {
  return [
    // What has a name of its own comes before what any kind could stand for.
    ...[listInForce(context), listAcceptances(context), accept(context)],
    ...[readVersion(context), readHistory(context), readInForce(context)],
  ];
}

function listInForce({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/legal',
      operation_id: 'list_legal_documents',
      summary: 'What is agreed on here and in force now.',
      tag: 'legal',
      policy: { anyone: true },
      query: localeQuery,
      answers: {
        200: {
          description: 'One of each kind; in English where the language asked for is missing.',
          json: z.object({ items: z.array(listedDocument) }),
        },
      },
    },
    async ({ query, now }) => {
      const in_force = await documentsInForce(pool, now);
      const chosen = DOCUMENT_KINDS.flatMap((kind) => choose(in_force, kind, query.locale) ?? []);
      return { status: 200, body: { items: chosen.map(listedOf) } };
    },
  );
}

function readInForce({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/legal/{kind}',
      operation_id: 'read_legal_document',
      summary: 'The text in force, in Markdown.',
      tag: 'legal',
      policy: { anyone: true },
      params: z.object({ kind: kindField }),
      query: localeQuery,
      answers: { 200: { description: 'The text.', json: wholeDocument } },
    },
    async ({ params, query, now }) => {
      const found = choose(await documentsInForce(pool, now), params.kind, query.locale);
      if (found === null) throw new Problem('not_found', 'Nothing of this kind is in force.');
      return { status: 200, body: await wholeOf(pool, found) };
    },
  );
}

function readHistory({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/legal/{kind}/history',
      operation_id: 'list_legal_versions',
      summary: 'Every version, what each changed, and what is to come.',
      tag: 'legal',
      policy: { anyone: true },
      params: z.object({ kind: kindField }),
      query: localeQuery,
      answers: { 200: { description: 'The newest first.', json: z.object({ items: z.array(listedDocument) }) } },
    },
    async ({ params, query }) => {
      const versions = await publishedVersions(pool, params.kind, query.locale);
      return { status: 200, body: { items: versions.map(listedOf) } };
    },
  );
}

function readVersion({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/legal/documents/{document_id}',
      operation_id: 'read_legal_version',
      summary: 'One version, also one that is no longer or not yet in force.',
      tag: 'legal',
      policy: { anyone: true },
      params: z.object({ document_id: uuid }),
      answers: { 200: { description: 'The text.', json: wholeDocument } },
    },
    async ({ params }) => {
      const row = await readDocument(pool, params.document_id);
      if (row === null || row.state === 'draft') throw new Problem('not_found');
      return { status: 200, body: await wholeOf(pool, row) };
    },
  );
}

function accept({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/legal/acceptances',
      operation_id: 'accept_legal_documents',
      summary: 'Agree to versions, for the account.',
      tag: 'legal',
      policy: { customer: OWNER },
      idempotent: true,
      body: z.object({ document_ids: z.array(uuid).min(1).max(10) }),
      answers: {
        200: {
          description: 'Agreed. Whether everything that has to be agreed to now is.',
          json: z.object({ terms_accepted: z.boolean() }),
        },
      },
      problems: ['conflict'],
    },
    async ({ identity, body, address, now }) => {
      const { user_id, account_id } = customerOf(identity);
      const terms_accepted = await inTransaction(pool, async (tx) => {
        for (const id of body.document_ids) {
          const row = await readDocument(tx, id);
          if (row === null || row.state === 'draft') throw new Problem('not_found', 'There is no such version.');
          if (row.state === 'superseded') {
            throw new Problem('conflict', 'A newer version is in force. Read that one and agree to it.');
          }
        }
        await recordAcceptances(tx, { user_id, account_id, document_ids: body.document_ids, at: now, address });
        return termsAccepted(tx, account_id, now);
      });
      return { status: 200, body: { terms_accepted } };
    },
  );
}

const acceptanceItem = z.object({ document: listedDocument, accepted_at: instantOut, by_user_id: uuid });

function listAcceptances({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/legal/acceptances',
      operation_id: 'list_acceptances',
      summary: 'What was agreed to for the account.',
      tag: 'legal',
      policy: { customer: EVERY_CUSTOMER },
      answers: {
        200: {
          description: 'The newest first, and whether anything has to be agreed to now.',
          json: z.object({ terms_accepted: z.boolean(), items: z.array(acceptanceItem) }),
        },
      },
    },
    async ({ identity, now }) => {
      const { account_id } = customerOf(identity);
      const { rows } = await pool.query<DocumentRow & { accepted_at: Date; by_user_id: string }>(
        `select d.*, a.at as accepted_at, a.user_id as by_user_id from acceptance a join legal_document d on d.id = a.document_id
          where a.account_id = $1 order by a.at desc, d.id limit 500`,
        [account_id],
      );
      const items = rows.map((row) => ({
        document: listedOf(row),
        accepted_at: row.accepted_at,
        by_user_id: row.by_user_id,
      }));
      return { status: 200, body: { terms_accepted: await termsAccepted(pool, account_id, now), items } };
    },
  );
}

function choose(in_force: readonly DocumentRow[], kind: DocumentRow['kind'], locale: string): DocumentRow | null {
  return inLanguage(
    in_force.filter((row) => row.kind === kind),
    locale,
  );
}
