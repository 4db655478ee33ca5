import type { Transaction } from '../db/transaction.ts';
import type { CallLimits } from './caller_profile.ts';

export interface NewAccount {
  account_id: string;
  name: string;
  /** ISO 3166-1 alpha-2. */
  home_country: string;
  time_zone: string;
  tax_ppm: number;
  sell_deck: string;
  currency: string;
  limits: CallLimits;
}

/** Opens an active account with its limits and an empty wallet. */
export async function openAccount(tx: Transaction, account: NewAccount): Promise<{ wallet_id: bigint }> {
  await tx.query(
    `insert into account (id, name, state, home_country, time_zone, tax_ppm, sell_deck) values ($1, $2, 'active', $3, $4, $5, $6)`,
    [account.account_id, account.name, account.home_country, account.time_zone, account.tax_ppm, account.sell_deck],
  );
  const { limits } = account;
  await tx.query(
    `insert into call_limit (account_id, concurrent_calls_max, calls_per_second_max, spend_micros_per_hour_max,
                             spend_micros_per_day_max, rate_micros_per_minute_max, blocked_prefixes)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      account.account_id,
      limits.concurrent_calls_max,
      limits.calls_per_second_max,
      limits.spend_micros_per_hour_max.toString(),
      limits.spend_micros_per_day_max.toString(),
      limits.rate_micros_per_minute_max.toString(),
      limits.blocked_prefixes,
    ],
  );
  const { rows } = await tx.query<{ id: string }>(
    'insert into wallet (account_id, currency) values ($1, $2) returning id',
    [account.account_id, account.currency],
  );
  const wallet = rows[0];
  if (wallet === undefined) throw new Error('the wallet was not made');
  return { wallet_id: BigInt(wallet.id) };
}
