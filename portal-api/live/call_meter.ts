import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import { legPrice, type LegRates } from '../../domain/rating/leg_price.ts';

/** What a caller sees of a call that goes on: by the same price as it will be settled by, so that the last of these is the bill. */
export interface CallMeter {
  call_id: string;
  direction: 'outbound' | 'inbound' | 'emergency';
  party: string;
  destination: string;
  /** Whole seconds since the answer, rounded up as they are billed; 0 while it rings. */
  elapsed_seconds: number;
  /** Of a call in that was forwarded, that of the way on and the number's own together. */
  rate_micros_per_minute: bigint;
  /** With tax. */
  spent_micros: bigint;
  /** What the wallet has besides, once this call took its part so far. */
  left_micros: bigint;
  currency: string;
}

const micros = z.coerce.bigint();

const rateSchema = z.object({
  rate_micros_per_minute: micros,
  connect_fee_micros: micros,
  minimum_seconds: z.number(),
  initial_increment_seconds: z.number(),
  subsequent_increment_seconds: z.number(),
  grace_seconds: z.number(),
  free_seconds: z.number(),
});

/** Of the plan that the controller stored with the hold, what a price needs. */
const planSchema = z.object({
  direction: z.enum(['outbound', 'inbound', 'emergency']),
  caller: z.string().nullable(),
  callee: z.string(),
  destination: z.string(),
  tariff: z.object({
    rate: rateSchema,
    tax_ppm: z.number(),
    forwarded: z.object({ rate: rateSchema }).nullish(),
  }),
  target: z.object({ kind: z.string() }).nullish(),
});
type MeteredPlan = z.output<typeof planSchema>;

export interface LiveHold {
  account_id: string;
  call_id: string;
  answered_at: Date | null;
  /** Which attempt answered; null while none did. */
  answered_attempt: number | null;
  pack_seconds_held: number;
  held_micros: bigint;
  currency: string;
  /** Of the wallet: its balance, and what all calls hold of it. */
  balance_micros: bigint;
  wallet_held_micros: bigint;
  snapshot: unknown;
}

export function meterOf(hold: LiveHold, now: Date): CallMeter {
  const plan = planSchema.parse(hold.snapshot);
  const { direction, caller, callee, destination } = plan;
  const { rates, pack_seconds } = chargedBy(plan, hold);
  const since_ms = hold.answered_at === null ? 0 : Math.max(0, now.getTime() - hold.answered_at.getTime());
  const elapsed_seconds = Math.ceil(since_ms / 1000);
  const { gross } = legPrice(rates, elapsed_seconds, pack_seconds);
  // Never more than was held: what is beyond it is the operator's loss.
  const spent_micros = gross < hold.held_micros ? gross : hold.held_micros;
  const others_micros = hold.wallet_held_micros - hold.held_micros;
  return {
    ...{ call_id: hold.call_id, direction, destination, elapsed_seconds, spent_micros },
    party: direction === 'inbound' ? (caller ?? 'withheld') : callee,
    rate_micros_per_minute: rates.rate.rate_micros_per_minute + (rates.forwarded?.rate.rate_micros_per_minute ?? 0n),
    left_micros: hold.balance_micros - others_micros - spent_micros,
    currency: hold.currency,
  };
}

/** A call that a phone answered is charged the number's own price alone, though the way on was held for; that a pack does not pay. */
function chargedBy({ tariff, target }: MeteredPlan, hold: LiveHold): { rates: LegRates; pack_seconds: number } {
  const { rate, tax_ppm, forwarded = null } = tariff;
  const [whole, own] = [
    { rate, tax_ppm, forwarded },
    { rate, tax_ppm, forwarded: null },
  ];
  const is_at_phone = target?.kind === 'devices' && (hold.answered_attempt ?? 1) === 1;
  return forwarded !== null && is_at_phone
    ? { rates: own, pack_seconds: 0 }
    : { rates: whole, pack_seconds: hold.pack_seconds_held };
}

interface HoldRow extends Omit<LiveHold, 'held_micros' | 'balance_micros' | 'wallet_held_micros'> {
  held_micros: string;
  balance_micros: string;
  wallet_held_micros: string;
}

/** The open holds of these accounts. */
export async function selectLiveHolds(db: Queryable, account_ids: readonly string[]): Promise<LiveHold[]> {
  const { rows } = await db.query<HoldRow>({
    name: 'live_holds',
    text: `select w.account_id, h.call_id, h.answered_at, h.answered_attempt, h.pack_seconds_held, h.held_micros, w.currency, w.balance_micros,
                  w.held_micros as wallet_held_micros, h.snapshot
             from wallet w join call_hold h on h.wallet_id = w.id and h.state = 'o'
            where w.account_id = any($1::uuid[]) and w.open_calls > 0`,
    values: [account_ids],
  });
  return rows.map((row) => ({
    ...row,
    held_micros: BigInt(row.held_micros),
    balance_micros: BigInt(row.balance_micros),
    wallet_held_micros: BigInt(row.wallet_held_micros),
  }));
}
