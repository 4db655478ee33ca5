import { createHash, randomBytes } from 'node:crypto';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { isBeingPorted, pendingCancellation } from '../holdings/cancel_number.ts';
import { endHolding } from '../holdings/end_holding.ts';
import { insertHolding, openHolding, ownHolding } from '../holdings/holding_rows.ts';
import type { Holding } from '../holdings/holding_rows.ts';
import { lockNumber, setNumber } from '../lock_number.ts';
import { numberKind } from '../offers/number_kind.ts';
import { mayBuy, selectBuyer } from '../orders/buyer.ts';
import type { BuyerPorts, BuyerRefusal } from '../orders/buyer.ts';
import { TRANSFER_OFFER_MS } from '../terms.ts';

/**
 * The way of a number from one customer to another:
 *
 *     offered ──accepted──> done
 *        ├──withdrawn──> withdrawn
 *        └──expired────> expired
 *
 * The holder gives a code to whom it is to go, by whatever way they know each other: so an offer tells nobody who has an account here.
 */
export type TransferState = 'offered' | 'done' | 'withdrawn' | 'expired';

export interface Transfer {
  id: string;
  holding_id: string;
  number: string;
  from_account_id: string;
  to_account_id: string | null;
  state: TransferState;
  offered_at: Date;
  expires_at: Date;
  decided_at: Date | null;
}

export type Offered =
  | { kind: 'offered'; transfer: Transfer; code: string }
  | { kind: 'not_found' | 'not_transferable' | 'already_offered' };

/** The holder's consent: the code is told here once, and is kept as its hash alone. */
export async function offerTransfer(
  tx: Transaction,
  { transfer_id, number, account_id, now }: { transfer_id: string; number: string; account_id: string; now: Date },
): Promise<Offered> {
  await lockNumber(tx, number);
  const holding = await ownHolding(tx, number, account_id);
  if (holding === null) return { kind: 'not_found' };
  if (!(await isTransferable(tx, holding))) return { kind: 'not_transferable' };
  await expireTransfers(tx, now, number);
  const code = randomBytes(24).toString('base64url');
  const { rowCount } = await tx.query(
    `insert into number_transfer (id, holding_id, number, from_account_id, state, code_sha256, offered_at, expires_at)
     values ($1, $2, $3, $4, 'offered', $5, $6, $7) on conflict do nothing`,
    [...[transfer_id, holding.id, number, account_id, hashOf(code), now], new Date(now.getTime() + TRANSFER_OFFER_MS)],
  );
  const transfer = await openTransfer(tx, number, account_id);
  if ((rowCount ?? 0) === 0 || transfer === null) return { kind: 'already_offered' };
  return { kind: 'offered', transfer, code };
}

export async function withdrawTransfer(
  tx: Transaction,
  { number, account_id, now }: { number: string; account_id: string; now: Date },
): Promise<boolean> {
  await lockNumber(tx, number);
  const { rowCount } = await tx.query(
    `update number_transfer set state = 'withdrawn', decided_at = $3
      where number = $1 and from_account_id = $2 and state = 'offered'`,
    [number, account_id, now],
  );
  return (rowCount ?? 0) > 0;
}

export interface Acceptance {
  holding_id: string;
  code: string;
  account_id: string;
  now: Date;
}

export type Accepted =
  | { kind: 'done'; transfer: Transfer }
  | { kind: 'kyc_required'; missing: readonly string[] }
  | { kind: 'no_such_code' | 'own_number' | 'not_transferable' | 'terms_required' | BuyerRefusal };

/**
 * The new holder's consent. The number, and with it the rest of the month that was paid, is his from the commit on, at the price that it
 * has; what was called and written by it, and what rang for it, stays behind.
 */
