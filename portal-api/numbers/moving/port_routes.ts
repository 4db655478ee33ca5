import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { e164, instantOut, line, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { EVERY_CUSTOMER, OWNER } from '../../identity/policy.ts';
import { accountOf, customerOf } from '../../identity/whose.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { numberParams } from '../offers/offer_routes.ts';
import { askPortOut, movePortOut, PORT_OUT_STATES, portOutsOf } from './port_out.ts';
import type { PortOut } from './port_out.ts';
import { makePortPin } from './port_pin.ts';

const LISTED_MAX = 100;

export function portRoutes(desk: NumbersDesk): Route[] {
  return [pinRoute(desk), ...[askOutRoute(desk), listOutRoute(desk), objectRoute(desk)]];
}

function pinRoute({ pool, ring }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/numbers/{number}/port-pin',
      operation_id: 'make_port_pin',
      summary: 'A new PIN by which a number can go to another operator; the one before is worth nothing any more.',
      tag: 'numbers',
      policy: { customer: OWNER, step_up: true },
      idempotent: true,
      secret_answer: { found_at: '/v1/numbers/{number}', new_secret_at: '/v1/numbers/{number}/port-pin' },
      params: numberParams,
      answers: { 201: { description: 'Shown this once.', json: z.object({ pin: z.string() }) } },
    },
    async ({ params, identity, now }) => {
      const account_id = accountOf(identity);
      const whose = { number: params.number, account_id };
      const made = await inTransaction(pool, async (tx) => {
        const answer = await makePortPin(tx, ring, whose);
        if (answer === null) throw new Problem('not_found');
        await appendAudit(tx, {
          ...{ at: now, actor: { kind: 'customer', id: customerOf(identity).user_id }, action: 'number.make_port_pin' },
          ...{ account_id, subject: `number_holding:${answer.holding_id}`, detail: {} },
        });
        return answer;
      });
      return { status: 201, body: { pin: made.pin } };
    },
  );
}

export const portOutShape = z
  .object({
    port_out_id: uuid,
    number: e164,
    to_carrier: z.string(),
    state: z.enum(PORT_OUT_STATES),
    reason: z.string().nullable(),
    requested_at: instantOut,
    decided_at: instantOut.nullable(),
  })
  .meta({ id: 'PortOut' });

export function portOutAnswer(port_out: PortOut): z.input<typeof portOutShape> {
  const { id, number, to_carrier, state, reason, requested_at, decided_at } = port_out;
  return { port_out_id: id, number, to_carrier, state, reason, requested_at, decided_at };
}

function askOutRoute({ pool, ring }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/port-outs',
      operation_id: 'ask_port_out',
      summary: 'For other operators: ask for a number by the PIN that its holder gave you.',
      tag: 'numbers',
      policy: { anyone: true },
      pace: 'guess',
      idempotent: true,
      body: z.object({ number: e164, pin: z.string().regex(/^[0-9]{10}$/u), to_carrier: line(100) }),
      answers: { 201: { description: 'The request.', json: portOutShape } },
      problems: ['code_wrong', 'conflict'],
    },
    async ({ body, operation_id, now }) => {
      const wish = { ...body, port_out_id: operation_id, now };
      const asked = await inTransaction(pool, (tx) => askPortOut(tx, ring, wish));
      switch (asked.kind) {
        case 'requested':
          return { status: 201, body: portOutAnswer(asked.port_out) };
        case 'wrong':
          throw new Problem(
            'code_wrong',
            'That is no number of ours with its PIN. After five wrong ones its holder has to make a new one.',
          );
        case 'already_requested':
          throw new Problem('conflict', 'It was asked for already.');
      }
    },
  );
}

function listOutRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/port-outs',
      operation_id: 'list_port_outs',
      summary: 'Who asked to take numbers of yours to another operator.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER },
      answers: { 200: { description: 'The newest first.', json: z.object({ items: z.array(portOutShape) }) } },
    },
    async ({ identity }) => {
      const found = await portOutsOf(pool, accountOf(identity), LISTED_MAX);
      return { status: 200, body: { items: found.map(portOutAnswer) } };
    },
  );
}

function objectRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/port-outs/{port_out_id}/object',
      operation_id: 'object_to_port_out',
      summary: 'Keep a number that another operator asked for.',
      tag: 'numbers',
      policy: { customer: OWNER },
      idempotent: true,
      params: z.object({ port_out_id: uuid }),
      answers: { 200: { description: 'The number stays.', json: portOutShape } },
      problems: ['too_late'],
    },
    async ({ params, identity, now }) => {
      const wish = { event: 'object', reason: null, account_id: accountOf(identity), now } as const;
      const moved = await inTransaction(pool, (tx) => movePortOut(tx, params.port_out_id, wish));
      if (moved.kind === 'moved') return { status: 200, body: portOutAnswer(moved.port_out) };
      throw moved.kind === 'not_found' ? new Problem('not_found') : new Problem('too_late', 'It was decided already.');
    },
  );
}
