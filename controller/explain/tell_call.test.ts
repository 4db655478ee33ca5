import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { legPrice } from '../../domain/rating/leg_price.ts';
import type { Rate } from '../../domain/rating/rate.ts';
import type { CallPlan } from '../call/plan.ts';
import { settlementOf } from '../call/settlement.ts';
import type { Duration } from '../call/settlement.ts';
import type { Attempt } from '../call/state.ts';
import { composeStory } from './compose_story.ts';
import type { SettledLeg } from './leg.ts';
import { sumOf } from './story.ts';
import { tellCall } from './tell_call.ts';
import {
  ARRIVED_AT_MS,
  CALL_ID,
  failedOver,
  LEG_ID,
  pennyASecond,
  samplePlan,
  sampleSettling,
  settledLegOf,
} from './testing/sample_call.ts';

interface Case {
  rate: Rate;
  tax_ppm: number;
  /** What the switch measured; the grants may be shorter. */
  duration_ms: number;
  granted_seconds: number;
  pack_seconds: number;
}

const pennies: Case = {
  rate: pennyASecond,
  tax_ppm: 190_000,
  duration_ms: 61_234,
  granted_seconds: 90,
  pack_seconds: 0,
};

/** A call settled by the controller's own arithmetic, from one grant. */
function settled({ rate, tax_ppm, duration_ms, granted_seconds, pack_seconds }: Case): SettledLeg {
  const plan = samplePlan({ rate, tax_ppm });
  const micros = legPrice(plan.tariff, granted_seconds, pack_seconds).gross;
  const held = { seconds: granted_seconds, micros, pack_seconds };
  const answered_at_ms = ARRIVED_AT_MS + 710;
  const item = settlementOf(sampleSettling(plan, held, failedOver), {
    duration_ms,
    source: 'record',
    started_at_ms: ARRIVED_AT_MS,
    answered_at_ms,
    ended_at_ms: answered_at_ms + duration_ms,
    cause: 16,
  });
  return settledLegOf(item, plan, [
    { no: 1, at: new Date(ARRIVED_AT_MS + 5), seconds: granted_seconds, micros, pack_seconds },
  ]);
}

const tell = (leg: SettledLeg): string => tellCall(composeStory(leg, ARRIVED_AT_MS)).join('\n');

const rates = fc.record({
  rate_micros_per_minute: fc.bigInt(0n, 10n ** 9n),
  connect_fee_micros: fc.bigInt(0n, 10n ** 8n),
  minimum_seconds: fc.nat(120),
  initial_increment_seconds: fc.integer({ min: 1, max: 90 }),
  subsequent_increment_seconds: fc.integer({ min: 1, max: 90 }),
  grace_seconds: fc.nat(10),
  free_seconds: fc.nat(90),
});

