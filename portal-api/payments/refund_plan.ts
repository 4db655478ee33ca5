import type { Queryable } from '../../domain/db/transaction.ts';
import { floorToCents } from './cents.ts';
import { freeCash, owedBy } from './debts.ts';
import type { PayingWallet } from './debts.ts';
import { refundableSince } from './payment_policy.ts';

export interface RefundPart {
  attempt_id: string;
  amount_micros: bigint;
}

export interface RefundPlan {
  total_micros: bigint;
  parts: readonly RefundPart[];
}

/**
 * What goes back to where it came from, by the policy: unspent cash in whole cents, to the latest payments first, to each no more than it
 * brought, to none that is older than the policy says or disputed. Who owes gets nothing back. The preview and the refund both ask here.
 */
export async function planRefund(
  db: Queryable,
  { wallet_id, currency }: PayingWallet,
  provider: string,
  wanted_micros: bigint | null,
  now: Date,
): Promise<RefundPlan> {
  const owed = await owedBy(db, wallet_id);
  const free = owed > 0n ? 0n : floorToCents(await freeCash(db, wallet_id, now), currency);
  let left = wanted_micros === null || wanted_micros > free ? free : wanted_micros;
  const { rows } = await db.query<{ id: string; left: string }>(
    `select id, amount_micros - refunded_micros as left from payment_attempt
      where wallet_id = $1 and provider = $2 and state = 'succeeded' and refunded_micros < amount_micros
        and created_at >= $3 and provider_payment is not null
      order by created_at desc, id`,
    [wallet_id.toString(), provider, refundableSince(now)],
  );
  const parts: RefundPart[] = [];
  for (const row of rows) {
    if (left === 0n) break;
    const amount_micros = BigInt(row.left) < left ? BigInt(row.left) : left;
    left -= amount_micros;
    parts.push({ attempt_id: row.id, amount_micros });
  }
  return { parts, total_micros: parts.reduce((sum, part) => sum + part.amount_micros, 0n) };
}
