import { z } from 'zod';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { seal, unseal } from '../../domain/privacy/sealing.ts';
import type { SealContext } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';
import { country, line } from '../http/fields.ts';
import { readHolderName } from '../profile/holder_name.ts';

/** Whom invoices are made out to. */
export const billingFields = z
  .object({
    name: line(200),
    address_lines: z.array(line(100)).max(5),
    country,
    /** Of a business that has one. */
    tax_id: line(40).nullable(),
  })
  .meta({ id: 'BillingProfile' });

export type BillingFields = z.infer<typeof billingFields>;

export interface BillingProfile {
  fields: BillingFields;
  key: Buffer;
  version: number;
}

const profileContext = (account_id: string): SealContext => `billing_profile.profile_sealed:${account_id}`;
const buyerContext = (invoice_id: string): SealContext => `invoice.buyer_sealed:${invoice_id}`;

/** The profile of an account; before the customer writes one, its holder's name and country. */
export async function ensureBillingProfile(
  { keys }: PortalContext,
  tx: Transaction,
  account_id: string,
  now: Date,
): Promise<BillingProfile> {
  const existing = await readProfile(keys, tx, account_id);
  if (existing !== null) return existing;
  const { rows } = await tx.query<{ home_country: string }>('select home_country from account where id = $1', [
    account_id,
  ]);
  const account = rows[0];
  const name = await readHolderName({ keys }, tx, account_id);
  if (account === undefined || name === null) throw new Error(`There is no account ${account_id}.`);
  const fields = { name, address_lines: [], country: account.home_country, tax_id: null };
  const { id, key } = await keys.make(tx, now);
  const { rowCount } = await tx.query(
    'insert into billing_profile (account_id, data_key_id, profile_sealed) values ($1, $2, $3) on conflict do nothing',
    [account_id, id, sealJson(key, profileContext(account_id), fields)],
  );
  if ((rowCount ?? 0) > 0) return { fields, key, version: 1 };
  const theirs = await readProfile(keys, tx, account_id);
  if (theirs === null) throw new Error(`The billing profile of ${account_id} is neither there nor missing.`);
  return theirs;
}

async function readProfile(
  keys: PortalContext['keys'],
  db: Queryable,
  account_id: string,
): Promise<BillingProfile | null> {
  const { rows } = await db.query<{ data_key_id: string; profile_sealed: Buffer; version: number }>(
    'select data_key_id, profile_sealed, version from billing_profile where account_id = $1',
    [account_id],
  );
  const row = rows[0];
  if (row === undefined) return null;
  const key = await keys.open(db, row.data_key_id);
  const plain = unseal(key, profileContext(account_id), row.profile_sealed).toString('utf8');
  return { fields: billingFields.parse(JSON.parse(plain)), key, version: row.version };
}

/** The version after it; null where it was changed meanwhile. */
export async function saveBillingProfile(
  tx: Transaction,
  account_id: string,
  { key }: BillingProfile,
  fields: BillingFields,
  version: number,
): Promise<number | null> {
  const { rows } = await tx.query<{ version: number }>(
    'update billing_profile set profile_sealed = $3, version = version + 1 where account_id = $1 and version = $2 returning version',
    [account_id, version, sealJson(key, profileContext(account_id), fields)],
  );
  return rows[0]?.version ?? null;
}

/** As an invoice keeps it: as it was when it was issued. */
export function sealBuyer({ key, fields }: BillingProfile, invoice_id: string): Buffer {
  return sealJson(key, buyerContext(invoice_id), fields);
}

export async function openBuyer(
  { keys, pool }: PortalContext,
  account_id: string,
  invoice_id: string,
  sealed: Buffer,
): Promise<BillingFields> {
  const { rows } = await pool.query<{ data_key_id: string }>(
    'select data_key_id from billing_profile where account_id = $1',
    [account_id],
  );
  const key = await keys.open(pool, rows[0]?.data_key_id ?? '');
  return billingFields.parse(JSON.parse(unseal(key, buyerContext(invoice_id), sealed).toString('utf8')));
}

function sealJson(key: Buffer, context: SealContext, value: BillingFields): Buffer {
  return seal(key, context, Buffer.from(JSON.stringify(value)));
}
