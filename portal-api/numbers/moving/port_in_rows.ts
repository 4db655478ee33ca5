import type { Micros } from '../../../domain/money/micros.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import type { NumberType } from '../offers/offer_rows.ts';
import type { PortInDocumentKind, PortInState } from './port_in_state.ts';

export interface PortInDocument {
  kind: PortInDocumentKind;
  document_id: string;
}

export interface PortIn {
  id: string;
  account_id: string;
  wallet_id: bigint;
  number: string;
  country: string;
  number_type: NumberType;
  from_carrier: string;
  state: PortInState;
  state_since: Date;
  reason: string | null;
  currency: string;
  /** Net of tax; taken once the number is here. */
  fee_micros: Micros;
  monthly_micros: Micros;
  /** What an admin asked for, whatever the rule says. */
  documents_asked: PortInDocumentKind[];
  /** `2027-01-31` */
  scheduled_for: string | null;
  fee_waived: boolean;
  requested_at: Date;
  documents: (PortInDocument & { refused_at: Date | null })[];
}

type Big = 'wallet_id' | 'fee_micros' | 'monthly_micros';
type PortInRow = Omit<PortIn, Big | 'documents'> & Record<Big, string> & { documents: PortInDocumentRow[] };
type PortInDocumentRow = PortInDocument & { refused_at: string | null };

const portIns = `
select id, account_id, wallet_id, number, country, number_type, from_carrier, state, state_since, reason, currency, fee_micros,
       monthly_micros, documents_asked, to_char(scheduled_for, 'YYYY-MM-DD') as scheduled_for, fee_waived, requested_at,
       coalesce((select jsonb_agg(jsonb_build_object('kind', d.kind, 'document_id', d.document_id, 'refused_at', d.refused_at) order by d.added_at, d.kind)
                   from port_in_document d where d.port_in_id = p.id), '[]') as documents
  from port_in p`;

const portInOf = (row: PortInRow): PortIn => ({
  ...row,
  wallet_id: BigInt(row.wallet_id),
  fee_micros: BigInt(row.fee_micros),
  monthly_micros: BigInt(row.monthly_micros),
  documents: row.documents.map((one) => ({
    ...one,
    refused_at: one.refused_at === null ? null : new Date(one.refused_at),
  })),
});

export async function selectPortIn(db: Queryable, id: string): Promise<PortIn | null> {
  const { rows } = await db.query<PortInRow>(`${portIns} where p.id = $1`, [id]);
  return rows[0] === undefined ? null : portInOf(rows[0]);
}

/** Whatever moves one takes it first, so that all that happens to it happens one after the other. */
export async function lockPortIn(tx: Transaction, id: string): Promise<PortIn | null> {
  await tx.query('select from port_in where id = $1 for update', [id]);
  return selectPortIn(tx, id);
}

export async function portInsOf(db: Queryable, account_id: string, rows_max: number): Promise<PortIn[]> {
  const { rows } = await db.query<PortInRow>(
    `${portIns} where p.account_id = $1 order by p.requested_at desc, p.id limit $2`,
    [account_id, rows_max],
  );
  return rows.map(portInOf);
}

/** How many of an account are not at their end; whoever asks for one at the same moment waits, and counts this one then. */
export async function countOpenPortIns(tx: Transaction, account_id: string): Promise<number> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('open_port_ins'), hashtext($1))`, [account_id]);
  const { rows } = await tx.query<{ open: number }>(
    `select count(*)::int as open from port_in
      where account_id = $1 and state in ('requested', 'documents_missing', 'submitted', 'scheduled')`,
    [account_id],
  );
  return rows[0]?.open ?? 0;
}

/** Those of an account that are not at their end. */
export async function portInsUnderWay(db: Queryable, account_id: string): Promise<PortIn[]> {
  const { rows } = await db.query<PortInRow>(
    `${portIns} where p.account_id = $1 and p.state in ('requested', 'documents_missing', 'submitted', 'scheduled')
      order by p.requested_at`,
    [account_id],
  );
  return rows.map(portInOf);
}

/** Those that are not at their end, the oldest first. */
export async function openPortIns(db: Queryable, rows_max: number): Promise<PortIn[]> {
  const { rows } = await db.query<PortInRow>(
    `${portIns} where p.state in ('requested', 'documents_missing', 'submitted', 'scheduled') order by p.requested_at, p.id limit $1`,
    [rows_max],
  );
  return rows.map(portInOf);
}

/** False where the account has asked for that number already. */
export async function insertPortIn(tx: Transaction, port_in: PortIn): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into port_in (id, account_id, wallet_id, number, country, number_type, from_carrier, state, state_since, currency, fee_micros,
                          monthly_micros, requested_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict do nothing`,
    [
      ...[port_in.id, port_in.account_id, port_in.wallet_id.toString(), port_in.number, port_in.country],
      ...[port_in.number_type, port_in.from_carrier, port_in.state, port_in.state_since, port_in.currency],
      ...[port_in.fee_micros.toString(), port_in.monthly_micros.toString(), port_in.requested_at],
    ],
  );
  if ((rowCount ?? 0) === 0) return false;
  await addPortInEvent(tx, port_in.id, port_in.state, null, port_in.requested_at);
  return true;
}

