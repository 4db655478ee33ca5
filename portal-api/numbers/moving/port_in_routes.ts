import { z } from 'zod';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Queryable } from '../../../domain/db/transaction.ts';
import { country, currency, e164, instantOut, line, microsOut, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { EVERY_CUSTOMER, OWNER } from '../../identity/policy.ts';
import { accountOf } from '../../identity/whose.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { NUMBER_TYPES } from '../offers/offer_rows.ts';
import { selectWalletPrices } from '../offers/wallet_price.ts';
import { refuse, refuseForDocuments } from '../refusals.ts';
import { OPEN_PORT_INS_MAX } from '../terms.ts';
import { addPortInDocuments, askPortIn, missingDocumentsOf, movePortIn } from './port_in.ts';
import { portInEvents, portInsOf, selectPortIn } from './port_in_rows.ts';
import type { PortIn } from './port_in_rows.ts';
import { portInRuleOf } from './port_in_rule.ts';
import { PORT_IN_DOCUMENTS, PORT_IN_STATES } from './port_in_state.ts';
import type { PortInDocumentKind } from './port_in_state.ts';

const LISTED_MAX = 100;

export function portInRoutes(desk: NumbersDesk): Route[] {
  return [
    ...[requirementsRoute(desk), askRoute(desk), listRoute(desk), readRoute(desk)],
    ...[documentsRoute(desk), cancelRoute(desk)],
  ];
}

export const portInDocument = z.enum(PORT_IN_DOCUMENTS);

const documentShape = z.object({ kind: portInDocument, document_id: uuid });

export const portInShape = z
  .object({
    port_in_id: uuid,
    number: e164,
    country,
    number_type: z.enum(NUMBER_TYPES),
    from_carrier: z.string(),
    state: z.enum(PORT_IN_STATES),
    state_since: instantOut,
    /** Why it was rejected, or is asked for more. */
    reason: z.string().nullable(),
    documents: z.array(documentShape.extend({ is_refused: z.boolean() })),
    /** What you still have to bring before it goes on. */
    missing_documents: z.array(portInDocument),
    currency,
    /** Net of tax; taken once the number is here, and not before. */
    fee_micros: microsOut,
    /** Net of tax; for each month from then on. */
    monthly_micros: microsOut,
    /** The day on which the other operator lets it go. */
    scheduled_for: z.iso.date().nullable(),
    requested_at: instantOut,
  })
  .meta({ id: 'PortIn' });

/** What a whole list takes is read once. */
export async function portInAnswers(
  db: Queryable,
  port_ins: readonly PortIn[],
  now: Date,
): Promise<z.input<typeof portInShape>[]> {
  const missing = await missingDocumentsOf(db, port_ins, now);
  return port_ins.map((port_in) => answerOf(port_in, missing.get(port_in.id) ?? []));
}

export async function portInAnswer(db: Queryable, port_in: PortIn, now: Date): Promise<z.input<typeof portInShape>> {
  const missing = await missingDocumentsOf(db, [port_in], now);
  return answerOf(port_in, missing.get(port_in.id) ?? []);
}

function answerOf(port_in: PortIn, missing_documents: PortInDocumentKind[]): z.input<typeof portInShape> {
  const { id, number, number_type, from_carrier, state, state_since, reason, scheduled_for, requested_at } = port_in;
  const { fee_micros, monthly_micros } = port_in;
  const documents = port_in.documents.map(({ kind, document_id, refused_at }) => ({
    ...{ kind, document_id, is_refused: refused_at !== null },
  }));
  return {
    ...{ port_in_id: id, number, country: port_in.country, number_type, from_carrier, state, state_since, reason },
    ...{ documents, missing_documents, currency: port_in.currency },
    ...{ fee_micros, monthly_micros, scheduled_for, requested_at },
  };
}

function requirementsRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/port-in-requirements/{country}',
      operation_id: 'read_port_in_requirements',
      summary: 'What is needed to bring a number of a country here, and what it costs.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER },
      params: z.object({ country }),
      answers: {
        200: {
          description: 'As it is today.',
          json: z.object({
            documents: z.array(portInDocument),
            currency,
            fee_micros: microsOut,
            monthly_micros: microsOut,
          }),
        },
      },
      problems: ['not_available'],
    },
    async ({ params, identity, now }) => {
      const rule = await portInRuleOf(pool, params.country);
      const pays = await selectWalletPrices(pool, accountOf(identity), now);
      const { price, no_rate } = pays({ ...rule, setup_micros: rule.fee_micros });
      if (no_rate) refuse('no_rate');
      const costs = price ?? { ...rule, setup_micros: rule.fee_micros };
      const { setup_micros: fee_micros, monthly_micros } = costs;
      return {
        status: 200,
        body: { documents: rule.documents, currency: costs.currency, fee_micros, monthly_micros },
      };
    },
  );
}

