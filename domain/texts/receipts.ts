import type { Queryable } from '../db/transaction.ts';
import type { ReceiptState } from './message.ts';
import type { GatewayLease } from './queue.ts';

/** A delivery receipt of a carrier, whatever form it came in. */
export interface Receipt {
  carrier_id: number;
  /** The id as it stands there, and as the submit_sm_resp may have written it: in hex, in decimal. */
  carrier_message_ids: readonly string[];
  state: ReceiptState;
  error: string | null;
  /** When the carrier says that it happened. */
  done_at: Date | null;
}

/** matched: counted; repeated: it was counted before; parked: no part has that id yet; fenced: another gateway took over. */
export type ReceiptVerdict = 'matched' | 'repeated' | 'parked' | 'fenced';

/**
 * A receipt and the answer to its submit_sm that are stored at the same moment miss each other, and the receipt is parked although
 * its part is known. To be called now and then; says how many were found.
 */
export async function sweepParked(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  now: Date,
  rows_max: number,
): Promise<number> {
  const { rows } = await db.query<{ found: number }>('select sweep_parked($1, $2, $3, $4) as found', [
    gateway_id,
    epoch,
    now,
    rows_max,
  ]);
  return rows[0]?.found ?? 0;
}

/** Stores a batch of receipts; the texts that end by them end in the same transaction. Then they may be acknowledged. */
export async function receiveReceipts(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  now: Date,
  receipts: readonly Receipt[],
): Promise<ReceiptVerdict[]> {
  const { rows } = await db.query<{ n: number; verdict: ReceiptVerdict }>({
    name: 'receive_receipts',
    text: 'select n, verdict from receive_receipts($1, $2, $3, $4)',
    values: [gateway_id, epoch, now, JSON.stringify(receipts.map(toItem))],
  });
  const verdicts = receipts.map((): ReceiptVerdict => 'fenced');
  for (const { n, verdict } of rows) verdicts[n] = verdict;
  return verdicts;
}

function toItem(one: Receipt, n: number): Record<string, unknown> {
  return {
    n,
    carrier_id: one.carrier_id,
    carrier_message_ids: one.carrier_message_ids,
    state: one.state,
    error: one.error,
    done_at: one.done_at,
  };
}
