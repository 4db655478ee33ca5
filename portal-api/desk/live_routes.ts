import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { instantOut, line, microsOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { adminActor } from '../identity/whose.ts';
import { maskPhone } from './masking.ts';

const WHO_WATCHES = { admin: ['support', 'operations', 'owner'] } as const;
const query = pageQuery.extend({ purpose: line(500) });

export function liveRoutes(context: PortalContext): Route[] {
  return [listCalls(context), hangUp(context), readCommand(context), listMessages(context)];
}

const liveCall = z
  .object({
    call_id: uuid,
    leg_id: uuid,
    account_id: uuid,
    direction: z.string(),
    device: z.string().nullable(),
    dialled_masked: z.string(),
    destination: z.string(),
    since: instantOut,
    answered_at: instantOut.nullable(),
    deadline_at: instantOut,
    held_micros: microsOut,
    currency: z.string(),
  })
  .meta({ id: 'LiveCall' });

interface LiveCallRow {
  call_id: string;
  leg_id: string;
  account_id: string;
  direction: string | null;
  device: string | null;
  dialled: string | null;
  destination: string | null;
  since: Date;
  answered_at: Date | null;
  deadline_at: Date;
  held_micros: string;
  currency: string;
  at_us: string;
}

function listCalls({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/live-calls',
      operation_id: 'admin_list_live_calls',
      summary: 'Calls that money is held for right now.',
      tag: 'admin live',
      policy: WHO_WATCHES,
      query,
      answers: { 200: { description: 'The newest first.', json: pageOf(liveCall) } },
    },
    async ({ query: { cursor, limit, purpose }, identity, now }) => {
      const after = decodeCursor(cursor, z.tuple([z.string().regex(/^\d{1,18}$/u), uuid]));
      const rows = await inTransaction(pool, async (tx) => {
        const found = await selectLiveCalls(tx, after, limit + 1);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'live_calls.view', account_id: null },
          ...{ subject: 'live_calls', purpose },
        });
        return found;
      });
      return {
        status: 200,
        body: page(rows, limit, { key: ({ at_us, leg_id }) => [at_us, leg_id], item: liveCallOf }),
      };
    },
  );
}

async function selectLiveCalls(
  db: Queryable,
  after: readonly [string, string] | null,
  limit: number,
): Promise<LiveCallRow[]> {
  const { rows } = await db.query<LiveCallRow>(
    `select h.call_id, h.leg_id, w.account_id, h.snapshot ->> 'direction' as direction, h.snapshot ->> 'device' as device,
            h.snapshot ->> 'dialled' as dialled, h.snapshot ->> 'destination' as destination, h.authorized_at as since, h.answered_at,
            h.deadline_at, h.held_micros, w.currency, (extract(epoch from h.authorized_at) * 1000000)::bigint::text as at_us
       from call_hold h join wallet w on w.id = h.wallet_id
      where h.state = 'o'
        and ($1::bigint is null or (h.authorized_at, h.leg_id) < ('epoch'::timestamptz + $1::bigint * interval '1 microsecond', $2::uuid))
      order by h.authorized_at desc, h.leg_id desc limit $3`,
    [...(after ?? [null, null]), limit],
  );
  return rows;
}

function liveCallOf(row: LiveCallRow): z.input<typeof liveCall> {
  const { call_id, leg_id, account_id, device, since, answered_at, deadline_at, currency } = row;
  return {
    ...{ call_id, leg_id, account_id, device, since, answered_at, deadline_at, currency },
    ...{ direction: row.direction ?? 'unknown', destination: row.destination ?? '' },
    ...{ dialled_masked: maskPhone(row.dialled ?? ''), held_micros: BigInt(row.held_micros) },
  };
}

const command = z.object({
  command_id: uuid,
  leg_id: uuid,
  call_id: uuid,
  reason: z.string(),
  asked_at: instantOut,
  /** When the call was found to be over; null: it is on its way. */
  done_at: instantOut.nullable(),
});

type CommandRow = z.input<typeof command>;

