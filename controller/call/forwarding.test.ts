import { describe, expect, it } from 'vitest';
import type { HoldAnswer, SettleItem } from '../../domain/calls/hold.ts';
import { foundByHold, stateOf } from '../reconcile/adopt.ts';
import type { AttemptFailure, BridgePlan, CallArrival } from '../switch/switch.ts';
import type { CallPlan } from './plan.ts';
import { callPlanSchema } from './plan.ts';
import type { CallEffect, CallEvent, CallState } from './state.ts';
import { planFrom, settings } from './testing/model_plans.ts';
import { Tape } from './testing/tape.ts';
import { newCall, transition } from './transition.ts';
import { TrunkCalls } from './trunk_calls.ts';

const DID = '+493012345678';
const UK = '+442071838750';
const STRANGER = '+33155550100';
const BEGIN_MS = 1_000_000;
const arrival: CallArrival = {
  ...{ channel_id: 'a', source: { kind: 'trunk', trunk: 'trunk-in' }, dialled: DID, claimed_caller: STRANGER },
  arrived_at_ms: BEGIN_MS,
};

const limits = { concurrent_calls_max: 9, spend_hour_max: 10n ** 9n, spend_day_max: 10n ** 9n };

/** The number costs ten thousand micros a second and the way on a thousand more, of which there are twenty in a pack. */
function plan(when: 'always' | 'unanswered'): CallPlan {
  const outbound = planFrom(new Tape(new Uint8Array()), BEGIN_MS, limits);
  if (outbound.target.kind !== 'routes') throw new Error('An outbound call goes over routes.');
  const [route] = outbound.target.routes;
  if (route === undefined) throw new Error('There is a route.');
  const forwarded = { to: UK, rate: { ...route.rate, rate_micros_per_minute: 660_000n }, source: route.source };
  const shared: CallPlan = {
    ...outbound,
    ...{ direction: 'inbound', device: null, caller: STRANGER, callee: DID, destination: DID },
    tariff: { ...outbound.tariff, pack: { id: 7n, seconds_available: 20 }, forwarded },
  };
  if (when === 'always') return shared;
  const otherwise = { target: outbound.target, ring_timeout_ms: 9_000 };
  return { ...shared, target: { kind: 'devices', devices: ['desk'] }, otherwise };
}

const answerOf = (wishes: Partial<HoldAnswer>): HoldAnswer => ({
  ...{ verdict: 'granted', free_micros: 0n, open_calls: 1, held_micros: 0n, seconds_granted: 0 },
  ...wishes,
});
const failure = (wishes: Partial<AttemptFailure>): AttemptFailure => ({
  ...{ cause: 0, sip_status: null, responded: true, unreachable: false, timed_out: false },
  ...wishes,
});
const failed = (attempt: number, wishes: Partial<AttemptFailure>): CallEvent => ({
  ...{ type: 'attempt_failed', attempt, failure: failure(wishes), at_ms: BEGIN_MS + 100 },
});
const answered: CallEvent = { type: 'answered', b_channel_id: 'b', at_ms: BEGIN_MS + 200 };

/** A call as it goes on, event by event, and all that it asked for. */
class Told {
  state: CallState = newCall({ call_id: 'call', leg_id: 'leg', arrival });
  readonly effects: CallEffect[] = [];
  readonly trunks = new TrunkCalls();

  constructor(...events: readonly CallEvent[]) {
    this.trunks.appeared(this.state);
    this.hears(...events);
  }

  hears(...events: readonly CallEvent[]): this {
    for (const event of events) {
      const before = this.state;
      const { state, effects } = transition(before, event, BEGIN_MS + 300, settings);
      this.state = state;
      this.trunks.stepped(before, state);
      this.effects.push(...effects);
    }
    return this;
  }

  get bridges(): BridgePlan[] {
    return this.effects.flatMap((effect) => (effect.type === 'bridge' ? [effect.plan] : []));
  }

  get settled(): SettleItem | undefined {
    return this.effects.flatMap((effect) => (effect.type === 'settle' ? [effect.item] : []))[0];
  }

  /** It ends so many seconds after its answer. */
  ends(seconds: number, attempt: number): this {
    const at_us = BigInt(BEGIN_MS + 200) * 1000n;
    const record = {
      ...{
        call_id: 'call',
        attempt,
        channel_id: 'a',
        started_at_us: at_us,
        answered_at_us: at_us,
        cause: 16,
        help: null,
      },
      ...{ ended_at_us: at_us + BigInt(seconds) * 1_000_000n, position: '1' },
    };
    const ended: CallEvent = { type: 'ended', cause: 16, at_ms: BEGIN_MS, inferred: true };
    return this.hears(ended, { type: 'recorded', record });
  }
}

