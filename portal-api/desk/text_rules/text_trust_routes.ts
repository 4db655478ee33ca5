import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Queryable } from '../../../domain/db/transaction.ts';
import type { PortalContext } from '../../context.ts';
import { country, instant, instantOut, line, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { WHO_EDITS, WHO_LOOKS } from '../operations_policy.ts';

const ofAccount = z.object({ account_id: uuid });
const ofCountry = ofAccount.extend({ country });

const shape = z
  .object({
    country: z.string(),
    /** Null: for good. */
    trusted_until: instantOut.nullable(),
    decided_by: z.string(),
    reason: z.string(),
    decided_at: instantOut,
  })
  .meta({ id: 'TextTrust' });

type Trust = z.input<typeof shape>;

/** Whose texts to a country a person vouches for: they are held neither as pumped nor as far more than usual. */
export function textTrustRoutes(context: PortalContext): Route[] {
  return [list(context), vouch(context), withdraw(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/customers/{account_id}/text-trusts',
      operation_id: 'admin_list_text_trusts',
      summary: 'To which countries an account’s texts are not held as pumped or sudden, who vouches for them and why.',
      tag: 'admin texts',
      policy: WHO_LOOKS,
      params: ofAccount,
      answers: { 200: { description: 'In the order of the countries.', json: z.object({ items: z.array(shape) }) } },
    },
    async ({ params: { account_id } }) => ({ status: 200, body: { items: await trustsOf(pool, account_id, null) } }),
  );
}

function vouch({ pool }: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/customers/{account_id}/text-trusts/{country}',
      operation_id: 'admin_vouch_for_texts',
      summary: 'Vouch for an account’s texts to a country, until then or for good.',
      tag: 'admin texts',
      policy: WHO_EDITS,
      params: ofCountry,
      body: z.strictObject({ trusted_until: instant.nullable(), reason: line(300) }),
      answers: { 200: { description: 'For the next text.', json: shape } },
    },
    async ({ params: { account_id, country: to }, body: { trusted_until, reason }, identity, now }) => {
      const until = trusted_until === null ? null : new Date(trusted_until);
      if (until !== null && until <= now) throw new Problem('invalid', 'trusted_until is over already.');
      const actor = adminActor(identity);
      const vouched = await inTransaction(pool, async (tx) => {
        const account = await tx.query('select 1 from account where id = $1', [account_id]);
        if (account.rows.length === 0) throw new Problem('not_found');
        await tx.query(
          `insert into text_trust (account_id, country, trusted_until, decided_by, reason, decided_at) values ($1, $2, $3, $4, $5, $6)
           on conflict (account_id, country) do update
             set trusted_until = excluded.trusted_until, decided_by = excluded.decided_by, reason = excluded.reason,
                 decided_at = excluded.decided_at`,
          [account_id, to, until, actor.id, reason, now],
        );
        await appendAudit(tx, {
          ...{ at: now, actor, action: 'text_trust.vouch', account_id, subject: `account:${account_id}` },
          detail: { country: to, trusted_until, reason },
        });
        const [trust] = await trustsOf(tx, account_id, to);
        if (trust === undefined) throw new Error('A trust that was given is gone.');
        return trust;
      });
      return { status: 200, body: vouched };
    },
  );
}

function withdraw({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/admin/customers/{account_id}/text-trusts/{country}',
      operation_id: 'admin_withdraw_text_trust',
      summary: 'Vouch for an account’s texts to a country no more.',
      tag: 'admin texts',
      policy: WHO_EDITS,
      params: ofCountry,
      answers: { 204: { description: 'From the next text on.', empty: true } },
    },
    async ({ params: { account_id, country: to }, identity, now }) => {
      await inTransaction(pool, async (tx) => {
        const { rows } = await tx.query('delete from text_trust where account_id = $1 and country = $2 returning 1', [
          account_id,
          to,
        ]);
        if (rows.length === 0) throw new Problem('not_found');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'text_trust.withdraw', account_id },
          ...{ subject: `account:${account_id}`, detail: { country: to } },
        });
      });
      return { status: 204 };
    },
  );
}

/** @param to one country, or null for all. */
async function trustsOf(db: Queryable, account_id: string, to: string | null): Promise<Trust[]> {
  const { rows } = await db.query<Trust>(
    `select country, trusted_until, decided_by, reason, decided_at from text_trust
      where account_id = $1 and ($2::text is null or country = $2) order by country`,
    [account_id, to],
  );
  return rows;
}
