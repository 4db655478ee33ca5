import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { country } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { NUMBER_TYPES } from '../offers/offer_rows.ts';
import { PROVIDER_FIELDS } from '../provider/submissions.ts';
import { NUMBERS_READ, NUMBERS_WRITE, providerCode } from './inventory_routes.ts';

export function providerRoutes(desk: NumbersDesk): Route[] {
  return [listRoute(desk), switchRoute(desk), ruleRoute(desk)];
}

const ruleShape = z.object({
  country,
  number_type: z.enum(NUMBER_TYPES),
  /** What the provider is told of the holder, and nothing else. */
  fields: z.array(z.enum(PROVIDER_FIELDS)),
  /** Whether a transfer waits until the provider has agreed to the new holder, or it is told of him afterwards. */
  on_transfer: z.enum(['told', 'asked']),
});

const providerShape = z
  .object({
    code: z.string(),
    name: z.string(),
    enabled: z.boolean(),
    /** Whether this process knows how to reach it. */
    is_set_up: z.boolean(),
    version: z.int(),
    rules: z.array(ruleShape),
  })
  .meta({ id: 'NumberProvider' });

interface ProviderRow {
  code: string;
  name: string;
  enabled: boolean;
  version: number;
  rules: z.input<typeof ruleShape>[];
}

const providers = `
select p.code, p.name, p.enabled, p.version,
       coalesce((select jsonb_agg(jsonb_build_object('country', r.country, 'number_type', r.number_type, 'fields', r.fields, 'on_transfer', r.on_transfer)
                                  order by r.country, r.number_type) from provider_rule r where r.provider = p.code), '[]') as rules
  from number_provider p`;

function listRoute({ pool, providers: set_up }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/number-providers',
      operation_id: 'list_number_providers',
      summary: 'Who supplies numbers, and what each is told of holders.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_READ },
      answers: { 200: { description: 'By their codes.', json: z.object({ items: z.array(providerShape) }) } },
    },
    async () => {
      const { rows } = await pool.query<ProviderRow>(`${providers} order by p.code`);
      return { status: 200, body: { items: rows.map((row) => ({ ...row, is_set_up: set_up.has(row.code) })) } };
    },
  );
}

function switchRoute({ pool, providers: set_up }: NumbersDesk): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/number-providers/{code}',
      operation_id: 'switch_number_provider',
      summary: 'Sell the numbers of a provider, or none of them.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE },
      versioned: true,
      params: z.object({ code: providerCode }),
      body: z.object({ enabled: z.boolean() }),
      answers: { 200: { description: 'From the next search on.', json: providerShape } },
    },
    async ({ params: { code }, body, identity, version, now }) => {
      const row = await inTransaction(pool, async (tx) => {
        const known = await tx.query('select from number_provider where code = $1', [code]);
        if (known.rows.length === 0) throw new Problem('not_found');
        const { rowCount } = await tx.query(
          'update number_provider set enabled = $2, version = version + 1 where code = $1 and version = $3',
          [code, body.enabled, version],
        );
        if (rowCount === 0) throw new Problem('version_conflict', 'Read it again, and decide on what it is now.');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'number_provider.switch', account_id: null },
          ...{ subject: `number_provider:${code}`, detail: { enabled: body.enabled } },
        });
        return (await tx.query<ProviderRow>(`${providers} where p.code = $1`, [code])).rows[0];
      });
      if (row === undefined) throw new Problem('not_found');
      return { status: 200, body: { ...row, is_set_up: set_up.has(code) }, version: row.version };
    },
  );
}

function ruleRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/number-providers/{code}/rules',
      operation_id: 'set_provider_rule',
      summary: 'Set which fields of its holder a provider has to be given for a kind of number; none: nothing.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE },
      idempotent: true,
      params: z.object({ code: providerCode }),
      body: ruleShape.extend({ on_transfer: z.enum(['told', 'asked']).default('told') }),
      answers: { 200: { description: 'The rule, for orders from now on.', json: ruleShape } },
    },
    async ({ params: { code }, body, identity, now }) => {
      const fields = [...new Set(body.fields)].sort();
      await inTransaction(pool, async (tx) => {
        const known = await tx.query('select from number_provider where code = $1', [code]);
        if (known.rows.length === 0) throw new Problem('not_found');
        const pair = [code, body.country, body.number_type];
        await tx.query('delete from provider_rule where provider = $1 and country = $2 and number_type = $3', pair);
        if (fields.length > 0) {
          await tx.query(
            `insert into provider_rule (provider, country, number_type, fields, on_transfer) values ($1, $2, $3, $4, $5)
             on conflict do nothing`,
            [...pair, fields, body.on_transfer],
          );
        }
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'provider_rule.set', account_id: null },
          ...{
            subject: `number_provider:${code}`,
            detail: { ...body, fields },
          },
        });
      });
      return { status: 200, body: { ...body, fields } };
    },
  );
}
