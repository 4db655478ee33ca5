import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import { timeQuery, viewOnRecord, viewQuery } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf } from '../http/cursor.ts';
import { currency, instantOut, microsOut, uuid } from '../http/fields.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { cardShape } from './payment_desk_routes.ts';

const shape = z
  .object({
    dunning_id: uuid,
    account_id: uuid,
    /** open: tried again at `next_at`; recovered: it was paid; exhausted: no day is left, and the wallet does not fill itself any more;
     * withdrawn: its owner does not want it any more. */
    state: z.enum(['open', 'recovered', 'exhausted', 'withdrawn']),
    amount_micros: microsOut,
    currency,
    card: cardShape,
    /** Then nothing is tried again, though a day is set. */
    card_is_removed: z.boolean(),
    first_payment_id: uuid,
    /** How often it was tried again. */
    tries: z.int(),
    /** Why the last of them failed, in the provider's words. */
    last_failure: z.string().nullable(),
    last_failed_at: instantOut.nullable(),
    next_at: instantOut.nullable(),
    opened_at: instantOut,
  })
  .meta({ id: 'Dunning' });

type Row = Omit<z.input<typeof shape>, 'amount_micros' | 'opened_at'> & { amount_micros: string; opened_at: Date };

export function dunningRoutes({ pool }: PortalContext): Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/v1/admin/dunning',
        operation_id: 'admin_list_dunning',
        summary: 'Payments that nobody was there for and that failed, and where their retries stand.',
        tag: 'admin payments',
        policy: { admin: ['finance', 'owner'] },
        query: viewQuery.extend({ state: shape.shape.state.optional(), ...timeQuery }),
        answers: { 200: { description: 'The latest first.', json: pageOf(shape) } },
      },
      async ({ query, identity, now }) => {
        const { account_id = null, state = null, from = null, to = null } = query;
        const before = decodeCursor(query.cursor, z.tuple([z.iso.datetime(), uuid])) ?? [null, null];
        const view = { action: 'dunning.view', account_id, subject: 'dunning', purpose: query.purpose };
        const rows = await viewOnRecord(pool, { identity, now }, view, (tx) =>
          selectDunning(tx, [account_id, state, from, to, ...before, query.limit + 1]),
        );
        const key = ({ opened_at, dunning_id }: Row) => [opened_at.toISOString(), dunning_id];
        const item = (row: Row): z.input<typeof shape> => ({ ...row, amount_micros: BigInt(row.amount_micros) });
        return { status: 200, body: page(rows, query.limit, { key, item }) };
      },
    ),
  ];
}

/** One wallet has one open at a time, so the retries of a wallet since one began are its own until the next begins. */
async function selectDunning(db: Queryable, values: readonly unknown[]): Promise<Row[]> {
  const { rows } = await db.query<Row>(
    `select d.id as dunning_id, d.account_id, d.state, d.amount_micros, w.currency,
            jsonb_build_object('brand', m.brand, 'last4', m.last4) as card, m.removed_at is not null as card_is_removed,
            d.first_attempt_id as first_payment_id, d.tries::integer, f.failure as last_failure, f.changed_at as last_failed_at,
            d.next_at, d.opened_at
       from dunning d join wallet w on w.id = d.wallet_id join payment_method m on m.id = d.method_id
            left join lateral (
              select p.failure, p.changed_at from payment_attempt p
               where p.account_id = d.account_id and p.wallet_id = d.wallet_id and p.state = 'failed'
                 and (p.id = d.first_attempt_id or p.purpose = 'retry' and p.created_at >= d.opened_at
                      and not exists (select 1 from dunning later
                                       where later.wallet_id = d.wallet_id and later.opened_at > d.opened_at and later.opened_at <= p.created_at))
               order by p.changed_at desc, p.id limit 1) f on true
      where ($1::uuid is null or d.account_id = $1) and ($2::text is null or d.state = $2)
        and ($3::timestamptz is null or d.opened_at >= $3) and ($4::timestamptz is null or d.opened_at < $4)
        and ($5::timestamptz is null or (d.opened_at, d.id) < ($5, $6::uuid))
      order by d.opened_at desc, d.id desc limit $7`,
    [...values],
  );
  return rows;
}
