import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Transaction } from '../../../domain/db/transaction.ts';
import type { Micros } from '../../../domain/money/micros.ts';
import { countryOf } from '../../../domain/numbers/country_of.ts';
import { numberType } from '../../../domain/numbers/describe_number.ts';
import { parseE164 } from '../../../domain/numbers/e164.ts';
import { lockNumber } from '../lock_number.ts';
import type { NumberType } from '../offers/offer_rows.ts';
import { insertHolding, openHolding } from './holding_rows.ts';
import { monthLater } from './period.ts';

/**
 * Numbers that work for somebody without a holding, as they were given away by SQL or by a seed, get one: else their holder could neither
 * see nor cancel them, and they would be nobody's in a dispute. A month is as good as paid, and costs that much from then on. Says which
 * they were, and why others could not have one: such as a number that rests.
 */
export async function adoptNumbers(
  pool: pg.Pool,
  monthly_micros: Micros,
  now: Date,
): Promise<{ adopted: string[]; failures: { number: string; error: unknown }[] }> {
  const { rows } = await pool.query<{ number: string }>(
    `select d.number from did d
      where d.state = 'active' and d.account_id is not null
        and exists (select from wallet w where w.account_id = d.account_id)
        and not exists (select from number_holding h where h.number = d.number and h.held_to is null)
      order by d.number`,
  );
  const adopted: string[] = [];
  const failures: { number: string; error: unknown }[] = [];
  for (const { number } of rows) {
    try {
      if (await inTransaction(pool, (tx) => adopt(tx, number, monthly_micros, now))) adopted.push(number);
    } catch (error) {
      failures.push({ number, error });
    }
  }
  return { adopted, failures };
}

/** False where it has one by now, or is nobody's. */
async function adopt(tx: Transaction, number: string, monthly_micros: Micros, now: Date): Promise<boolean> {
  const locked = await lockNumber(tx, number);
  if (locked?.state !== 'active' || locked.account_id === null) return false;
  if ((await openHolding(tx, number)) !== null) return false;
  const { account_id } = locked;
  const { rows } = await tx.query<{ id: string; currency: string; home_country: string }>(
    `select w.id, w.currency, a.home_country from wallet w join account a on a.id = w.account_id
      where a.id = $1 order by w.id limit 1`,
    [account_id],
  );
  const [wallet] = rows;
  if (wallet === undefined) return false;
  await tx.query(
    `insert into number_offer (number, country, number_type, calls, texts, provider, offered) values ($1, $2, $3, true, true, 'stock', false)
     on conflict do nothing`,
    [number, countryOf(number) ?? wallet.home_country, typeOf(number)],
  );
  const anchor_day = now.getUTCDate();
  const price = { currency: wallet.currency, monthly_micros, converted: null };
  const since = {
    held_from: now,
    held_to: null,
    state_since: now,
    paid_until: monthLater(now, anchor_day),
    anchor_day,
  };
  const holding = { id: randomUUID(), number, account_id, wallet_id: BigInt(wallet.id), ...price, ...since };
  await insertHolding(tx, { ...holding, state: 'active', periods: 0, version: 1 }, null);
  return true;
}

function typeOf(number: string): NumberType {
  const parsed = parseE164(number);
  const type = parsed === null ? 'other' : numberType(parsed);
  return type === 'mobile' || type === 'toll_free' ? type : 'geographic';
}
