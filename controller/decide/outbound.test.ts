import { describe, expect, it } from 'vitest';
import type { CallerProfile } from '../../domain/accounts/caller_profile.ts';
import type { Decision } from '../call/state.ts';
import type { CallArrival } from '../switch/switch.ts';
import { decideOutbound } from './outbound.ts';
import { sampleBook } from './testing/sample_book.ts';

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
  owes_terms: false,
  limits,
  packs: [],
  caller_number: '+493012345678',
  claim_refused: false,
};

function decide(
  dialled: string,
  profile: Partial<CallerProfile> | null = {},
  busy: Readonly<Record<string, number>> = {},
  claimed_caller: string | null = 'desk',
): Decision {
  const arrival: CallArrival = {
    channel_id: 'channel',
    source: { kind: 'device', device: 'desk' },
    dialled,
    claimed_caller,
    arrived_at_ms: 1,
  };
  return decideOutbound(arrival, {
    profile: profile === null ? null : { ...caller, ...profile },
    book: sampleBook(),
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

  it('shows its number unless the phone withholds it, which is on record all the same', () => {
    expect(decide(UK)).toMatchObject({ plan: { withheld: false } });
    const withheld = decide(UK, {}, {}, null);
    expect(withheld).toMatchObject({ plan: { withheld: true, caller: '+493012345678' } });
    expect(JSON.stringify('plan' in withheld && withheld.plan.routing)).toContain('withholds its number');
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
    ['terms_required', UK, { owes_terms: true }],
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
    ['terms that nobody agreed to', { owes_terms: true }],
    ['the want of a wallet', { wallet_id: null, currency: null, limits: null }],
    ['the want of a number', { caller_number: null }],
    ['a blocked prefix', { limits: { ...limits, blocked_prefixes: ['1', '4'] } }],
  ])('goes out whatever stands against its account: %s', (_, profile) => {
    expect(decide('112', profile)).toMatchObject({
      kind: 'authorize',
      plan: { direction: 'emergency', target: { kind: 'emergency', trunk_id: 'trunk-help', number: '112' } },
    });
  });

  it('shows who calls though the phone withholds its number', () => {
    const decision = decide('112', {}, {}, null);
    expect(decision).toMatchObject({ plan: { caller: '+493012345678' } });
    expect('plan' in decision && decision.plan.withheld).not.toBe(true);
  });

  it('says at once where it cannot be taken', () => {
    expect(decide('112', { home_country: 'FR' })).toMatchObject({ kind: 'refuse', reason: 'emergency_unavailable' });
  });
});
