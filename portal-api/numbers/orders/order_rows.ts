import type { Micros } from '../../../domain/money/micros.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import type { ConvertedFrom } from '../offers/wallet_price.ts';
import type { OrderState } from './order_state.ts';

export interface Order {
  id: string;
  account_id: string;
  number: string;
  state: OrderState;
  provider: string;
  wallet_id: bigint;
  currency: string;
  setup_micros: Micros;
  setup_tax_micros: Micros;
  monthly_micros: Micros;
  monthly_tax_micros: Micros;
  ordered_at: Date;
  state_since: Date;
  provisioning_since: Date | null;
  failure: string | null;
  /** Null where its price is of the wallet's own currency. */
  converted: ConvertedFrom | null;
}

/** What the database gives as text, as it has more digits than a number. */
type Big = 'wallet_id' | 'setup_micros' | 'setup_tax_micros' | 'monthly_micros' | 'monthly_tax_micros';
type OrderRow = Omit<Order, Big | 'converted'> & Record<Big, string> & { [K in keyof ConvertedFrom]: string | null };

const columns = `id, account_id, number, state, provider, wallet_id, currency, setup_micros, setup_tax_micros, monthly_micros,
  monthly_tax_micros, ordered_at, state_since, provisioning_since, failure`;
const converted = `list_currency, list_setup_micros, list_monthly_micros, fx_numerator, fx_denominator`;
const readColumns = `${columns}, ${converted}, to_char(fx_on_date, 'YYYY-MM-DD') as fx_on_date`;

const orderOf = ({
  list_currency,
  list_setup_micros,
  list_monthly_micros,
  fx_numerator,
  fx_denominator,
  fx_on_date,
  ...row
}: OrderRow): Order => ({
  ...row,
  converted:
    list_currency === null || fx_on_date === null
      ? null
      : {
          ...{ list_currency, fx_on_date },
          list_setup_micros: BigInt(list_setup_micros ?? 0),
          list_monthly_micros: BigInt(list_monthly_micros ?? 0),
          fx_numerator: BigInt(fx_numerator ?? 0),
          fx_denominator: BigInt(fx_denominator ?? 0),
        },
  wallet_id: BigInt(row.wallet_id),
  setup_micros: BigInt(row.setup_micros),
  setup_tax_micros: BigInt(row.setup_tax_micros),
  monthly_micros: BigInt(row.monthly_micros),
  monthly_tax_micros: BigInt(row.monthly_tax_micros),
});

export async function selectOrder(db: Queryable, id: string): Promise<Order | null> {
  const { rows } = await db.query<OrderRow>(`select ${readColumns} from number_order where id = $1`, [id]);
  return rows[0] === undefined ? null : orderOf(rows[0]);
}

/** The newest first, from before the one that a page ended with. */
export async function listOrders(
  db: Queryable,
  account_id: string,
  before: { ordered_at: Date; id: string } | null,
  rows_max: number,
): Promise<Order[]> {
  const { rows } = await db.query<OrderRow>(
    `select ${readColumns} from number_order
      where account_id = $1 and ($2::timestamptz is null or (ordered_at, id) < ($2, $3::uuid))
      order by ordered_at desc, id desc limit $4`,
    [account_id, before?.ordered_at ?? null, before?.id ?? null, rows_max],
  );
  return rows.map(orderOf);
}

/** All that are not at their end, those that have not moved for longest first. */
export async function openOrders(
  db: Queryable,
  filter: { states: readonly OrderState[]; unmoved_since: Date | null; rows_max: number },
): Promise<Order[]> {
  const { rows } = await db.query<OrderRow>(
    `select ${readColumns} from number_order where state = any ($1) and ($2::timestamptz is null or state_since <= $2)
      order by state_since, id limit $3`,
    [filter.states, filter.unmoved_since, filter.rows_max],
  );
  return rows.map(orderOf);
}

/** Accounts with orders that wait for documents, those with the oldest first. */
export async function accountsWaiting(db: Queryable, rows_max: number): Promise<string[]> {
  const { rows } = await db.query<{ account_id: string }>(
    `select account_id from number_order where state = 'pending_kyc' group by account_id order by min(state_since), account_id limit $1`,
    [rows_max],
  );
  return rows.map(({ account_id }) => account_id);
}

/** Those of an account that are not at their end. */
export async function ordersUnderWay(db: Queryable, account_id: string): Promise<Order[]> {
  const { rows } = await db.query<OrderRow>(
    `select ${readColumns} from number_order
      where account_id = $1 and state in ('ordered', 'pending_kyc', 'provisioning', 'testing') order by ordered_at`,
    [account_id],
  );
  return rows.map(orderOf);
}

export async function waitingOrders(db: Queryable, account_id: string): Promise<Order[]> {
  const { rows } = await db.query<OrderRow>(
    `select ${readColumns} from number_order where account_id = $1 and state = 'pending_kyc' order by ordered_at`,
    [account_id],
  );
  return rows.map(orderOf);
}

export async function insertOrder(tx: Transaction, order: Order): Promise<void> {
  await tx.query(
    `insert into number_order (${columns}, ${converted}, fx_on_date)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
    [
      ...[order.id, order.account_id, order.number, order.state, order.provider, order.wallet_id.toString()],
      ...[order.currency, order.setup_micros.toString(), order.setup_tax_micros.toString()],
      ...[order.monthly_micros.toString(), order.monthly_tax_micros.toString(), order.ordered_at, order.state_since],
      ...[order.provisioning_since, order.failure, ...convertedColumns(order.converted)],
    ],
  );
  await addOrderEvent(tx, order.id, 'ordered', order.ordered_at, null);
  if (order.state !== 'ordered') await addOrderEvent(tx, order.id, order.state, order.state_since, null);
}

const convertedColumns = (from: ConvertedFrom | null): (string | null)[] => [
  ...[from?.list_currency ?? null, from?.list_setup_micros.toString() ?? null],
  ...[from?.list_monthly_micros.toString() ?? null, from?.fx_numerator.toString() ?? null],
  ...[from?.fx_denominator.toString() ?? null, from?.fx_on_date ?? null],
];

/** The order as it is from now on; `note` is for its timeline. */
export async function moveOrder(
  tx: Transaction,
  order: Order,
  state: OrderState,
  { now, failure = null }: { now: Date; failure?: string | null },
): Promise<Order> {
  const provisioning_since = state === 'provisioning' ? now : order.provisioning_since;
  await tx.query(
    'update number_order set state = $2, state_since = $3, provisioning_since = $4, failure = $5 where id = $1',
    [order.id, state, now, provisioning_since, failure],
  );
  await addOrderEvent(tx, order.id, state, now, failure);
  return { ...order, state, state_since: now, provisioning_since, failure };
}

export interface OrderEventRow {
  at: Date;
  state: OrderState;
  note: string | null;
}

export async function orderEvents(db: Queryable, order_id: string): Promise<OrderEventRow[]> {
  const { rows } = await db.query<OrderEventRow>(
    `select at, state, note from number_order_event where order_id = $1
      order by at, array_position(array['ordered', 'pending_kyc', 'provisioning', 'testing', 'active', 'failed', 'cancelled'], state)`,
    [order_id],
  );
  return rows;
}

async function addOrderEvent(
  tx: Transaction,
  order_id: string,
  state: OrderState,
  at: Date,
  note: string | null,
): Promise<void> {
  await tx.query('insert into number_order_event (order_id, at, state, note) values ($1, $2, $3, $4)', [
    ...[order_id, at, state, note],
  ]);
}
