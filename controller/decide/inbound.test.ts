import { describe, expect, it } from 'vitest';
import type { CalleeProfile, Forward } from '../../domain/accounts/callee_profile.ts';
import type { CallPlan } from '../call/plan.ts';
import type { Decision } from '../call/state.ts';
import type { CallArrival } from '../switch/switch.ts';
import { withoutForward } from '../call/forwarding.ts';
import { decideInbound } from './inbound.ts';
import { sampleBook } from './testing/sample_book.ts';

const DID = '+493012345678';
const UK = '+442071838750';
const always: Forward = { to: UK, when: 'always' };
const unanswered: Forward = { to: UK, when: 'unanswered' };

const limits = {
  concurrent_calls_max: 3,
  calls_per_second_max: 5,
  spend_micros_per_hour_max: 1_000n,
  spend_micros_per_day_max: 9_000n,
  rate_micros_per_minute_max: 1_000_000n,
  blocked_prefixes: ['4470'],
};

const callee: CalleeProfile = {
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
  number: DID,
  did_state: 'active',
  inbound_rate_micros_per_minute: 6_000n,
  inbound_connect_fee_micros: 0n,
  inbound_initial_increment_seconds: 1,
  inbound_subsequent_increment_seconds: 1,
  ring_timeout_seconds: 20,
  devices: ['desk'],
  forward: null,
  voicemail: null,
};

function decide(profile: Partial<CalleeProfile>, claimed_caller: string | null = '+33155550100'): Decision {
  const arrival: CallArrival = {
    ...{ channel_id: 'channel', source: { kind: 'trunk', trunk: 'trunk-alpha' }, dialled: DID.slice(1) },
    ...{ claimed_caller, arrived_at_ms: 1 },
  };
  return decideInbound(
    arrival,
    { ...callee, ...profile },
    {
      ...{ book: sampleBook(), callsOn: () => 0, ring_timeout_ms: 90_000 },
    },
  );
}

function planOf(profile: Partial<CalleeProfile>, claimed_caller?: string | null): CallPlan {
  const decision = decide(profile, claimed_caller);
  if (decision.kind === 'refuse') throw new Error(decision.reason);
  return decision.plan;
}

describe('a call to a number that is forwarded', () => {
  it('always goes over the holder’s routes at once, at both prices', () => {
    const plan = planOf({ forward: always });
    expect(plan).toMatchObject({
      ...{ direction: 'inbound', callee: DID, source: null, ring_timeout_ms: 90_000, otherwise: null },
      tariff: {
        rate: { rate_micros_per_minute: 6_000n },
        forwarded: { to: UK, rate: { rate_micros_per_minute: 60_000n }, source: { deck: 'retail', prefix: '44' } },
      },
      target: { kind: 'routes', routes: [{ carrier: 'alpha', number: UK }, { carrier: 'beta' }] },
    });
    expect(plan.routing.join(' ')).toMatch(/is forwarded to \+442071838750, to 44\. alpha .*may carry/u);
  });

  it('when unanswered rings the phones first, for as long as the number says, and then goes on', () => {
    expect(planOf({ forward: unanswered })).toMatchObject({
      ...{ ring_timeout_ms: 20_000, target: { kind: 'devices', devices: ['desk'] } },
      otherwise: { ring_timeout_ms: 90_000, target: { kind: 'routes', routes: [{ carrier: 'alpha' }, {}] } },
      tariff: { forwarded: { to: UK } },
    });
  });

  it('goes on at once where there are no phones', () => {
    expect(planOf({ forward: unanswered, devices: [] })).toMatchObject({ target: { kind: 'routes' }, otherwise: null });
  });

  it('takes the seconds of the holder’s pack for the way on', () => {
    const packs = [{ id: 2n, prefixes: ['4420'], seconds_free: 30 }];
    expect(planOf({ forward: always, packs }).tariff.pack).toEqual({ id: 2n, seconds_available: 30 });
    expect(planOf({ packs }).tariff.pack).toBeNull();
  });
});

