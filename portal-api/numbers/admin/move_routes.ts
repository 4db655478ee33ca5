import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { currency, line, microsIn, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { movePortIn, openPortIns } from '../moving/port_in.ts';
import type { PortInMoved } from '../moving/port_in.ts';
import { movePortOut, openPortOuts } from '../moving/port_out.ts';
import { portInAnswer, portInShape, portOutAnswer, portOutShape } from '../moving/port_routes.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { NUMBERS_READ, NUMBERS_WRITE } from './inventory_routes.ts';

const LISTED_MAX = 200;

/** What an admin decides on numbers that come and go. */
export function moveRoutes(desk: NumbersDesk): Route[] {
  return [outQueueRoute(desk), decideOutRoute(desk), inQueueRoute(desk), decideInRoute(desk)];
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
      problems: ['too_late'],
    },
    async ({ params, body, identity, now }) => {
      const port_out = await inTransaction(pool, async (tx) => {
        const moved = await movePortOut(tx, params.port_out_id, { event: body.decision, reason: body.reason, now });
        if (moved.kind === 'not_found') throw new Problem('not_found');
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

function inQueueRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/port-ins',
      operation_id: 'list_open_port_ins',
      summary: 'Numbers that customers bring along.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_READ },
      answers: { 200: { description: 'The oldest first.', json: z.object({ items: z.array(portInShape) }) } },
    },
    async () => ({ status: 200, body: { items: (await openPortIns(pool, LISTED_MAX)).map(portInAnswer) } }),
  );
}

function decideInRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/port-ins/{port_in_id}/decision',
      operation_id: 'decide_port_in',
      summary: 'Take a number in, or refuse it; once complete, it works here, and its first month is charged.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE },
      idempotent: true,
      params: z.object({ port_in_id: uuid }),
      body: z.object({
        decision: z.enum(['accept', 'refuse', 'complete']),
        reason: line(300),
        /** What it costs here; with `complete`. */
        price: z.object({ currency, monthly_micros: microsIn }).optional(),
      }),
      answers: { 200: { description: 'As it stands now.', json: portInShape } },
      problems: ['too_late', 'conflict'],
    },
    async ({ params, body, identity, operation_id, now }) => {
      const { decision, reason, price } = body;
      const port_in = await inTransaction(pool, async (tx) => {
        const wish = { event: decision, reason, now };
        const terms = price === undefined ? null : { ...price, holding_id: operation_id };
        const moved = await movePortIn(tx, params.port_in_id, wish, terms);
        if (moved.kind !== 'moved') throw portInProblem(moved.kind);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'port_in.decide', account_id: moved.port_in.account_id },
          ...{ subject: `port_in:${params.port_in_id}`, detail: { decision, reason } },
        });
        return moved.port_in;
      });
      return { status: 200, body: portInAnswer(port_in) };
    },
  );
}

function portInProblem(kind: Exclude<PortInMoved['kind'], 'moved'>): Problem {
  switch (kind) {
    case 'not_found':
      return new Problem('not_found');
    case 'too_late':
      return new Problem('too_late', 'That is not to be decided any more.');
    case 'already_here':
      return new Problem('conflict', 'That number is one of ours by now.');
    case 'no_wallet':
      return new Problem('conflict', 'The customer has no wallet in that currency.');
    case 'price_needed':
      return new Problem('conflict', 'Say what the number costs here.');
  }
}
