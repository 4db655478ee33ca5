import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import type { Micros } from '../../../domain/money/micros.ts';
import type { ClaimState } from './claim_state.ts';

export const CLAIM_KINDS = ['calls_out', 'calls_in', 'texts_out', 'texts_in', 'quality', 'other'] as const;
export type ClaimKind = (typeof CLAIM_KINDS)[number];

export interface Claim {
  id: string;
  account_id: string;
  holding_id: string;
  number: string;
  wallet_id: bigint;
  currency: string;
  kind: ClaimKind;
  began_at: Date;
  /** Null: it still does not work, or it was not said when it did again. */
  ended_at: Date | null;
  words: string;
  opened_at: Date;
  state: ClaimState;
  closed_by: string | null;
  closed_at: Date | null;
  answer: string | null;
  credit_days: number;
  credit_net_micros: Micros;
  credit_tax_micros: Micros;
  version: number;
}

type ClaimRow = Omit<Claim, 'wallet_id' | 'credit_net_micros' | 'credit_tax_micros'> & {
  wallet_id: string;
  credit_net_micros: string;
  credit_tax_micros: string;
};

const claims = `
select c.id, c.account_id, c.holding_id, h.number, h.wallet_id, h.currency, c.kind, c.began_at, c.ended_at, c.words, c.opened_at, c.state,
       c.closed_by, c.closed_at, c.answer, c.credit_days, c.credit_net_micros, c.credit_tax_micros, c.version
  from fault_claim c join number_holding h on h.id = c.holding_id`;

const claimOf = (row: ClaimRow): Claim => ({
  ...row,
  wallet_id: BigInt(row.wallet_id),
  credit_net_micros: BigInt(row.credit_net_micros),
  credit_tax_micros: BigInt(row.credit_tax_micros),
});

export async function selectClaim(db: Queryable, id: string): Promise<Claim | null> {
  const { rows } = await db.query<ClaimRow>(`${claims} where c.id = $1`, [id]);
  return rows[0] === undefined ? null : claimOf(rows[0]);
}

/** For a change: nobody else changes it until the transaction ends. */
export async function lockClaim(tx: Transaction, id: string): Promise<Claim | null> {
  const { rows } = await tx.query<ClaimRow>(`${claims} where c.id = $1 for no key update of c`, [id]);
  return rows[0] === undefined ? null : claimOf(rows[0]);
}

export interface ClaimQuery {
  account_id: string | null;
  state: ClaimState | null;
  after: readonly [string, string] | null;
  rows_max: number;
}

/** The oldest first, as they wait. */
export async function listClaims(
  db: Queryable,
  { account_id, state, after, rows_max }: ClaimQuery,
): Promise<readonly Claim[]> {
  const { rows } = await db.query<ClaimRow>(
    `${claims}
      where ($1::uuid is null or c.account_id = $1) and ($2::text is null or c.state = $2)
        and ($3::timestamptz is null or (c.opened_at, c.id) > ($3, $4::uuid))
      order by c.opened_at, c.id limit $5`,
    [account_id, state, after?.[0] ?? null, after?.[1] ?? null, rows_max],
  );
  return rows.map(claimOf);
}

export type NewClaim = Pick<
  Claim,
  'id' | 'account_id' | 'holding_id' | 'kind' | 'began_at' | 'ended_at' | 'words' | 'opened_at'
> & { opened_by: string };

/** Nothing where it is there already, or another one of this number is open. */
export async function insertClaim(tx: Transaction, claim: NewClaim): Promise<void> {
  await tx.query(
    `insert into fault_claim (id, account_id, holding_id, kind, began_at, ended_at, words, opened_by, opened_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
    [
      ...[claim.id, claim.account_id, claim.holding_id, claim.kind, claim.began_at, claim.ended_at],
      ...[claim.words, claim.opened_by, claim.opened_at],
    ],
  );
}

export interface Closing {
  state: ClaimState;
  closed_by: string;
  closed_at: Date;
  answer: string | null;
  credit_days: number;
  net_micros: Micros;
  tax_micros: Micros;
}

export async function closeClaim(tx: Transaction, id: string, closing: Closing): Promise<Claim> {
  const { rowCount } = await tx.query(
    `update fault_claim set state = $2, closed_by = $3, closed_at = $4, answer = $5, credit_days = $6, credit_net_micros = $7,
            credit_tax_micros = $8, version = version + 1,
            -- What was given back is for the time up to now, unless the customer said when it was over.
            ended_at = case when $6::smallint > 0 then coalesce(ended_at, greatest(began_at, $4)) else ended_at end
      where id = $1 and state = 'open'`,
    [
      ...[id, closing.state, closing.closed_by, closing.closed_at, closing.answer, closing.credit_days],
      ...[closing.net_micros.toString(), closing.tax_micros.toString()],
    ],
  );
  const closed = rowCount === 1 ? await selectClaim(tx, id) : null;
  if (closed === null) throw new Error(`The claim ${id}, which was locked open, is not.`);
  return closed;
}

/** What was given back for other claims of this number by the same holder. */
export async function creditedBefore(db: Queryable, { id, holding_id }: Claim): Promise<Micros> {
  const { rows } = await db.query<{ micros: string }>(
    `select coalesce(sum(credit_net_micros + credit_tax_micros), 0)::bigint as micros from fault_claim where holding_id = $1 and id <> $2`,
    [holding_id, id],
  );
  return BigInt(rows[0]?.micros ?? 0);
}
