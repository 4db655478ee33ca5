import type { CallPlan, Route } from '../call/plan.ts';
import { freeOfCharge } from '../decide/emergency.ts';
import { checkPayer } from '../decide/payer.ts';
import type { PayerProfile } from '../../domain/accounts/caller_profile.ts';
import { numberType } from '../../domain/numbers/describe_number.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import type { RateBook } from '../routing/rate_book.ts';

export interface SpokenCallFacts {
  /** The operator's own account; null before its first code by text. */
  payer: PayerProfile | null;
  book: RateBook;
  callsOn: (trunk_id: string) => number;
  settings: SpokenCallSettings;
}

export interface SpokenCallSettings {
  /** Whom people see calling; null withholds the number. */
  caller: string | null;
  ring_timeout_ms: number;
  /** Calls with codes that are up at one moment. */
  at_once_max: number;
  /** What a customer would pay at most for a call there: dearer numbers are where calls are pumped to. */
  rate_micros_per_minute_max: bigint;
}

/** Where a call with a code may go: one route after the other, at the same terms. */
export interface SpokenCallRoutes {
  routes: readonly Route[];
  /** Everything but which of the routes it is. */
  planOver: (route: Route, arrived_at_ms: number) => CallPlan;
}

const COSTLY: ReadonlySet<string> = new Set(['premium', 'shared_cost', 'toll_free']);

/** No limit on spend: nothing is spent, as nobody is charged. What a call costs us stands in its record. */
const UNLIMITED = 2n ** 63n - 1n;

/** Null where nobody may be called there, or no route is there for it. Pure. */
export function routesForCode(
  number: E164,
  { payer, book, callsOn, settings }: SpokenCallFacts,
): SpokenCallRoutes | null {
  if (payer === null || COSTLY.has(numberType(number))) return null;
  const checked = checkPayer(payer, 'calls_out');
  if ('reason' in checked) return null;
  const { account_id, wallet_id, currency, time_zone, sell_deck, limits } = checked.payer;
  if (limits.blocked_prefixes.some((prefix) => number.startsWith(prefix, 1))) return null;
  const sell = book.sell(number, sell_deck);
  if (sell === null || sell.deck.currency !== currency) return null;
  if (sell.rate.rate_micros_per_minute > settings.rate_micros_per_minute_max) return null;
  const { routes, reasons } = book.route(number, sell, callsOn);
  const planOver = (route: Route, arrived_at_ms: number): CallPlan => ({
    ...{ direction: 'outbound', account_id, wallet_id, currency, time_zone, device: null, dialled: number },
    ...{ caller: settings.caller, callee: number, destination: sell.destination, arrived_at_ms },
    ring_timeout_ms: settings.ring_timeout_ms,
    tariff: { rate: freeOfCharge, tax_ppm: 0, pack: null, forwarded: null },
    source: null,
    routing: ['A code is spoken: we pay the carrier, and charge nobody.', ...reasons],
    target: { kind: 'routes', routes: [route] },
    otherwise: null,
    without_way_on: null,
    // One that fails is settled a moment after the next route is tried.
    limits: { concurrent_calls_max: 2 * settings.at_once_max, spend_hour_max: UNLIMITED, spend_day_max: UNLIMITED },
  });
  return { routes, planOver };
}
