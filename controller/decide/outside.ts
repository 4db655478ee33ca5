import type { UsablePack } from '../../domain/accounts/caller_profile.ts';
import { formatMoney } from '../../domain/money/format_money.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import type { RateRef } from '../../domain/rating/rate_deck.ts';
import type { CallPlan, Route } from '../call/plan.ts';
import type { RefusalReason } from '../call/refusal.ts';
import type { RateBook } from '../routing/rate_book.ts';
import type { Payer } from './payer.ts';

export interface OutsideFacts {
  book: RateBook;
  /** How many calls are up on a trunk. */
  callsOn: (trunk_id: string) => number;
  ring_timeout_ms: number;
}

/** What a leg to the outside costs whoever pays for it, and which ways it can go. */
export interface Outside {
  sell: RateRef;
  pack: CallPlan['tariff']['pack'];
  routes: readonly Route[];
  /** Why these routes in this order, and why not others, in words. */
  reasons: readonly string[];
}

export interface NotOutside {
  refused: RefusalReason;
  facts: Readonly<Record<string, unknown>>;
}

/** The same for a call that a customer makes and for one to his number that he has forwarded: his limits, his deck, his packs. */
export function priceOutside(payer: Payer, number: E164, { book, callsOn }: OutsideFacts): Outside | NotOutside {
  const blocked = payer.limits.blocked_prefixes.find((prefix) => number.startsWith(prefix, 1));
  if (blocked !== undefined) return { refused: 'prefix_blocked', facts: { prefix: blocked } };
  const sell = book.sell(number, payer.sell_deck);
  if (sell === null || sell.deck.currency !== payer.currency)
    return { refused: 'unknown_destination', facts: { number } };
  if (sell.rate.rate_micros_per_minute > payer.limits.rate_micros_per_minute_max) {
    const rate = formatMoney(sell.rate.rate_micros_per_minute, sell.deck.currency);
    return { refused: 'rate_too_high', facts: { destination: sell.destination, rate_per_minute: rate } };
  }
  const { routes, reasons } = book.route(number, sell, callsOn);
  if (routes.length === 0) return { refused: 'no_route', facts: { destination: sell.destination, reasons } };
  return { sell, pack: packFor(number, sell, payer.packs), routes, reasons };
}

/** The first pack, in the order in which packs are spent, that covers the destination. A free destination uses up none. */
function packFor(number: E164, sell: RateRef, packs: readonly UsablePack[]): Outside['pack'] {
  if (sell.rate.rate_micros_per_minute === 0n) return null;
  const pack = packs.find((one) => one.prefixes.some((prefix) => number.startsWith(prefix, 1)));
  return pack === undefined ? null : { id: pack.id, seconds_available: pack.seconds_free };
}

export function limitsOf(payer: Payer): CallPlan['limits'] {
  return {
    concurrent_calls_max: payer.limits.concurrent_calls_max,
    spend_hour_max: payer.limits.spend_micros_per_hour_max,
    spend_day_max: payer.limits.spend_micros_per_day_max,
  };
}