export async function savePortIn(tx: Transaction, port_in: PortIn): Promise<void> {
  await tx.query(
    `update port_in set state = $2, state_since = $3, reason = $4, scheduled_for = $5, fee_waived = $6, documents_asked = $7
      where id = $1`,
    [
      ...[port_in.id, port_in.state, port_in.state_since, port_in.reason, port_in.scheduled_for],
      ...[port_in.fee_waived, port_in.documents_asked],
    ],
  );
  await addPortInEvent(tx, port_in.id, port_in.state, port_in.reason, port_in.state_since);
}

async function addPortInEvent(
  tx: Transaction,
  id: string,
  state: PortInState,
  reason: string | null,
  at: Date,
): Promise<void> {
  await tx.query('insert into port_in_event (port_in_id, at, state, reason) values ($1, $2, $3, $4)', [
    ...[id, at, state, reason],
  ]);
}

export interface PortInEventRow {
  at: Date;
  state: PortInState;
  reason: string | null;
}

export async function portInEvents(db: Queryable, id: string): Promise<PortInEventRow[]> {
  const { rows } = await db.query<PortInEventRow>(
    `select at, state, reason from port_in_event where port_in_id = $1
      order by at, array_position(array['requested', 'documents_missing', 'submitted', 'scheduled', 'rejected', 'completed', 'cancelled'], state)`,
    [id],
  );
  return rows;
}

export async function addDocuments(
  tx: Transaction,
  id: string,
  documents: readonly PortInDocument[],
  now: Date,
): Promise<void> {
  await tx.query(
    `insert into port_in_document (port_in_id, kind, document_id, added_at)
     select $1, d.kind, d.document_id, $4 from unnest($2::text[], $3::uuid[]) as d(kind, document_id) on conflict do nothing`,
    [id, documents.map(({ kind }) => kind), documents.map(({ document_id }) => document_id), now],
  );
}

export async function refuseDocuments(
  tx: Transaction,
  id: string,
  kinds: readonly PortInDocumentKind[],
  now: Date,
): Promise<void> {
  await tx.query(
    'update port_in_document set refused_at = $3 where port_in_id = $1 and kind = any ($2) and refused_at is null',
    [id, kinds, now],
  );
}

/** Which types of uploaded documents can be what; a letter can come as any. */
const TYPES: Readonly<Record<PortInDocumentKind, readonly string[] | null>> = {
  letter_of_authorisation: null,
  latest_bill: ['proof_of_address'],
  identity: ['passport', 'country_identification', 'representative_identity'],
};

/** Whether all that is named was uploaded by that account, is still there, and can be what it is named. */
export async function areDocuments(
  db: Queryable,
  account_id: string,
  documents: readonly PortInDocument[],
): Promise<boolean> {
  const { rows } = await db.query<{ id: string; type: string }>(
    'select id, type from kyc_document where account_id = $1 and id = any ($2::uuid[]) and key_sealed is not null',
    [account_id, documents.map(({ document_id }) => document_id)],
  );
  const types = new Map(rows.map(({ id, type }) => [id, type]));
  return documents.every(({ kind, document_id }) => {
    const type = types.get(document_id);
    return type !== undefined && (TYPES[kind]?.includes(type) ?? true);
  });
}

/** Those of the accounts of which an identity document was approved, and has not run out. */
export async function provenAccounts(db: Queryable, account_ids: readonly string[], now: Date): Promise<Set<string>> {
  const { rows } = await db.query<{ account_id: string }>(
    `select distinct account_id from kyc_document
      where account_id = any ($1::uuid[]) and type = any ($2) and state = 'approved' and valid_until >= $3::date`,
    [account_ids, TYPES.identity, now.toISOString().slice(0, 10)],
  );
  return new Set(rows.map(({ account_id }) => account_id));
}
