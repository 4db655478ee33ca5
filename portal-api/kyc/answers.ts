import { z } from 'zod';
import { country, instantOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { KycCase } from './case_rows.ts';
import type { CaseRefusal } from './case_state.ts';
import { CLAIMS, DOCUMENT_TYPES, NUMBER_TYPES, TYPE_OF_DOCUMENT } from './document_types.ts';
import type { KycDocument } from './document_rows.ts';
import { wordsOfReason } from './reasons.ts';

/** Schemas that several routes of this area answer with, and how rows become them. */

export const CASE_STATES = ['open', 'submitted', 'in_review', 'needs_more', 'approved', 'rejected'] as const;
const DOCUMENT_STATES = [
  ...(['uploaded', 'submitted', 'approved', 'rejected', 'asked_again', 'expired', 'replaced'] as const),
] as const;

export const wantedShape = z.object({ country, number_type: z.enum(NUMBER_TYPES) });

export const caseShape = z
  .object({
    case_id: uuid,
    state: z.enum(CASE_STATES),
    /** For which number the documents were handed in last. */
    wanted: wantedShape.nullable(),
    submitted_at: instantOut.nullable(),
    closed_at: instantOut.nullable(),
    /** Until when the case is one reviewer's alone. */
    locked_until: instantOut.nullable(),
  })
  .meta({ id: 'KycCase' });

export function caseAnswer({ id, standing, wanted, submitted_at, closed_at }: KycCase): z.input<typeof caseShape> {
  const locked_until = standing.state === 'in_review' ? standing.locked_until : null;
  return { case_id: id, state: standing.state, wanted, submitted_at, closed_at, locked_until };
}

const reasonShape = z.object({ code: z.string(), words: z.string() });

export const documentShape = z
  .object({
    document_id: uuid,
    type: z.enum(DOCUMENT_TYPES),
    words: z.string(),
    state: z.enum(DOCUMENT_STATES),
    page_count: z.int(),
    uploaded_at: instantOut,
    decided_at: instantOut.nullable(),
    /** Why it was not approved. */
    reason: reasonShape.nullable(),
    /** The reviewer's own words about it. */
    note: z.string().nullable(),
    /** The last day on which it counts. */
    valid_until: z.iso.date().nullable(),
    /** Whether what it shows is still kept. */
    is_kept: z.boolean(),
  })
  .meta({ id: 'KycDocument' });

export function documentAnswer(document: KycDocument, note: string | null): z.input<typeof documentShape> {
  const { id, type, state, page_bytes, uploaded_at, decided_at, reason, valid_until, key_sealed } = document;
  return {
    ...{ document_id: id, type, words: TYPE_OF_DOCUMENT[type].words, state, page_count: page_bytes.length },
    ...{ uploaded_at, decided_at, note, valid_until, is_kept: key_sealed !== null },
    reason: reason === null ? null : { code: reason, words: wordsOfReason(reason) },
  };
}

export const needsShape = z
  .object({
    country,
    number_type: z.enum(NUMBER_TYPES),
    party: z.enum(['person', 'business']),
    /** Which version of the rules says so, and since when. */
    set_number: z.int(),
    in_force_at: instantOut,
    documents: z.array(
      z.object({
        /** One of these is enough. */
        any_of: z.array(z.object({ type: z.enum(DOCUMENT_TYPES), words: z.string() })),
        why: z.string(),
      }),
    ),
    claims: z.array(z.object({ claim: z.enum(CLAIMS), words: z.string(), why: z.string() })),
  })
  .meta({ id: 'DocumentRequirement' });

const WORDS_OF_REFUSAL: Readonly<Record<CaseRefusal, string>> = {
  handed_in: 'The documents are handed in and are looked at now. Wait for the decision.',
  rejected: 'The case was rejected. Write to support if you think that this is wrong.',
  already_approved: 'Everything that was handed in is approved. Upload what is missing first.',
  not_submitted: 'The customer has not handed anything in, or it is decided.',
  taken: 'Another reviewer has this case. It can be taken when he lets go of it, or half an hour after his last step.',
  not_yours: 'The case is not yours, or not any more. Take it first.',
  not_rejected: 'Only a case that was rejected is opened again.',
};

export const caseRefused = (refusal: CaseRefusal): Problem => new Problem('conflict', WORDS_OF_REFUSAL[refusal]);
