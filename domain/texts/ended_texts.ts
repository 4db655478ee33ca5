import type { Queryable } from '../db/transaction.ts';
import type { FinalState } from './message.ts';
import type { GatewayLease } from './queue.ts';

/** A text that has ended, whoever ended it. */
export interface EndedText {
  account_id: string;
  /** E.164, as it was when the text was accepted. */
  recipient: string;
  state: FinalState;
  /** From when it was to go until its end. */
  waited_ms: number;
  /** Who took it last; null where nobody did, and of those that are not looked up. */
  carrier_id: number | null;
}

/**
 * Takes texts that have ended off the list of those to be counted, as many as that; each is given once, to whoever has the lease.
 * @param carriers_max of how many the carrier is looked up.
 */
export async function takeEndedTexts(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  rows_max: number,
  carriers_max: number,
): Promise<EndedText[]> {
  const { rows } = await db.query<EndedText>({
    name: 'take_ended_texts',
    text: 'select account_id, recipient, state, waited_ms, carrier_id from take_ended_texts($1, $2, $3, $4)',
    values: [gateway_id, epoch, rows_max, carriers_max],
  });
  return rows;
}
