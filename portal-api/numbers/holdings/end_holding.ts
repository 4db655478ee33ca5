import type { Transaction } from '../../../domain/db/transaction.ts';
import { enqueue } from '../../jobs/task.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { setNumber } from '../lock_number.ts';
import { QUARANTINE_MS } from '../terms.ts';
import type { EndReason, Holding } from './holding_rows.ts';

/**
 * Nobody holds the number from this moment on. Its row is locked already. It takes no calls and no texts from the commit on, stands
 * nowhere as anybody's own, and rests before somebody else can have it. Says when it ended: not before it began, were that by the clock of
 * another portal, which is ahead.
 */
export async function endHolding(
  tx: Transaction,
  holding: Holding,
  { reason, at: ends_at }: { reason: EndReason; at: Date },
): Promise<Date> {
  const { id, number, account_id, held_from } = holding;
  const at = ends_at < held_from ? held_from : ends_at;
  await tx.query(
    `update number_holding set state = 'ended', state_since = $2, held_to = $2, blocked_until = $3, end_reason = $4,
            port_pin_hmac = null, port_pin_tries_left = 0, version = version + 1 where id = $1`,
    [id, at, blockedUntil(reason, at), reason],
  );
  await setNumber(tx, number, { state: 'quarantined', account_id: null });
  await forgetRouting(tx, number, account_id);
  await tx.query(
    `update number_transfer set state = 'withdrawn', decided_at = $2 where holding_id = $1 and state = 'offered'`,
    [id, at],
  );
  // What was with the provider comes too late; the provider is asked to forget whom it was told of when the number is given back.
  await tx.query(
    `update number_transfer set state = 'refused', decided_at = $2, failure = 'holder_has_it_no_longer', provider_state = 'refused',
            provider_since = $2 where holding_id = $1 and state = 'with_provider'`,
    [id, at],
  );
  await tx.query(
    'update number_cancellation set done_at = $2 where holding_id = $1 and undone_at is null and done_at is null',
    [id, at],
  );
  await tx.query(
    `update cancellation_order set state = 'lapsed', decided_at = $2 where holding_id = $1 and state = 'waiting'`,
    [id, at],
  );
  await lapseDisputes(tx, holding, at);
  await tellCustomer(tx, account_id, { type: 'number', id: number, state: 'ended' });
  await tx.query(
    `update port_out set state = 'refused', decided_at = $2, reason = 'Its holder has it no longer.'
      where holding_id = $1 and state in ('requested', 'approved') and $3`,
    [id, at, reason !== 'ported_out'],
  );
  if (reason === 'transferred') return at;
  await queueNotice(tx, {
    to: { account_id },
    template: 'number_released',
    facts: { number, since: at.toISOString() },
  });
  await enqueue(tx, { task: 'release_number', payload: { number }, key: `release_number:${id}` });
  return at;
}

/** Whoever says that the number is his has nobody to take it from any more. */
async function lapseDisputes(tx: Transaction, { id, number }: Holding, at: Date): Promise<void> {
  const { rows } = await tx.query<{ id: string; claimant_account_id: string }>(
    `update ownership_dispute set state = 'lapsed', closed_at = $2, answer = null, version = version + 1
      where holding_id = $1 and state in ('open', 'proposed') returning id, claimant_account_id`,
    [id, at],
  );
  for (const dispute of rows) {
    const account_id = dispute.claimant_account_id;
    await queueNotice(tx, { to: { account_id }, template: 'ownership_lapsed', facts: { number } });
    await tellCustomer(tx, account_id, { type: 'ownership_dispute', id: dispute.id, state: 'lapsed' });
  }
}

/** Until when nobody else may have it. */
function blockedUntil(reason: EndReason, at: Date): Date | 'infinity' {
  if (reason === 'transferred') return at;
  return reason === 'ported_out' ? 'infinity' : new Date(at.getTime() + QUARANTINE_MS);
}

/** Which devices ring for it and which show it was the holder's choice, and ends with him; what else he chose the number's row forgets. */
async function forgetRouting(tx: Transaction, number: string, account_id: string): Promise<void> {
  await tx.query('delete from number_device where number = $1', [number]);
  await tx.query(
    'update sip_device set caller_number = null, version = version + 1 where account_id = $1 and caller_number = $2',
    [account_id, number],
  );
}
