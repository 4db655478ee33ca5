import { randomUUID } from 'node:crypto';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { tellCustomer } from '../live/tell_customer.ts';
import type { CaseStanding, CaseState } from './case_state.ts';
import type { NumberType, Party } from './document_types.ts';

export interface KycCase {
  id: string;
  account_id: string;
  standing: CaseStanding;
  wanted: { country: string; number_type: NumberType } | null;
  submitted_at: Date | null;
  closed_at: Date | null;
  version: number;
}

interface CaseRow {
  id: string;
  account_id: string;
  state: CaseState;
  wanted_country: string | null;
  wanted_number_type: NumberType | null;
  submitted_at: Date | null;
  reviewer_id: string | null;
  locked_until: Date | null;
  closed_at: Date | null;
  version: number;
}

const CASE_COLUMNS =
  'id, account_id, state, wanted_country, wanted_number_type, submitted_at, reviewer_id, locked_until, closed_at, version';

/** The case of an account, made where it has none, and locked: whatever changes a case or a document of it comes here first. */
export async function caseOfAccount(tx: Transaction, account_id: string, now: Date): Promise<KycCase> {
  await tx.query(
    'insert into kyc_case (id, account_id, created_at) values ($1, $2, $3) on conflict (account_id) do nothing',
    [randomUUID(), account_id, now],
  );
  const { rows } = await tx.query<CaseRow>(
    `select ${CASE_COLUMNS} from kyc_case where account_id = $1 for no key update`,
    [account_id],
  );
  const row = rows[0];
  if (row === undefined) throw new Error(`The account ${account_id} has no case.`);
  return caseOf(row);
}

/** Locked, by its id; null where there is none. */
export async function lockCase(tx: Transaction, id: string): Promise<KycCase | null> {
  const { rows } = await tx.query<CaseRow>(`select ${CASE_COLUMNS} from kyc_case where id = $1 for no key update`, [
    id,
  ]);
  return rows[0] === undefined ? null : caseOf(rows[0]);
}

/** Only looked at; null where the account has none. */
export async function findCase(db: Queryable, account_id: string): Promise<KycCase | null> {
  const { rows } = await db.query<CaseRow>(`select ${CASE_COLUMNS} from kyc_case where account_id = $1`, [account_id]);
  return rows[0] === undefined ? null : caseOf(rows[0]);
}

/** Writes where a case stands now, and tells the customer where that is something else than before. */
export async function moveCase(tx: Transaction, before: KycCase, standing: CaseStanding): Promise<KycCase> {
  const in_review = standing.state === 'in_review' ? standing : null;
  await tx.query(
    `update kyc_case set state = $2, reviewer_id = $3, locked_until = $4, version = version + 1 where id = $1`,
    [before.id, standing.state, in_review?.reviewer_id ?? null, in_review?.locked_until ?? null],
  );
  if (standing.state !== before.standing.state) {
    await tellCustomer(tx, before.account_id, { type: 'kyc_case', id: before.id, state: standing.state });
  }
  return { ...before, standing, version: before.version + 1 };
}

export async function recordSubmission(
  tx: Transaction,
  id: string,
  wanted: { country: string; number_type: NumberType },
  now: Date,
): Promise<void> {
  await tx.query('update kyc_case set wanted_country = $2, wanted_number_type = $3, submitted_at = $4 where id = $1', [
    id,
    wanted.country,
    wanted.number_type,
    now,
  ]);
}

export async function recordClosing(tx: Transaction, id: string, closed_by: string | null, now: Date): Promise<void> {
  await tx.query('update kyc_case set closed_at = $2, closed_by = $3 where id = $1', [id, now, closed_by]);
}

export async function partyOf(db: Queryable, account_id: string): Promise<Party> {
  const { rows } = await db.query<{ party: Party }>('select party from account where id = $1', [account_id]);
  return rows[0]?.party ?? 'person';
}

function caseOf(row: CaseRow): KycCase {
  const { id, account_id, state, reviewer_id, locked_until, submitted_at, closed_at, version } = row;
  const is_wanted = row.wanted_country !== null && row.wanted_number_type !== null;
  const wanted = is_wanted
    ? { country: row.wanted_country as string, number_type: row.wanted_number_type as NumberType }
    : null;
  const facts = { id, account_id, wanted, submitted_at, closed_at, version };
  if (state !== 'in_review') return { ...facts, standing: { state } };
  if (reviewer_id === null || locked_until === null) throw new Error(`The case ${id} is reviewed by nobody.`);
  return { ...facts, standing: { state, reviewer_id, locked_until } };
}