export async function acceptTransfer(
  tx: Transaction,
  { holding_id, code, account_id, now }: Acceptance,
  ports: BuyerPorts,
): Promise<Accepted> {
  const found = await transferByCode(tx, code);
  if (found === null) return { kind: 'no_such_code' };
  await lockNumber(tx, found.number);
  const transfer = await transferByCode(tx, code);
  if (transfer?.state === 'done' && transfer.to_account_id === account_id) return { kind: 'done', transfer };
  if (transfer?.state !== 'offered' || transfer.expires_at <= now) return { kind: 'no_such_code' };
  if (transfer.from_account_id === account_id) return { kind: 'own_number' };
  const holding = await openHolding(tx, transfer.number);
  if (holding?.id !== transfer.holding_id || !(await isTransferable(tx, holding))) return { kind: 'not_transferable' };
  const allowed = mayBuy(await selectBuyer(tx, account_id, holding.currency, now));
  if ('refusal' in allowed) return { kind: allowed.refusal };
  if (!(await ports.termsAccepted(tx, account_id, now))) return { kind: 'terms_required' };
  const kind = await numberKind(tx, holding.number);
  const missing = await ports.missingDocuments(tx, { account_id, ...kind, now });
  if (missing.length > 0) return { kind: 'kyc_required', missing };
  await handOver(tx, holding, { id: holding_id, account_id, wallet_id: allowed.wallet_id, now }, transfer.id);
  return { kind: 'done', transfer: { ...transfer, state: 'done', to_account_id: account_id, decided_at: now } };
}

async function handOver(
  tx: Transaction,
  holding: Holding,
  next: { id: string; account_id: string; wallet_id: bigint; now: Date },
  transfer_id: string,
): Promise<void> {
  const { id, account_id, wallet_id, now } = next;
  const { number } = holding;
  await tx.query(`update number_transfer set state = 'done', to_account_id = $2, decided_at = $3 where id = $1`, [
    ...[transfer_id, account_id, now],
  ]);
  await endHolding(tx, holding, { reason: 'transferred', at: now });
  const since = { held_from: now, held_to: null, state_since: now };
  await insertHolding(tx, { ...holding, id, account_id, wallet_id, ...since, periods: 0, version: 1 }, null);
  await setNumber(tx, number, { state: 'active', account_id });
  await tellCustomer(tx, account_id, { type: 'number', id: number, state: 'active' });
  for (const one of [holding.account_id, account_id]) {
    await queueNotice(tx, { to: { account_id: one }, template: 'transfer_done', facts: { number } });
  }
}

/** What is unpaid, cancelled or promised to another operator stays where it is. */
async function isTransferable(tx: Transaction, { id, state }: Holding): Promise<boolean> {
  return state === 'active' && (await pendingCancellation(tx, id)) === null && !(await isBeingPorted(tx, id));
}

/** Of one number, or of all. */
export async function expireTransfers(db: Queryable, now: Date, number: string | null): Promise<void> {
  await db.query(
    `update number_transfer set state = 'expired', decided_at = $1
      where state = 'offered' and expires_at <= $1 and ($2::text is null or number = $2)`,
    [now, number],
  );
}

const columns = 'id, holding_id, number, from_account_id, to_account_id, state, offered_at, expires_at, decided_at';

async function transferByCode(db: Queryable, code: string): Promise<Transfer | null> {
  const { rows } = await db.query<Transfer>(`select ${columns} from number_transfer where code_sha256 = $1`, [
    hashOf(code),
  ]);
  return rows[0] ?? null;
}

export async function openTransfer(db: Queryable, number: string, account_id: string): Promise<Transfer | null> {
  const { rows } = await db.query<Transfer>(
    `select ${columns} from number_transfer where number = $1 and from_account_id = $2 and state = 'offered'`,
    [number, account_id],
  );
  return rows[0] ?? null;
}

/** Of an account, on either side, the newest first. */
export async function transfersOf(db: Queryable, account_id: string, rows_max: number): Promise<Transfer[]> {
  const { rows } = await db.query<Transfer>(
    `select ${columns} from number_transfer where from_account_id = $1 or to_account_id = $1
      order by offered_at desc, id limit $2`,
    [account_id, rows_max],
  );
  return rows;
}

const hashOf = (code: string): string => createHash('sha256').update(code).digest('hex');
