import { ceilDiv, type Micros } from '../money/micros.ts';
import type { Rate } from './rate.ts';

const SECONDS_PER_MINUTE = 60n;

/**
 * The net price of an answered call of `seconds` whole seconds, in micros of the deck's currency. It never falls as
 * `seconds` grows, it is 0 at 0, and it rounds up to the micro in one place only; so what is charged between two
 * moments is `price(t2) - price(t1)`, and the steps of a call sum to its price exactly.
 *
 * `pack_seconds` are the seconds that a minute pack covers: they take the place of the per-minute charge after the free
 * seconds, and a call longer than they last is split within. They do not pay a connect fee.
 * For monotony the pack must be the same for every moment of one call.
 */
export function price(seconds: number, rate: Rate, pack_seconds = 0): Micros {
  const billed = billedSeconds(seconds, rate);
  if (billed === 0) return 0n;
  const charged = billed - rate.free_seconds - pack_seconds;
  return charged > 0 ? rate.connect_fee_micros + perMinute(charged, rate) : rate.connect_fee_micros;
}

/** The seconds that count after grace, minimum and increments; free and pack seconds are still among them. */
export function billedSeconds(seconds: number, rate: Rate): number {
  if (seconds <= 0 || seconds <= rate.grace_seconds) return 0;
  const initial = rate.initial_increment_seconds;
  const counted = seconds > rate.minimum_seconds ? seconds : rate.minimum_seconds;
  if (counted <= initial) return initial;
  const subsequent = rate.subsequent_increment_seconds;
  return initial + Math.ceil((counted - initial) / subsequent) * subsequent;
}

/** How many seconds of a pack of `pack_seconds` a call of `seconds` uses up. */
export function packSecondsUsed(seconds: number, rate: Rate, pack_seconds: number): number {
  return Math.min(pack_seconds, Math.max(0, billedSeconds(seconds, rate) - rate.free_seconds));
}

/** The switch's milliseconds as billed whole seconds, rounded up: 1 ms is a second, 1,000 ms too. */
export function secondsFromMs(duration_ms: number): number {
  if (!Number.isSafeInteger(duration_ms) || duration_ms < 0) {
    throw new RangeError(`A call's duration is a whole number of milliseconds, 0 or more, not ${duration_ms}.`);
  }
  const beyond_ms = duration_ms % 1000;
  return (duration_ms - beyond_ms) / 1000 + (beyond_ms > 0 ? 1 : 0);
}

/** An amount with its tax. `gross = net + tax`, always. */
export type Taxed = { readonly net: Micros; readonly tax: Micros; readonly gross: Micros };

/** Adds a tax of `tax_ppm` parts per million (190,000 is 19%), rounded up to the micro. Monotone in `net`. */
export function withTax(net: Micros, tax_ppm: number): Taxed {
  const tax = tax_ppm === 0 ? 0n : ceilDiv(net * BigInt(tax_ppm), 1_000_000n);
  return { net, tax, gross: net + tax };
}

/**
 * The greatest number of seconds, not above `cap_seconds`, whose price with tax is within `budget_micros`. 0 when not
 * even the first second is.
 */
export function affordableSeconds(
  rate: Rate,
  tax_ppm: number,
  budget_micros: Micros,
  cap_seconds: number,
  pack_seconds = 0,
): number {
  return secondsWithin(budget_micros, cap_seconds, (seconds) => withTax(price(seconds, rate, pack_seconds), tax_ppm));
}

/** The same for any price that never falls as the seconds grow. */
export function secondsWithin(budget_micros: Micros, cap_seconds: number, priceOf: (seconds: number) => Taxed): number {
  // The price is monotone, so the seconds that are affordable are those below one border, and halving finds it.
  let affordable = 0;
  let beyond = cap_seconds + 1;
  while (beyond - affordable > 1) {
    const middle = Math.floor((affordable + beyond) / 2);
    if (priceOf(middle).gross <= budget_micros) affordable = middle;
    else beyond = middle;
  }
  return affordable;
}

/** The price of seconds that are charged by the minute: the one place where a price is rounded. */
export function perMinute(charged_seconds: number, rate: Rate): Micros {
  return ceilDiv(BigInt(charged_seconds) * rate.rate_micros_per_minute, SECONDS_PER_MINUTE);
}
