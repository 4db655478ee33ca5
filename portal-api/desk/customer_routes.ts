import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { e164, instantOut, line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { adminActor, adminOf } from '../identity/whose.ts';
import { readHolderName } from '../profile/holder_name.ts';
import { findAccounts, readAccount, readPeople } from './customer_rows.ts';
import { customer, customerOf, foundCustomer, foundOf, WHO_SERVES } from './customer_shapes.ts';

/** Who may see what is masked, for as long as a reveal lasts. */
const WHO_REVEALS = { admin: ['support', 'kyc', 'finance', 'privacy', 'owner'] } as const;
const REVEAL_MS = 5 * 60_000;

const params = z.object({ account_id: uuid });

export function customerRoutes(context: PortalContext): Route[] {
  return [search(context), readCustomer(context), reveal(context), readReveal(context)];
}

/** By its body, as an address for searching would stand in the logs of whatever lies between. */
function search(context: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/customers/search',
      operation_id: 'admin_search_customers',
      summary: 'Find customers by one whole email, phone, number or id.',
      tag: 'admin customers',
      policy: WHO_SERVES,
      body: z.discriminatedUnion('by', [
        z.object({ by: z.literal('account_id'), value: uuid, purpose: line(500) }),
        z.object({ by: z.literal('email'), value: line(254), purpose: line(500) }),
        z.object({ by: z.literal('phone'), value: e164, purpose: line(500) }),
        z.object({ by: z.literal('number'), value: e164, purpose: line(500) }),
      ]),
      answers: { 200: { description: 'At most 50, masked.', json: z.object({ items: z.array(foundCustomer) }) } },
    },
    async ({ body, identity, now }) => {
      const items = await inTransaction(context.pool, async (tx) => {
        const found: z.input<typeof foundCustomer>[] = [];
        for (const account_id of new Set(await findAccounts(context, tx, body))) {
          const row = await readAccount(tx, account_id);
          if (row !== null) found.push(await foundOf(context, tx, row));
        }
        // Of each that was shown, as each may ask who looked; and of a search that found nobody.
        for (const account_id of found.length === 0 ? [null] : found.map((one) => one.account_id)) {
          await appendAudit(tx, {
            ...{ at: now, actor: adminActor(identity), action: 'customer.search', account_id, purpose: body.purpose },
            ...{ subject: `customers by ${body.by}`, detail: { found: found.length } },
          });
        }
        return found;
      });
      return { status: 200, body: { items } };
    },
  );
}

function readCustomer(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/customers/{account_id}',
      operation_id: 'admin_read_customer',
      summary: 'A customer, masked.',
      tag: 'admin customers',
      policy: WHO_SERVES,
      params,
      query: z.object({ purpose: line(500) }),
      answers: { 200: { description: 'The customer, and the ETag for what is edited here.', json: customer } },
    },
    async ({ params: { account_id }, query, identity, now }) => {
      const body = await inTransaction(context.pool, async (tx) => {
        const row = await readAccount(tx, account_id);
        if (row === null) throw new Problem('not_found');
        const shown = await customerOf(context, tx, row, now);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'customer.view_masked', account_id },
          ...{ subject: `account:${account_id}`, purpose: query.purpose },
        });
        return shown;
      });
      return { status: 200, body, version: body.version };
    },
  );
}

const grant = z.object({
  reveal_id: uuid,
  account_id: uuid,
  field: z.enum(['email', 'phone', 'name']),
  ends_at: instantOut,
});

function reveal({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/customers/{account_id}/reveals',
      operation_id: 'admin_reveal',
      summary: 'Be allowed to see one thing of a customer for five minutes. The customer sees that you did and why.',
      tag: 'admin customers',
      policy: WHO_REVEALS,
      params,
      idempotent: true,
      body: z.object({ field: z.enum(['email', 'phone', 'name']), purpose: line(500) }),
      answers: { 201: { description: 'Look at it by its id.', json: grant } },
    },
    async ({ params: { account_id }, body, identity, operation_id: reveal_id, now }) => {
      const { user_id } = adminOf(identity);
      const ends_at = new Date(now.getTime() + REVEAL_MS);
      const { field, purpose } = body;
      await inTransaction(pool, async (tx) => {
        if ((await readAccount(tx, account_id)) === null) throw new Problem('not_found');
        const { rowCount } = await tx.query(
          `insert into reveal_grant (id, account_id, admin_id, field, purpose, granted_at, ends_at) values ($1, $2, $3, $4, $5, $6, $7)
           on conflict do nothing`,
          [reveal_id, account_id, user_id, field, purpose, now, ends_at],
        );
        if (rowCount === 0) return;
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'customer.reveal', account_id, purpose },
          ...{ subject: `account:${account_id}`, detail: { field } },
        });
      });
      return { status: 201, body: { reveal_id, account_id, field, ends_at } };
    },
  );
}

const revealed = grant.extend({ values: z.array(z.object({ user_id: uuid.nullable(), value: z.string() })) });

/** Apart from asking for it, so that what is answered to an idempotent request, and kept for it, has nothing personal in it. */
function readReveal(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/reveals/{reveal_id}',
      operation_id: 'admin_read_reveal',
      summary: 'What was revealed to you, while that lasts.',
      tag: 'admin customers',
      policy: WHO_REVEALS,
      params: z.object({ reveal_id: uuid }),
      answers: { 200: { description: 'In plain words.', json: revealed } },
    },
    async ({ params: { reveal_id }, identity, now }) => {
      const { user_id } = adminOf(identity);
      const body = await inTransaction(context.pool, async (tx) => {
        const { rows } = await tx.query<{ account_id: string; field: 'email' | 'phone' | 'name'; ends_at: Date }>(
          'select account_id, field, ends_at from reveal_grant where id = $1 and admin_id = $2 and ends_at > $3 and account_id is not null',
          [reveal_id, user_id, now],
        );
        const [row] = rows;
        if (row === undefined) throw new Problem('not_found', 'It is over. Ask for it again if it is still needed.');
        const values = await valuesOf(context, tx, row.account_id, row.field);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'customer.view_revealed', account_id: row.account_id },
          ...{ subject: `reveal:${reveal_id}`, purpose: await purposeOf(tx, reveal_id), detail: { field: row.field } },
        });
        return { reveal_id, ...row, values };
      });
      return { status: 200, body };
    },
  );
}

async function purposeOf(tx: Transaction, reveal_id: string): Promise<string | null> {
  const { rows } = await tx.query<{ purpose: string }>('select purpose from reveal_grant where id = $1', [reveal_id]);
  return rows[0]?.purpose ?? null;
}

/** The name is that of the account; addresses and phones are those of whoever owns it. */
async function valuesOf(
  context: PortalContext,
  tx: Transaction,
  account_id: string,
  field: 'email' | 'phone' | 'name',
): Promise<{ user_id: string | null; value: string }[]> {
  if (field === 'name') {
    const name = await readHolderName(context, tx, account_id);
    return name === null ? [] : [{ user_id: null, value: name }];
  }
  const owners = (await readPeople(context, tx, account_id)).filter(({ role }) => role === 'owner');
  return owners.flatMap((person) => {
    const value = person[field];
    return value === null ? [] : [{ user_id: person.user_id, value }];
  });
}
