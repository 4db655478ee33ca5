import { z } from 'zod';
import type pg from 'pg';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { KeyDestroyed } from '../../domain/privacy/data_keys.ts';
import { unseal } from '../../domain/privacy/sealing.ts';
import type { Area, PortalContext } from '../context.ts';
import { enqueue, task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { forgetBounces } from './bounce_rows.ts';
import { bounceRoute } from './bounce_route.ts';
import type { Reader } from './fact_words.ts';
import { isNoticeTemplate } from './notice_words.ts';
import type { NoticeTemplate } from './notice_words.ts';
import { PLAIN_READER, postingBy } from './post_notice.ts';
import { undeliverableRoutes } from './undeliverable_routes.ts';

const templateName = z.string().refine(isNoticeTemplate, 'there is no such template');
const facts = z.record(z.string(), z.string());

/** What people are told by mail, and what comes back of it. */
export function noticesArea(context: PortalContext): Area {
  return {
    routes: [bounceRoute(context), ...undeliverableRoutes(context)],
    tasks: [sendNotice(context), tellFormerAddress(context), forgetOldBounces(context)],
  };
}

const BOUNCES_MS = 180 * 86_400_000;

/** Each night. */
function forgetOldBounces({ pool, now }: PortalContext): Task {
  const forget = (): Promise<void> => forgetBounces(pool, new Date(now().getTime() - BOUNCES_MS));
  return task('forget_bounces', z.object({}), forget, '29 3 * * *');
}

/** To an account: to each of its owners by a task of its own, so that one whose mail fails has nobody told twice. */
function sendNotice(context: PortalContext): Task {
  const post = postingBy(context);
  const payload = z.union([
    // Of which account it is about, its times are told in the zone.
    z.object({ user_id: z.uuid(), about_account_id: z.uuid().optional(), template: templateName, facts }),
    z.object({ account_id: z.uuid(), template: templateName, facts }),
  ]);
  return task('send_notice', payload, async (notice) => {
    if (!('user_id' in notice)) {
      await tellOwners(context.pool, notice.account_id, notice.template, notice.facts);
      return;
    }
    const person = await personOf(context, notice.user_id, notice.about_account_id ?? null);
    if (person !== null) await post(person.email, notice.template, notice.facts, { reader: person.reader });
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
      await enqueue(tx, { task: 'send_notice', payload: { user_id, about_account_id: account_id, template, facts } });
    }
  });
}

/** Tells the address that somebody had before that it was changed, as only there they would learn of what they did not do. */
function tellFormerAddress(context: PortalContext): Task {
  const post = postingBy(context);
  return task('tell_former_address', z.object({ change_id: z.uuid() }), async ({ change_id }) => {
    const { rows } = await context.pool.query<{
      before_sealed: Buffer;
      data_key_id: string;
      at: Date;
      user_id: string;
    }>(
      `select c.before_sealed, u.data_key_id, c.at, c.user_id from profile_change c join portal_user u on u.id = c.user_id
        where c.id = $1 and c.field = 'email' and c.before_sealed is not null`,
      [change_id],
    );
    const change = rows[0];
    if (change === undefined) return;
    const key = await context.keys.open(context.pool, change.data_key_id);
    const before = unseal(key, `profile_change.before:${change_id}`, change.before_sealed).toString();
    const user = await selectReached(context.pool, change.user_id, null);
    const reader = user === undefined ? PLAIN_READER : readerOf(user);
    await post(before, 'email_changed', { at: change.at.toISOString() }, { reader });
  });
}

/** Where somebody is reached, and how they read; null where nobody is there any more. */
async function personOf(
  { keys, pool }: PortalContext,
  user_id: string,
  account_id: string | null,
): Promise<{ email: string; reader: Reader } | null> {
  const user = await selectReached(pool, user_id, account_id);
  if (user === undefined) return null;
  try {
    const key = await keys.open(pool, user.data_key_id);
    const email = unseal(key, `portal_user.email:${user_id}`, user.email_sealed).toString();
    return { email, reader: readerOf(user) };
  } catch (error) {
    if (error instanceof KeyDestroyed) return null;
    throw error;
  }
}

interface Reached {
  email_sealed: Buffer;
  data_key_id: string;
  locale: string;
  /** Of the account that it is about, else of the first that they own; null where there is none. */
  time_zone: string | null;
}

const readerOf = ({ locale, time_zone }: Reached): Reader => ({ locale, time_zone: time_zone ?? 'UTC' });

async function selectReached(db: Queryable, user_id: string, account_id: string | null): Promise<Reached | undefined> {
  const { rows } = await db.query<Reached>(
    `select u.email_sealed, u.data_key_id, u.locale, (
              select a.time_zone from membership m join account a on a.id = m.account_id
               where m.user_id = u.id and ($2::uuid is null or a.id = $2) order by m.role <> 'owner', m.created_at, a.id limit 1) as time_zone
       from portal_user u where u.id = $1 and u.state <> 'closed'`,
    [user_id, account_id],
  );
  return rows[0];
}
