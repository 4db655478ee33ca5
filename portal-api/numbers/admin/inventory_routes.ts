import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../../http/cursor.ts';
import { country, e164, instantOut, line, microsOut, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import type { AdminRole } from '../../identity/identity.ts';
import { adminActor } from '../../identity/whose.ts';
import { endHolding } from '../holdings/end_holding.ts';
import { holdersOf, openHolding } from '../holdings/holding_rows.ts';
import { isDisputed } from '../holdings/kept.ts';
import { lockNumber } from '../lock_number.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { DECIDE_THE_DISPUTE } from '../refusals.ts';
import { importOffers } from '../offers/import_offers.ts';
import { numberParams } from '../offers/offer_routes.ts';
import { NUMBER_TYPES } from '../offers/offer_rows.ts';
import { readOffers } from '../offers/read_offers.ts';
import { listInventory } from './inventory_rows.ts';

export const NUMBERS_WRITE: readonly AdminRole[] = ['operations', 'owner'];
export const NUMBERS_READ: readonly AdminRole[] = ['support', 'operations', 'owner'];

const CSV_BYTES_MAX = 5_000_000;
const NUMBER_STATES = ['free', 'active', 'suspended', 'quarantined'] as const;

export const providerCode = z.string().regex(/^[a-z][a-z0-9_]{1,39}$/u);

export function inventoryRoutes(desk: NumbersDesk): Route[] {
  return [listRoute(desk), importRoute(desk), holdersRoute(desk), releaseRoute(desk)];
}

const inventoryShape = z
  .object({
    ...{ number: e164, country, number_type: z.enum(NUMBER_TYPES), provider: z.string(), offered: z.boolean() },
    state: z.enum(NUMBER_STATES),
    /** The end of its quarantine; `infinity` for what left us. */
    blocked_until: z.string().nullable(),
  })
  .meta({ id: 'InventoryNumber' });

function listRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/numbers',
      operation_id: 'list_inventory',
      summary: 'All numbers that we know of.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_READ },
      query: pageQuery.extend({ provider: providerCode.optional(), state: z.enum(NUMBER_STATES).optional() }),
      answers: { 200: { description: 'In the order of their digits.', json: pageOf(inventoryShape) } },
    },
    async ({ query: { cursor, limit, provider, state } }) => {
      const after = decodeCursor(cursor, z.tuple([e164]))?.[0] ?? null;
      const filter = { provider: provider ?? null, state: state ?? null, after, rows_max: limit + 1 };
      const rows = await listInventory(pool, filter);
      return { status: 200, body: page(rows, limit, { key: ({ number }) => [number], item: (row) => row }) };
    },
  );
}

function importRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/number-imports',
      operation_id: 'import_numbers',
      summary:
        'Make a CSV file the numbers that a provider has for sale. Any line that is wrong, and nothing is changed.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE },
      pace: 'costly',
      idempotent: true,
      upload: { bytes_max: CSV_BYTES_MAX, fields: z.object({ provider: providerCode }) },
      answers: {
        201: {
          description: 'What changed.',
          json: z.object({ import_id: uuid, offered: z.int(), repriced: z.int(), withdrawn: z.int() }),
        },
      },
    },
    async ({ upload, identity, operation_id, now }) => {
      const { provider } = upload.fields;
      const read = readOffers(upload.bytes.toString('utf8'));
      if (read.kind === 'bad') throw badFile(read.lines.map(({ line: at, message }) => [`line ${at}`, message]));
      const counts = await inTransaction(pool, async (tx) => {
        const known = await tx.query('select from number_provider where code = $1', [provider]);
        if (known.rows.length === 0) throw badFile([['form.provider', 'there is no such provider']]);
        const imported = await importOffers(tx, provider, read.offers, now);
        if (imported.kind === 'other_provider') {
          throw badFile(imported.numbers.map((number) => [number, 'is in the inventory of another provider']));
        }
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'number.import', account_id: null },
          ...{ subject: `number_provider:${provider}`, detail: { import_id: operation_id, ...imported.counts } },
        });
        return imported.counts;
      });
      return { status: 201, body: { import_id: operation_id, ...counts } };
    },
  );
}

const badFile = (errors: [string, string][]): Problem =>
  new Problem('invalid', 'Nothing was imported. Correct what is named below and send the file again.', {
    errors: errors.map(([path, message]) => ({ path, message })),
  });

const holderShape = z
  .object({
    holding_id: uuid,
    account_id: uuid,
    held_from: instantOut,
    held_to: instantOut.nullable(),
    end_reason: z.string().nullable(),
    blocked_until: z.string().nullable(),
    state: z.enum(['active', 'grace', 'suspended', 'ended']),
    currency: z.string(),
    monthly_micros: microsOut,
    paid_until: instantOut,
  })
  .meta({ id: 'NumberHolder' });

function holdersRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/numbers/{number}/holders',
      operation_id: 'list_number_holders',
      summary: 'Who held a number, and when, as a dispute asks for it.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_READ },
      params: numberParams,
      query: z.object({ purpose: line(300) }),
      answers: { 200: { description: 'The first holder first.', json: z.object({ items: z.array(holderShape) }) } },
    },
    async ({ params: { number }, query, identity, now }) => {
      const holders = await inTransaction(pool, async (tx) => {
        const found = await holdersOf(tx, number);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'number_holding.view', account_id: null },
          ...{ subject: `number:${number}`, purpose: query.purpose },
        });
        return found;
      });
      return {
        status: 200,
        body: {
          items: holders.map(({ id, account_id, held_from, held_to, end_reason, blocked_until, ...rest }) => ({
            ...{ holding_id: id, account_id, held_from, held_to, end_reason, blocked_until, state: rest.state },
            ...{ currency: rest.currency, monthly_micros: rest.monthly_micros, paid_until: rest.paid_until },
          })),
        },
      };
    },
  );
}

function releaseRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/numbers/{number}/release',
      operation_id: 'release_number',
      summary: 'Take a number from its holder; it rests for its quarantine.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE, step_up: true },
      idempotent: true,
      params: numberParams,
      body: z.object({ reason: line(300) }),
      answers: { 204: { description: 'Nobody holds it any more.', empty: true } },
      problems: ['conflict'],
    },
    async ({ params: { number }, body, identity, now }) => {
      await inTransaction(pool, async (tx) => {
        await lockNumber(tx, number);
        const holding = await openHolding(tx, number);
        if (holding === null) throw new Problem('not_found');
        if (await isDisputed(tx, holding.id, now)) {
          throw new Problem('conflict', DECIDE_THE_DISPUTE);
        }
        await endHolding(tx, holding, { reason: 'forced', at: now });
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'number.release', account_id: holding.account_id },
          ...{ subject: `number:${number}`, detail: { reason: body.reason } },
        });
      });
      return { status: 204 };
    },
  );
}
