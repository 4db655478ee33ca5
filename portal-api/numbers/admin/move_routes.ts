import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { line, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { movePortOut, openPortOuts } from '../moving/port_out.ts';
import { portOutAnswer, portOutShape } from '../moving/port_routes.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { DECIDE_THE_DISPUTE } from '../refusals.ts';
import { NUMBERS_READ, NUMBERS_WRITE } from './inventory_routes.ts';

const LISTED_MAX = 200;

/** What an admin decides on numbers that leave. */
export function moveRoutes(desk: NumbersDesk): Route[] {
  return [outQueueRoute(desk), decideOutRoute(desk)];
}

function outQueueRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/port-outs',
      operation_id: 'list_open_port_outs',
      summary: 'Numbers that other operators asked for.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_READ },
      answers: { 200: { description: 'The oldest first.', json: z.object({ items: z.array(portOutShape) }) } },
    },
    async () => ({ status: 200, body: { items: (await openPortOuts(pool, LISTED_MAX)).map(portOutAnswer) } }),
  );
}

function decideOutRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/port-outs/{port_out_id}/decision',
      operation_id: 'decide_port_out',
      summary: 'Let a number go to another operator, or refuse it; once complete, it has left us.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE },
      idempotent: true,
      params: z.object({ port_out_id: uuid }),
      body: z.object({ decision: z.enum(['approve', 'refuse', 'complete']), reason: line(300) }),
      answers: { 200: { description: 'As it stands now.', json: portOutShape } },
      problems: ['too_late', 'conflict'],
    },
    async ({ params, body, identity, now }) => {
      const port_out = await inTransaction(pool, async (tx) => {
        const moved = await movePortOut(tx, params.port_out_id, { event: body.decision, reason: body.reason, now });
        if (moved.kind === 'not_found') throw new Problem('not_found');
        if (moved.kind === 'disputed') {
          throw new Problem('conflict', DECIDE_THE_DISPUTE);
        }
        if (moved.kind !== 'moved') throw new Problem('too_late', 'That is not to be decided any more.');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'port_out.decide', account_id: moved.port_out.account_id },
          ...{ subject: `port_out:${params.port_out_id}`, detail: body },
        });
        return moved.port_out;
      });
      return { status: 200, body: portOutAnswer(port_out) };
    },
  );
}
