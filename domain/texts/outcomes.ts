import type { Queryable } from '../db/transaction.ts';
import type { FinalState } from './message.ts';
import type { GatewayLease } from './queue.ts';

/** What a carrier said, or did not say, to a part that was sent; and what becomes of the text. */
export interface Outcome {
  message_id: string;
  part_no: number;
  attempt: number;
  /** Null: only what becomes of the text is to be written. */
  kind: 'submitted' | 'refused' | 'throttled' | 'in_doubt' | 'resent' | null;
  carrier_id: number | null;
  bind_id: string | null;
  carrier_message_id: string | null;
  /** command_status (SMPP 3.4, 5.1.3), unsigned. */
  status: number | null;
  at: Date;
  cost: { micros: bigint; currency: string } | null;
  /** In words, for whoever reads the text's story. */
  detail: string | null;
  /** Null: it stays in the gateway's hands. done: carriers have all of it. doubt: held for a person. Else how it ended. */
  then_state: 'done' | 'doubt' | FinalState | null;
  /** Segments that no carrier took, whose price goes back; 0 for none. */
  refund_segments: number;
}

/**
 * Writes a batch of outcomes, books what they cost, ends what has ended and gives back what nobody took, in one transaction.
 * @param batch_id a uuid by which a batch that is asked for again is recognised.
 * @returns false when another gateway has taken over, and nothing was written.
 */
export async function recordOutcomes(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  batch_id: string,
  now: Date,
  outcomes: readonly Outcome[],
): Promise<boolean> {
  const { rows } = await db.query<{ stored: number | null }>({
    name: 'record_outcomes',
    text: 'select record_outcomes($1, $2, $3, $4, $5) as stored',
    values: [gateway_id, epoch, batch_id, now, JSON.stringify(outcomes.map(toItem))],
  });
  return (rows[0]?.stored ?? null) !== null;
}

/** Field by field, as it is in the way of every text, where what is left of an object costs more to copy than all of it to write. */
function toItem(one: Outcome): Record<string, unknown> {
  return {
    message_id: one.message_id,
    part_no: one.part_no,
    attempt: one.attempt,
    kind: one.kind,
    carrier_id: one.carrier_id,
    bind_id: one.bind_id,
    carrier_message_id: one.carrier_message_id,
    status: one.status === null ? null : storedStatus(one.status),
    at: one.at,
    cost_micros: one.cost?.micros.toString(),
    cost_currency: one.cost?.currency,
    detail: one.detail,
    then_state: one.then_state,
    refund_segments: one.refund_segments,
  };
}

/** A status has 32 bits and no sign, its column the same bits with one: what a carrier says in the upper half is stored all the same. */
export function storedStatus(command_status: number): number {
  return command_status | 0;
}

/** The command_status that is stored so. */
export function commandStatus(stored: number): number {
  return stored >>> 0;
}
