import { randomBytes, randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { CallLimits } from '../../domain/accounts/caller_profile.ts';
import { openAccount } from '../../domain/accounts/open_account.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { createDevice } from '../../domain/devices/create_device.ts';
import { topUp } from '../../domain/ledger/top_up.ts';

export interface Customer {
  account_id: string;
  wallet_id: bigint;
  /** The DID that it holds and shows as its own number. */
  number: string;
  device: { username: string; password: string };
}

export interface CustomerWishes {
  balance_micros: bigint;
  number: string;
  name?: string;
  home_country?: string;
  time_zone?: string;
  tax_ppm?: number;
  currency?: string;
  limits?: Partial<CallLimits>;
  username?: string;
  password?: string;
  inbound_rate_micros_per_minute?: bigint;
  ring_timeout_seconds?: number;
}

export const generousLimits: CallLimits = {
  concurrent_calls_max: 1000,
  calls_per_second_max: 1000,
  spend_micros_per_hour_max: 10n ** 15n,
  spend_micros_per_day_max: 10n ** 15n,
  rate_micros_per_minute_max: 10n ** 12n,
  blocked_prefixes: [],
};

/** An account with money, a number and a device, made through the functions that the product itself uses. */
export function makeCustomer(pool: pg.Pool, wishes: CustomerWishes): Promise<Customer> {
  return inTransaction(pool, (tx) => makeCustomerIn(tx, wishes));
}

/** The same in a transaction that makes more than the customer. */
export async function makeCustomerIn(tx: Transaction, wishes: CustomerWishes): Promise<Customer> {
  const account_id = randomUUID();
  const device = {
    username: wishes.username ?? `dev-${randomBytes(6).toString('hex')}`,
    password: wishes.password ?? randomBytes(12).toString('hex'),
  };
  const { wallet_id } = await openAccount(tx, {
    account_id,
    name: wishes.name ?? 'Customer',
    home_country: wishes.home_country ?? 'DE',
    time_zone: wishes.time_zone ?? 'Europe/Berlin',
    tax_ppm: wishes.tax_ppm ?? 0,
    sell_deck: 'retail',
    currency: wishes.currency ?? 'EUR',
    limits: { ...generousLimits, ...wishes.limits },
  });
  if (wishes.balance_micros > 0n) {
    await topUp(tx, {
      payment_id: randomUUID(),
      wallet_id,
      amount_micros: wishes.balance_micros,
      reason: 'opening balance',
    });
  }
  await tx.query(
    `insert into did (number, account_id, state, inbound_rate_micros_per_minute, ring_timeout_seconds) values ($1, $2, 'active', $3, $4)`,
    [
      wishes.number,
      account_id,
      (wishes.inbound_rate_micros_per_minute ?? 0n).toString(),
      wishes.ring_timeout_seconds ?? 30,
    ],
  );
  await createDevice(tx, { device_id: randomUUID(), account_id, ...device, caller_number: wishes.number });
  return { account_id, wallet_id, number: wishes.number, device };
}

export interface TrunkWishes {
  carrier: string;
  trunk: string;
  address: string;
  port: number;
  currency?: string;
  auth?: { username: string; secret: string };
}

/** A carrier with one trunk, known by its address. */
export async function makeCarrier(db: Queryable, wishes: TrunkWishes): Promise<number> {
  const { rows } = await db.query<{ id: number }>(
    `insert into carrier (code, name, currency) values ($1, $1, $2)
     on conflict (code) do update set enabled = true returning id`,
    [wishes.carrier, wishes.currency ?? 'EUR'],
  );
  const carrier_id = rows[0]?.id;
  if (carrier_id === undefined) throw new Error('the carrier was not made');
  await db.query(
    `insert into trunk (id, carrier_id, host, port, auth_username, auth_secret) values ($1, $2, $3, $4, $5, $6) on conflict (id) do nothing`,
    [wishes.trunk, carrier_id, wishes.address, wishes.port, wishes.auth?.username ?? null, wishes.auth?.secret ?? null],
  );
  await db.query('insert into trunk_address (trunk_id, address) values ($1, $2) on conflict do nothing', [
    wishes.trunk,
    `${wishes.address}/32`,
  ]);
  return carrier_id;
}

/** A payment that arrives now, in a transaction of its own. */
export async function topUpNow(pool: pg.Pool, wallet_id: bigint, amount_micros: bigint): Promise<void> {
  const verdict = await inTransaction(pool, (tx) =>
    topUp(tx, { payment_id: randomUUID(), wallet_id, amount_micros, reason: 'top-up' }),
  );
  if (verdict !== 'posted') throw new Error(`the top-up was not posted: ${verdict}`);
}