function askRoute(desk: NumbersDesk): Route {
  const { pool } = desk;
  return route(
    {
      method: 'post',
      path: '/v1/port-ins',
      operation_id: 'ask_port_in',
      summary: 'Bring a number of yours here from another operator.',
      tag: 'numbers',
      policy: { customer: OWNER },
      idempotent: true,
      body: z.object({
        ...{ number: e164, country, number_type: z.enum(NUMBER_TYPES), from_carrier: line(100) },
        /** Of documents that you uploaded, and what each of them is; what is missing can follow. */
        documents: z.array(documentShape).max(10).default([]),
      }),
      answers: { 201: { description: 'The request.', json: portInShape } },
      problems: ['kyc_required', 'terms_required', 'restricted', 'conflict', 'not_available'],
    },
    async ({ body, identity, operation_id, now }) => {
      const wish = { ...body, id: operation_id, account_id: accountOf(identity) };
      const asked = await inTransaction(pool, (tx) => askPortIn(tx, wish, now, desk));
      switch (asked.kind) {
        case 'requested':
          return { status: 201, body: await portInAnswer(pool, asked.port_in, now) };
        case 'kyc_required':
          return refuseForDocuments(asked.missing);
        case 'no_such_document':
          throw wrongDocument();
        case 'not_as_its_digits_say':
          throw new Problem(
            'conflict',
            'By its digits that number is of another country or another type than you say. Ask again with its own.',
          );
        case 'already_here':
          throw new Problem('conflict', 'That number is one of ours.');
        case 'already_requested':
          throw new Problem('conflict', 'You have asked for it already.');
        case 'too_many_open':
          throw new Problem(
            'conflict',
            `At most ${OPEN_PORT_INS_MAX} numbers of yours may be on their way here at once. Wait until one is here, or cancel one.`,
          );
        default:
          return refuse(asked.kind);
      }
    },
  );
}

const wrongDocument = (): Problem =>
  new Problem(
    'conflict',
    'A document that is named is none of yours, or cannot be what it is named for: a bill is uploaded as a proof of address, and an identity as a passport or identity card. Upload it first.',
  );

function listRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/port-ins',
      operation_id: 'list_port_ins',
      summary: 'Numbers that you bring along.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER },
      answers: { 200: { description: 'The newest first.', json: z.object({ items: z.array(portInShape) }) } },
    },
    async ({ identity, now }) => {
      const found = await portInsOf(pool, accountOf(identity), LISTED_MAX);
      return { status: 200, body: { items: await portInAnswers(pool, found, now) } };
    },
  );
}

export const portInParams = z.object({ port_in_id: uuid });

export const portInWithTimeline = portInShape.extend({
  timeline: z.array(z.object({ at: instantOut, state: z.enum(PORT_IN_STATES), reason: z.string().nullable() })),
});

function readRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/port-ins/{port_in_id}',
      operation_id: 'read_port_in',
      summary: 'How it stands with a number that you bring along, and how it came there.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER },
      params: portInParams,
      answers: { 200: { description: 'With its timeline.', json: portInWithTimeline } },
    },
    async ({ params, identity, now }) => {
      const port_in = await selectPortIn(pool, params.port_in_id);
      if (port_in?.account_id !== accountOf(identity)) throw new Problem('not_found');
      const timeline = await portInEvents(pool, port_in.id);
      return { status: 200, body: { ...(await portInAnswer(pool, port_in, now)), timeline } };
    },
  );
}

function documentsRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/port-ins/{port_in_id}/documents',
      operation_id: 'add_port_in_documents',
      summary: 'Name the documents that were missing; where they are all that is needed, it goes on.',
      tag: 'numbers',
      policy: { customer: OWNER },
      idempotent: true,
      params: portInParams,
      body: z.object({ documents: z.array(documentShape).min(1).max(10) }),
      answers: { 200: { description: 'As it stands now.', json: portInShape } },
      problems: ['too_late', 'conflict'],
    },
    async ({ params, body, identity, now }) => {
      const wish = { account_id: accountOf(identity), documents: body.documents, now };
      const added = await inTransaction(pool, (tx) => addPortInDocuments(tx, params.port_in_id, wish));
      switch (added.kind) {
        case 'added':
          return { status: 200, body: await portInAnswer(pool, added.port_in, now) };
        case 'not_found':
          throw new Problem('not_found');
        case 'too_late':
          throw new Problem('too_late', 'It does not wait for documents.');
        case 'no_such_document':
          throw wrongDocument();
      }
    },
  );
}

function cancelRoute(desk: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/port-ins/{port_in_id}/cancel',
      operation_id: 'cancel_port_in',
      summary: 'Leave a number where it is; it costs nothing.',
      tag: 'numbers',
      policy: { customer: OWNER },
      idempotent: true,
      params: portInParams,
      answers: { 200: { description: 'Cancelled.', json: portInShape } },
      problems: ['too_late'],
    },
    async ({ params, identity, now }) => {
      const wish = { event: 'cancelled', reason: null, account_id: accountOf(identity), now } as const;
      const moved = await inTransaction(desk.pool, (tx) => movePortIn(tx, params.port_in_id, wish, desk));
      if (moved.kind === 'moved') return { status: 200, body: await portInAnswer(desk.pool, moved.port_in, now) };
      throw moved.kind === 'not_found' ? new Problem('not_found') : new Problem('too_late', 'It is at its end.');
    },
  );
}
