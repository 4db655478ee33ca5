import { randomBytes, randomUUID } from 'node:crypto';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { pendingCancellation, takeBack } from '../holdings/cancel_number.ts';
import type { Cancellation } from '../holdings/cancel_number.ts';
import { openHolding } from '../holdings/holding_rows.ts';
import type { Holding } from '../holdings/holding_rows.ts';
import { suspensionEnd } from '../holdings/holding_state.ts';
import { isBeingPorted } from '../holdings/kept.ts';
import { renewNumber } from '../holdings/renew.ts';
import { changeHolder, mayTake } from '../moving/hand_over.ts';
import type { Taking } from '../moving/hand_over.ts';
import { tellSoon } from '../moving/tell_provider.ts';
import { codeHash } from '../moving/transfer_rows.ts';
import { numberKind } from '../offers/number_kind.ts';
import type { BuyerPorts, BuyerRefusal } from '../orders/buyer.ts';
import { whoHasToKnow } from '../provider/submissions.ts';
import { HOLDER_ANSWERS_MS } from '../terms.ts';
import type { Dispute } from './dispute_rows.ts';

/** What keeps the number from being given to the claimant as things stand. */
export type Hindrance =
  | { kind: 'kyc_required'; missing: readonly string[] }
  | { kind: 'holder_not_heard'; until: Date }
  | { kind: 'being_ported' | 'terms_required' | BuyerRefusal };

export interface Givable {
  holding: Holding;
  taking: Taking;
  /** A cancellation, which is taken back: whoever cancelled it had in mind whom it is taken from. */
  pending: Cancellation | null;
}

/** Whoever gets a number has to be known as a buyer of it has to be, and to have agreed to what every customer has. */
export async function mayGive(
  tx: Transaction,
  dispute: Dispute,
  ports: BuyerPorts,
  now: Date,
): Promise<Givable | { hindrance: Hindrance }> {
  const { holding_id, claimant_account_id: account_id } = dispute;
  const holding = await openHolding(tx, dispute.number);
  // What ends a holding closes its dispute in the same transaction.
  if (holding?.id !== holding_id) throw new Error(`Dispute ${dispute.id} is open, and its holding is not.`);
  const until = new Date(dispute.opened_at.getTime() + HOLDER_ANSWERS_MS);
  if (dispute.holder_words === null && now < until) return { hindrance: { kind: 'holder_not_heard', until } };
  if (await isBeingPorted(tx, holding.id)) return { hindrance: { kind: 'being_ported' } };
  const taking = await mayTake(tx, holding, account_id, now);
  if ('refusal' in taking) return { hindrance: { kind: taking.refusal } };
  if (!(await ports.termsAccepted(tx, account_id, now))) return { hindrance: { kind: 'terms_required' } };
  const kind = await numberKind(tx, holding.number);
  const missing = await ports.missingDocuments(tx, { account_id, ...kind, now });
  if (missing.length > 0) return { hindrance: { kind: 'kyc_required', missing } };
  return { holding, taking, pending: await pendingCancellation(tx, holding.id) };
}

/**
 * The number, with the rest of the month that was paid for it, is the claimant's from the commit on; what was called and written by it stays
 * with who did. One that is not paid for he pays for at once, from now on and not for what somebody else owes, and it works once he has. A
 * provider that has to know of holders is told afterwards and not asked: if it refuses, the transfer stands in the queue of those that an
 * admin tells again.
 */
export async function giveToClaimant(
  tx: Transaction,
  dispute: Dispute,
  { holding, taking, pending }: Givable,
  { why, now }: { why: string; now: Date },
): Promise<void> {
  const { number } = holding;
  const { id: dispute_id, claimant_account_id: account_id } = dispute;
  if (pending !== null) await takeBack(tx, holding, pending, now);
  const told = await whoHasToKnow(tx, number);
  const transfer = { id: randomUUID(), number };
  const new_holding_id = randomUUID();
  const order_id = told?.order_id ?? null;
  await insertDecided(tx, { ...transfer, holding, account_id, dispute_id, new_holding_id, order_id, now });
  const is_paid = holding.state === 'active' && holding.paid_until > now;
  const next = { id: new_holding_id, account_id, ...taking, now };
  await changeHolder(tx, holding, next, is_paid ? 'active' : 'suspended');
  if (order_id !== null) await tellSoon(tx, transfer);
  const facts = { number, why };
  await queueNotice(tx, { to: { account_id: holding.account_id }, template: 'ownership_taken', facts });
  await queueNotice(tx, { to: { account_id }, template: 'ownership_given', facts });
  if (!is_paid) await payOrTell(tx, number, account_id, now);
}

async function payOrTell(tx: Transaction, number: string, account_id: string, now: Date): Promise<void> {
  await renewNumber(tx, number, now);
  if ((await openHolding(tx, number))?.state !== 'suspended') return;
  const facts = { number, until: suspensionEnd(now).toISOString() };
  await queueNotice(tx, { to: { account_id }, template: 'number_suspended', facts });
}

interface Decided {
  id: string;
  holding: Holding;
  account_id: string;
  dispute_id: string;
  new_holding_id: string;
  order_id: string | null;
  now: Date;
}

/** Its code nobody knows, as nobody had to consent. */
async function insertDecided(tx: Queryable, decided: Decided): Promise<void> {
  const { holding, now, order_id } = decided;
  const provider_state = order_id === null ? null : 'telling';
  await tx.query(
    `insert into number_transfer (id, holding_id, number, from_account_id, to_account_id, state, code_sha256, offered_at, expires_at,
                                  accepted_at, decided_at, new_holding_id, order_id, provider_state, provider_since, dispute_id)
     values ($1, $2, $3, $4, $5, 'done', $6, $7, $7, $7, $7, $8, $9, $10, $11, $12)`,
    [
      ...[decided.id, holding.id, holding.number, holding.account_id, decided.account_id],
      ...[codeHash(randomBytes(24).toString('base64url')), now, decided.new_holding_id, order_id, provider_state],
      ...[order_id === null ? null : now, decided.dispute_id],
    ],
  );
}
