import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { instantOut, line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { SCOPES } from '../identity/identity.ts';
import { OWNER } from '../identity/policy.ts';
import { auditOwner } from './member_routes.ts';
import { customerOf } from '../identity/whose.ts';
import { queueNotice } from '../notices/queue_notice.ts';

/** Keys for the customer's programs. */
export function apiKeyRoutes(context: PortalContext): Route[] {
  return [listKeys(context), makeKey(context), revokeKey(context)];
}

const KEYS_MAX = 50;

export const keyShape = z.object({
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
      return { status: 200, body: { items: await selectKeys(pool, account_id) } };
    },
  );
}

export async function selectKeys(db: Queryable, account_id: string): Promise<z.input<typeof keyShape>[]> {
  const { rows } = await db.query<z.input<typeof keyShape>>(
    `select id as api_key_id, name, scopes, created_at, revoked_at from api_key where account_id = $1
      order by created_at desc, id limit 200`,
    [account_id],
  );
  return rows;
}

/** The owners are told by mail: a key lets in whoever has it, also after everybody was signed out. */
function makeKey({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/api-keys',
      operation_id: 'make_api_key',
      summary: 'A key for a program, with what it may do.',
      tag: 'api-keys',
      policy: { customer: OWNER, step_up: true },
      idempotent: true,
      secret_answer: { found_at: '/v1/api-keys', new_secret_at: null },
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
    async ({ identity, body, now, address, operation_id: api_key_id }) => {
      const customer = customerOf(identity);
      const secret = `ld_${randomBytes(32).toString('base64url')}`;
      await inTransaction(pool, async (tx) => {
        await insertKey(tx, now, { api_key_id, account_id: customer.account_id, secret, ...body });
        const facts = { changed: 'an API key', how: 'added', at: now.toISOString(), address };
        await queueNotice(tx, { to: { account_id: customer.account_id }, template: 'credential_changed', facts });
        await auditOwner(tx, now, customer, 'api_key.make', `api_key:${api_key_id}`, { scopes: body.scopes });
      });
      return { status: 201, body: { api_key_id, secret } };
    },
  );
}

interface NewKey {
  api_key_id: string;
  account_id: string;
  name: string;
  secret: string;
  scopes: readonly string[];
}

async function insertKey(
  tx: Transaction,
  now: Date,
  { api_key_id, account_id, name, secret, scopes }: NewKey,
): Promise<void> {
  // Two at once take turns, and the second counts the first.
  await tx.query('select 1 from account where id = $1 for no key update', [account_id]);
  const before = await tx.query('select 1 from api_key where id = $1', [api_key_id]);
  if (before.rows.length > 0) {
    throw new Problem(
      'conflict',
      'It was made by this request before, and its secret was lost with the answer. Revoke it and make another one.',
    );
  }
  const { rows } = await tx.query(
    `insert into api_key (id, account_id, name, secret_sha256, scopes, created_at)
     select $1, $2, $3, $4, $5, $6
      where (select count(*) from api_key where account_id = $2 and revoked_at is null) < $7 returning 1`,
    [api_key_id, account_id, name, createHash('sha256').update(secret).digest('hex'), scopes, now, KEYS_MAX],
  );
  if (rows.length === 0) throw new Problem('conflict', `An account has at most ${KEYS_MAX} keys. Revoke some.`);
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
