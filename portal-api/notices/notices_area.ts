import { z } from 'zod';
import type pg from 'pg';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { KeyDestroyed } from '../../domain/privacy/data_keys.ts';
import { unseal } from '../../domain/privacy/sealing.ts';
import type { Area, PortalContext } from '../context.ts';
import { enqueue, task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { isNoticeTemplate } from './notice_words.ts';
import type { NoticeTemplate } from './notice_words.ts';
import { postingBy } from './post_notice.ts';

const templateName = z.string().refine(isNoticeTemplate, 'there is no such template');
const facts = z.record(z.string(), z.string());

/** What people are told by mail: tasks alone. */
export function noticesArea(context: PortalContext): Area {
  return { routes: [], tasks: [sendNotice(context), tellFormerAddress(context)] };
}

/** To an account: to each of its owners by a task of its own, so that one whose mail fails has nobody told twice. */
function sendNotice(context: PortalContext): Task {
  const post = postingBy(context);
  const payload = z.union([
    z.object({ user_id: z.uuid(), template: templateName, facts }),
    z.object({ account_id: z.uuid(), template: templateName, facts }),
  ]);
  return task('send_notice', payload, async (notice) => {
    if ('account_id' in notice) {
      await tellOwners(context.pool, notice.account_id, notice.template, notice.facts);
      return;
    }
    const email = await emailOf(context, notice.user_id);
    if (email !== null) await post(email, notice.template, notice.facts);
  });
}

function tellOwners(
  pool: pg.Pool,
  account_id: string,
  template: NoticeTemplate,
  facts: Readonly<Record<string, string>>,
): Promise<void> {
  return inTransaction(pool, async (tx) => {
    const { rows } = await tx.query<{ user_id: string }>(
      `select user_id from membership where account_id = $1 and role = 'owner' order by user_id`,
      [account_id],
    );
    for (const { user_id } of rows) {
      await enqueue(tx, { task: 'send_notice', payload: { user_id, template, facts } });
    }
  });
}

/** Tells the address that somebody had before that it was changed, as only there they would learn of what they did not do. */
function tellFormerAddress(context: PortalContext): Task {
  const post = postingBy(context);
  return task('tell_former_address', z.object({ change_id: z.uuid() }), async ({ change_id }) => {
    const { rows } = await context.pool.query<{ before_sealed: Buffer; data_key_id: string; at: Date }>(
      `select c.before_sealed, u.data_key_id, c.at from profile_change c join portal_user u on u.id = c.user_id
        where c.id = $1 and c.field = 'email' and c.before_sealed is not null`,
      [change_id],
    );
    const change = rows[0];
    if (change === undefined) return;
    const key = await context.keys.open(context.pool, change.data_key_id);
    const before = unseal(key, `profile_change.before:${change_id}`, change.before_sealed).toString();
    await post(before, 'email_changed', { at: change.at.toISOString() });
  });
}

/** Where somebody is reached; null where nobody is there any more. */
async function emailOf({ keys, pool }: PortalContext, user_id: string): Promise<string | null> {
  const user = await selectEmail(pool, user_id);
  if (user === undefined) return null;
  try {
    const key = await keys.open(pool, user.data_key_id);
    return unseal(key, `portal_user.email:${user_id}`, user.email_sealed).toString();
  } catch (error) {
    if (error instanceof KeyDestroyed) return null;
    throw error;
  }
}

async function selectEmail(
  db: Queryable,
  user_id: string,
): Promise<{ email_sealed: Buffer; data_key_id: string } | undefined> {
  const { rows } = await db.query<{ email_sealed: Buffer; data_key_id: string }>(
    `select email_sealed, data_key_id from portal_user where id = $1 and state <> 'closed'`,
    [user_id],
  );
  return rows[0];
}