function hangUp({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/live-calls/{leg_id}/hang-up',
      operation_id: 'admin_hang_up',
      summary: 'End a call. What was talked is charged as if somebody had hung up.',
      tag: 'admin live',
      policy: { admin: ['operations', 'owner'] },
      params: z.object({ leg_id: uuid }),
      idempotent: true,
      body: z.object({ reason: line(500) }),
      answers: { 202: { description: 'Whichever controller has the call ends it.', json: command } },
      problems: ['too_late'],
    },
    async ({ params: { leg_id }, body, identity, operation_id, now }) => {
      const actor = adminActor(identity);
      const asked = await inTransaction(pool, async (tx) => {
        const before = await selectCommand(tx, operation_id);
        if (before !== null) return before;
        const { rows } = await tx.query<CommandRow & { account_id: string }>(
          `insert into call_command (id, leg_id, call_id, switch_id, account_id, reason, asked_by, asked_at)
           select $1, h.leg_id, h.call_id, h.switch_id, w.account_id, $3, $4, $5
             from call_hold h join wallet w on w.id = h.wallet_id where h.leg_id = $2 and h.state = 'o'
           returning id as command_id, leg_id, call_id, reason, asked_at, done_at, account_id`,
          [operation_id, leg_id, body.reason, actor.id, now],
        );
        const [made] = rows;
        if (made === undefined) throw new Problem('too_late', 'There is no such call any more.');
        const { account_id, ...told } = made;
        await appendAudit(tx, {
          ...{ at: now, actor, action: 'call.hang_up', account_id, subject: `call:${told.call_id}` },
          detail: { leg_id, reason: body.reason },
        });
        return told;
      });
      return { status: 202, body: asked };
    },
  );
}

function readCommand({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/call-commands/{command_id}',
      operation_id: 'admin_read_call_command',
      summary: 'Whether a call that was to end has ended.',
      tag: 'admin live',
      policy: WHO_WATCHES,
      params: z.object({ command_id: uuid }),
      answers: { 200: { description: 'The command.', json: command } },
    },
    async ({ params: { command_id } }) => {
      const found = await selectCommand(pool, command_id);
      if (found === null) throw new Problem('not_found');
      return { status: 200, body: found };
    },
  );
}

async function selectCommand(db: Queryable, id: string): Promise<CommandRow | null> {
  const { rows } = await db.query<CommandRow>(
    'select id as command_id, leg_id, call_id, reason, asked_at, done_at from call_command where id = $1',
    [id],
  );
  return rows[0] ?? null;
}

const liveMessage = z
  .object({
    message_id: uuid,
    account_id: uuid.nullable(),
    direction: z.enum(['mt', 'mo']),
    accepted_at: instantOut,
    sender_masked: z.string(),
    recipient_masked: z.string(),
    segments: z.int(),
    class: z.string(),
    destination: z.string().nullable(),
    source: z.string(),
    state: z.string(),
  })
  .meta({ id: 'LiveMessage' });

type LiveMessageRow = Omit<z.input<typeof liveMessage>, 'sender_masked' | 'recipient_masked'> & {
  sender: string;
  recipient: string;
};

function listMessages({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/live-messages',
      operation_id: 'admin_list_live_messages',
      summary: 'The newest texts of everybody, without what they say.',
      tag: 'admin live',
      policy: WHO_WATCHES,
      query,
      answers: { 200: { description: 'The newest first.', json: pageOf(liveMessage) } },
    },
    async ({ query: { cursor, limit, purpose }, identity, now }) => {
      const after = decodeCursor(cursor, z.tuple([uuid]))?.[0] ?? null;
      const rows = await inTransaction(pool, async (tx) => {
        const found = await tx.query<LiveMessageRow>(
          `select m.*, s.state from (
             select id as message_id, account_id, direction, accepted_at, sender, recipient, segments, class, destination, source
               from message where id < coalesce($1::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff') order by id desc limit $2) m
             cross join lateral (select t.state from message_state t where t.message_id = m.message_id offset 0) s
            order by m.message_id desc`,
          [after, limit + 1],
        );
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'live_messages.view', account_id: null },
          ...{ subject: 'live_messages', purpose },
        });
        return found.rows;
      });
      const item = ({ sender, recipient, ...rest }: LiveMessageRow): z.input<typeof liveMessage> => ({
        ...rest,
        ...{ sender_masked: maskPhone(sender), recipient_masked: maskPhone(recipient) },
      });
      return { status: 200, body: page(rows, limit, { key: ({ message_id }) => [message_id], item }) };
    },
  );
}