describe('a way on that is not to be had', () => {
  it.each<[string, string, Partial<CalleeProfile>, string | null]>([
    ['restricted', UK, { restrictions: ['calls_out'] }, null],
    ['prefix_blocked', '+447012345678', {}, null],
    ['rate_too_high', '+881612345678', {}, null],
    ['unknown_destination', '+819012345678', {}, null],
    ['unknown_destination', UK, { currency: 'USD' }, null],
    // Carrier 1 alone takes it, at more than its price.
    ['no_route', '+33123456789', {}, null],
    ['no_number', '+49112', {}, null],
    ['no_number', '+351112', {}, null],
    ['no_number', '112', {}, null],
    ['circle', UK, {}, DID],
    ['circle', UK, {}, '03012345678'],
    ['circle', UK, {}, '00442071838750'],
  ])('is refused in words, and the phones ring all the same: %s %s', (because, to, profile, caller) => {
    expect(decide({ ...profile, forward: { to, when: 'always' } }, caller)).toMatchObject({
      ...{ kind: 'refuse', reason: 'not_forwarded', account_id: 'account', facts: { forwarded_to: to, because } },
    });
    const plan = planOf({ ...profile, forward: { to, when: 'unanswered' } }, caller);
    expect(plan).toMatchObject({
      target: { kind: 'devices' },
      otherwise: null,
      tariff: { forwarded: null, pack: null },
    });
    expect(plan.routing.at(-1)).toBe(`Not forwarded to ${to}: ${because.replaceAll('_', ' ')}.`);
    expect(decide({ ...profile, devices: [], forward: { to, when: 'unanswered' } }, caller)).toMatchObject({
      reason: 'not_forwarded',
    });
  });

  it.each([null, '5678', 'anonymous', '+493012345679'])('is not that of a caller %s', (caller) => {
    expect(decide({ forward: always }, caller)).toMatchObject({ kind: 'authorize' });
  });

  it('says nothing of what forbids calls in', () => {
    expect(decide({ forward: always, restrictions: ['calls_in'] })).toMatchObject({ reason: 'did_inactive' });
    expect(decide({ forward: always, owes_terms: true })).toMatchObject({ reason: 'did_inactive' });
    expect(decide({ forward: always, did_state: 'suspended' })).toMatchObject({ reason: 'did_inactive' });
  });
});

describe('a number with voice mail', () => {
  const mailbox = { kind: 'voicemail', greeting: 'his' };
  const voicemail = { greeting: 'his' };

  it('takes a message where no phone answers, or none is there', () => {
    expect(planOf({ voicemail })).toMatchObject({ target: { kind: 'devices' }, otherwise: { target: mailbox } });
    expect(planOf({ voicemail, devices: [] })).toMatchObject({ target: mailbox, otherwise: null });
    expect(planOf({ voicemail: { greeting: null } }).otherwise?.target).toEqual({ kind: 'voicemail', greeting: null });
  });

  it('leaves calls that go on to where they go, and takes a message where they cannot', () => {
    for (const forward of [always, unanswered]) {
      const { target, otherwise } = planOf({ voicemail, forward });
      expect([target.kind, otherwise?.target.kind]).not.toContain('voicemail');
      expect(target.kind === 'routes' || otherwise?.target.kind === 'routes').toBe(true);
    }
    const forward: Forward = { to: '+881612345678', when: 'unanswered' };
    expect(planOf({ voicemail, forward })).toMatchObject({
      target: { kind: 'devices' },
      otherwise: { target: mailbox },
    });
    expect(planOf({ voicemail, forward, devices: [] })).toMatchObject({ target: mailbox, tariff: { forwarded: null } });
  });

  it('takes a message in the place of a way on that falls away later', () => {
    const late = withoutForward(planOf({ voicemail, forward: unanswered }), 'no_money');
    expect(late).toMatchObject({ target: { kind: 'devices' }, otherwise: { target: mailbox } });
    const at_once = withoutForward(planOf({ voicemail, forward: always }), 'calls_per_second');
    expect(at_once).toMatchObject({ target: mailbox, otherwise: null, tariff: { forwarded: null, pack: null } });
    expect(withoutForward(planOf({ forward: always }), 'no_money')).toBeNull();
  });

  it('is refused like any other where its holder may not be called', () => {
    expect(decide({ voicemail, restrictions: ['calls_in'] })).toMatchObject({ reason: 'did_inactive' });
    expect(decide({ voicemail, did_state: 'suspended' })).toMatchObject({ reason: 'did_inactive' });
  });
});
