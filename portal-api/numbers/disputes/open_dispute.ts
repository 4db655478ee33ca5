import type { Transaction } from '../../../domain/db/transaction.ts';
import { mustBeOfAccount } from '../../http/idempotency.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { lastHolding, openHolding } from '../holdings/holding_rows.ts';
import { lockNumber } from '../lock_number.ts';
import { DISPUTE_KEPT_MS } from '../terms.ts';
import { insertDispute, selectDispute, wasDecided } from './dispute_rows.ts';
import type { Dispute, DisputeKind } from './dispute_rows.ts';

export interface DisputeWish {
  id: string;
  number: string;
  claimant_account_id: string;
  kind: DisputeKind;
  words: string;
  opened_by: string;
  /** Whether the claimant says so, or one of us who has seen why. */
  by: 'claimant' | 'operator';
  now: Date;
}

export type Opened =
  | { kind: 'opened'; dispute: Dispute; is_new: boolean }
  /** Also of a number that the claimant never had: nobody learns so who holds what. */
  | { kind: 'not_found' }
  | { kind: 'own' | 'nobody_holds_it' | 'decided_before' | 'open_already' };

/**
 * From now on the number stays where it is, as whoever has what is another's would hand it on. So a customer may say so of what he had
 * himself, once of each holder, and not of one to whom we have just given it; everything else is for one of us to write down, who has seen
 * papers.
 */
export async function openDispute(tx: Transaction, wish: DisputeWish): Promise<Opened> {
  const { id, number, claimant_account_id, now } = wish;
  await lockNumber(tx, number);
  const before = await selectDispute(tx, id);
  if (before !== null) {
    mustBeOfAccount(before.claimant_account_id, claimant_account_id);
    return { kind: 'opened', dispute: before, is_new: false };
  }
  if (wish.by === 'claimant' && (await lastHolding(tx, number, claimant_account_id)) === null) {
    return { kind: 'not_found' };
  }
  const holding = await openHolding(tx, number);
  if (holding === null) return { kind: 'nobody_holds_it' };
  if (holding.account_id === claimant_account_id) return { kind: 'own' };
  if (wish.by === 'claimant' && (await wasDecided(tx, holding.id, claimant_account_id))) {
    return { kind: 'decided_before' };
  }
  const { kind, words, opened_by } = wish;
  await insertDispute(tx, {
    ...{ id, holding_id: holding.id, holder_account_id: holding.account_id, claimant_account_id, kind, words },
    ...{ opened_by, opened_at: now, kept_until: new Date(now.getTime() + DISPUTE_KEPT_MS) },
  });
  const dispute = await selectDispute(tx, id);
  if (dispute === null) return { kind: 'open_already' };
  await tellDisputed(tx, dispute);
  await tellBoth(tx, dispute);
  return { kind: 'opened', dispute, is_new: true };
}

/** Who has the number hears that somebody says it is his, and until when it stays where it is. */
export function tellDisputed(tx: Transaction, { number, holder_account_id, kept_until }: Dispute): Promise<void> {
  const facts = { number, until: kept_until.toISOString() };
  return queueNotice(tx, { to: { account_id: holder_account_id }, template: 'ownership_disputed', facts });
}

/** Whoever has the portal open on either side. What one of us proposed is not decided, and looks as it did before. */
export async function tellBoth(tx: Transaction, dispute: Dispute): Promise<void> {
  const state = dispute.state === 'proposed' ? 'open' : dispute.state;
  for (const account_id of [dispute.holder_account_id, dispute.claimant_account_id]) {
    await tellCustomer(tx, account_id, { type: 'ownership_dispute', id: dispute.id, state });
  }
}
