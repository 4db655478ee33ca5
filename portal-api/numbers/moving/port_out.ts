import type pg from 'pg';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import type { KeyRing } from '../../../domain/privacy/sealing.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { carryOutCancellation, pendingCancellation } from '../holdings/cancel_number.ts';
import { endHolding } from '../holdings/end_holding.ts';
import { openHolding } from '../holdings/holding_rows.ts';
import type { Holding } from '../holdings/holding_rows.ts';
import { isDisputed } from '../holdings/kept.ts';
import { lockNumber } from '../lock_number.ts';
import { PROMISED_MAX_MS } from '../terms.ts';
import { tryPortPin } from './port_pin.ts';

const LAPSED_AT_ONCE = 500;

/**
 * The way of a number to another operator:
 *
 *     requested ──approve──> approved ──complete──> done
 *        │ │                   │ └─refuse, lapse─> refused
 *        │ └─────object────────┴────object────> objected
 *        └───────refuse────> refused
 *
 * Approved, a number is promised: until that is over neither a cancellation whose day has come nor a month that is not paid takes it from
 * its holder. So a promise lapses when nobody fetches the number in time.
 */
export const PORT_OUT_STATES = ['requested', 'approved', 'refused', 'objected', 'done'] as const;
export type PortOutState = (typeof PORT_OUT_STATES)[number];
export type PortOutEvent = 'approve' | 'refuse' | 'object' | 'complete' | 'lapse';

const NEXT: Readonly<Record<PortOutState, Partial<Record<PortOutEvent, PortOutState>>>> = {
  requested: { approve: 'approved', refuse: 'refused', object: 'objected' },
  approved: { refuse: 'refused', object: 'objected', complete: 'done', lapse: 'refused' },
  refused: {},
  objected: {},
  done: {},
};

export const nextPortOutState = (state: PortOutState, event: PortOutEvent): PortOutState | null =>
  NEXT[state][event] ?? null;

export interface PortOut {
  id: string;
  holding_id: string;
  number: string;
  account_id: string;
  to_carrier: string;
  state: PortOutState;
  reason: string | null;
  requested_at: Date;
  decided_at: Date | null;
}

export type PortOutAsked = { kind: 'requested'; port_out: PortOut } | { kind: 'wrong' | 'already_requested' };

/** Another operator asks for a number by its PIN. Whether the number or the PIN is wrong is not told. */
export async function askPortOut(
  tx: Transaction,
  ring: KeyRing,
  wish: { port_out_id: string; number: string; pin: string; to_carrier: string; now: Date },
): Promise<PortOutAsked> {
  const { port_out_id, number, pin, to_carrier, now } = wish;
  await lockNumber(tx, number);
  const before = await selectPortOut(tx, port_out_id);
  if (before !== null) return { kind: 'requested', port_out: before };
  const holding = await openHolding(tx, number);
  if (holding === null || !(await tryPortPin(tx, ring, holding.id, pin))) return { kind: 'wrong' };
  const { rowCount } = await tx.query(
    `insert into port_out (id, holding_id, number, account_id, to_carrier, state, requested_at)
     values ($1, $2, $3, $4, $5, 'requested', $6) on conflict do nothing`,
    [port_out_id, holding.id, number, holding.account_id, to_carrier, now],
  );
  const port_out = await selectPortOut(tx, port_out_id);
  if ((rowCount ?? 0) === 0 || port_out === null) return { kind: 'already_requested' };
  await queueNotice(tx, {
    to: { account_id: holding.account_id },
    template: 'port_out_requested',
    facts: { number, to_operator: to_carrier },
  });
  return { kind: 'requested', port_out };
}

export type PortOutMoved = { kind: 'moved'; port_out: PortOut } | { kind: 'not_found' | 'too_late' | 'disputed' };

/** What the holder or an admin decides, or time. Once done, the number has left us for good. */
export async function movePortOut(
  tx: Transaction,
  id: string,
  { event, reason, account_id, now }: { event: PortOutEvent; reason: string | null; account_id?: string; now: Date },
): Promise<PortOutMoved> {
  const seen = await selectPortOut(tx, id);
  if (seen === null || (account_id !== undefined && seen.account_id !== account_id)) return { kind: 'not_found' };
  await lockNumber(tx, seen.number);
  const port_out = await selectPortOut(tx, id);
  const state = port_out === null ? null : nextPortOutState(port_out.state, event);
  if (port_out === null || state === null) return { kind: 'too_late' };
  const is_leaving = event === 'approve' || event === 'complete';
  if (is_leaving && (await isDisputed(tx, port_out.holding_id, now))) return { kind: 'disputed' };
  await tx.query('update port_out set state = $2, reason = $3, decided_at = $4 where id = $1', [
    ...[id, state, reason, now],
  ]);
  if (state === 'done') {
    const holding = await openHolding(tx, port_out.number);
    // Whoever loses the number otherwise has its request refused in the same transaction.
    if (holding?.id !== port_out.holding_id) throw new Error(`Port-out ${id} is open and its holding is not.`);
    await letGo(tx, holding, now);
    await tx.query('update number_offer set offered = false where number = $1', [port_out.number]);
  }
  if (state === 'refused') {
    const { account_id, number, to_carrier } = port_out;
    const facts = { number, to_operator: to_carrier };
    await queueNotice(tx, { to: { account_id }, template: 'port_out_refused', facts });
  }
  return { kind: 'moved', port_out: { ...port_out, state, reason, decided_at: now } };
}

async function letGo(tx: Transaction, holding: Holding, now: Date): Promise<void> {
  const reason = 'ported_out';
  const cancellation = await pendingCancellation(tx, holding.id);
  // What was promised for its cancellation is paid, though its leaving took the place of that, or came before.
  if (cancellation !== null) return carryOutCancellation(tx, holding, cancellation, { reason, now });
  await endHolding(tx, holding, { reason, at: now });
}

/** Takes back what was promised long ago and never fetched: the number is its holder's again, or what it would have become without. One that fails keeps no other. */
export async function lapsePortOuts(pool: pg.Pool, now: Date): Promise<void> {
  const { rows } = await pool.query<{ id: string }>(
    `select id from port_out where state = 'approved' and decided_at <= $1 order by decided_at limit $2`,
    [new Date(now.getTime() - PROMISED_MAX_MS), LAPSED_AT_ONCE],
  );
  const reason = 'It was promised, and not fetched in time.';
  const failures: unknown[] = [];
  for (const { id } of rows) {
    try {
      await inTransaction(pool, (tx) => movePortOut(tx, id, { event: 'lapse', reason, now }));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} promised numbers did not lapse.`);
}

const columns = 'id, holding_id, number, account_id, to_carrier, state, reason, requested_at, decided_at';

async function selectPortOut(db: Queryable, id: string): Promise<PortOut | null> {
  const { rows } = await db.query<PortOut>(`select ${columns} from port_out where id = $1`, [id]);
  return rows[0] ?? null;
}

export async function portOutsOf(db: Queryable, account_id: string, rows_max: number): Promise<PortOut[]> {
  const { rows } = await db.query<PortOut>(
    `select ${columns} from port_out where account_id = $1 order by requested_at desc, id limit $2`,
    [account_id, rows_max],
  );
  return rows;
}

/** Those that wait for somebody, the oldest first. */
export async function openPortOuts(db: Queryable, rows_max: number): Promise<PortOut[]> {
  const { rows } = await db.query<PortOut>(
    `select ${columns} from port_out where state in ('requested', 'approved') order by requested_at, id limit $1`,
    [rows_max],
  );
  return rows;
}
