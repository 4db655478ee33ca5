import { expect, it } from 'vitest';
import type { HoldAnswer, SettleItem } from '../../domain/calls/hold.ts';
import type { CallArrival, SwitchRecord } from '../switch/switch.ts';
import type { CallEvent, CallState, Step } from './state.ts';
import { planFrom, settings } from './testing/model_plans.ts';
import { Tape } from './testing/tape.ts';
import { newCall, transition } from './transition.ts';

const ANSWERED_AT_MS = 1_000_000;
const TALKED_MS = 1_300;
const HOUR_MS = 3_600_000;

const granted: HoldAnswer = {
  ...{ verdict: 'granted', free_micros: 0n, open_calls: 1, held_micros: 50_000n, seconds_granted: 5 },
};

/** An outbound call of ten thousand micros a second whose answer we heard at ANSWERED_AT_MS. */
function talking(): CallState {
  const arrival: CallArrival = {
    channel_id: 'a',
    source: { kind: 'device', device: 'phone' },
    dialled: '+4420',
    claimed_caller: null,
    arrived_at_ms: ANSWERED_AT_MS - 3_000,
  };
  const limits = { concurrent_calls_max: 9, spend_hour_max: 10n ** 9n, spend_day_max: 10n ** 9n };
  const plan = planFrom(new Tape(new Uint8Array()), ANSWERED_AT_MS - 3_000, limits);
  const events: CallEvent[] = [
    { type: 'decided', decision: { kind: 'authorize', plan } },
    { type: 'hold_answered', answer: granted },
    { type: 'bridged', reach: 'done' },
    { type: 'answered', b_channel_id: 'b', at_ms: ANSWERED_AT_MS },
  ];
  let state: CallState = newCall({ call_id: 'call', leg_id: 'leg', arrival });
  for (const event of events) ({ state } = transition(state, event, ANSWERED_AT_MS, settings));
  expect(state.phase).toBe('talking');
  return state;
}

/** As the switch wrote it, whose clock had stepped by so much before the end. */
const recordOf = (step_ms: number): SwitchRecord => ({
  help: null,
  ...{ call_id: 'call', attempt: 1, channel_id: 'a', cause: 16, position: '1' },
  started_at_us: BigInt(ANSWERED_AT_MS - 3_000) * 1000n,
  answered_at_us: BigInt(ANSWERED_AT_MS) * 1000n,
  ended_at_us: BigInt(ANSWERED_AT_MS + TALKED_MS + step_ms) * 1000n,
});

function settleOf({ effects }: Step): SettleItem | undefined {
  return effects.flatMap((effect) => (effect.type === 'settle' ? [effect.item] : []))[0];
}

const NOW_MS = ANSWERED_AT_MS + TALKED_MS + 20;
const record_timer = { type: 'timer', name: 'record', at_ms: NOW_MS + settings.record_wait_ms };

const orders: [string, CallEvent[]][] = [
  ['after the end was heard of', [{ type: 'ended', cause: 16, at_ms: ANSWERED_AT_MS + TALKED_MS }]],
  ['before any word of the end', []],
];

it.each(orders)('a record that comes %s and agrees with what was witnessed is settled at once', (_, before) => {
  let state = talking();
  for (const event of before) ({ state } = transition(state, event, NOW_MS, settings));
  const step = transition(state, { type: 'recorded', record: recordOf(0) }, NOW_MS, settings);
  expect(settleOf(step)?.cdr).toMatchObject({ duration_ms: TALKED_MS, duration_source: 'record' });
});

it.each(orders)('a record that comes %s from a clock that stepped waits until the step is known', (_, before) => {
  for (const step_ms of [HOUR_MS, -HOUR_MS]) {
    let state = talking();
    for (const event of before) ({ state } = transition(state, event, NOW_MS, settings));
    const doubted = transition(state, { type: 'recorded', record: recordOf(step_ms) }, NOW_MS, settings);
    expect(settleOf(doubted)).toBeUndefined();
    expect(before.length === 0 ? doubted.effects : [record_timer]).toEqual([record_timer]);
    const known = transition(doubted.state, { type: 'clock_stepped', step_ms }, NOW_MS + 400, settings);
    const item = settleOf(known);
    expect(item?.cdr).toMatchObject({ duration_ms: TALKED_MS, duration_source: 'monotonic', seconds_charged: 2 });
    expect(item?.loss_micros).toBe(0n);
  }
});

it('a record that comes after the step was noticed is explained by it, where the step was before the end', () => {
  const ended = transition(
    talking(),
    { type: 'ended', cause: 16, at_ms: ANSWERED_AT_MS + TALKED_MS },
    NOW_MS,
    settings,
  );
  const noticed = transition(ended.state, { type: 'clock_stepped', step_ms: HOUR_MS }, NOW_MS + 100, settings);
  const before = transition(noticed.state, { type: 'recorded', record: recordOf(HOUR_MS) }, NOW_MS + 200, settings);
  expect(settleOf(before)?.cdr).toMatchObject({ duration_ms: TALKED_MS, duration_source: 'monotonic' });
  const after = transition(noticed.state, { type: 'recorded', record: recordOf(0) }, NOW_MS + 200, settings);
  expect(settleOf(after)?.cdr).toMatchObject({ duration_ms: TALKED_MS, duration_source: 'record' });
});

it('a record that nothing explains counts when its time is over', () => {
  const doubted = transition(talking(), { type: 'recorded', record: recordOf(-900_000) }, NOW_MS, settings);
  const over = transition(doubted.state, { type: 'timer', name: 'record' }, NOW_MS + settings.record_wait_ms, settings);
  expect(settleOf(over)?.cdr).toMatchObject({ duration_ms: 0, duration_source: 'record' });
});
