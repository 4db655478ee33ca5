import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { country, instant, instantOut, line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import type { AdminRole } from '../identity/identity.ts';
import { needsShape } from './answers.ts';
import { partyOf } from './case_rows.ts';
import { NUMBER_TYPES, PARTIES, TYPE_OF_DOCUMENT, WORDS_OF_CLAIM } from './document_types.ts';
import type { KycParts } from './kyc_parts.ts';
import { requirementRule, requirementRules } from './requirement_rule.ts';
import * as sets from './requirement_sets.ts';
import { adminOf } from '../identity/whose.ts';

/** What documents are asked for: told to everybody, and decided by admins in versions. */
export const requirementRoutes = (parts: KycParts): Route[] => [
  readRequirement(parts),
  listSets(parts),
  readSet(parts),
  makeDraft(parts),
  editDraft(parts),
  publishDraft(parts),
  dropDraft(parts),
];

export const KYC_ADMINS: readonly AdminRole[] = ['kyc', 'owner'];

function readRequirement({ pool }: KycParts): Route {
  return route(
    {
      method: 'get',
      path: '/v1/requirements',
      operation_id: 'read_requirement',
      summary: 'Which documents a number needs, and why.',
      tag: 'kyc',
      policy: { anyone: true },
      query: z.object({ country, number_type: z.enum(NUMBER_TYPES), party: z.enum(PARTIES).optional() }),
      answers: { 200: { description: 'Nothing in the lists: none.', json: needsShape } },
    },
    async ({ query, identity, now }) => {
      const own = identity.kind === 'customer' ? await partyOf(pool, identity.account_id) : 'person';
      const asked = { country: query.country, number_type: query.number_type, party: query.party ?? own };
      const { number, in_force_at, rule } = await sets.requirementInForce(pool, { ...asked, now });
      const documents = rule.documents.map(({ any_of, why }) => ({
        any_of: any_of.map((type) => ({ type, words: TYPE_OF_DOCUMENT[type].words })),
        why,
      }));
      const claims = rule.claims.map(({ claim, why }) => ({ claim, words: WORDS_OF_CLAIM[claim], why }));
      return { status: 200, body: { ...asked, set_number: number, in_force_at, documents, claims } };
    },
  );
}

const setShape = z
  .object({
    set_id: uuid,
    number: z.int(),
    state: z.enum(['draft', 'published']),
    note: z.string(),
    made_by: uuid.nullable(),
    made_at: instantOut,
    in_force_at: instantOut.nullable(),
    published_by: uuid.nullable(),
    published_at: instantOut.nullable(),
    version: z.int(),
  })
  .meta({ id: 'RequirementSet' });

const fullSetShape = setShape.extend({ rules: z.array(requirementRule) }).meta({ id: 'RequirementSetWithRules' });
const setParams = z.object({ set_id: uuid });

const setAnswer = ({ id, ...set }: sets.RequirementSet): z.input<typeof setShape> => ({ set_id: id, ...set });

function listSets({ pool }: KycParts): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/requirements',
      operation_id: 'list_requirement_sets',
      summary: 'All versions of what is asked for, the newest first.',
      tag: 'kyc admin',
      policy: { admin: KYC_ADMINS },
      query: pageQuery,
      answers: { 200: { description: 'Without their rules.', json: pageOf(setShape) } },
    },
    async ({ query }) => {
      const after = decodeCursor(query.cursor, z.tuple([z.int()]));
      const rows = await sets.listSets(pool, after?.[0] ?? null, query.limit + 1);
      return { status: 200, body: page(rows, query.limit, { key: (row) => [row.number], item: setAnswer }) };
    },
  );
}

type FullSet = sets.RequirementSet & { rules: z.output<typeof requirementRule>[] };

const replyOf = (set: FullSet): { body: z.input<typeof fullSetShape>; version: number } => ({
  body: { ...setAnswer(set), rules: set.rules },
  version: set.version,
});

function readSet({ pool }: KycParts): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/requirements/{set_id}',
      operation_id: 'read_requirement_set',
      summary: 'One version with its rules.',
      tag: 'kyc admin',
      policy: { admin: KYC_ADMINS },
      params: setParams,
      answers: { 200: { description: 'The version.', json: fullSetShape } },
    },
    async ({ params }) => {
      const set = await sets.readSet(pool, params.set_id);
      if (set === null) throw new Problem('not_found');
      return { status: 200, ...replyOf(set) };
    },
  );
}

