import { describe, expect, it } from 'vitest';
import type { CallerProfile } from '../../domain/accounts/caller_profile.ts';
import { parseCurrency, type Currency } from '../../domain/money/currency.ts';
import { fxTable } from '../../domain/rating/fx_rates.ts';
import { RateIndexBuilder } from '../../domain/rating/index/build_index.ts';
import type { RateDeck, RateRow } from '../../domain/rating/rate_deck.ts';
import type { Decision } from '../call/state.ts';
import { RateBook } from '../routing/rate_book.ts';
import type { CallArrival } from '../switch/switch.ts';
import { decideOutbound } from './outbound.ts';

function currency(code: string): Currency {
  const parsed = parseCurrency(code);
  if (parsed === null) throw new Error(`${code} should be a currency.`);
  return parsed;
}

const row = (prefix: string, rate_micros_per_minute: bigint): RateRow => ({
  prefix,
  destination: `to ${prefix}`,
  rate_micros_per_minute,
  connect_fee_micros: 0n,
  minimum_seconds: 0,
  initial_increment_seconds: 1,
  subsequent_increment_seconds: 1,
  grace_seconds: 0,
  free_seconds: 0,
  effective_from_ms: 0,
  effective_to_ms: null,
});

/** One sells to 44, 33 and 881; carriers 1 and 2 buy 44, carrier 1 alone 33 at more than its price, nobody 881. */
function book(): RateBook {
  const builder = new RateIndexBuilder(1);
  const decks: [RateDeck, RateRow[]][] = [
    [deck(0), [row('44', 60_000n), row('33', 10_000n), row('881', 9_000_000n), row('1', 30_000n)]],
    [deck(1), [row('44', 12_000n), row('33', 20_000n)]],
    [deck(2), [row('44', 13_000n)]],
  ];
  for (const [of, rows] of decks) {
    const number = builder.addDeck(of);
    for (const one of rows) builder.addRow(number, one);
  }
  const trunks = (name: string): { id: string; max_channels: number }[] => [{ id: `trunk-${name}`, max_channels: 2 }];
  return new RateBook(
    {
      index: builder.build(),
      carriers: [
        { carrier_id: 1, code: 'alpha', enabled: true, trunks: trunks('alpha') },
        { carrier_id: 2, code: 'beta', enabled: true, trunks: trunks('beta') },
      ],
      emergency_trunks: new Map([['DE', 'trunk-help']]),
      fx: fxTable([]),
    },
    { expected_duration_seconds: 60, min_margin_ppm: 0, candidates_max: 3 },
  );
}

function deck(id: number): RateDeck {
  const rest = { id, name: id === 0 ? 'retail' : `buy-${id}`, version: 3, currency: currency('EUR') };
  return id === 0 ? { ...rest, side: 'sell', carrier_id: null } : { ...rest, side: 'buy', carrier_id: id };
}

const limits = {
  concurrent_calls_max: 3,
  calls_per_second_max: 5,
  spend_micros_per_hour_max: 1_000n,
  spend_micros_per_day_max: 9_000n,
  rate_micros_per_minute_max: 1_000_000n,
  blocked_prefixes: ['4470'],
};

const caller: CallerProfile = {
  device: 'desk',
  account_id: 'account',
  state: 'active',
  home_country: 'DE',
  time_zone: 'Europe/Berlin',
  tax_ppm: 190_000,
  sell_deck: 'retail',
  wallet_id: 7n,
  currency: 'EUR',
  restrictions: [],
  limits,
  packs: [],
  caller_number: '+493012345678',
  claim_refused: false,
};

function decide(
  dialled: string,
  profile: Partial<CallerProfile> | null = {},
  busy: Readonly<Record<string, number>> = {},
): Decision {
  const arrival: CallArrival = {
    channel_id: 'channel',
    source: { kind: 'device', device: 'desk' },
    dialled,
    claimed_caller: null,
    arrived_at_ms: 1,
  };
  return decideOutbound(arrival, {
    profile: profile === null ? null : { ...caller, ...profile },
    book: book(),
    callsOn: (trunk_id) => busy[trunk_id] ?? 0,
    ring_timeout_ms: 90_000,
  });
}