const decided = (of: CallPlan): CallEvent => ({ type: 'decided', decision: { kind: 'authorize', plan: of } });
const held: CallEvent = { type: 'hold_answered', answer: answerOf({}) };

describe('a call that is forwarded', () => {
  it('shows its number, is held for at both prices, and takes a channel of the trunk that it came by and of the one it goes by', () => {
    const told = new Told(decided(plan('always')), held);
    expect(told.effects[0]).toMatchObject({ item: { hold_micros: 50_000n, seconds: 5, pack_seconds: 5, pack_id: 7n } });
    expect(told.bridges).toMatchObject([{ target: { trunk: 'trunk-1' }, caller_number: DID, ring_timeout_ms: 4_000 }]);
    expect([told.trunks.on('trunk-in'), told.trunks.on('trunk-1')]).toEqual([1, 1]);
    told.hears(failed(1, { sip_status: 503 }));
    expect([told.trunks.on('trunk-in'), told.trunks.on('trunk-1'), told.trunks.on('trunk-2')]).toEqual([1, 0, 1]);
    told.hears(answered).ends(3, 2);
    expect([told.trunks.on('trunk-in'), told.trunks.on('trunk-2')]).toEqual([0, 0]);
    // Thirty thousand for the number; the pack pays the way on.
    expect(told.settled).toMatchObject({
      ...{ net_micros: 30_000n, pack_seconds: 3 },
      cdr: { carrier_id: 2, trunk_id: 'trunk-2', cost_micros: 15_000n, cost_currency: 'GBP' },
    });
  });

  it('takes one line, and no second, of the trunk by which the switch calls by itself', () => {
    const own: CallPlan = { ...plan('always'), direction: 'outbound' };
    const told = new Told();
    expect(told.trunks.on('trunk-in')).toBe(1);
    told.hears(decided(own), held);
    expect([told.trunks.on('trunk-in'), told.trunks.on('trunk-1')]).toEqual([0, 1]);
  });

  it('tells a stranger no more than that nobody is there when every carrier fails, and busy when that is what the callee is', () => {
    const told = new Told(
      decided(plan('always')),
      held,
      failed(1, { sip_status: 503 }),
      failed(2, { sip_status: 503 }),
    );
    expect(told.effects).toContainEqual({
      ...{ type: 'refuse', reason: 'not_forwarded', refusal: { call_id: 'call', prompt: 'not_available', cause: 20 } },
    });
    const busy = new Told(decided(plan('always')), held, failed(1, { sip_status: 486 }));
    expect(busy.effects).toContainEqual({ type: 'hang_up', cause: 17 });
  });
});

