import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { instantOut, microsOut, uuid } from '../http/fields.ts';
import { readHolderName } from '../profile/holder_name.ts';
import { restrictionsInForce, RESTRICTION_SCOPES } from '../rights/restriction_rows.ts';
import { readLimits, readPeople } from './customer_rows.ts';
import type { AccountRow, LimitsRow } from './customer_rows.ts';
import { maskEmail, maskName, maskPhone } from './masking.ts';

/** Who looks after customers. */
export const WHO_SERVES = { admin: ['support', 'kyc', 'finance', 'privacy', 'operations', 'owner'] } as const;

const money = microsOut;
export const limits = z
  .object({
    concurrent_calls_max: z.int(),
    calls_per_second_max: z.int(),
    spend_micros_per_hour_max: money,
    spend_micros_per_day_max: money,
    rate_micros_per_minute_max: money,
    /** Beginnings of numbers that are not called or written to, as digits. */
    blocked_prefixes: z.array(z.string()),
    /** Null: the default holds. */
    texts_per_second_max: z.int().nullable(),
    texts_per_day_max: z.int().nullable(),
  })
  .meta({ id: 'Limits' });

export const foundCustomer = z.object({
  account_id: uuid,
  name_masked: z.string(),
  state: z.enum(['inactive', 'active', 'suspended', 'closed']),
  party: z.enum(['person', 'business']),
  home_country: z.string(),
  created_at: instantOut,
});

export const customer = foundCustomer
  .extend({
    time_zone: z.string(),
    people: z.array(
      z.object({
        user_id: uuid,
        role: z.enum(['owner', 'billing', 'member']),
        state: z.string(),
        name_masked: z.string().nullable(),
        email_masked: z.string().nullable(),
        phone_masked: z.string().nullable(),
        email_verified: z.boolean(),
        phone_verified: z.boolean(),
      }),
    ),
    numbers: z.int(),
    restrictions: z.array(z.enum(RESTRICTION_SCOPES)),
    limits: limits.nullable(),
    version: z.int(),
  })
  .meta({ id: 'CustomerAtTheDesk' });

export async function foundOf(
  context: PortalContext,
  db: Queryable,
  row: AccountRow,
): Promise<z.input<typeof foundCustomer>> {
  const { account_id, state, party, home_country, created_at } = row;
  const name = await readHolderName(context, db, account_id);
  return { account_id, name_masked: maskName(name ?? ''), state, party, home_country, created_at };
}

/** All that is shown of a customer, masked. */
export async function customerOf(
  context: PortalContext,
  db: Queryable,
  row: AccountRow,
  now: Date,
): Promise<z.input<typeof customer>> {
  const people = await readPeople(context, db, row.account_id);
  const known = await readLimits(db, row.account_id);
  const { rows } = await db.query<{ numbers: number }>(
    'select count(*)::integer as numbers from did where account_id = $1',
    [row.account_id],
  );
  return {
    ...(await foundOf(context, db, row)),
    time_zone: row.time_zone,
    people: people.map(({ name, email, phone, ...person }) => ({
      ...person,
      name_masked: name === null ? null : maskName(name),
      email_masked: email === null ? null : maskEmail(email),
      phone_masked: phone === null ? null : maskPhone(phone),
    })),
    numbers: rows[0]?.numbers ?? 0,
    restrictions: await restrictionsInForce(db, row.account_id, now),
    limits: known === null ? null : limitsOf(known),
    version: row.version,
  };
}

export function limitsOf(row: LimitsRow): z.input<typeof limits> {
  return {
    ...row,
    spend_micros_per_hour_max: BigInt(row.spend_micros_per_hour_max),
    spend_micros_per_day_max: BigInt(row.spend_micros_per_day_max),
    rate_micros_per_minute_max: BigInt(row.rate_micros_per_minute_max),
  };
}
