import { randomBytes } from 'node:crypto';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { openHolding, ownHolding } from '../holdings/holding_rows.ts';
import { lockNumber } from '../lock_number.ts';
import { numberKind } from '../offers/number_kind.ts';
import type { BuyerPorts, BuyerRefusal } from '../orders/buyer.ts';
import { whoHasToKnow } from '../provider/submissions.ts';
import { TRANSFER_OFFER_MS } from '../terms.ts';
import { handOver, isTransferable, mayTake } from './hand_over.ts';
import { tellSoon } from './tell_provider.ts';
import { codeHash, openTransfer, saveTransfer, transferByCode } from './transfer_rows.ts';
import type { Transfer } from './transfer_rows.ts';
import { nextTransferState } from './transfer_state.ts';

export type Offered =
  | { kind: 'offered'; transfer: Transfer; code: string }
  | { kind: 'not_found' | 'not_transferable' | 'already_offered' };

/** The holder's consent: the code is told here once, and is kept as its hash alone. */
export async function offerTransfer(
  tx: Transaction,
  { transfer_id, number, account_id, now }: { transfer_id: string; number: string; account_id: string; now: Date },
): Promise<Offered> {
  await lockNumber(tx, number);
  const holding = await ownHolding(tx, number, account_id);
  if (holding === null) return { kind: 'not_found' };
  if (!(await isTransferable(tx, holding, now))) return { kind: 'not_transferable' };
  await expireTransfers(tx, now, number);
  const code = randomBytes(24).toString('base64url');
  const { rowCount } = await tx.query(
    `insert into number_transfer (id, holding_id, number, from_account_id, state, code_sha256, offered_at, expires_at)
     values ($1, $2, $3, $4, 'offered', $5, $6, $7) on conflict do nothing`,
    [
      ...[transfer_id, holding.id, number, account_id, codeHash(code), now],
      new Date(now.getTime() + TRANSFER_OFFER_MS),
    ],
  );
  const transfer = await openTransfer(tx, number, account_id);
  if ((rowCount ?? 0) === 0 || transfer === null) return { kind: 'already_offered' };
  return { kind: 'offered', transfer, code };
}

/** `accepted`: the new holder has agreed already, and it is with the provider. */
export async function withdrawTransfer(
  tx: Transaction,
  { number, account_id, now }: { number: string; account_id: string; now: Date },
): Promise<'withdrawn' | 'not_found' | 'accepted'> {
  await lockNumber(tx, number);
  const transfer = await openTransfer(tx, number, account_id);
  if (transfer === null) return 'not_found';
  const state = nextTransferState(transfer.state, 'withdrawn');
  if (state === null) return 'accepted';
  await saveTransfer(tx, { ...transfer, state, decided_at: now });
  return 'withdrawn';
}

export interface Acceptance {
  holding_id: string;
  code: string;
  account_id: string;
  now: Date;
}

export type Accepted =
  /** Done, or with the provider. */
  | { kind: 'accepted'; transfer: Transfer }
  | { kind: 'kyc_required'; missing: readonly string[] }
  | { kind: 'no_such_code' | 'own_number' | 'not_transferable' | 'terms_required' | BuyerRefusal };

/**
 * The new holder's consent. The number, and with it the rest of the month that was paid, is his from the commit on, at the price that it
 * has; what was called and written by it, and what rang for it, stays behind. Where the provider has to agree first, it is once it has.
 */
export async function acceptTransfer(
  tx: Transaction,
  { holding_id, code, account_id, now }: Acceptance,
  ports: BuyerPorts,
): Promise<Accepted> {
  const found = await transferByCode(tx, code);
  if (found === null) return { kind: 'no_such_code' };
  await lockNumber(tx, found.number);
  const transfer = await transferByCode(tx, code);
  const is_accepted = transfer?.state === 'done' || transfer?.state === 'with_provider';
  if (is_accepted && transfer.to_account_id === account_id) return { kind: 'accepted', transfer };
  if (transfer?.state !== 'offered' || transfer.expires_at <= now) return { kind: 'no_such_code' };
  if (transfer.from_account_id === account_id) return { kind: 'own_number' };
  const holding = await openHolding(tx, transfer.number);
  if (holding?.id !== transfer.holding_id || !(await isTransferable(tx, holding, now)))
    return { kind: 'not_transferable' };
  const taking = await mayTake(tx, holding, account_id, now);
  if ('refusal' in taking) return { kind: taking.refusal };
  if (!(await ports.termsAccepted(tx, account_id, now))) return { kind: 'terms_required' };
  const kind = await numberKind(tx, holding.number);
  const missing = await ports.missingDocuments(tx, { account_id, ...kind, now });
  if (missing.length > 0) return { kind: 'kyc_required', missing };
  const accepted = { ...transfer, to_account_id: account_id, accepted_at: now, new_holding_id: holding_id };
  const told = await whoHasToKnow(tx, holding.number);
  if (told === null) {
    const done: Transfer = { ...accepted, state: 'done', decided_at: now };
    await saveTransfer(tx, done);
    await handOver(tx, holding, { id: holding_id, account_id, ...taking, now });
    return { kind: 'accepted', transfer: done };
  }
  const is_asked = told.on_transfer === 'asked';
  const telling: Transfer = {
    ...{ ...accepted, order_id: told.order_id, provider_state: 'telling', provider_since: now },
    ...(is_asked ? { state: 'with_provider' } : { state: 'done', decided_at: now }),
  };
  await saveTransfer(tx, telling);
  if (!is_asked) await handOver(tx, holding, { id: holding_id, account_id, ...taking, now });
  await tellSoon(tx, telling);
  return { kind: 'accepted', transfer: telling };
}

/** Of one number, or of all. */
export async function expireTransfers(db: Queryable, now: Date, number: string | null): Promise<void> {
  await db.query(
    `update number_transfer set state = 'expired', decided_at = $1
      where state = 'offered' and expires_at <= $1 and ($2::text is null or number = $2)`,
    [now, number],
  );
}
