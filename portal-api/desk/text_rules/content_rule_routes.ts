import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Queryable } from '../../../domain/db/transaction.ts';
import type { PortalContext } from '../../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../../http/cursor.ts';
import { country, instantOut, line } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { WHO_EDITS, WHO_LOOKS } from '../operations_policy.ts';
import { insertRow, lockRowAt, unlessTaken, updateRow } from '../stored_row.ts';

const ruleId = z.coerce.number().int().min(1).max(2_147_483_647);
const params = z.object({ rule_id: ruleId });

const kindField = z.enum(['word', 'link', 'sender']);

const fields = {
  /** Of the recipient; null: everywhere. */
  country: country.nullable(),
  /** word: a word, or several in a row; link: a host with all below it, or * for any link; sender: a sender's name or number. */
  kind: kindField,
  /** As it is: nothing in it stands for anything else. Case, look-alikes and what is invisible make no difference. */
  pattern: line(253),
  action: z.enum(['hold', 'refuse']),
  /** The customer reads it where the text is refused, and a person where it is held. */
  reason: line(300),
  enabled: z.boolean(),
};

const NOT_FOUND = {
  path: ['pattern'],
  message: 'can never be found: a word and a sender have a letter or a digit, a link a host or *',
};

const newRule = z
  .strictObject({ ...fields, country: fields.country.default(null), enabled: fields.enabled.default(true) })
  .refine(canBeFound, NOT_FOUND);

/** All of it, so that nothing is switched on because it was left out. */
const ruleEdit = z.strictObject(fields).refine(canBeFound, NOT_FOUND);

const ruleShape = z
  .object({
    rule_id: z.int(),
    ...fields,
    ...{ country: z.string().nullable(), pattern: z.string(), reason: z.string() },
    created_at: instantOut,
    version: z.int(),
  })
  .meta({ id: 'ContentRule' });

type Rule = z.input<typeof ruleShape>;

/** What no text and no sender may be, by country: the gateway holds or refuses it before it is charged. */
export function contentRuleRoutes(context: PortalContext): Route[] {
  return [list(context), read(context), create(context), edit(context), drop(context)];
}

/** A rule that can never be found looks as if it protected somebody. */
function canBeFound({ kind, pattern }: { kind: z.output<typeof kindField>; pattern: string }): boolean {
  if (kind !== 'link') return /[\p{L}\p{N}]/u.test(pattern);
  return pattern === '*' || /^(?:https?:\/\/)?[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+(?:[/?#:]\S*)?$/iu.test(pattern);
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/content-rules',
      operation_id: 'admin_list_content_rules',
      summary: 'What no text and no sender may be.',
      tag: 'admin texts',
      policy: WHO_LOOKS,
      query: pageQuery.extend({ country: country.optional(), kind: kindField.optional() }),
      answers: {
        200: { description: 'The oldest first: where two of an action apply, it decides.', json: pageOf(ruleShape) },
      },
    },
    async ({ query: { cursor, limit, country: to = null, kind = null } }) => {
      const after = decodeCursor(cursor, z.tuple([ruleId]))?.[0] ?? 0;
      const { rows } = await pool.query<Rule>(
        `select ${columns} from content_rule
          where id > $1 and ($2::text is null or country = $2) and ($3::text is null or kind = $3) order by id limit $4`,
        [after, to, kind, limit + 1],
      );
      return { status: 200, body: page(rows, limit, { key: ({ rule_id }) => [rule_id], item: (row) => row }) };
    },
  );
}

function read({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/content-rules/{rule_id}',
      operation_id: 'admin_read_content_rule',
      summary: 'One rule.',
      tag: 'admin texts',
      policy: WHO_LOOKS,
      params,
      answers: { 200: { description: 'The rule, and its ETag.', json: ruleShape } },
    },
    async ({ params: { rule_id } }) => answerOf(await readRule(pool, rule_id)),
  );
}

const TAKEN = 'There is a rule of this kind with this pattern for this country already. Edit that one.';

function create({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/content-rules',
      operation_id: 'admin_create_content_rule',
      summary: 'Hold or refuse texts that say this, link there, or come from such a sender.',
      tag: 'admin texts',
      policy: WHO_EDITS,
      idempotent: true,
      body: newRule,
      answers: {
        201: { description: 'In force for the next text where it is enabled; and its ETag.', json: ruleShape },
      },
      problems: ['conflict'],
    },
    async ({ body, identity, operation_id, now }) => {
      const made = await inTransaction(pool, async (tx) => {
        const row = await insertRow(tx, {
          ...{ table: 'content_rule', operation_id },
          columns: { ...body, created_at: now },
        });
        if (row === null) throw new Problem('conflict', TAKEN);
        const rule = await readRule(tx, row.id);
        if (row.is_new) {
          await appendAudit(tx, {
            ...{ at: now, actor: adminActor(identity), action: 'content_rule.create', account_id: null },
            ...{ subject: `content_rule:${row.id}`, detail: body },
          });
        }
        return rule;
      });
      return { ...answerOf(made), status: 201 };
    },
  );
}

function edit({ pool }: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/content-rules/{rule_id}',
      operation_id: 'admin_edit_content_rule',
      summary: 'Say a rule anew, or switch it on or off.',
      tag: 'admin texts',
      policy: WHO_EDITS,
      params,
      versioned: true,
      body: ruleEdit,
      answers: { 200: { description: 'In force for the next text, and its ETag.', json: ruleShape } },
      problems: ['conflict'],
    },
    async ({ params: { rule_id: id }, body, version, identity, now }) => {
      const edited = inTransaction(pool, async (tx) => {
        const before = await lockRowAt(tx, { table: 'content_rule', id, version, columns: body });
        await updateRow(tx, { table: 'content_rule', id, columns: body });
        const rule = await readRule(tx, id);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'content_rule.edit', account_id: null },
          ...{ subject: `content_rule:${id}`, detail: { before, after: body } },
        });
        return rule;
      });
      return answerOf(await unlessTaken(edited, TAKEN));
    },
  );
}

function drop({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/admin/content-rules/{rule_id}',
      operation_id: 'admin_drop_content_rule',
      summary: 'Take a rule away. Texts that it holds go on waiting for a decision.',
      tag: 'admin texts',
      policy: WHO_EDITS,
      params,
      versioned: true,
      answers: { 204: { description: 'From the next text on.', empty: true } },
    },
    async ({ params: { rule_id: id }, version, identity, now }) => {
      await inTransaction(pool, async (tx) => {
        const before = await lockRowAt(tx, { table: 'content_rule', id, version, columns: fields });
        await tx.query('delete from content_rule where id = $1', [id]);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'content_rule.drop', account_id: null },
          ...{ subject: `content_rule:${id}`, detail: { before } },
        });
      });
      return { status: 204 };
    },
  );
}

const columns = 'id as rule_id, country, kind, pattern, action, reason, enabled, created_at, version';

async function readRule(db: Queryable, rule_id: number): Promise<Rule | null> {
  const { rows } = await db.query<Rule>(`select ${columns} from content_rule where id = $1`, [rule_id]);
  return rows[0] ?? null;
}

function answerOf(rule: Rule | null): { status: 200; body: Rule; version: number } {
  if (rule === null) throw new Problem('not_found');
  return { status: 200, body: rule, version: rule.version };
}
