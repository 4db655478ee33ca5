import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { insertHolding } from '../holdings/holding_rows.ts';
import { renewNumber } from '../holdings/renew.ts';
import { lockNumber, setNumber } from '../lock_number.ts';
import type { NumberType } from '../offers/offer_rows.ts';
import { selectBuyer } from '../orders/buyer.ts';

/**
 * The way of a number from another operator to us:
 *
 *     requested ──accept──> accepted ──complete──> done
 *        │ │                   │ └────refuse────> refused
 *        │ └─────withdraw──────┴───withdraw───> withdrawn
 *        └───────refuse────> refused
 */
export const PORT_IN_STATES = ['requested', 'accepted', 'refused', 'withdrawn', 'done'] as const;
export type PortInState = (typeof PORT_IN_STATES)[number];
export type PortInEvent = 'accept' | 'refuse' | 'withdraw' | 'complete';

const NEXT: Readonly<Record<PortInState, Partial<Record<PortInEvent, PortInState>>>> = {
  requested: { accept: 'accepted', refuse: 'refused', withdraw: 'withdrawn' },
  accepted: { refuse: 'refused', withdraw: 'withdrawn', complete: 'done' },
  refused: {},
  withdrawn: {},
  done: {},
};

export const nextPortInState = (state: PortInState, event: PortInEvent): PortInState | null =>
  NEXT[state][event] ?? null;

export interface PortIn {
  id: string;
  account_id: string;
  number: string;
  country: string;
  number_type: NumberType;
  from_carrier: string;
  document_ids: string[];
  state: PortInState;
  reason: string | null;
  requested_at: Date;
  decided_at: Date | null;
}

export type PortInAsked =
  { kind: 'requested'; port_in: PortIn } | { kind: 'already_requested' | 'already_here' | 'no_such_document' };

export type PortInWish = Pick<
  PortIn,
  'id' | 'account_id' | 'number' | 'country' | 'number_type' | 'from_carrier' | 'document_ids'
>;

export async function askPortIn(tx: Transaction, wish: PortInWish, now: Date): Promise<PortInAsked> {
  const before = await selectPortIn(tx, wish.id);
  if (before !== null) return { kind: 'requested', port_in: before };
  if (await isOurs(tx, wish.number)) return { kind: 'already_here' };
  if (!(await hasDocuments(tx, wish))) return { kind: 'no_such_document' };
  const { rowCount } = await tx.query(
    `insert into port_in (id, account_id, number, country, number_type, from_carrier, document_ids, state, requested_at)
     values ($1, $2, $3, $4, $5, $6, $7, 'requested', $8) on conflict do nothing`,
    [
      ...[wish.id, wish.account_id, wish.number, wish.country, wish.number_type, wish.from_carrier],
      ...[wish.document_ids, now],
    ],
  );
  const port_in = await selectPortIn(tx, wish.id);
  return (rowCount ?? 0) === 0 || port_in === null ? { kind: 'already_requested' } : { kind: 'requested', port_in };
}

export interface PortInMove {
  event: PortInEvent;
  reason: string | null;
  /** Whose it has to be; left out by admins. */
  account_id?: string;
  now: Date;
}

export interface PortInPrice {
  /** The number's holding is made with it. */
  holding_id: string;
  currency: string;
  monthly_micros: bigint;
}

export type PortInMoved =
  | { kind: 'moved'; port_in: PortIn }
  | { kind: 'not_found' | 'too_late' | 'already_here' | 'no_wallet' | 'price_needed' };

/** What the customer or an admin decides. Once done, the number is the customer's, and its first month is paid or in grace. */
export async function movePortIn(
  tx: Transaction,
  id: string,
  { event, reason, account_id, now }: PortInMove,
  price: PortInPrice | null,
): Promise<PortInMoved> {
  const port_in = await selectPortIn(tx, id, 'for update');
  if (port_in === null || (account_id !== undefined && port_in.account_id !== account_id)) return { kind: 'not_found' };
  const state = nextPortInState(port_in.state, event);
  if (state === null) return { kind: 'too_late' };
  if (state === 'done') {
    if (price === null) return { kind: 'price_needed' };
    const refusal = await bringHome(tx, port_in, price, now);
    if (refusal !== null) return { kind: refusal };
  }
  await tx.query('update port_in set state = $2, reason = $3, decided_at = $4 where id = $1', [
    ...[id, state, reason, now],
  ]);
  await queueNotice(tx, {
    to: { account_id: port_in.account_id },
    template: 'order_state',
    facts: { number: port_in.number, state, ...(reason === null ? {} : { reason }) },
  });
  return { kind: 'moved', port_in: { ...port_in, state, reason, decided_at: now } };
}

async function bringHome(
  tx: Transaction,
  { number, account_id, country, number_type }: PortIn,
  { holding_id, currency, monthly_micros }: PortInPrice,
  now: Date,
): Promise<'already_here' | 'no_wallet' | null> {
  if (await isOurs(tx, number)) return 'already_here';
  const { wallet_id } = await selectBuyer(tx, account_id, currency, now);
  if (wallet_id === null) return 'no_wallet';
  await tx.query('insert into did (number) values ($1) on conflict do nothing', [number]);
  await lockNumber(tx, number);
  await tx.query(
    `insert into number_offer (number, country, number_type, calls, texts, provider, offered) values ($1, $2, $3, true, true, 'stock', false)
     on conflict (number) do update set offered = false`,
    [number, country, number_type],
  );
  const holding = { id: holding_id, number, account_id, wallet_id, currency, monthly_micros };
  const since = { held_from: now, held_to: null, state_since: now, paid_until: now, anchor_day: now.getUTCDate() };
  await insertHolding(tx, { ...holding, ...since, state: 'active', periods: 0, version: 1 }, null);
  await setNumber(tx, number, { state: 'active', account_id });
  await tellCustomer(tx, account_id, { type: 'number', id: number, state: 'active' });
  await renewNumber(tx, number, now);
  return null;
}

/** Held, for sale, or resting here. */
async function isOurs(db: Queryable, number: string): Promise<boolean> {
  const { rows } = await db.query('select from did where number = $1', [number]);
  return rows.length > 0;
}

/** Whether all that is named was uploaded by that account. */
async function hasDocuments(db: Queryable, { account_id, document_ids }: PortInWish): Promise<boolean> {
  const wanted = [...new Set(document_ids)];
  const { rowCount } = await db.query('select from kyc_document where account_id = $1 and id = any ($2::uuid[])', [
    account_id,
    wanted,
  ]);
  return rowCount === wanted.length;
}

const columns = `id, account_id, number, country, number_type, from_carrier, document_ids, state, reason, requested_at, decided_at`;

async function selectPortIn(db: Queryable, id: string, lock: '' | 'for update' = ''): Promise<PortIn | null> {
  const { rows } = await db.query<PortIn>(`select ${columns} from port_in where id = $1 ${lock}`, [id]);
  return rows[0] ?? null;
}

export async function portInsOf(db: Queryable, account_id: string, rows_max: number): Promise<PortIn[]> {
  const { rows } = await db.query<PortIn>(
    `select ${columns} from port_in where account_id = $1 order by requested_at desc, id limit $2`,
    [account_id, rows_max],
  );
  return rows;
}

/** Those that wait for somebody, the oldest first. */
export async function openPortIns(db: Queryable, rows_max: number): Promise<PortIn[]> {
  const { rows } = await db.query<PortIn>(
    `select ${columns} from port_in where state in ('requested', 'accepted') order by requested_at, id limit $1`,
    [rows_max],
  );
  return rows;
}
