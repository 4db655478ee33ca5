import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { parseCurrency } from '../../../domain/money/currency.ts';
import type { PortalContext } from '../../context.ts';
import { currency, line } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { WHO_EDITS, WHO_LOOKS } from '../operations_policy.ts';
import { changedNames, insertRow, lockRowAt, unlessTaken, updateRow } from '../stored_row.ts';
import { listCarriers, readCarrier } from './carrier_rows.ts';
import { carrierParams, carrierShape } from './carrier_shapes.ts';
import type { CarrierTold } from './carrier_shapes.ts';

const LISTED_MAX = 1000;

export function carrierRoutes(context: PortalContext): Route[] {
  return [list(context), read(context), create(context), edit(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/carriers',
      operation_id: 'admin_list_carriers',
      summary: 'Carriers, with how each is reached for calls and for texts.',
      tag: 'admin carriers',
      policy: WHO_LOOKS,
      answers: { 200: { description: 'All of them.', json: z.object({ items: z.array(carrierShape) }) } },
    },
    async () => ({ status: 200, body: { items: await listCarriers(pool, LISTED_MAX) } }),
  );
}

function read({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/carriers/{carrier_id}',
      operation_id: 'admin_read_carrier',
      summary: 'One carrier, with its trunks and binds.',
      tag: 'admin carriers',
      policy: WHO_LOOKS,
      params: carrierParams,
      answers: { 200: { description: 'The carrier, and its ETag.', json: carrierShape } },
    },
    async ({ params: { carrier_id } }) => answerOf(await readCarrier(pool, carrier_id)),
  );
}

const fields = {
  /** By which logs, metrics and explanations name it. */
  code: z.string().regex(/^[a-z0-9][a-z0-9-]{1,39}$/u),
  name: line(100),
  enabled: z.boolean(),
};

function create({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/carriers',
      operation_id: 'admin_create_carrier',
      summary: 'Add a carrier. It carries nothing until it has a trunk or a bind, and a rate deck in force.',
      tag: 'admin carriers',
      policy: WHO_EDITS,
      idempotent: true,
      body: z.strictObject({
        ...fields,
        /** In which we owe it; it never changes. */
        currency,
        enabled: fields.enabled.default(true),
      }),
      answers: { 201: { description: 'The carrier, and its ETag.', json: carrierShape } },
      problems: ['conflict'],
    },
    async ({ body: columns, identity, operation_id, now }) => {
      if (parseCurrency(columns.currency) === null) {
        throw new Problem('invalid', 'currency is a code of ISO 4217, such as EUR.');
      }
      const made = await inTransaction(pool, async (tx) => {
        const row = await insertRow(tx, { table: 'carrier', columns, operation_id });
        if (row === null) throw new Problem('conflict', takenWords(columns.code));
        const carrier = await readCarrier(tx, row.id);
        if (row.is_new) {
          await appendAudit(tx, {
            ...{ at: now, actor: adminActor(identity), action: 'carrier.create', account_id: null },
            ...{ subject: `carrier:${row.id}`, detail: columns },
          });
        }
        return carrier;
      });
      return { ...answerOf(made), status: 201 };
    },
  );
}

const takenWords = (code: string): string => `Another carrier has the code ${code}. Choose one that none has.`;

function edit({ pool }: PortalContext): Route {
  return route(
    {
      method: 'patch',
      path: '/v1/admin/carriers/{carrier_id}',
      operation_id: 'admin_edit_carrier',
      summary: 'Use a carrier, or do not; give it another code or name. Calls for help ask only for their trunk.',
      tag: 'admin carriers',
      policy: WHO_EDITS,
      params: carrierParams,
      versioned: true,
      body: z.strictObject(fields).partial(),
      answers: { 200: { description: 'Heard by what runs, at once.', json: carrierShape } },
      problems: ['conflict'],
    },
    async ({ params: { carrier_id: id }, body: columns, version, identity, now }) => {
      const changed = changedNames(columns);
      const edited = inTransaction(pool, async (tx) => {
        const before = await lockRowAt(tx, { table: 'carrier', id, version, columns });
        await updateRow(tx, { table: 'carrier', id, columns });
        const told = await readCarrier(tx, id);
        await appendAudit(tx, {
          ...{
            at: now,
            actor: adminActor(identity),
            action: 'carrier.edit',
            account_id: null,
            subject: `carrier:${id}`,
          },
          detail: { changed, before, after: columns },
        });
        return told;
      });
      return answerOf(await unlessTaken(edited, takenWords(columns.code ?? '')));
    },
  );
}

function answerOf(carrier: CarrierTold | null): { status: 200; body: CarrierTold; version: number } {
  if (carrier === null) throw new Problem('not_found');
  return { status: 200, body: carrier, version: carrier.version };
}
