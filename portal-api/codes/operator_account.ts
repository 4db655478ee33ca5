import { openAccount } from '../../domain/accounts/open_account.ts';
import { OPERATOR_ACCOUNT_ID } from '../../domain/accounts/operator_account.ts';
import type { Transaction } from '../../domain/db/transaction.ts';

export interface OperatorAccount {
  account_id: string;
  wallet_id: bigint;
}

/** The operator's own account, made when it is first needed. */
export async function ensureOperatorAccount(
  tx: Transaction,
  { brand, currency }: { brand: string; currency: string },
): Promise<OperatorAccount> {
  const known = await selectOperatorAccount(tx);
  if (known !== null) return known;
  await tx.query(`select pg_advisory_xact_lock(hashtext('operator_account'))`);
  const made_meanwhile = await selectOperatorAccount(tx);
  if (made_meanwhile !== null) return made_meanwhile;
  const { wallet_id } = await openAccount(tx, {
    ...{
      account_id: OPERATOR_ACCOUNT_ID,
      name: `${brand} (operator)`,
      home_country: 'DE',
      time_zone: 'UTC',
      tax_ppm: 0,
    },
    ...{ sell_deck: 'retail', currency },
    limits: {
      ...{ concurrent_calls_max: 0, calls_per_second_max: 0, rate_micros_per_minute_max: 0n, blocked_prefixes: [] },
      ...{ spend_micros_per_hour_max: 0n, spend_micros_per_day_max: 0n },
    },
  });
  await tx.query('insert into text_sender (account_id, sender) values ($1, $2)', [
    OPERATOR_ACCOUNT_ID,
    senderName(brand),
  ]);
  return { account_id: OPERATOR_ACCOUNT_ID, wallet_id };
}

async function selectOperatorAccount(tx: Transaction): Promise<OperatorAccount | null> {
  const { rows } = await tx.query<{ wallet_id: string }>('select id as wallet_id from wallet where account_id = $1', [
    OPERATOR_ACCOUNT_ID,
  ]);
  const row = rows[0];
  return row === undefined ? null : { account_id: OPERATOR_ACCOUNT_ID, wallet_id: BigInt(row.wallet_id) };
}

/** The brand as the name that a text may come from: at most eleven letters, digits and signs (3GPP TS 23.040, 9.1.2.5). */
export function senderName(brand: string): string {
  const name = brand
    .replaceAll(/[^A-Za-z0-9 &+._-]/gu, '')
    .slice(0, 11)
    .trim();
  return name.length >= 3 && /[A-Za-z]/u.test(name) ? name : 'Letsdial';
}
