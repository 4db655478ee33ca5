import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  acceptance,
  inviteClient,
  inviteServer,
  otherClient,
  otherServer,
  STANDARD_TIMERS,
} from './transaction_machine.ts';
import type { Event, Machine, State } from './transaction_machine.ts';

/** The effects of the last of these events, by kind. */
function after(machine: Machine, ...events: Event[]): { phase: State['phase']; effects: string[]; waits_ms: number[] } {
  let state: State = { phase: 'proceeding', interval_ms: 500 };
  let effects: string[] = [];
  const waits_ms: number[] = [];
  for (const event of events) {
    const step = machine(state, event, STANDARD_TIMERS);
    state = step.state;
    effects = step.effects.map((effect) => effect.kind);
    for (const each of step.effects)
      if (each.kind === 'start_timer' && each.timer === 'retransmit') waits_ms.push(each.after_ms);
  }
  return { phase: state.phase, effects, waits_ms };
}

const START: Event = { kind: 'start' };
const AGAIN: Event = { kind: 'timer', timer: 'retransmit' };
const GIVE_UP: Event = { kind: 'timer', timer: 'give_up' };
const response = (status: number): Event => ({ kind: 'response', status });
const respond = (status: number): Event => ({ kind: 'respond', status });

test('an INVITE is repeated at doubling waits until something comes', () => {
  expect(after(inviteClient, START, AGAIN, AGAIN, AGAIN, AGAIN).waits_ms).toEqual([500, 1000, 2000, 4000, 8000]);
  expect(after(inviteClient, START, response(100), AGAIN).effects).toEqual([]);
  expect(after(inviteClient, START, GIVE_UP)).toMatchObject({ phase: 'terminated', effects: ['timed_out', 'forget'] });
});

test('other requests are repeated at most every T2, after a 1xx too', () => {
  expect(after(otherClient, START, AGAIN, AGAIN, AGAIN, AGAIN).waits_ms).toEqual([500, 1000, 2000, 4000, 4000]);
  expect(after(otherClient, START, response(100), AGAIN).waits_ms).toEqual([500, 4000]);
});

test('a refusal is acknowledged each time and delivered once', () => {
  expect(after(inviteClient, START, response(486)).effects).toEqual([
    'stop_timer',
    'stop_timer',
    'send_ack',
    'start_timer',
    'deliver',
  ]);
  expect(after(inviteClient, START, response(486), response(486)).effects).toEqual(['send_ack']);
});

test('every 2xx is delivered: each needs its ACK', () => {
  expect(after(inviteClient, START, response(200), response(200)).effects).toEqual(['deliver']);
  expect(after(inviteClient, START, response(486), response(200)).effects).toEqual([]);
});

test('a repeated INVITE is answered with the latest response, a 2xx left to its own repetition', () => {
  expect(after(inviteServer, respond(180), { kind: 'request_again' }).effects).toEqual(['send']);
  expect(after(inviteServer, respond(200), { kind: 'request_again' }).effects).toEqual([]);
  expect(after(otherServer, respond(200), { kind: 'request_again' }).effects).toEqual(['send']);
});

test('a refusal is repeated until its ACK', () => {
  expect(after(inviteServer, respond(486), AGAIN).effects).toEqual(['send', 'start_timer']);
  expect(after(inviteServer, respond(486), { kind: 'ack' }, AGAIN)).toMatchObject({ phase: 'confirmed', effects: [] });
});

test('a 2xx is repeated until its ACK, then no more', () => {
  expect(after(acceptance, START, AGAIN, AGAIN, AGAIN, AGAIN).waits_ms).toEqual([500, 1000, 2000, 4000, 4000]);
  expect(after(acceptance, START, { kind: 'ack' }, AGAIN)).toMatchObject({ phase: 'acked', effects: [] });
  expect(after(acceptance, START, GIVE_UP)).toMatchObject({
    phase: 'never_acked',
    effects: ['stop_timer', 'timed_out', 'forget'],
  });
});

const event = fc.oneof<fc.Arbitrary<Event>[]>(
  fc.constantFrom<Event>({ kind: 'request_again' }, { kind: 'ack' }, AGAIN, GIVE_UP, {
    kind: 'timer',
    timer: 'linger',
  }),
  fc.integer({ min: 100, max: 699 }).map(response),
  fc.integer({ min: 100, max: 699 }).map(respond),
);

test('nothing is sent once a transaction is over', () => {
  const machine = fc.constantFrom(inviteClient, otherClient, inviteServer, otherServer);
  fc.assert(
    fc.property(machine, fc.array(event), (chosen, events) => {
      let state: State = { phase: 'proceeding', interval_ms: 500 };
      let over = false;
      for (const each of events) {
        const step = chosen(state, each, STANDARD_TIMERS);
        if (over) expect(step.effects.map((effect) => effect.kind).filter((kind) => kind !== 'forget')).toEqual([]);
        state = step.state;
        over = state.phase === 'terminated';
      }
    }),
    { numRuns: 2000 },
  );
});
