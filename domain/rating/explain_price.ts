import type { Micros } from '../money/micros.ts';
import type { LegRates } from './leg_price.ts';
import { billedSeconds, packSecondsUsed, perMinute } from './price.ts';
import type { Rate } from './rate.ts';

/**
 * One line of a bill. `key` names its text:
 * - `spoken`: the seconds of the call as the switch counted them, rounded up;
 * - `grace`: the call was short enough to cost nothing;
 * - `minimum`, `increment`: seconds added by the rate's minimum and by its billing increments;
 * - `free`, `pack`: billed seconds that cost nothing, or that a minute pack covered;
 * - `connect_fee`: charged once;
 * - `per_minute`: the seconds that are charged by the minute, and what they cost.
 */
export type PriceLine = {
  readonly key: 'spoken' | 'grace' | 'minimum' | 'increment' | 'free' | 'pack' | 'connect_fee' | 'per_minute';
  readonly seconds: number;
  readonly micros: Micros;
};

/** Of a call to a number of ours that was forwarded: the number's own price, or that of the way on. Null on the lines of all others. */
export type LegLine = PriceLine & { readonly part: 'own' | 'way_on' | null };

/** The lines of a leg: those of its price, or of both of them. Their `micros` sum to the net of `legPrice`. */
export function explainLeg({ rate, forwarded }: LegRates, seconds: number, pack_seconds: number): LegLine[] {
  const linesOf = (part: LegLine['part'], of: Rate, pack: number): LegLine[] =>
    explainPrice(seconds, of, pack).map((line) => ({ ...line, part }));
  if (forwarded === null) return linesOf(null, rate, pack_seconds);
  return [...linesOf('own', rate, 0), ...linesOf('way_on', forwarded.rate, pack_seconds)];
}

/**
 * The lines by which a customer can follow a price. Their `micros` sum to `price(seconds, rate, pack_seconds)`, and the
 * seconds of `spoken + minimum + increment - free - pack` are those of `per_minute`. A line that says nothing is left out.
 */
export function explainPrice(seconds: number, rate: Rate, pack_seconds = 0): PriceLine[] {
  const spoken: PriceLine = { key: 'spoken', seconds, micros: 0n };
  const billed = billedSeconds(seconds, rate);
  if (billed === 0) return seconds > 0 ? [spoken, { key: 'grace', seconds, micros: 0n }] : [spoken];
  const counted = Math.max(seconds, rate.minimum_seconds);
  const free = Math.min(billed, rate.free_seconds);
  const pack = packSecondsUsed(seconds, rate, pack_seconds);
  const charged = billed - free - pack;
  const further: PriceLine[] = [
    { key: 'minimum', seconds: counted - seconds, micros: 0n },
    { key: 'increment', seconds: billed - counted, micros: 0n },
    { key: 'free', seconds: free, micros: 0n },
    { key: 'pack', seconds: pack, micros: 0n },
    { key: 'connect_fee', seconds: 0, micros: rate.connect_fee_micros },
    { key: 'per_minute', seconds: charged, micros: perMinute(charged, rate) },
  ];
  return [spoken, ...further.filter((line) => line.seconds > 0 || line.micros > 0n)];
}
