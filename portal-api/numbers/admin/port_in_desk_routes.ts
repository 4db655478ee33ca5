import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { country, currency, line, microsOut, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { movePortIn } from '../moving/port_in.ts';
import type { PortInMove, PortInMoved } from '../moving/port_in.ts';
import { portInAnswer, portInAnswers, portInDocument, portInParams, portInShape } from '../moving/port_in_routes.ts';
import { openPortIns } from '../moving/port_in_rows.ts';
import { dropPortInRule, portInRules, setPortInRule } from '../moving/port_in_rule.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { NUMBERS_READ, NUMBERS_WRITE } from './inventory_routes.ts';

const LISTED_MAX = 200;

/** What an admin decides on numbers that come from other operators, and what is asked for them. */
export function portInDeskRoutes(desk: NumbersDesk): Route[] {
  return [queueRoute(desk), decideRoute(desk), rulesRoute(desk), setRuleRoute(desk), dropRuleRoute(desk)];
}

const queuedShape = portInShape.extend({ account_id: uuid }).meta({ id: 'QueuedPortIn' });

function queueRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/port-ins',
      operation_id: 'list_open_port_ins',
      summary: 'Numbers that customers bring along.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_READ },
      answers: { 200: { description: 'The oldest first.', json: z.object({ items: z.array(queuedShape) }) } },
    },
    async ({ now }) => {
      const found = await openPortIns(pool, LISTED_MAX);
      const accounts = new Map(found.map(({ id, account_id }) => [id, account_id]));
      const answers = await portInAnswers(pool, found, now);
      const items = answers.map((one) => ({ ...one, account_id: accounts.get(one.port_in_id) ?? '' }));
      return { status: 200, body: { items } };
    },
  );
}

const decision = z
  .object({
    decision: z.enum(['ask_for_documents', 'reject', 'schedule', 'complete']),
    /** The customer reads it. */
    reason: line(300),
    /** With `ask_for_documents`: what is not good enough, or is needed besides. */
    documents: z.array(portInDocument).max(3).optional(),
    /** With `schedule`: the day on which the other operator lets it go. */
    scheduled_for: z.iso.date().optional(),
    /** With `complete`: take no fee. */
    waive_fee: z.boolean().default(false),
  })
  .refine(({ decision: is, documents }) => (is === 'ask_for_documents') === (documents?.length ?? 0) > 0, {
    ...{ path: ['documents'], message: 'goes with ask_for_documents, and that with it' },
  })
  .refine(({ decision: is, scheduled_for }) => (is === 'schedule') === (scheduled_for !== undefined), {
    ...{ path: ['scheduled_for'], message: 'goes with schedule, and that with it' },
  });

function moveOf(body: z.output<typeof decision>, holding_id: string, now: Date): PortInMove {
  const { reason, documents = [], scheduled_for = '', waive_fee } = body;
  switch (body.decision) {
    case 'ask_for_documents':
      return { event: 'documents_refused', documents, reason, now };
    case 'reject':
      return { event: 'rejected', reason, now };
    case 'schedule':
      return { event: 'scheduled', scheduled_for, reason, now };
    case 'complete':
      return { event: 'completed', waive_fee, holding_id, reason, now };
  }
}

function decideRoute(desk: NumbersDesk): Route {
  const { pool } = desk;
  return route(
    {
      method: 'post',
      path: '/v1/admin/port-ins/{port_in_id}/decision',
      operation_id: 'decide_port_in',
      summary: 'Move a number on that comes here; once complete, it works, and its fee and first month are charged.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE },
      idempotent: true,
      params: portInParams,
      body: decision,
      answers: { 200: { description: 'As it stands now.', json: queuedShape } },
      problems: ['too_late', 'kyc_required', 'conflict', 'no_money'],
    },
    async ({ params, body, identity, operation_id, now }) => {
      const port_in = await inTransaction(pool, async (tx) => {
        const moved = await movePortIn(tx, params.port_in_id, moveOf(body, operation_id, now), desk);
        if (moved.kind !== 'moved') throw problemOf(moved);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'port_in.decide', account_id: moved.port_in.account_id },
          ...{ subject: `port_in:${params.port_in_id}`, detail: body },
        });
        return moved.port_in;
      });
      return { status: 200, body: { ...(await portInAnswer(pool, port_in, now)), account_id: port_in.account_id } };
    },
  );
}

