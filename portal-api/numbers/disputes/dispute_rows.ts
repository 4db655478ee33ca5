import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { lockNumber } from '../lock_number.ts';
import type { DisputeState } from './dispute_state.ts';

/** How the holder came to the number, as the claimant says: by a transfer, by a porting, or by buying it once it was free. */
export const DISPUTE_KINDS = ['handed_over', 'brought_here', 'sold_anew', 'other'] as const;
export type DisputeKind = (typeof DISPUTE_KINDS)[number];

export interface Dispute {
  id: string;
  number: string;
  holding_id: string;
  holder_account_id: string;
  claimant_account_id: string;
  kind: DisputeKind;
  words: string;
  opened_by: string;
  opened_at: Date;
  /** Until then the number is neither handed on nor ended. */
  kept_until: Date;
  holder_words: string | null;
  holder_answered_at: Date | null;
  state: DisputeState;
  proposed_by: string | null;
  proposed_at: Date | null;
  closed_by: string | null;
  closed_at: Date | null;
  answer: string | null;
  version: number;
}

const disputes = `
select d.id, h.number, d.holding_id, d.holder_account_id, d.claimant_account_id, d.kind, d.words, d.opened_by, d.opened_at, d.kept_until,
       d.holder_words, d.holder_answered_at, d.state, d.proposed_by, d.proposed_at, d.closed_by, d.closed_at, d.answer, d.version
  from ownership_dispute d join number_holding h on h.id = d.holding_id`;

export async function selectDispute(db: Queryable, id: string): Promise<Dispute | null> {
  const { rows } = await db.query<Dispute>(`${disputes} where d.id = $1`, [id]);
  return rows[0] ?? null;
}

/** With its number's row locked, by which everything that happens to a number takes its turn; null where there is none. */
export async function lockDispute(tx: Transaction, id: string): Promise<Dispute | null> {
  const seen = await selectDispute(tx, id);
  if (seen === null) return null;
  await lockNumber(tx, seen.number);
  return selectDispute(tx, id);
}

export interface DisputeQuery {
  /** On either side; null: everybody's. */
  account_id: string | null;
  state: DisputeState | null;
  after: readonly [string, string] | null;
  rows_max: number;
}

/** The oldest first, as they wait. */
export async function listDisputes(
  db: Queryable,
  { account_id, state, after, rows_max }: DisputeQuery,
): Promise<readonly Dispute[]> {
  const { rows } = await db.query<Dispute>(
    `${disputes}
      where ($1::uuid is null or d.claimant_account_id = $1 or d.holder_account_id = $1) and ($2::text is null or d.state = $2)
        and ($3::timestamptz is null or (d.opened_at, d.id) > ($3, $4::uuid))
      order by d.opened_at, d.id limit $5`,
    [account_id, state, after?.[0] ?? null, after?.[1] ?? null, rows_max],
  );
  return rows;
}

export type NewDispute = Pick<
  Dispute,
  | 'id'
  | 'holding_id'
  | 'holder_account_id'
  | 'claimant_account_id'
  | 'kind'
  | 'words'
  | 'opened_by'
  | 'opened_at'
  | 'kept_until'
>;

/** Nothing where it is there already, or another one of this claimant and holding is looked into. */
export async function insertDispute(tx: Transaction, dispute: NewDispute): Promise<void> {
  await tx.query(
    `insert into ownership_dispute (id, holding_id, holder_account_id, claimant_account_id, kind, words, opened_by, opened_at, kept_until)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
    [
      ...[dispute.id, dispute.holding_id, dispute.holder_account_id, dispute.claimant_account_id, dispute.kind],
      ...[dispute.words, dispute.opened_by, dispute.opened_at, dispute.kept_until],
    ],
  );
}

/** As it is to be from now on, one version later. Its number's row is locked. */
export async function saveDispute(tx: Transaction, dispute: Dispute): Promise<Dispute> {
  await tx.query(
    `update ownership_dispute set state = $2, proposed_by = $3, proposed_at = $4, closed_by = $5, closed_at = $6, answer = $7, kept_until = $8,
            version = version + 1 where id = $1`,
    [
      ...[dispute.id, dispute.state, dispute.proposed_by, dispute.proposed_at, dispute.closed_by, dispute.closed_at],
      ...[dispute.answer, dispute.kept_until],
    ],
  );
  return { ...dispute, version: dispute.version + 1 };
}

/** Whether this account disputed that holding before, or the holding is what we decided on against this account. */
export async function wasDecided(db: Queryable, holding_id: string, claimant_account_id: string): Promise<boolean> {
  const { rows } = await db.query<{ was_decided: boolean }>(
    `select exists (select from ownership_dispute where holding_id = $1 and claimant_account_id = $2 and closed_at is not null)
         or exists (select from number_transfer
                     where new_holding_id = $1 and from_account_id = $2 and dispute_id is not null) as was_decided`,
    [holding_id, claimant_account_id],
  );
  return rows[0]?.was_decided ?? false;
}

/** The holder says so in place of what he said before. What an admin has before him stays the same version: he would never be done else. */
export async function saveStatement(tx: Transaction, id: string, words: string, now: Date): Promise<void> {
  await tx.query('update ownership_dispute set holder_words = $2, holder_answered_at = $3 where id = $1', [
    id,
    words,
    now,
  ]);
}

/** Whether somebody else still says so of the same holder. */
export async function isDisputedByOthers(db: Queryable, { id, holding_id }: Dispute): Promise<boolean> {
  const { rows } = await db.query(
    `select from ownership_dispute where holding_id = $1 and id <> $2 and state in ('open', 'proposed') limit 1`,
    [holding_id, id],
  );
  return rows.length > 0;
}

/** Those that wait of an account which says that a number is its own. */
export async function disputesOfClaimant(db: Queryable, account_id: string): Promise<readonly Dispute[]> {
  const { rows } = await db.query<Dispute>(
    `${disputes} where d.claimant_account_id = $1 and d.state in ('open', 'proposed')`,
    [account_id],
  );
  return rows;
}
