import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { OWNER } from '../identity/policy.ts';
import { accountOf, customerOf } from '../identity/whose.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { auditOwner } from '../profile/member_routes.ts';
import { esmesOf, lockEsme, renewPassword } from './esme_rows.ts';
import { esmeShape, systemId, withPassword } from './esme_shapes.ts';

/** What the customer sees of its own, and the password that is its to renew. */
export function esmeOwnRoutes(context: PortalContext): Route[] {
  return [list(context), renew(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/esmes',
      operation_id: 'list_esmes',
      summary: 'By which system_ids you bind over SMPP, and what each may do.',
      tag: 'esmes',
      policy: { customer: OWNER },
      answers: { 200: { description: 'The first one first.', json: z.object({ items: z.array(esmeShape) }) } },
    },
    async ({ identity }) => ({ status: 200, body: { items: await esmesOf(pool, accountOf(identity)) } }),
  );
}

/** Not under an idempotency key, as with API keys: asked again, there is another password, and the answer that counts is the last. */
function renew({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/esmes/{system_id}/password',
      operation_id: 'renew_esme_password',
      summary: 'A new password for your binds. Whoever is bound by the one before is unbound.',
      tag: 'esmes',
      policy: { customer: OWNER, step_up: true },
      pace: 'costly',
      params: z.object({ system_id: systemId }),
      answers: { 201: { description: 'Shown this once.', json: withPassword } },
    },
    async ({ params: { system_id }, identity, now }) => {
      const customer = customerOf(identity);
      const renewed = await inTransaction(pool, async (tx) => {
        const esme = await lockEsme(tx, system_id);
        if (esme?.account_id !== customer.account_id) throw new Problem('not_found');
        const password = await renewPassword(tx, system_id);
        await queueNotice(tx, {
          to: { account_id: esme.account_id },
          template: 'esme_password',
          facts: { name: system_id },
        });
        await auditOwner(tx, now, customer, 'esme.renew_password', `esme:${system_id}`);
        return { ...esme, version: esme.version + 1, password };
      });
      return { status: 201, body: renewed, version: renewed.version };
    },
  );
}
