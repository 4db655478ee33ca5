import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import { timeQuery, viewOnRecord, viewQuery } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf } from '../http/cursor.ts';
import { currency, instantOut, microsOut, uuid } from '../http/fields.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { isRestrictedForDebt, owedBeside } from './debts.ts';

const shape = z
  .object({
    dispute_id: uuid,
    account_id: uuid,
    payment_id: uuid,
    provider: z.string(),
    /** As the provider calls it: evidence is sent there under that name. */
    provider_dispute: z.string(),
    state: z.enum(['open', 'won', 'lost']),
    amount_micros: microsOut,
    /** What the wallet had free when it was told, and gave. */
    debited_micros: microsOut,
    /** What the wallet did not have. */
    owed_micros: microsOut,
    /** What the account owes now, for all its disputes together. */
    receivable_micros: microsOut,
    currency,
    /** Whether the account may not buy anything until it has paid. */
    is_restricted: z.boolean(),
    opened_at: instantOut,
    closed_at: instantOut.nullable(),
  })
  .meta({ id: 'Dispute' });

type Amounts = 'amount_micros' | 'debited_micros' | 'owed_micros' | 'receivable_micros';
type Row = Omit<z.input<typeof shape>, Amounts | 'opened_at'> & Record<Amounts, string> & { opened_at: Date };

export function disputeRoutes({ pool }: PortalContext): Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/v1/admin/disputes',
        operation_id: 'admin_list_disputes',
        summary: 'Payments that banks took back: what was debited for each, and what is owed.',
        tag: 'admin payments',
        policy: { admin: ['finance', 'owner'] },
        query: viewQuery.extend({ state: shape.shape.state.optional(), ...timeQuery }),
        answers: { 200: { description: 'The latest first.', json: pageOf(shape) } },
      },
      async ({ query, identity, now }) => {
        const { account_id = null, state = null, from = null, to = null } = query;
        const before = decodeCursor(query.cursor, z.tuple([z.iso.datetime(), uuid])) ?? [null, null];
        const view = { action: 'disputes.view', account_id, subject: 'disputes', purpose: query.purpose };
        const rows = await viewOnRecord(pool, { identity, now }, view, (tx) =>
          selectDisputes(tx, [account_id, state, from, to, ...before, query.limit + 1, now]),
        );
        const key = ({ opened_at, dispute_id }: Row) => [opened_at.toISOString(), dispute_id];
        return { status: 200, body: page(rows, query.limit, { key, item: shown }) };
      },
    ),
  ];
}

async function selectDisputes(db: Queryable, values: readonly unknown[]): Promise<Row[]> {
  const { rows } = await db.query<Row>(
    `select d.id as dispute_id, t.account_id, d.attempt_id as payment_id, d.provider, d.provider_dispute, d.state, d.amount_micros,
            d.debited_micros, d.owed_micros, ${owedBeside('t.wallet_id')} as receivable_micros, t.currency,
            ${isRestrictedForDebt('t.account_id', '$8')} as is_restricted, d.opened_at, d.closed_at
       from payment_dispute d join payment_attempt t on t.id = d.attempt_id
      where ($1::uuid is null or t.account_id = $1) and ($2::text is null or d.state = $2)
        and ($3::timestamptz is null or d.opened_at >= $3) and ($4::timestamptz is null or d.opened_at < $4)
        and ($5::timestamptz is null or (d.opened_at, d.id) < ($5, $6::uuid))
      order by d.opened_at desc, d.id desc limit $7`,
    [...values],
  );
  return rows;
}

const shown = (row: Row): z.input<typeof shape> => ({
  ...row,
  amount_micros: BigInt(row.amount_micros),
  debited_micros: BigInt(row.debited_micros),
  owed_micros: BigInt(row.owed_micros),
  receivable_micros: BigInt(row.receivable_micros),
});
