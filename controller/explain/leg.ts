import { z } from 'zod';
import type { CallRecord } from '../../domain/calls/hold.ts';
import type { Posting } from '../../domain/ledger/postings.ts';
import { callPlanSchema } from '../call/plan.ts';
import type { CallPlan } from '../call/plan.ts';
import type { GrantStory } from './story.ts';

/** A leg as its record has it, with the ledger postings that carry its charge. */
export interface SettledLeg extends Omit<CallRecord, 'attempts' | 'carrier_id'> {
  kind: 'settled';
  leg_id: string;
  call_id: string;
  /** Null for a call that was refused before anything was planned; then `facts` say by what. */
  plan: CallPlan | null;
  facts: Readonly<Record<string, unknown>>;
  net_micros: bigint;
  tax_micros: bigint;
  operator_loss_micros: bigint;
  currency: string | null;
  pack_seconds: number;
  attempts: readonly StoredAttempt[];
  grants: readonly GrantStory[];
  postings: readonly Posting[];
}

/** A leg that lives: money is held for it and there is no record yet. */
export interface OpenLeg {
  kind: 'open';
  leg_id: string;
  call_id: string;
  plan: CallPlan;
  answered_at: Date | null;
  /** Which attempt answered; null while none did, or where whoever noted it did not say. */
  answered_attempt: number | null;
  deadline_at: Date;
  held_micros: bigint;
  pack_seconds_held: number;
  seconds_granted: number;
  grants: readonly GrantStory[];
}

export type Leg = SettledLeg | OpenLeg;

const attemptSchema = z.object({
  attempt: z.number().int(),
  trunk_id: z.string().nullable(),
  carrier_id: z.number().int().nullable(),
  started_at_ms: z.number(),
  ringing_at_ms: z.number().nullable(),
  ended_at_ms: z.number().nullable(),
  sip_status: z.number().int().nullable(),
  cause: z.number().int().nullable(),
  blame: z.enum(['nobody', 'caller', 'callee', 'carrier', 'us']).nullable(),
});
export type StoredAttempt = z.infer<typeof attemptSchema>;

const grantSchema = z.object({
  no: z.number().int(),
  at: z.coerce.date(),
  seconds: z.number().int(),
  micros: z.string().transform((text) => BigInt(text)),
  pack_seconds: z.number().int(),
});

export const attemptsSchema = z.array(attemptSchema);
export const grantsSchema = z.array(grantSchema);

/** A record's snapshot: the plan, or, of a call that was refused before there was one, the facts of the refusal. */
export function parseSnapshot(
  snapshot: unknown,
  refused: boolean,
): { plan: CallPlan | null; facts: Readonly<Record<string, unknown>> } {
  // A call that was charged must have its plan: one that cannot be read is a defect, and is thrown.
  if (!refused) return { plan: callPlanSchema.parse(snapshot), facts: {} };
  const plan = callPlanSchema.safeParse(snapshot);
  return plan.success
    ? { plan: plan.data, facts: {} }
    : { plan: null, facts: z.record(z.string(), z.unknown()).parse(snapshot) };
}
