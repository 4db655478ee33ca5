import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import { viewOnRecord, viewQuery } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf } from '../http/cursor.ts';
import { currency, instantOut, microsOut, uuid } from '../http/fields.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';

const shape = z
  .object({
    promo_id: z.string(),
    account_id: uuid,
    currency,
    granted_micros: microsOut,
    left_micros: microsOut,
    /** What nobody had spent when it ended, and was booked back. */
    lapsed_micros: microsOut,
    /** usable: something is left and it has not ended; spent: nothing is; expired: it has ended. */
    state: z.enum(['usable', 'spent', 'expired']),
    granted_at: instantOut.nullable(),
    expires_at: instantOut,
    reason: z.string().nullable(),
    /** The order by which it was given; null where it was given by another way. */
    finance_order_id: uuid.nullable(),
    requested_by: uuid.nullable(),
  })
  .meta({ id: 'PromoCredit' });

type Amounts = 'granted_micros' | 'left_micros' | 'lapsed_micros';
type Row = Omit<z.input<typeof shape>, Amounts> & Record<Amounts, string>;

export function promoRoutes({ pool }: PortalContext): Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/v1/admin/promo-credits',
        operation_id: 'admin_list_promo_credits',
        summary: 'Promo credit that was given: what is left of it, until when, and who gave it why.',
        tag: 'admin payments',
        policy: { admin: ['finance', 'owner'] },
        query: viewQuery.extend({ state: shape.shape.state.optional() }),
        answers: { 200: { description: 'The latest first.', json: pageOf(shape) } },
      },
      async ({ query, identity, now }) => {
        const { account_id = null, state = null } = query;
        const [before] = decodeCursor(query.cursor, z.tuple([z.string().regex(/^\d{1,18}$/u)])) ?? [null];
        const view = { action: 'promo_credits.view', account_id, subject: 'promo_credits', purpose: query.purpose };
        const rows = await viewOnRecord(pool, { identity, now }, view, (tx) =>
          selectPromo(tx, [account_id, state, now, before, query.limit + 1]),
        );
        return { status: 200, body: page(rows, query.limit, { key: ({ promo_id }) => [promo_id], item: shown }) };
      },
    ),
  ];
}

/** What was granted and what lapsed is told by the ledger, not by what is left. */
async function selectPromo(db: Queryable, values: readonly unknown[]): Promise<Row[]> {
  const { rows } = await db.query<Row>(
    `select b.promo_id, b.account_id, b.currency, b.left_micros, b.expires_at, b.state, coalesce(g.amount_micros, 0) as granted_micros,
            coalesce(l.amount_micros, 0) as lapsed_micros, g.created_at as granted_at, coalesce(o.reason, g.what) as reason,
            o.id as finance_order_id, o.requested_by
       from (select c.ledger_account_id as promo_id, w.account_id, w.currency, c.balance_micros as left_micros, c.expires_at,
                    case when c.expires_at <= $3 then 'expired' when c.balance_micros > 0 then 'usable' else 'spent' end as state
               from promo_credit c join wallet w on w.id = c.wallet_id) b
            left join lateral (
              select p.amount_micros, t.created_at, t.ref, t.content ->> 'what' as what from posting p join ledger_tx t on t.id = p.tx_id
               where p.account_id = b.promo_id and t.kind = 'promo' order by t.id limit 1) g on true
            left join lateral (
              select -sum(p.amount_micros) as amount_micros from posting p join ledger_tx t on t.id = p.tx_id
               where p.account_id = b.promo_id and t.kind = 'promo_expiry') l on true
            left join finance_order o on o.id = g.ref
      where ($1::uuid is null or b.account_id = $1) and ($2::text is null or b.state = $2) and ($4::bigint is null or b.promo_id < $4)
      order by b.promo_id desc limit $5`,
    [...values],
  );
  return rows;
}

const shown = (row: Row): z.input<typeof shape> => ({
  ...row,
  granted_micros: BigInt(row.granted_micros),
  left_micros: BigInt(row.left_micros),
  lapsed_micros: BigInt(row.lapsed_micros),
});