describe('a call that is forwarded when nobody answers', () => {
  it.each([{ timed_out: true }, { sip_status: 486 }, { sip_status: 603 }, { unreachable: true, responded: false }])(
    'rings the phones as what it is, and goes on as a call of the number: %j',
    (why) => {
      const told = new Told(decided(plan('unanswered')), held, failed(1, why));
      expect(told.bridges).toMatchObject([
        { attempt: 1, target: { devices: ['desk'] }, caller_number: STRANGER, ring_timeout_ms: 4_000 },
        { attempt: 2, target: { trunk: 'trunk-1' }, caller_number: DID, ring_timeout_ms: 9_000 },
      ]);
      told.hears(answered).ends(3, 2);
      expect(told.effects).toContainEqual(expect.objectContaining({ type: 'note_answer', attempt: 2 }));
      expect(told.settled).toMatchObject({ net_micros: 30_000n, pack_seconds: 3, cdr: { carrier_id: 1 } });
    },
  );

  it('goes no further after a failure that nobody heard of: its caller may be hearing a refusal', () => {
    const told = new Told(decided(plan('unanswered')), held, failed(1, { cause: 127 }));
    expect(told.bridges).toHaveLength(1);
  });

  it('is charged the number’s own price alone when a phone answers, without the pack, and for longer by what was held', () => {
    const without_pack = plan('unanswered');
    const told = new Told(decided({ ...without_pack, tariff: { ...without_pack.tariff, pack: null } }), held, answered);
    expect(told.effects[0]).toMatchObject({ item: { hold_micros: 105_000n, seconds: 5 } });
    // As late as its first grant can end: now, four seconds of phones, nine of the way on, and five of talk.
    expect(told.effects[0]).toMatchObject({ item: { deadline_at: new Date(BEGIN_MS + 300 + 18_000) } });
    told.hears({ type: 'timer', name: 'renew' });
    // The 105,000 micros that are held pay for ten seconds of the number's own price.
    expect(told.effects.at(-1)).toMatchObject({ type: 'renew', item: { micros: 0n, seconds: 5, pack_seconds: 0 } });
    told.hears({ type: 'renew_answered', answer: answerOf({}) }).ends(8, 1);
    expect(told.settled).toMatchObject({ net_micros: 80_000n, pack_seconds: 0, cdr: { carrier_id: null } });
    const by_pack = new Told(decided(plan('unanswered')), held, answered).ends(4, 1);
    expect(by_pack.settled).toMatchObject({ net_micros: 40_000n, pack_seconds: 0 });
  });

  it('rings the phones alone where the money does not pay for the way on, and says so', () => {
    const without_pack = plan('unanswered');
    const dear = { ...without_pack, tariff: { ...without_pack.tariff, pack: null } };
    const short = answerOf({ verdict: 'short', free_micros: 20_000n });
    const told = new Told(decided(dear), { type: 'hold_answered', answer: short });
    const asked = told.effects.at(-1);
    expect(asked).toMatchObject({
      type: 'hold',
      item: { hold_micros: 50_000n, snapshot: { otherwise: null, tariff: { forwarded: null } } },
    });
    if (asked?.type !== 'hold') throw new Error('It asks again.');
    expect((asked.item.snapshot as CallPlan).routing.at(-1)).toBe(`Not forwarded to ${UK}: no money.`);
    told.hears({ type: 'hold_answered', answer: short }, held, failed(1, { sip_status: 486 }));
    expect(told.bridges).toMatchObject([
      { target: { devices: ['desk'] }, limit_ms: 1_000 - settings.deadline_guard_ms },
    ]);
    const always = new Told(decided({ ...dear, target: plan('always').target }), {
      ...{ type: 'hold_answered', answer: short },
    });
    expect(always.effects.at(-2)).toMatchObject({ type: 'refuse', reason: 'callee_cannot_pay' });
  });
});

describe('a forwarded call that somebody takes over', () => {
  const detail = {
    ...{ leg_id: 'leg', call_id: 'call', channel_id: 'a', held_micros: 105_000n, pack_seconds_held: 4, grant_no: 1 },
    ...{ seconds_granted: 5, answered_at_ms: BEGIN_MS, answered_attempt: 2, deadline_at_ms: BEGIN_MS + 5_000 },
    last_granted_at_ms: BEGIN_MS,
  };
  const snapshotOf = (of: object): unknown =>
    JSON.parse(JSON.stringify(of, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)));

  it('is charged by the attempt that answered', () => {
    const snapshot = snapshotOf(plan('unanswered'));
    const at = { b_channel_id: 'b', answered_at_ms: BEGIN_MS };
    const by = (attempt: number) => stateOf(foundByHold({ ...detail, snapshot }), { attempt, ...at });
    expect(by(1)).toMatchObject({ held: { pack_seconds: 0 }, plan: { tariff: { forwarded: null, pack: null } } });
    expect(by(2)).toMatchObject({
      ...{ held: { pack_seconds: 4 }, plan: { tariff: { forwarded: { to: UK } } } },
      attempts: [{ trunk_id: null }, { trunk_id: 'trunk-1', carrier_id: 1 }],
    });
  });

  it('goes to no second carrier where the first gave up waiting, as its callee may have rung', () => {
    const found = foundByHold({ ...detail, snapshot: snapshotOf(plan('always')) });
    const taken_over = stateOf(found, { attempt: 1, b_channel_id: null, answered_at_ms: null });
    const next = (status: number) =>
      transition(taken_over, failed(1, { sip_status: status }), BEGIN_MS, settings).effects.map(({ type }) => type);
    expect(next(408)).not.toContain('bridge');
    expect(next(503)).toContain('bridge');
  });

  it('may have been planned before there was any forwarding', () => {
    // What is undefined is left out of JSON.
    const of = plan('unanswered');
    const old = { ...of, otherwise: undefined, tariff: { ...of.tariff, forwarded: undefined } };
    expect(callPlanSchema.parse(snapshotOf(old))).toMatchObject({
      ...{ otherwise: null, tariff: { forwarded: null } },
    });
  });
});