describe('the bill of a call', () => {
  it('sums to the charge, whatever the rate, the tax, the pack and the lateness of the hang-up', () => {
    const cases = fc.record({
      rate: rates,
      tax_ppm: fc.nat(1_000_000),
      duration_ms: fc.nat(400_000),
      granted_seconds: fc.integer({ min: 1, max: 300 }),
      pack_seconds: fc.nat(200),
    });
    fc.assert(
      fc.property(cases, (one) => {
        const leg = settled(one);
        const story = composeStory(leg, 0);
        expect(story.contradictions).toEqual([]);
        expect(sumOf(story.bill)).toBe(leg.net_micros + leg.tax_micros);
        expect(story.charged_micros).toBe(leg.net_micros + leg.tax_micros);
      }),
      { numRuns: 2_000 },
    );
  });

  it('leads from the milliseconds to the sum in lines that a person can add up', () => {
    const bill = tell(settled(pennies));
    expect(bill).toContain("lasted 61.234 s by the switch's own record; begun seconds count whole: 62 seconds.");
    expect(bill).toMatch(/connection +0\.005 EUR/u);
    expect(bill).toMatch(/62 seconds by the minute's price +0\.62 EUR/u);
    expect(bill).toMatch(/tax, 19% +0\.11875 EUR/u);
    expect(bill).toMatch(/Sum +0\.74375 EUR/u);
    expect(bill).toMatch(/the wallet's cash +-0\.74375 EUR/u);
    expect(bill).not.toContain('does not add up');
  });

  it('says that the operator pays for a late hang-up', () => {
    const bill = tell(settled({ ...pennies, tax_ppm: 0, duration_ms: 4_700, granted_seconds: 4 }));
    expect(bill).toContain('Only 4 seconds of them were granted');
    expect(bill).toContain('What they cost, 0.01 EUR, is paid by the operator.');
    expect(bill).toMatch(/Sum +0\.045 EUR/u);
  });

  it.each<[string, (leg: SettledLeg) => SettledLeg, string]>([
    [
      'a charge of one micro too much',
      (leg) => ({ ...leg, net_micros: leg.net_micros + 1n }),
      'The lines of the bill sum to',
    ],
    ['seconds that do not follow', (leg) => ({ ...leg, seconds_billed: 63 }), 'By the rate 62 s are not 63'],
    ['seconds that nobody talked', (leg) => ({ ...leg, duration_ms: 60_000 }), 'The call lasted 60 s'],
    ['a missing posting', (leg) => ({ ...leg, postings: leg.postings.slice(1) }), 'The ledger took 0 micros'],
    [
      'a loss that was not booked',
      (leg) => ({ ...leg, operator_loss_micros: 7n }),
      'The ledger books 0 micros to the operator',
    ],
    ['more than was held', (leg) => ({ ...leg, grants: [] }), 'only 0 were held'],
  ])('that has %s says so', (_what, spoil, words) => {
    const story = composeStory(spoil(settled(pennies)), 0);
    expect(story.contradictions.join('\n')).toContain(words);
    expect(tellCall(story).join('\n')).toContain('This does not add up');
  });
});

describe('the story of a call', () => {
  it('tells the route, what each carrier said and who is to blame, on the clock of the account', () => {
    const words = tell(settled(pennies));
    expect(words).toContain(
      'From +49301234567 (phone dev-anna) to +442071838750, United Kingdom, dialled as 00442071838750.',
    );
    expect(words).toContain('13:00:00.005  Hold 1: 1.07695 EUR put aside for the first 90 seconds.');
    expect(words).toContain('13:00:00.010  Attempt 1: over carrier alpha (trunk-alpha).');
    expect(words).toContain(
      '13:00:00.040  alpha says SIP 503, service unavailable (cause 34): the carrier is to blame.',
    );
    expect(words).toContain('13:00:00.206  It rings, 206 ms after the call arrived.');
    expect(words).toContain('alpha costs 0.12 EUR for 120 s: may carry the call.');
    expect(words).toContain('Tried: alpha, then beta.');
    expect(words).toContain('Rate deck "retail", version 4: prefix 4420, United Kingdom');
  });

  it.each([
    [1, 1, 'counted by the second.'],
    [60, 60, 'counted in steps of 60 seconds.'],
    [60, 6, 'the first 60 seconds whole, then counted in steps of 6 seconds.'],
    [30, 1, 'the first 30 seconds whole, then counted by the second.'],
  ])('says what increments of %i and %i mean', (initial_increment_seconds, subsequent_increment_seconds, words) => {
    const rate = { ...pennyASecond, initial_increment_seconds, subsequent_increment_seconds };
    expect(tell(settled({ ...pennies, rate, tax_ppm: 0 }))).toContain(words);
  });

  it('of a call that was refused gives the reason in plain words, and charges nothing', () => {
    const leg: SettledLeg = {
      ...settled(pennies),
      plan: null,
      facts: { prefix: '4420' },
      result: 'refused',
      refusal: 'prefix_blocked',
      answered_at: null,
      duration_ms: 0,
      duration_source: 'none',
      seconds_charged: 0,
      seconds_billed: 0,
      net_micros: 0n,
      tax_micros: 0n,
      currency: null,
      attempts: [],
      grants: [],
      postings: [],
    };
    const words = tell(leg);
    expect(words).toContain('Refused: the account has this destination blocked');
    expect(words).toContain('prefix: 4420');
    expect(words).toContain('Nothing is charged, as nobody answered.');
    expect(words).not.toContain('does not add up');
  });

  it('of a call that the operator makes for itself charges nobody', () => {
    const free = { ...pennyASecond, rate_micros_per_minute: 0n, connect_fee_micros: 0n };
    const leg = settled({ ...pennies, rate: free, tax_ppm: 0 });
    const words = tell({ ...leg, plan: { ...samplePlan({ rate: free }), source: null } });
    expect(words).toContain('The operator calls: the carrier is paid, and nobody is charged.');
    expect(words).not.toContain('incoming calls');
  });

  it('of a call for help that no money could be held for charges nobody', () => {
    const free = { ...pennyASecond, rate_micros_per_minute: 0n, connect_fee_micros: 0n };
    const leg = settled({ ...pennies, rate: free, tax_ppm: 0 });
    const plan: CallPlan = {
      ...samplePlan({ rate: free }),
      direction: 'emergency',
      currency: 'XXX',
      callee: '112',
      target: { kind: 'emergency', trunk_id: 'trunk-help', number: '112' },
    };
    const attempts = failedOver.slice(1).map((one) => ({ ...one, trunk_id: 'trunk-help', carrier_id: null }));
    const words = tell({ ...leg, plan, direction: 'emergency', callee: '112', currency: null, grants: [], attempts });
    expect(words).toContain('over trunk-help.');
    expect(words).toContain('A call for help is charged to nobody.');
    expect(words).toMatch(/Sum +nothing/u);
    expect(words).not.toMatch(/does not add up|late hang-up|put aside/u);
  });

  it('of a forwarded call tells both prices and what each comes to, and of one that a phone answered the first alone', () => {
    const plain = samplePlan({ tax_ppm: 190_000 });
    const source = { deck_id: 8, deck: 'retail', version: 5, prefix: '4420', destination: 'UK', currency: 'EUR' };
    const rate = { ...pennyASecond, connect_fee_micros: 0n, initial_increment_seconds: 60 };
    const plan: CallPlan = {
      ...plain,
      ...{ direction: 'inbound', device: null, source: null, callee: '+49301234567', destination: '+49301234567' },
      tariff: { ...plain.tariff, forwarded: { to: '+442071838750', rate, source } },
      ...{
        target: { kind: 'devices', devices: ['dev-anna'] },
        otherwise: { target: plain.target, ring_timeout_ms: 9 },
      },
    };
    const held = { seconds: 60, micros: legPrice(plan.tariff, 60, 0).gross, pack_seconds: 0 };
    const grants = [{ no: 1, at: new Date(ARRIVED_AT_MS), ...held }];
    const begun = { ringing_at_ms: null, ended_at_ms: null, sip_status: null, cause: null, blame: null };
    const phone = { ...begun, attempt: 1, trunk_id: null, carrier_id: null, started_at_ms: ARRIVED_AT_MS, cause: 19 };
    const on = { ...begun, attempt: 2, trunk_id: 'trunk-alpha', carrier_id: 1, started_at_ms: ARRIVED_AT_MS + 50 };
    const duration = {
      ...{
        duration_ms: 2_500,
        source: 'record' as const,
        started_at_ms: ARRIVED_AT_MS,
        answered_at_ms: ARRIVED_AT_MS + 100,
      },
      ...{ ended_at_ms: ARRIVED_AT_MS + 2_600, cause: 16 },
    } satisfies Duration;
    const storyOf = (attempts: readonly Attempt[]) => {
      const item = settlementOf(sampleSettling(plan, held, attempts), duration);
      return composeStory({ ...settledLegOf(item, plan, grants), attempts }, ARRIVED_AT_MS);
    };
    const went_on = storyOf([phone, on]);
    // 5,000 and three pennies in; a whole minute on; 19% of both.
    const parts = went_on.bill.filter(({ micros }) => micros > 0n).map(({ part, key, micros }) => [part, key, micros]);
    expect(parts).toEqual([
      ['own', 'connect_fee', 5_000n],
      ['own', 'per_minute', 30_000n],
      ['way_on', 'per_minute', 600_000n],
      [null, 'tax', 120_650n],
    ]);
    expect(went_on).toMatchObject({ contradictions: [], charged_micros: 755_650n, seconds_billed: 60 });
    const words = tellCall(went_on).join('\n');
    expect(words).toContain('The price of incoming calls to +49301234567, which is its own.');
    expect(words).toContain('And the way on to +442071838750. Rate deck "retail", version 5: prefix 4420, UK');
    expect(words).toMatch(/On: 60 seconds by the minute's price +0\.60 EUR/u);
    expect(words).toMatch(/Attempt 2: over carrier alpha/u);
    const at_phone = storyOf([phone]);
    expect(at_phone).toMatchObject({ contradictions: [], charged_micros: 41_650n, rate: { forwarded: null } });
    expect(tellCall(at_phone).join('\n')).not.toContain('way on');
    // Whoever charged it otherwise is found out.
    const wrong = { ...settledLegOf(settlementOf(sampleSettling(plan, held, [phone]), duration), plan, grants) };
    expect(composeStory({ ...wrong, attempts: [phone, on] }, ARRIVED_AT_MS).contradictions).not.toEqual([]);
  });

  it('of a call that lives tells how it stands, never beyond what is granted', () => {
    const plan = samplePlan();
    const answered_at = new Date(ARRIVED_AT_MS + 1_000);
    const open = {
      kind: 'open',
      leg_id: LEG_ID,
      call_id: CALL_ID,
      plan,
      answered_at,
      answered_attempt: 2,
      deadline_at: new Date(ARRIVED_AT_MS + 4_000),
      held_micros: 35_000n,
      pack_seconds_held: 0,
      seconds_granted: 3,
      grants: [{ no: 1, at: new Date(ARRIVED_AT_MS), seconds: 3, micros: 35_000n, pack_seconds: 0 }],
    } as const;
    const early = composeStory(open, answered_at.getTime() + 1_500);
    expect(early).toMatchObject({ state: 'talking', seconds_charged: 2, charged_micros: 25_000n });
    expect(tellCall(early).join('\n')).toContain('The bill, were it to end now');
    expect(composeStory(open, answered_at.getTime() + 60_000).charged_micros).toBe(35_000n);
    expect(composeStory({ ...open, answered_at: null }, ARRIVED_AT_MS + 500)).toMatchObject({
      state: 'ringing',
      charged_micros: 0n,
    });
  });
});
