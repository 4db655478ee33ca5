import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { viewOnRecord } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { adminActor } from '../identity/whose.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { mustHaveAccount } from '../sign_in/people_of_account.ts';
import { keyShape, selectKeys } from './api_key_routes.ts';

const tag = 'admin customers';
const policy = { admin: ['support', 'operations', 'owner'], step_up: true } as const;

/** For a customer whose key is in wrong hands, and who cannot come in. */
export function apiKeyDeskRoutes(context: PortalContext): Route[] {
  return [listKeys(context), revokeKey(context)];
}

function listKeys({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/customers/{account_id}/api-keys',
      operation_id: 'admin_list_api_keys',
      summary: 'An account’s API keys, without their secrets. That you saw them is on record.',
      tag,
      policy,
      params: z.object({ account_id: uuid }),
      query: z.object({ purpose: line(500) }),
      answers: { 200: { description: 'The newest first.', json: z.object({ items: z.array(keyShape) }) } },
      problems: ['not_found'],
    },
    async ({ params: { account_id }, query: { purpose }, identity, now }) => {
      const view = { action: 'api_keys.view', account_id, subject: `account:${account_id}`, purpose };
      const items = await viewOnRecord(pool, { identity, now }, view, async (tx) => {
        await mustHaveAccount(tx, account_id);
        return selectKeys(tx, account_id);
      });
      return { status: 200, body: { items } };
    },
  );
}

function revokeKey({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/customers/{account_id}/api-keys/{api_key_id}/revocation',
      operation_id: 'admin_revoke_api_key',
      summary: 'Revoke an API key of an account, at once. Its owners are told why by mail.',
      tag,
      policy,
      params: z.object({ account_id: uuid, api_key_id: uuid }),
      idempotent: true,
      /** The customer reads it. */
      body: z.object({ reason: line(500) }),
      answers: { 204: { description: 'It is worth nothing from now on.', empty: true } },
      problems: ['not_found'],
    },
    async ({ params: { account_id, api_key_id }, body: { reason }, identity, now }) => {
      await inTransaction(pool, async (tx) => {
        const { rows } = await tx.query(
          'update api_key set revoked_at = $3 where id = $1 and account_id = $2 and revoked_at is null returning 1',
          [api_key_id, account_id, now],
        );
        if (rows.length === 0) throw new Problem('not_found', 'The account has no such key that could be used.');
        const facts = { changed: 'an API key', how: 'revoked', at: now.toISOString(), reason };
        await queueNotice(tx, { to: { account_id }, template: 'credential_changed', facts });
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'api_key.revoke_by_desk', account_id },
          ...{ subject: `api_key:${api_key_id}`, detail: { reason } },
        });
      });
      return { status: 204 };
    },
  );
}
