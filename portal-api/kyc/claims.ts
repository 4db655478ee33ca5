import { z } from 'zod';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { seal, unseal } from '../../domain/privacy/sealing.ts';
import { country, line } from '../http/fields.ts';
import { CLAIMS } from './document_types.ts';
import type { ClaimName } from './document_types.ts';

/** What a customer says about himself. */
export const claimsSchema = z
  .object({
    full_name: line(200).optional(),
    birth_date: z.iso
      .date()
      .refine((date) => date >= '1900-01-01', 'is too long ago')
      .optional(),
    address: z
      .object({ street: line(200), postal_code: line(20), city: line(100), region: line(100).optional(), country })
      .optional(),
    company_name: line(200).optional(),
    registration_number: line(60).optional(),
  })
  .strict();

export type Claims = z.output<typeof claimsSchema>;

/** What is said now; version 0 and nothing where nothing was said yet. */
export async function readClaims(
  db: Queryable,
  account_id: string,
  key: Buffer,
): Promise<{ version: number; claims: Claims }> {
  const { rows } = await db.query<{ version: number; sealed: Buffer }>(
    'select version, sealed from kyc_claims where account_id = $1 order by version desc limit 1',
    [account_id],
  );
  const row = rows[0];
  if (row === undefined) return { version: 0, claims: {} };
  const plain = unseal(key, contextOf(account_id, row.version), row.sealed);
  return { version: row.version, claims: claimsSchema.parse(JSON.parse(plain.toString('utf8'))) };
}

export async function writeClaims(
  tx: Transaction,
  key: Buffer,
  said: { account_id: string; version: number; claims: Claims; made_by: string; now: Date },
): Promise<void> {
  const { account_id, version, claims, made_by, now } = said;
  const sealed = seal(key, contextOf(account_id, version), Buffer.from(JSON.stringify(claims)));
  await tx.query(
    'insert into kyc_claims (account_id, version, sealed, names, made_by, made_at) values ($1, $2, $3, $4, $5, $6)',
    [account_id, version, sealed, namesOf(claims), made_by, now],
  );
}

/** Which are said, though not what. */
export async function claimNames(db: Queryable, account_id: string): Promise<ClaimName[]> {
  const { rows } = await db.query<{ names: ClaimName[] }>(
    'select names from kyc_claims where account_id = $1 order by version desc limit 1',
    [account_id],
  );
  return rows[0]?.names ?? [];
}

const namesOf = (claims: Claims): ClaimName[] => CLAIMS.filter((name) => claims[name] !== undefined);

/** Which are said otherwise than before. */
export function changedClaims(before: Claims, after: Claims): ClaimName[] {
  return CLAIMS.filter((name) => JSON.stringify(before[name] ?? null) !== JSON.stringify(after[name] ?? null));
}

const contextOf = (account_id: string, version: number): `kyc_claims.sealed:${string}` =>
  `kyc_claims.sealed:${account_id}.${version}`;
