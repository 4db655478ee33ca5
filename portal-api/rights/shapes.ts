import { z } from 'zod';
import { instantOut, uuid } from '../http/fields.ts';
import type { AppealRow } from './appeal_rows.ts';
import { RESTRICTION_SCOPES } from './restriction_rows.ts';
import type { RestrictionRow } from './restriction_rows.ts';

export const scopeField = z.enum(RESTRICTION_SCOPES);
export const appealState = z.enum(['open', 'upheld', 'lifted']);

/** What the customer is told of a restriction: all but the evidence, and nobody's name. */
export const ownRestriction = z
  .object({
    restriction_id: uuid,
    scope: scopeField,
    reason: z.string(),
    starts_at: instantOut,
    ends_at: instantOut.nullable(),
    is_in_force: z.boolean(),
    end_reason: z.string().nullable(),
    appeal_id: uuid.nullable(),
    appeal_state: appealState.nullable(),
  })
  .meta({ id: 'OwnRestriction' });

export const restriction = ownRestriction
  .extend({
    account_id: uuid,
    evidence: z.string().nullable(),
    set_by: z.string(),
    ended_by: z.string().nullable(),
    version: z.int(),
  })
  .meta({ id: 'Restriction' });

export const ownAppeal = z
  .object({
    appeal_id: uuid,
    restriction_id: uuid,
    words: z.string(),
    state: appealState,
    opened_at: instantOut,
    decided_at: instantOut.nullable(),
    decision_words: z.string().nullable(),
  })
  .meta({ id: 'OwnAppeal' });

export const appeal = ownAppeal
  .extend({
    account_id: uuid,
    restriction_set_by: z.string(),
    decided_by: z.string().nullable(),
    version: z.int(),
  })
  .meta({ id: 'Appeal' });

export function ownRestrictionOf(row: RestrictionRow, now: Date): z.input<typeof ownRestriction> {
  const { id, scope, reason, starts_at, ends_at, end_reason, appeal_id, appeal_state } = row;
  const is_in_force = starts_at <= now && (ends_at === null || ends_at > now);
  return { restriction_id: id, scope, reason, starts_at, ends_at, is_in_force, end_reason, appeal_id, appeal_state };
}

export function restrictionOf(row: RestrictionRow, now: Date): z.input<typeof restriction> {
  const { account_id, evidence, set_by, ended_by, version } = row;
  return { ...ownRestrictionOf(row, now), account_id, evidence, set_by, ended_by, version };
}

export function ownAppealOf(row: AppealRow): z.input<typeof ownAppeal> {
  const { id, restriction_id, words, state, opened_at, decided_at, decision_words } = row;
  return { appeal_id: id, restriction_id, words, state, opened_at, decided_at, decision_words };
}

export function appealOf(row: AppealRow): z.input<typeof appeal> {
  const { account_id, restriction_set_by, decided_by, version } = row;
  return { ...ownAppealOf(row), account_id, restriction_set_by, decided_by, version };
}
