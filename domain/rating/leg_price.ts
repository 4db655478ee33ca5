import { billedSeconds, packSecondsUsed, price, withTax, type Taxed } from './price.ts';
import type { Rate } from './rate.ts';

/** What one side of a call is charged by. */
export interface LegRates {
  /** That of the destination; of a call to a number of ours, the number's own. */
  readonly rate: Rate;
  readonly tax_ppm: number;
  /**
   * The rate of the way on, of a call to a number of ours that is forwarded to the outside: its holder pays both, and each rate counts
   * the same seconds by its own steps. A sum of two prices that never fall never falls either, so what holds for one price, holds here.
   */
  readonly forwarded: { readonly rate: Rate } | null;
}

/** The price of a leg of that many seconds, with its tax. The tax is rounded once, on the sum. */
export function legPrice(rates: LegRates, seconds: number, pack_seconds: number): Taxed {
  const { rate, forwarded, tax_ppm } = rates;
  const net =
    forwarded === null
      ? price(seconds, rate, pack_seconds)
      : price(seconds, rate) + price(seconds, forwarded.rate, pack_seconds);
  return withTax(net, tax_ppm);
}

/** How many seconds of a pack of `pack_seconds` a leg uses up. */
export function legPackSeconds(rates: LegRates, seconds: number, pack_seconds: number): number {
  return packSecondsUsed(seconds, packedRate(rates), pack_seconds);
}

/** The seconds that a record shows as billed: those by the rate that a pack could pay for. */
export function legBilledSeconds(rates: LegRates, seconds: number): number {
  return billedSeconds(seconds, packedRate(rates));
}

/** A pack is bought for destinations: of a forwarded call it pays for the way on, and never for the number's own price. */
function packedRate({ rate, forwarded }: LegRates): Rate {
  return forwarded?.rate ?? rate;
}