function problemOf(refused: Exclude<PortInMoved, { kind: 'moved' }>): Problem {
  switch (refused.kind) {
    case 'kyc_required':
      return new Problem(
        'kyc_required',
        'Documents that such a number needs of its holder are not approved, or have run out. Go on once they are approved, or reject it.',
        { missing: [...refused.missing] },
      );
    case 'not_found':
      return new Problem('not_found');
    case 'too_late':
      return new Problem('too_late', 'That is not to be decided as it stands. Read it again.');
    case 'already_here':
      return new Problem('conflict', 'That number is one of ours by now.');
    case 'account_not_active':
      return new Problem('conflict', 'The customer’s account is not active. Activate it first, or reject this.');
    case 'restricted':
      return new Problem(
        'conflict',
        'A restriction keeps the customer from buying. Complete this once that has ended, or reject it.',
      );
    case 'no_wallet':
    case 'no_rate':
      return new Problem('conflict', 'The customer has no wallet that could pay for it. Open one first.');
    case 'no_money':
      return new Problem(
        'no_money',
        'The customer’s wallet holds less than the fee. Have it topped up, or waive the fee.',
      );
    case 'day_is_past':
      return new Problem('conflict', 'That day is past. Schedule it for today or a day that comes.');
    case 'not_yet':
      return new Problem(
        'conflict',
        'It is scheduled for a day that has not come. Schedule it anew if that was moved.',
      );
  }
}

const amount = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,14})$/u)
  .transform(BigInt);

const terms = { documents: z.array(portInDocument).max(3), currency };

const ruleShape = z
  .object({
    /** `*`: wherever no country has a rule of its own. */
    country: z.string(),
    ...terms,
    fee_micros: microsOut,
    monthly_micros: microsOut,
  })
  .meta({ id: 'PortInRule' });

function rulesRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/port-in-rules',
      operation_id: 'list_port_in_rules',
      summary: 'What numbers ask for that come from other operators, by country.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_READ },
      answers: { 200: { description: 'An asterisk: everywhere else.', json: z.object({ items: z.array(ruleShape) }) } },
    },
    async () => ({ status: 200, body: { items: await portInRules(pool) } }),
  );
}

const ruleCountry = z.union([country, z.literal('*')]);

function setRuleRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/port-in-rules/{country}',
      operation_id: 'set_port_in_rule',
      summary: 'Set which documents numbers of a country ask for, and what they cost from the next request on.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE },
      idempotent: true,
      params: z.object({ country: ruleCountry }),
      body: z.object({ ...terms, fee_micros: amount, monthly_micros: amount }),
      answers: { 200: { description: 'The rule.', json: ruleShape } },
    },
    async ({ params, body, identity, now }) => {
      const documents = [...new Set(body.documents)].sort();
      const rule = { ...body, documents, country: params.country };
      await inTransaction(pool, async (tx) => {
        await setPortInRule(tx, rule);
        const { fee_micros, monthly_micros } = rule;
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'port_in_rule.set', account_id: null },
          ...{ subject: `port_in_rule:${params.country}` },
          detail: {
            ...{ documents, currency: rule.currency, fee_micros: fee_micros.toString() },
            monthly_micros: monthly_micros.toString(),
          },
        });
      });
      return { status: 200, body: rule };
    },
  );
}

function dropRuleRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/admin/port-in-rules/{country}',
      operation_id: 'drop_port_in_rule',
      summary: 'Have a country follow the rule for everywhere.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE },
      params: z.object({ country }),
      answers: { 204: { description: 'It has no rule of its own.', empty: true } },
    },
    async ({ params, identity, now }) => {
      await inTransaction(pool, async (tx) => {
        if (!(await dropPortInRule(tx, params.country))) throw new Problem('not_found');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'port_in_rule.drop', account_id: null },
          ...{ subject: `port_in_rule:${params.country}` },
        });
      });
      return { status: 204 };
    },
  );
}
