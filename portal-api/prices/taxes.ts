import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { country } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import type { AdminRole } from '../identity/identity.ts';
import { enqueue, task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { adminActor } from '../identity/whose.ts';

const PRICING: readonly AdminRole[] = ['finance', 'owner'];

const taxShape = z
  .object({
    country,
    party: z.enum(['person', 'business']),
    /** From the beginning of this day on, in the customer’s own zone. */
    valid_from: z.iso.date(),
    /** Parts per million: 190000 is 19 %. */
    tax_ppm: z.int().min(0).max(1_000_000),
  })
  .meta({ id: 'TaxRate' });

export function taxRoutes(context: PortalContext): Route[] {
  return [listTaxes(context), addTax(context)];
}

function listTaxes({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/tax-rates',
      operation_id: 'list_tax_rates',
      summary: 'Taxes by country, those to come as well.',
      tag: 'admin prices',
      policy: { admin: PRICING },
      answers: { 200: { description: 'By country and day.', json: z.object({ items: z.array(taxShape) }) } },
    },
    async () => {
      const { rows } = await pool.query<z.infer<typeof taxShape>>(
        `select country, party, valid_from::text as valid_from, tax_ppm from tax_rate order by country, party, valid_from limit 5000`,
      );
      return { status: 200, body: { items: rows } };
    },
  );
}

function addTax({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/tax-rates',
      operation_id: 'add_tax_rate',
      summary: 'Have another tax in a country from a day to come on. What was taxed stays as it was.',
      tag: 'admin prices',
      policy: { admin: PRICING, step_up: true },
      idempotent: true,
      body: taxShape,
      answers: { 201: { description: 'It will be in force.', json: taxShape } },
      problems: ['too_late', 'conflict'],
    },
    async ({ identity, body, now }) => {
      if (body.valid_from < now.toISOString().slice(0, 10)) {
        throw new Problem('too_late', 'A tax begins today or later: what was charged is charged.');
      }
      await inTransaction(pool, async (tx) => {
        const { rows } = await tx.query<{ tax_ppm: number }>(
          `insert into tax_rate (country, party, valid_from, tax_ppm) values ($1, $2, $3, $4)
           on conflict (country, party, valid_from) do nothing returning tax_ppm`,
          [body.country, body.party, body.valid_from, body.tax_ppm],
        );
        if (rows.length === 0) throw new Problem('conflict', 'There is one from this day on. Take a later day.');
        await enqueue(tx, { task: 'apply_tax_rates', payload: {}, key: 'apply_tax_rates' });
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'tax_rate.add' },
          ...{ account_id: null, subject: `tax_rate:${body.country}:${body.party}:${body.valid_from}` },
          detail: { tax_ppm: body.tax_ppm },
        });
      });
      return { status: 201, body };
    },
  );
}

/** Each account's tax, as its country has it on the day that it is there. */
export async function applyTaxRates(db: Queryable, now: Date): Promise<number> {
  const { rowCount } = await db.query(
    `update account a set tax_ppm = t.tax_ppm
       from account b cross join lateral (
         select r.tax_ppm from tax_rate r
          where r.country = b.home_country and r.party = b.party and r.valid_from <= ($1::timestamptz at time zone b.time_zone)::date
          order by r.valid_from desc limit 1) t
      where a.id = b.id and a.tax_ppm <> t.tax_ppm and a.state <> 'closed'`,
    [now],
  );
  return rowCount ?? 0;
}

export function taxTask({ pool, now }: PortalContext): Task {
  return task(
    'apply_tax_rates',
    z.object({}).loose(),
    async () => {
      await applyTaxRates(pool, now());
    },
    '1 * * * *',
  );
}