function makeDraft({ pool }: KycParts): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/requirements',
      operation_id: 'make_requirement_draft',
      summary: 'Begin a new version as a copy of what is in force.',
      tag: 'kyc admin',
      policy: { admin: KYC_ADMINS },
      body: z.object({ note: line(500) }).strict(),
      idempotent: true,
      answers: { 201: { description: 'The draft.', json: fullSetShape } },
    },
    async ({ identity, body, operation_id: id, now }) => {
      const made_by = adminOf(identity).user_id;
      const set = await inTransaction(pool, async (tx) => {
        if (await sets.insertDraft(tx, { id, note: body.note, made_by, made_at: now })) {
          const in_force = await sets.setInForce(tx, now);
          if (in_force !== null) await sets.copyRules(tx, in_force, id);
          await auditSet(tx, { id, admin_id: made_by, now }, 'draft');
        }
        return presentSet(await sets.readSet(tx, id));
      });
      return { status: 201, ...replyOf(set) };
    },
  );
}

function editDraft({ pool }: KycParts): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/requirements/{set_id}',
      operation_id: 'edit_requirement_draft',
      summary: 'Put other rules in a draft.',
      tag: 'kyc admin',
      policy: { admin: KYC_ADMINS },
      params: setParams,
      body: z.object({ note: line(500), rules: requirementRules }).strict(),
      versioned: true,
      answers: { 200: { description: 'The draft.', json: fullSetShape } },
      problems: ['too_late'],
    },
    async ({ identity, params, body, version, now }) => {
      const admin_id = adminOf(identity).user_id;
      const set = await inTransaction(pool, async (tx) => {
        await lockDraft(tx, params.set_id, version);
        await sets.replaceRules(tx, params.set_id, body.note, body.rules);
        const edited = presentSet(await sets.readSet(tx, params.set_id));
        await auditSet(tx, { id: params.set_id, admin_id, now }, 'edit', { rules: body.rules.length });
        return edited;
      });
      return { status: 200, ...replyOf(set) };
    },
  );
}

function publishDraft({ pool }: KycParts): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/requirements/{set_id}/publish',
      operation_id: 'publish_requirement_set',
      summary: 'Decide from when a draft is in force. It never changes again.',
      tag: 'kyc admin',
      policy: { admin: KYC_ADMINS, step_up: true },
      params: setParams,
      body: z.object({ in_force_at: instant }).strict(),
      idempotent: true,
      versioned: true,
      answers: { 200: { description: 'The version.', json: fullSetShape } },
      problems: ['too_late', 'conflict'],
    },
    async ({ identity, params, body, version, now }) => {
      const admin_id = adminOf(identity).user_id;
      const in_force_at = new Date(body.in_force_at);
      if (in_force_at < now)
        throw new Problem('invalid', 'What was asked for in the past stays as it was: say a time to come.');
      const set = await inTransaction(pool, async (tx) => {
        const draft = await lockDraft(tx, params.set_id, version);
        if (!requirementRules.safeParse(draft.rules).success) {
          throw new Problem('conflict', 'The draft has no rule for some type of number. Complete it first.');
        }
        const publication = { id: params.set_id, in_force_at, published_by: admin_id, published_at: now };
        if (!(await sets.publishSet(tx, publication))) {
          throw new Problem('conflict', 'Another version comes into force at that very moment. Say another one.');
        }
        const published = presentSet(await sets.readSet(tx, params.set_id));
        await auditSet(tx, { id: params.set_id, admin_id, now }, 'publish', { in_force_at: in_force_at.toISOString() });
        return published;
      });
      return { status: 200, ...replyOf(set) };
    },
  );
}

function dropDraft({ pool }: KycParts): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/admin/requirements/{set_id}',
      operation_id: 'drop_requirement_draft',
      summary: 'Throw a draft away.',
      tag: 'kyc admin',
      policy: { admin: KYC_ADMINS },
      params: setParams,
      versioned: true,
      answers: { 204: { description: 'It is gone.', empty: true } },
      problems: ['too_late'],
    },
    async ({ identity, params, version, now }) => {
      const admin_id = adminOf(identity).user_id;
      await inTransaction(pool, async (tx) => {
        await lockDraft(tx, params.set_id, version);
        await sets.deleteDraft(tx, params.set_id);
        await auditSet(tx, { id: params.set_id, admin_id, now }, 'drop');
      });
      return { status: 204 };
    },
  );
}

/** Throws where there is no such draft, or not as the admin saw it. */
async function lockDraft(tx: Transaction, id: string, version: number | null): Promise<FullSet> {
  const set = await sets.readSet(tx, id, true);
  if (set === null) throw new Problem('not_found');
  if (set.state === 'published') throw new Problem('too_late', 'It is published. Begin a new version instead.');
  if (set.version !== version) throw new Problem('version_conflict', 'Read it again, and change that.');
  return set;
}

function presentSet(set: FullSet | null): FullSet {
  if (set === null) throw new Error('A set of requirements is gone in the middle of its own transaction.');
  return set;
}

function auditSet(
  tx: Transaction,
  { id, admin_id, now }: { id: string; admin_id: string; now: Date },
  what: string,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  return appendAudit(tx, {
    ...{ at: now, actor: { kind: 'admin', id: admin_id }, action: `requirement_set.${what}`, account_id: null },
    ...{ subject: `requirement_set:${id}`, detail },
  });
}
