import { z } from 'zod';
import { currency, e164, instantOut, microsOut, uuid } from '../../http/fields.ts';
import { CLAIM_KINDS } from './claim_rows.ts';
import type { Claim } from './claim_rows.ts';
import { CLAIM_STATES } from './claim_state.ts';

export const claimKind = z.enum(CLAIM_KINDS);
export const claimState = z.enum(CLAIM_STATES);

export const ownClaimShape = z
  .object({
    claim_id: uuid,
    number: e164,
    kind: claimKind,
    began_at: instantOut,
    ended_at: instantOut.nullable(),
    words: z.string(),
    opened_at: instantOut,
    state: claimState,
    closed_at: instantOut.nullable(),
    /** Null while it is open, and where it was withdrawn. */
    answer: z.string().nullable(),
    credit_days: z.int(),
    /** With tax; it is in the wallet. */
    credit_micros: microsOut,
    currency,
  })
  .meta({ id: 'OwnClaim' });

export const claimShape = ownClaimShape
  .extend({ account_id: uuid, closed_by: uuid.nullable(), version: z.int() })
  .meta({ id: 'Claim' });

export function ownClaimAnswer(claim: Claim): z.input<typeof ownClaimShape> {
  const { id, number, kind, began_at, ended_at, words, opened_at, state, closed_at, answer, credit_days } = claim;
  return {
    ...{ claim_id: id, number, kind, began_at, ended_at, words, opened_at, state, closed_at, answer, credit_days },
    ...{ credit_micros: claim.credit_net_micros + claim.credit_tax_micros, currency: claim.currency },
  };
}

export function claimAnswer(claim: Claim): z.input<typeof claimShape> {
  const { account_id, closed_by, version } = claim;
  return { ...ownClaimAnswer(claim), account_id, closed_by, version };
}