const UK = '+442071838750';

describe('a call that goes out', () => {
  it('is priced by the sell deck and routed by cost, and says why', () => {
    const decision = decide(UK);
    if (decision.kind === 'refuse') throw new Error(decision.reason);
    expect(decision.plan).toMatchObject({
      direction: 'outbound',
      wallet_id: 7n,
      callee: UK,
      caller: '+493012345678',
      source: { deck: 'retail', version: 3, prefix: '44' },
      target: { kind: 'routes', routes: [{ carrier: 'alpha' }, { carrier: 'beta' }] },
      limits: { concurrent_calls_max: 3, spend_hour_max: 1_000n, spend_day_max: 9_000n },
      tariff: { tax_ppm: 190_000, pack: null, rate: { rate_micros_per_minute: 60_000n } },
    });
    expect(decision.plan.routing.join(' ')).toMatch(/alpha .*may carry.* beta .*may carry/u);
  });

  it('goes another way when all channels of a trunk are taken, and nowhere when all of all are', () => {
    const decision = decide(UK, {}, { 'trunk-alpha': 2, 'trunk-beta': 1 });
    expect(decision).toMatchObject({ plan: { target: { routes: [{ carrier: 'beta' }] } } });
    expect(decide(UK, {}, { 'trunk-alpha': 2, 'trunk-beta': 2 })).toMatchObject({ kind: 'refuse', reason: 'no_route' });
  });

  it('takes the seconds of the first pack that covers the destination', () => {
    const packs = [
      { id: 1n, prefixes: ['33'], seconds_free: 60 },
      { id: 2n, prefixes: ['4420'], seconds_free: 30 },
      { id: 3n, prefixes: ['44'], seconds_free: 99 },
    ];
    expect(decide(UK, { packs })).toMatchObject({ plan: { tariff: { pack: { id: 2n, seconds_available: 30 } } } });
  });
});

describe('a call is refused', () => {
  it.each<[string, string, Partial<CallerProfile> | null]>([
    ['unknown_device', UK, null],
    ['account_inactive', UK, { state: 'suspended' }],
    ['account_inactive', UK, { state: 'inactive' }],
    ['restricted', UK, { restrictions: ['calls_out'] }],
    ['restricted', UK, { restrictions: ['all'] }],
    ['no_wallet', UK, { wallet_id: null }],
    ['no_wallet', UK, { limits: null }],
    ['not_a_number', '12', {}],
    ['prefix_blocked', '+447012345678', {}],
    ['unknown_destination', '+819012345678', {}],
    ['unknown_destination', UK, { currency: 'USD' }],
    ['unknown_destination', UK, { sell_deck: 'wholesale' }],
    ['rate_too_high', '+881612345678', {}],
    ['caller_id', UK, { caller_number: null }],
    ['no_route', '+33123456789', {}],
    ['no_route', '+12025550123', {}],
  ])('%s: %s', (reason, dialled, profile) => {
    expect(decide(dialled, profile)).toMatchObject({ kind: 'refuse', reason });
  });

  it('not for what is restricted elsewhere', () => {
    expect(decide(UK, { restrictions: ['sms', 'calls_in', 'purchases'] })).toMatchObject({ kind: 'authorize' });
  });
});

describe('a call for help', () => {
  it.each<[string, Partial<CallerProfile>]>([
    ['nothing', {}],
    ['a suspension', { state: 'suspended' }],
    ['a restriction', { restrictions: ['all'] }],
    ['the want of a wallet', { wallet_id: null, currency: null, limits: null }],
    ['the want of a number', { caller_number: null }],
    ['a blocked prefix', { limits: { ...limits, blocked_prefixes: ['1', '4'] } }],
  ])('goes out whatever stands against its account: %s', (_, profile) => {
    expect(decide('112', profile)).toMatchObject({
      kind: 'authorize',
      plan: { direction: 'emergency', target: { kind: 'emergency', trunk_id: 'trunk-help', number: '112' } },
    });
  });

  it('says at once where it cannot be taken', () => {
    expect(decide('112', { home_country: 'FR' })).toMatchObject({ kind: 'refuse', reason: 'emergency_unavailable' });
  });
});
