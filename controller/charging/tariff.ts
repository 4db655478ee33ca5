import { legPackSeconds, legPrice, type LegRates } from '../../domain/rating/leg_price.ts';
import { secondsWithin } from '../../domain/rating/price.ts';

/** What one leg is charged by, fixed when the call is authorised. */
export interface Tariff extends LegRates {
  pack: { id: bigint; seconds_available: number } | null;
}

/** What a leg holds so far. */
export interface Held {
  seconds: number;
  micros: bigint;
  pack_seconds: number;
}

export const nothingHeld: Held = { seconds: 0, micros: 0n, pack_seconds: 0 };

/** What is to be held in addition; `seconds` is never 0. */
export interface Grant {
  seconds: number;
  micros: bigint;
  pack_seconds: number;
}

/**
 * The next grant of a leg: up to `seconds_total` from the answer, or as much of that as `budget_micros` buys in addition
 * to what is held (null: no bound known). Increments that are paid for anyway are part of the grant, so that a 60/60 rate
 * is not renewed within its minute; `seconds_cap` bounds that. Null when not one more second is within the budget.
 */
export function nextGrant(
  tariff: Tariff,
  held: Held,
  seconds_total: number,
  seconds_cap: number,
  budget_micros: bigint | null,
): Grant | null {
  const pack_available = Math.max(tariff.pack?.seconds_available ?? 0, held.pack_seconds);
  const wanted = Math.min(seconds_total, seconds_cap);
  const within =
    budget_micros === null ? wanted : affordable(tariff, held.micros + budget_micros, wanted, pack_available);
  if (within <= held.seconds) return null;
  const pack_seconds = Math.max(held.pack_seconds, legPackSeconds(tariff, within, pack_available));
  const gross = legPrice(tariff, within, pack_seconds).gross;
  const paid = gross > held.micros ? gross : held.micros;
  const total = affordable(tariff, paid, seconds_cap, pack_seconds);
  return { seconds: total - held.seconds, micros: paid - held.micros, pack_seconds: pack_seconds - held.pack_seconds };
}

function affordable(tariff: Tariff, budget_micros: bigint, cap_seconds: number, pack_seconds: number): number {
  return secondsWithin(budget_micros, cap_seconds, (seconds) => legPrice(tariff, seconds, pack_seconds));
}

/**
 * What is held after a renewal of whose content we only know what it came to: one that was asked for before, differently, and whose
 * answer was lost. So many seconds of the pack as that money leaves to it, and no more: at most as many as are really held.
 */
export function heldAfter(tariff: Tariff, before: Held, micros: bigint, seconds: number): Held {
  let pack_seconds = before.pack_seconds;
  const most = legPackSeconds(tariff, seconds, Number.MAX_SAFE_INTEGER);
  while (pack_seconds < most && legPrice(tariff, seconds, pack_seconds).gross > micros) pack_seconds += 1;
  return { seconds, micros, pack_seconds };
}

export function addGrant(held: Held, grant: Grant): Held {
  return {
    seconds: held.seconds + grant.seconds,
    micros: held.micros + grant.micros,
    pack_seconds: held.pack_seconds + grant.pack_seconds,
  };
}
