import { z } from 'zod';
import type { AuditActor } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import type { Identity } from '../../identity/identity.ts';
import { EVERY_CUSTOMER, OWNER } from '../../identity/policy.ts';
import { accountOf, customerOf } from '../../identity/whose.ts';
import { WEBHOOKS_MAX } from '../../webhooks/webhook_rows.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { numberParams } from '../offers/offer_routes.ts';
import { selectTextRouting, setTextRouting } from './text_routing.ts';
import type { TextsRouted } from './text_routing.ts';

export function textRoutingRoutes(desk: NumbersDesk): Route[] {
  return [readRoute(desk), writeRoute(desk)];
}

const textRoutingShape = z
  .object({
    /**
     * These of your webhooks are told of the texts that come to this number, and no others; an empty list: none. Null: all that you have, and
     * those that you make later. One that is deleted is gone from here as well, so that a list may become empty. Only those are told that
     * are switched on and want to hear of texts at all.
     */
    webhook_ids: z.array(uuid).max(WEBHOOKS_MAX).nullable(),
  })
  .meta({ id: 'TextRouting' });

function readRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/numbers/{number}/text-routing',
      operation_id: 'read_text_routing',
      summary: 'Which of your servers are told of the texts that come to a number.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER, api_key: 'numbers:read' },
      params: numberParams,
      answers: { 200: { description: 'Who hears of them.', json: textRoutingShape } },
    },
    async ({ params, identity }) => {
      const found = await selectTextRouting(pool, params.number, accountOf(identity));
      if (found === null) throw new Problem('not_found');
      return { status: 200, body: { webhook_ids: found.webhook_ids }, version: found.version };
    },
  );
}

function writeRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'put',
      path: '/v1/numbers/{number}/text-routing',
      operation_id: 'set_text_routing',
      summary: 'Choose which of your servers are told of the texts that come to a number, from the next one on.',
      tag: 'numbers',
      policy: { customer: OWNER, api_key: 'numbers:write' },
      versioned: true,
      params: numberParams,
      body: textRoutingShape,
      answers: {
        200: {
          description:
            'Who hears of them from now on. Receipts of what you send from the number still go to every webhook that wants receipts, and texts still to your SMPP bind.',
          json: textRoutingShape,
        },
      },
      problems: ['conflict'],
    },
    async ({ params, body, identity, version, now }) => {
      const wish = { webhook_ids: body.webhook_ids, version: version ?? 0 };
      const wisher = { account_id: accountOf(identity), actor: actorOf(identity), now };
      const routed = await inTransaction(pool, (tx) => setTextRouting(tx, params.number, wish, wisher));
      if (routed.kind !== 'routed') throw textRoutingProblem(routed.kind);
      const { webhook_ids, version: next } = routed.routing;
      return { status: 200, body: { webhook_ids }, version: next };
    },
  );
}

function actorOf(identity: Identity): AuditActor {
  if (identity.kind === 'api_key') return { kind: 'api_key', id: identity.key_id };
  return { kind: 'customer', id: customerOf(identity).user_id };
}

function textRoutingProblem(kind: Exclude<TextsRouted['kind'], 'routed'>): Problem {
  switch (kind) {
    case 'not_found':
      return new Problem('not_found');
    case 'changed':
      return new Problem('version_conflict', 'Read it again, and decide on what it is now.');
    case 'no_such_webhook':
      return new Problem('conflict', 'A webhook that is named is not there. See those that you have at /v1/webhooks.');
  }
}
