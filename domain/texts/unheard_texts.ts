import type { Queryable } from '../db/transaction.ts';
import type { GatewayLease } from './queue.ts';

export interface UnheardTexts {
  /** How many were looked at: with fewer than were allowed, that was all. */
  looked_at: number;
  /** How many ended, as nothing was heard of them. */
  ended: number;
  /** Of them, by the carrier that had taken them; of those that none is known to have taken, nothing. */
  by_carrier: ReadonlyMap<number, number>;
}

/**
 * Ends texts of which nothing was heard for so long after they ceased to be valid: their state is `unknown` then, and whoever sent
 * them is told so. @param wait_ms from acceptance, and from the end of validity.
 */
export async function endUnheardTexts(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  now: Date,
  wait_ms: number,
  rows_max: number,
): Promise<UnheardTexts> {
  const { rows } = await db.query<{ looked_at: number; carrier_id: number | null; texts: number }>(
    `select looked_at, carrier_id, texts from end_unheard_texts($1, $2, $3, make_interval(secs => $4), $5)`,
    [gateway_id, epoch, now, wait_ms / 1000, rows_max],
  );
  const by_carrier = new Map<number, number>();
  for (const { carrier_id, texts } of rows) if (carrier_id !== null) by_carrier.set(carrier_id, texts);
  const all = rows.find(({ carrier_id }) => carrier_id === null);
  return { looked_at: all?.looked_at ?? 0, ended: all?.texts ?? 0, by_carrier };
}
