import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Queryable } from '../../../domain/db/transaction.ts';
import { viewOnRecord } from '../../audit/view_on_record.ts';
import type { PortalContext } from '../../context.ts';
import { instantOut, line, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { WHO_EDITS, WHO_LOOKS } from '../operations_policy.ts';

const LISTED_MAX = 1000;

const params = z.object({ account_id: uuid });
/** A name has a letter, so that none can be taken for somebody's number; a short code has up to eight digits. */
const senderField = z
  .string()
  .regex(/^(?:[A-Za-z0-9 &+._-]{3,11}|[0-9]{3,8})$/u)
  .refine(
    (text) => /[A-Za-z]/u.test(text) || /^[0-9]{3,8}$/u.test(text),
    'is a name with a letter in it, or a short code',
  );

const shape = z.object({ sender: z.string(), approved_at: instantOut }).meta({ id: 'TextSender' });

/** The names and short codes that an account may write by, beside its numbers: each is allowed by a person. */
export function textSenderRoutes(context: PortalContext): Route[] {
  return [list(context), allow(context), withdraw(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/customers/{account_id}/text-senders',
      operation_id: 'admin_list_text_senders',
      summary: 'The names and short codes that an account may write by. That you saw them is on record.',
      tag: 'admin texts',
      policy: WHO_LOOKS,
      params,
      query: z.object({ purpose: line(500) }),
      answers: { 200: { description: 'All of them.', json: z.object({ items: z.array(shape) }) } },
    },
    async ({ params: { account_id }, query: { purpose }, identity, now }) => {
      const view = { action: 'text_senders.view', account_id, subject: `account:${account_id}`, purpose };
      const items = await viewOnRecord(pool, { identity, now }, view, (tx) => selectSenders(tx, account_id));
      return { status: 200, body: { items } };
    },
  );
}

async function selectSenders(db: Queryable, account_id: string): Promise<z.input<typeof shape>[]> {
  const { rows } = await db.query<z.input<typeof shape>>(
    'select sender, approved_at from text_sender where account_id = $1 order by sender limit $2',
    [account_id, LISTED_MAX],
  );
  return rows;
}

function allow({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/customers/{account_id}/text-senders',
      operation_id: 'admin_allow_text_sender',
      summary: 'Let an account write by a name or a short code. Allowed once more, nothing changes.',
      tag: 'admin texts',
      policy: WHO_EDITS,
      params,
      idempotent: true,
      body: z.strictObject({
        sender: senderField,
        /** By what it is known to be the customer's. */
        reason: line(500),
      }),
      answers: { 201: { description: 'For the next text.', json: shape } },
    },
    async ({ params: { account_id }, body: { sender, reason }, identity, now }) => {
      const allowed = await inTransaction(pool, async (tx) => {
        const account = await tx.query('select 1 from account where id = $1', [account_id]);
        if (account.rows.length === 0) throw new Problem('not_found');
        const made = await tx.query(
          'insert into text_sender (account_id, sender, approved_at) values ($1, $2, $3) on conflict do nothing returning 1',
          [account_id, sender, now],
        );
        const { rows } = await tx.query<z.input<typeof shape>>(
          'select sender, approved_at from text_sender where account_id = $1 and sender = $2',
          [account_id, sender],
        );
        const [row] = rows;
        if (row === undefined) throw new Error('A sender that was allowed is gone.');
        // The name itself is somebody's, and stays out of the log.
        if (made.rows.length > 0) {
          await appendAudit(tx, {
            ...{ at: now, actor: adminActor(identity), action: 'text_sender.allow', account_id },
            ...{ subject: `account:${account_id}`, detail: { reason } },
          });
        }
        return row;
      });
      return { status: 201, body: allowed };
    },
  );
}

function withdraw({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/admin/customers/{account_id}/text-senders/{sender}',
      operation_id: 'admin_withdraw_text_sender',
      summary: 'Let an account write by this name or short code no more.',
      tag: 'admin texts',
      policy: WHO_EDITS,
      params: params.extend({ sender: z.string().regex(/^[A-Za-z0-9 &+._-]{3,11}$/u) }),
      answers: { 204: { description: 'From the next text on.', empty: true } },
    },
    async ({ params: { account_id, sender }, identity, now }) => {
      await inTransaction(pool, async (tx) => {
        const { rows } = await tx.query('delete from text_sender where account_id = $1 and sender = $2 returning 1', [
          account_id,
          sender,
        ]);
        if (rows.length === 0) throw new Problem('not_found');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'text_sender.withdraw', account_id },
          ...{ subject: `account:${account_id}` },
        });
      });
      return { status: 204 };
    },
  );
}
