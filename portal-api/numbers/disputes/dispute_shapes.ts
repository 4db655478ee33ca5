import { z } from 'zod';
import { e164, instantOut, uuid } from '../../http/fields.ts';
import { DISPUTE_KINDS } from './dispute_rows.ts';
import type { Dispute } from './dispute_rows.ts';
import { DISPUTE_STATES } from './dispute_state.ts';

export const disputeKind = z.enum(DISPUTE_KINDS);
export const disputeState = z.enum(DISPUTE_STATES);
export const disputeParams = z.object({ dispute_id: uuid });

/** As either side sees it: what the other one said, and who that is, is not theirs to read. */
export const ownDisputeShape = z
  .object({
    dispute_id: uuid,
    number: e164,
    /** Whether you have the number, or say that it is yours. */
    side: z.enum(['claimant', 'holder']),
    /** What the claimant says; null for the holder, who would learn from it who that is. */
    kind: disputeKind.nullable(),
    opened_at: instantOut,
    /** Until then the number is neither handed on nor ended. */
    kept_until: instantOut,
    /** What you said of it; null where you said nothing. */
    words: z.string().nullable(),
    state: z.enum(['open', 'upheld', 'rejected', 'withdrawn', 'lapsed']),
    closed_at: instantOut.nullable(),
    /** Why we decided so; null where nothing was decided. */
    answer: z.string().nullable(),
  })
  .meta({ id: 'OwnOwnershipDispute' });

export function ownDisputeAnswer(dispute: Dispute, account_id: string): z.input<typeof ownDisputeShape> {
  const { id, number, opened_at, kept_until, state, closed_at } = dispute;
  const is_claimant = dispute.claimant_account_id === account_id;
  return {
    ...{ dispute_id: id, number, side: is_claimant ? 'claimant' : 'holder', opened_at, kept_until, closed_at },
    kind: is_claimant ? dispute.kind : null,
    words: is_claimant ? dispute.words : dispute.holder_words,
    // What one of us would decide is not decided.
    ...(state === 'proposed' ? { state: 'open', answer: null } : { state, answer: dispute.answer }),
  };
}

export const disputeShape = z
  .object({
    dispute_id: uuid,
    number: e164,
    holder_account_id: uuid,
    claimant_account_id: uuid,
    kind: disputeKind,
    words: z.string(),
    opened_by: uuid,
    opened_at: instantOut,
    kept_until: instantOut,
    holder_words: z.string().nullable(),
    holder_answered_at: instantOut.nullable(),
    state: disputeState,
    proposed_by: uuid.nullable(),
    proposed_at: instantOut.nullable(),
    closed_by: uuid.nullable(),
    closed_at: instantOut.nullable(),
    answer: z.string().nullable(),
    version: z.int(),
  })
  .meta({ id: 'OwnershipDispute' });

/** As it waits, without what either side says. */
export const listedDisputeShape = disputeShape
  .omit({ words: true, holder_words: true, answer: true })
  .meta({ id: 'ListedOwnershipDispute' });

export function listedDisputeAnswer(dispute: Dispute): z.input<typeof listedDisputeShape> {
  const { id, number, holder_account_id, claimant_account_id, kind, opened_by, opened_at, kept_until } = dispute;
  const { holder_answered_at, state, proposed_by, proposed_at, closed_by, closed_at, version } = dispute;
  return {
    ...{ dispute_id: id, number, holder_account_id, claimant_account_id, kind, opened_by, opened_at, kept_until },
    ...{ holder_answered_at, state, proposed_by, proposed_at, closed_by, closed_at, version },
  };
}

export function disputeAnswer(dispute: Dispute): z.input<typeof disputeShape> {
  const { words, holder_words, answer } = dispute;
  return { ...listedDisputeAnswer(dispute), words, holder_words, answer };
}

/** By which a page of them goes on. */
export const keyOf = ({ opened_at, id }: Dispute): string[] => [opened_at.toISOString(), id];
