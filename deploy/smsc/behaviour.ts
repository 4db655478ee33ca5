import { z } from 'zod';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import type { StatusName } from '../../sms-gateway/smpp/status.ts';

const DAY_MS = 86_400_000;
const perMille = z.int().min(0).max(1000);
const ms = z.int().min(0).max(DAY_MS);
const NO_TIME = { min: 0, max: 0 };
const span = z.strictObject({ min: ms, max: ms }).refine(({ min, max }) => min <= max, 'min is above max');

/** A command_status by its name or its number; read into the number. */
const status = z
  .union([z.enum(Object.keys(STATUS) as [StatusName, ...StatusName[]]), z.int().min(1).max(0xffffffff)])
  .transform((given): number => (typeof given === 'string' ? STATUS[given] : given));

/** What a receipt may say at the end, SMPP 3.4 appendix B. */
export const FINAL_STATS = ['DELIVRD', 'EXPIRED', 'DELETED', 'UNDELIV', 'ACCEPTD', 'UNKNOWN', 'REJECTD'] as const;
export type FinalStat = (typeof FINAL_STATS)[number];

const receiptsSchema = z.strictObject({
  /** Where a receipt says what it says: in its text, in TLVs, in both; `none`: no receipts at all. */
  kind: z.enum(['text', 'tlv', 'both', 'none']).default('both'),
  /** From the response to the receipt. */
  delay_ms: span.default(NO_TIME),
  /** Of the texts, whose receipt leaves before their submit_sm_resp, which then waits for `early_lead_ms` at least. */
  early_per_mille: perMille.default(0),
  early_lead_ms: ms.default(0),
  lost_per_mille: perMille.default(0),
  twice_per_mille: perMille.default(0),
  /** How long after the first the second one leaves. */
  twice_after_ms: ms.default(0),
  /** How texts end; the first that says so of a text decides. All others are DELIVRD, err 000. */
  outcomes: z
    .array(
      z.strictObject({
        stat: z.enum(FINAL_STATS),
        per_mille: perMille.default(1000),
        err: z
          .string()
          .regex(/^[0-9A-Fa-f]{1,3}$/u)
          .default('000'),
        to_prefix: z.string().optional(),
      }),
    )
    .default([]),
  /** Of the texts that want a receipt, which get an intermediate one at once after the response. */
  intermediate_per_mille: perMille.default(0),
  intermediate_stat: z.enum(['ENROUTE', 'ACCEPTD']).default('ENROUTE'),
  /** 4: it looks like any receipt, as of many carriers; 32: an intermediate notification, section 5.2.12. */
  intermediate_esm_class: z.union([z.literal(4), z.literal(32)]).default(4),
});

const idsSchema = z.strictObject({
  form: z.enum(['decimal', 'hex', 'uuid']).default('decimal'),
  /** The same number in another base, as carriers do that keep it as one. A UUID has no other. */
  receipt_form: z.enum(['same', 'decimal', 'hex']).default('same'),
  receipt_letters: z.enum(['lower', 'upper']).default('lower'),
  /** Filled up with leading zeros. */
  receipt_digits_min: z.int().min(0).max(64).default(0),
});

/** How the carrier treats who is bound to it. The defaults are a perfect one: it answers and sends its receipts at once. */
export const behaviourSchema = z.strictObject({
  answer_delay_ms: span.default(NO_TIME),
  /** How many submits of one connection may wait for their answer; null: as many as they like. */
  window: z.int().min(1).nullable().default(null),
  window_status: status.default(STATUS.ESME_RMSGQFUL),
  /** The first that applies to a text refuses it. */
  refuse: z
    .array(
      z.strictObject({
        status,
        per_mille: perMille.default(1000),
        to_prefix: z.string().optional(),
        from: z.string().optional(),
      }),
    )
    .default([]),
  throttled_per_mille: perMille.default(0),
  /** Of one system_id, with a burst of one second's; beyond, ESME_RTHROTTLED. */
  texts_per_second_max: z.number().positive().nullable().default(null),
  /** What it says of itself with each answer to a submit, by SMPP 5.0 section 4.8.4.18; null: nothing. */
  congestion_state: z.int().min(0).max(100).nullable().default(null),
  /** Of the accepted: they have no answer, or one only after `late_answer_ms`. */
  unanswered_per_mille: perMille.default(0),
  late_answer_ms: ms.nullable().default(null),
  receipts: receiptsSchema.prefault({}),
  ids: idsSchema.prefault({}),
  /** Of receipts and MOs alike. */
  deliveries: z
    .strictObject({
      /** Unacknowledged on one connection. */
      window: z.int().min(1).default(100),
      /** Without a response for so long, a delivery is sent again. */
      response_timeout_ms: ms.min(1).default(30_000),
      /** After a response that asks for patience, such as ESME_RX_T_APPN. */
      again_after_ms: ms.default(1_000),
    })
    .prefault({}),
  /** All connections are reset each time so much has passed. */
  disconnect_every_ms: ms.min(1).nullable().default(null),
  /** Of the accepted: the connection is reset in place of an answer. */
  disconnect_per_mille: perMille.default(0),
});

export type Behaviour = z.output<typeof behaviourSchema>;
export type BehaviourInput = z.input<typeof behaviourSchema>;
export type ReceiptBehaviour = Behaviour['receipts'];
export type IdBehaviour = Behaviour['ids'];
