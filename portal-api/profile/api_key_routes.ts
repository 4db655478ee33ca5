import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { instantOut, line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { SCOPES } from '../identity/identity.ts';
import { OWNER } from '../identity/policy.ts';
import { auditOwner } from './member_routes.ts';
import { customerOf } from '../identity/whose.ts';

/** Keys for the customer's programs. */
export function apiKeyRoutes(context: PortalContext): Route[] {
  return [listKeys(context), makeKey(context), revokeKey(context)];
}

const KEYS_MAX = 50;

const keyShape = z.object({
  api_key_id: uuid,
  name: z.string(),
  scopes: z.array(z.string()),
  created_at: instantOut,
  revoked_at: instantOut.nullable(),
});

function listKeys({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/api-keys',
      operation_id: 'list_api_keys',
      summary: 'The account’s API keys, without their secrets.',
      tag: 'api-keys',
      policy: { customer: OWNER },
      answers: { 200: { description: 'The newest first.', json: z.object({ items: z.array(keyShape) }) } },
    },
    async ({ identity }) => {
      const { account_id } = customerOf(identity);
      const { rows } = await pool.query<z.input<typeof keyShape>>(
        `select id as api_key_id, name, scopes, created_at, revoked_at from api_key where account_id = $1
          order by created_at desc, id limit 200`,
        [account_id],
      );
      return { status: 200, body: { items: rows } };
    },
  );
}

/** Not under an idempotency key: what is remembered of answers is no place for a secret. */
function makeKey({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/api-keys',
      operation_id: 'make_api_key',
      summary: 'A key for a program, with what it may do.',
      tag: 'api-keys',
      policy: { customer: OWNER, step_up: true },
      body: z.object({
        name: line(100),
        scopes: z
          .array(z.enum(SCOPES))
          .min(1)
          .max(SCOPES.length)
          .refine((scopes) => new Set(scopes).size === scopes.length, 'has one twice'),
      }),
      answers: {
        201: {
          description: 'The secret is shown this once.',
          json: z.object({ api_key_id: uuid, secret: z.string() }),
        },
      },
      problems: ['conflict'],
    },
    async ({ identity, body, now }) => {
      const customer = customerOf(identity);
      const api_key_id = randomUUID();
      const secret = `ld_${randomBytes(32).toString('base64url')}`;
      await inTransaction(pool, async (tx) => {
        // Two at once take turns, and the second counts the first.
        await tx.query('select 1 from account where id = $1 for no key update', [customer.account_id]);
        const { rows } = await tx.query(
          `insert into api_key (id, account_id, name, secret_sha256, scopes, created_at)
           select $1, $2, $3, $4, $5, $6
            where (select count(*) from api_key where account_id = $2 and revoked_at is null) < $7 returning 1`,
          [
            ...[api_key_id, customer.account_id, body.name, createHash('sha256').update(secret).digest('hex')],
            ...[body.scopes, now, KEYS_MAX],
          ],
        );
        if (rows.length === 0) throw new Problem('conflict', `An account has at most ${KEYS_MAX} keys. Revoke some.`);
        await auditOwner(tx, now, customer, 'api_key.make', `api_key:${api_key_id}`, { scopes: body.scopes });
      });
      return { status: 201, body: { api_key_id, secret } };
    },
  );
}

function revokeKey({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/api-keys/{api_key_id}',
      operation_id: 'revoke_api_key',
      summary: 'It is worth nothing from now on.',
      tag: 'api-keys',
      policy: { customer: OWNER },
      params: z.object({ api_key_id: uuid }),
      answers: { 204: { description: 'Revoked.', empty: true } },
      problems: ['not_found'],
    },
    async ({ identity, params, now }) => {
      const customer = customerOf(identity);
      await inTransaction(pool, async (tx) => {
        const { rows } = await tx.query(
          'update api_key set revoked_at = $3 where id = $1 and account_id = $2 and revoked_at is null returning 1',
          [params.api_key_id, customer.account_id, now],
        );
        if (rows.length === 0) throw new Problem('not_found');
        await auditOwner(tx, now, customer, 'api_key.revoke', `api_key:${params.api_key_id}`);
      });
      return { status: 204 };
    },
  );
}
