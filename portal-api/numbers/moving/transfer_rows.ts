import { createHash } from 'node:crypto';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import type { ToldState, TransferState } from './transfer_state.ts';

export interface Transfer {
  id: string;
  holding_id: string;
  number: string;
  from_account_id: string;
  to_account_id: string | null;
  state: TransferState;
  offered_at: Date;
  expires_at: Date;
  accepted_at: Date | null;
  decided_at: Date | null;
  /** The holding that the new holder gets. */
  new_holding_id: string | null;
  /** By which order the provider knows the number; null where nobody has to be told. */
  order_id: string | null;
  provider_state: ToldState | null;
  provider_since: Date | null;
  failure: string | null;
  /** Which dispute it decides; null where both sides agreed. */
  dispute_id: string | null;
}

const columns = `id, holding_id, number, from_account_id, to_account_id, state, offered_at, expires_at, accepted_at, decided_at,
  new_holding_id, order_id, provider_state, provider_since, failure, dispute_id`;

export const codeHash = (code: string): string => createHash('sha256').update(code).digest('hex');

async function selectOne(db: Queryable, where: string, values: unknown[]): Promise<Transfer | null> {
  const { rows } = await db.query<Transfer>(`select ${columns} from number_transfer where ${where}`, values);
  return rows[0] ?? null;
}

export const selectTransfer = (db: Queryable, id: string): Promise<Transfer | null> => selectOne(db, 'id = $1', [id]);

export const transferByCode = (db: Queryable, code: string): Promise<Transfer | null> =>
  selectOne(db, 'code_sha256 = $1', [codeHash(code)]);

export const openTransfer = (db: Queryable, number: string, account_id: string): Promise<Transfer | null> =>
  selectOne(db, `number = $1 and from_account_id = $2 and state in ('offered', 'with_provider')`, [number, account_id]);

/** Of an account, on either side, the newest first. */
export async function transfersOf(db: Queryable, account_id: string, rows_max: number): Promise<Transfer[]> {
  const { rows } = await db.query<Transfer>(
    `select ${columns} from number_transfer where from_account_id = $1 or to_account_id = $1
      order by offered_at desc, id limit $2`,
    [account_id, rows_max],
  );
  return rows;
}

/** Of a number, whoever had it, the newest first. */
export async function transfersOfNumber(db: Queryable, number: string, rows_max: number): Promise<Transfer[]> {
  const { rows } = await db.query<Transfer>(
    `select ${columns} from number_transfer where number = $1 order by offered_at desc, id limit $2`,
    [number, rows_max],
  );
  return rows;
}

/** Of which the provider has yet to be told, or would not hear, though the number has its new holder; the longest first. */
export async function untoldTransfers(db: Queryable, rows_max: number): Promise<Transfer[]> {
  const { rows } = await db.query<Transfer>(
    `select ${columns} from number_transfer
      where provider_state in ('telling', 'telling_back') or (provider_state = 'refused' and state = 'done')
      order by provider_since, id limit $1`,
    [rows_max],
  );
  return rows;
}

/** Of which the provider has yet to be told, the longest first. One that it refused waits for an admin. */
export async function tellingTransfers(db: Queryable, rows_max: number): Promise<Transfer[]> {
  const { rows } = await db.query<Transfer>(
    `select ${columns} from number_transfer where provider_state in ('telling', 'telling_back') order by provider_since, id limit $1`,
    [rows_max],
  );
  return rows;
}

/** Those of an order that wait for its provider. */
export async function tellingOf(db: Queryable, order_id: string): Promise<Transfer[]> {
  const { rows } = await db.query<Transfer>(
    `select ${columns} from number_transfer where order_id = $1 and provider_state in ('telling', 'telling_back')`,
    [order_id],
  );
  return rows;
}

/** The one of an order that was decided last, by which its number has the holder that it has. */
export async function lastDecided(db: Queryable, order_id: string): Promise<Transfer | null> {
  const { rows } = await db.query<Transfer>(
    `select ${columns} from number_transfer where order_id = $1 and state in ('done', 'refused')
      order by decided_at desc, accepted_at desc limit 1`,
    [order_id],
  );
  return rows[0] ?? null;
}

export async function saveTransfer(tx: Transaction, transfer: Transfer): Promise<void> {
  await tx.query(
    `update number_transfer set state = $2, to_account_id = $3, accepted_at = $4, decided_at = $5, new_holding_id = $6, order_id = $7,
            provider_state = $8, provider_since = $9, failure = $10 where id = $1`,
    [
      ...[transfer.id, transfer.state, transfer.to_account_id, transfer.accepted_at, transfer.decided_at],
      ...[transfer.new_holding_id, transfer.order_id, transfer.provider_state, transfer.provider_since],
      transfer.failure,
    ],
  );
}
