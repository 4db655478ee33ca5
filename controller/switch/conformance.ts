import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { armed, expectEnded } from './armed_deadline.ts';
import { ownCallConformance } from './own_call_conformance.ts';
import type { BridgePlan, BridgeTarget, Switch, SwitchEvent } from './switch.ts';

/** A caller's phone, as the other side of the wire saw it. */
export interface Caller {
  /** Gives up while it rings, hangs up when it talks. */
  hangUp(): void;
  readonly ringing: boolean;
  readonly early_media: boolean;
  readonly answered: boolean;
  /** Null until the call is over; the status is that of a call which was never answered. */
  readonly ended: { refused_with: number | null } | null;
  /** From its own clock, which it may have looked at too late; null before it ended or without an answer. */
  readonly talked: { least_ms: number; most_ms: number } | null;
}

export type TargetName =
  'answers' | 'rings' | 'busy' | 'unavailable' | 'not_found' | 'silent' | 'unreachable' | 'devices' | 'mailbox';

/** One switch with people around it who do as they are told. */
export interface Harness {
  readonly port: Switch;
  /** Everything the port told since the harness was opened, in order. */
  readonly events: readonly SwitchEvent[];
  /** The device that `dial` calls from. */
  readonly device: string;
  readonly targets: Readonly<Record<TargetName, BridgeTarget>>;
  /** How far times of two clocks may be apart. */
  readonly tolerance_ms: number;
  dial(dialled: string): Promise<Caller>;
  /** The party that answered last hangs up. */
  hangUpCallee(): Promise<void>;
  /** The digits that the party who was called last by the switch itself heard so far, in their order. */
  digitsHeard(): string;
  /** What the phone heard of a warning so far. */
  warningsHeard(): number;
  /** Waits for a condition, letting time pass. Throws with `what` when it did not come true in time. */
  until<T>(what: string, look: () => T | null | undefined | false, within_ms: number): Promise<T>;
  /** Breaks the port's connection; it must come back by itself. */
  cut(): Promise<void>;
  /** The records that are told to one who begins to read after `position`. */
  replay(position: string | null): Promise<readonly SwitchEvent[]>;
  close(): Promise<void>;
}

export type EventOf<T extends SwitchEvent['type']> = Extract<SwitchEvent, { type: T }>;

/** What every switch must do. `open` gives a fresh harness for each test. */
export function switchConformance(name: string, open: () => Promise<Harness>): void {
  describe(`${name} keeps the switch port`, () => {
    let harness: Harness;
    let port: Switch;

    beforeEach(async () => {
      harness = await open();
      port = harness.port;
    });

    afterEach(async () => {
      await harness.close();
    });

    function seen<T extends SwitchEvent['type']>(type: T, channel_id: string, from = 0): EventOf<T> | undefined {
      return harness.events.slice(from).find((event): event is EventOf<T> => {
        if (event.type !== type) return false;
        if (event.type === 'arrived') return event.arrival.channel_id === channel_id;
        if (event.type === 'recorded') return event.record.channel_id === channel_id;
        return 'channel_id' in event && event.channel_id === channel_id;
      });
    }

    function wait<T extends SwitchEvent['type']>(type: T, channel_id: string, within_ms = 5_000): Promise<EventOf<T>> {
      return harness.until(`the event "${type}"`, () => seen(type, channel_id), within_ms);
    }

    function recordsOf(channel_id: string): readonly SwitchEvent[] {
      return harness.events.filter((event) => event.type === 'recorded' && event.record.channel_id === channel_id);
    }

    async function arrive(dialled = '+442071234567'): Promise<{ caller: Caller; channel_id: string }> {
      const before = harness.events.length;
      const caller = await harness.dial(dialled);
      const event = await harness.until(
        'an arrival',
        () => harness.events.slice(before).find((one) => one.type === 'arrived'),
        5_000,
      );
      expect(event.arrival).toMatchObject({ dialled, source: { kind: 'device', device: harness.device } });
      return { caller, channel_id: event.arrival.channel_id };
    }

    function plan(target: TargetName, more: Partial<BridgePlan> = {}): BridgePlan {
      return {
        call_id: randomUUID(),
        attempt: 1,
        target: harness.targets[target],
        caller_number: '+441632960001',
        ring_timeout_ms: 5_000,
        limit_ms: 20_000,
        help_code: null,
        ...more,
      };
    }

    async function answer(
      more: Partial<BridgePlan> = {},
      target: TargetName = 'answers',
    ): Promise<{ caller: Caller; answered: EventOf<'answered'>; plan: BridgePlan; channel_id: string }> {
      const { caller, channel_id } = await arrive();
      const chosen = plan(target, more);
      expect(await port.bridge(channel_id, chosen)).toBe('done');
      const answered = await wait('answered', channel_id);
      return { caller, answered, plan: chosen, channel_id };
    }

    /** Ends the call and gives its record. */
    async function finish(channel_id: string): Promise<EventOf<'recorded'>['record']> {
      if (seen('ended', channel_id) === undefined) await port.hangUp(channel_id, 16);
      await wait('ended', channel_id);
      return (await wait('recorded', channel_id)).record;
    }

    describe('a call that is bridged', () => {
      it('rings, is answered, and ends when the caller hangs up, each told with its time', async () => {
        const { caller, channel_id } = await arrive();
        const before_ms = (await port.clock()).now_ms;
        const chosen = plan('answers');
        await port.bridge(channel_id, chosen);
        const ringing = await wait('ringing', channel_id);
        const answered = await wait('answered', channel_id);
        await harness.until('the phone to see the answer', () => caller.answered, 2_000);
        expect(ringing.at_ms).toBeGreaterThanOrEqual(before_ms - harness.tolerance_ms);
        expect(answered.at_ms).toBeGreaterThanOrEqual(ringing.at_ms);
        expect(answered.b_channel_id).not.toBe(channel_id);
        caller.hangUp();
        const ended = await wait('ended', channel_id);
        const { record } = await wait('recorded', channel_id);
        expect(record).toMatchObject({ call_id: chosen.call_id, attempt: 1, channel_id, cause: 16 });
        expect(Math.abs(Number(record.answered_at_us ?? 0n) / 1000 - answered.at_ms)).toBeLessThanOrEqual(
          harness.tolerance_ms,
        );
        expect(Math.abs(Number(record.ended_at_us) / 1000 - ended.at_ms)).toBeLessThanOrEqual(harness.tolerance_ms);
        expect(record.started_at_us).toBeLessThanOrEqual(record.answered_at_us ?? 0n);
      });

      it('ends when the callee hangs up', async () => {
        const { caller, channel_id } = await answer();
        await harness.hangUpCallee();
        await wait('ended', channel_id);
        await harness.until('the phone to see the end', () => caller.ended, 2_000);
        expect((await finish(channel_id)).answered_at_us).not.toBeNull();
      });

      it('reaches all devices at once, and the one that answers talks', async () => {
        const { channel_id } = await answer({}, 'devices');
        const record = await finish(channel_id);
        expect(record.answered_at_us).not.toBeNull();
        expect(recordsOf(channel_id)).toHaveLength(1);
      });

      it('is answered by a mailbox, which is a leg like any other', async () => {
        const { caller, answered, channel_id, plan: chosen } = await answer({ limit_ms: 3_000 }, 'mailbox');
        await harness.until('the phone to see the answer', () => caller.answered, 2_000);
        const calls = await port.list();
        expect(calls).toHaveLength(1);
        expect(calls[0]).toMatchObject({ call_id: chosen.call_id, b_channel_id: answered.b_channel_id });
        expect(await port.armDeadline(channel_id, answered.b_channel_id, 1_000)).toBe('done');
        await wait('ended', channel_id, 1_500);
        const record = await finish(channel_id);
        expect(record).toMatchObject({ call_id: chosen.call_id, attempt: 1, cause: 16 });
        expect(Math.abs(Number(record.ended_at_us) / 1000 - answered.at_ms - 1_000)).toBeLessThan(500);
        const { call_id } = chosen;
        expect(harness.events.filter((one) => one.type === 'recorded' && one.record.call_id === call_id)).toHaveLength(
          1,
        );
        expect(await port.list()).toEqual([]);
      });

      it('may withhold the caller number', async () => {
        const { channel_id } = await answer({ caller_number: null });
        await finish(channel_id);
      });

      it('ends without an answer when the caller gives up while it rings', async () => {
        const { caller, channel_id } = await arrive();
        await port.bridge(channel_id, plan('rings'));
        await wait('ringing', channel_id);
        await harness.until('the phone to ring', () => caller.ringing, 2_000);
        caller.hangUp();
        await wait('ended', channel_id);
        const { record } = await wait('recorded', channel_id);
        expect(record.answered_at_us).toBeNull();
        expect(seen('answered', channel_id)).toBeUndefined();
      });
    });

    describe('the deadline', () => {
      function talked(record: EventOf<'recorded'>['record']): number {
        return Number(record.ended_at_us - (record.answered_at_us ?? 0n)) / 1000;
      }

      it('ends the call by itself, counted from the answer', async () => {
        const { caller, channel_id } = await answer({ limit_ms: 1_500 });
        await wait('ended', channel_id);
        const record = await finish(channel_id);
        expect(Math.abs(talked(record) - 1_500)).toBeLessThanOrEqual(harness.tolerance_ms);
        await harness.until('the phone to see the end', () => caller.ended, 2_000);
        const { least_ms = Number.NaN, most_ms = Number.NaN } = caller.talked ?? {};
        expect(most_ms).toBeGreaterThanOrEqual(1_500 - harness.tolerance_ms);
        expect(least_ms).toBeLessThanOrEqual(1_500 + harness.tolerance_ms);
      });

      it('moves later, more than once', async () => {
        const { answered, channel_id } = await answer({ limit_ms: 1_000 });
        expect(await port.armDeadline(channel_id, answered.b_channel_id, 1_500)).toBe('done');
        const between = await armed(port, channel_id, answered.b_channel_id, 2_000);
        await wait('ended', channel_id);
        expectEnded(await finish(channel_id), between, 2_000, harness.tolerance_ms);
      });

      it('moves earlier', async () => {
        const { answered, channel_id } = await answer({ limit_ms: 20_000 });
        const between = await armed(port, channel_id, answered.b_channel_id, 700);
        await wait('ended', channel_id);
        expectEnded(await finish(channel_id), between, 700, harness.tolerance_ms);
      });

      it('that is already past ends the call at once', async () => {
        const { answered, channel_id } = await answer();
        expect(await port.armDeadline(channel_id, answered.b_channel_id, 0)).toBe('done');
        await wait('ended', channel_id, 1_000);
        await finish(channel_id);
      });
    });

    describe('a refusal', () => {
      it('is heard as early media, never answered, and carries its cause', async () => {
        const { caller, channel_id } = await arrive();
        expect(await port.refuse(channel_id, { call_id: randomUUID(), prompt: 'try_later', cause: 21 })).toBe('done');
        await harness.until('early media', () => caller.early_media, 2_000);
        const ended = await wait('ended', channel_id, 15_000);
        expect(ended.cause).toBe(21);
        const over = await harness.until('the phone to see the end', () => caller.ended, 2_000);
        expect(caller.answered).toBe(false);
        expect(over.refused_with).toBe(403);
        expect(seen('recorded', channel_id)).toBeUndefined();
      });

      it('may be silent', async () => {
        const { caller, channel_id } = await arrive();
        expect(await port.refuse(channel_id, { call_id: randomUUID(), prompt: null, cause: 17 })).toBe('done');
        await wait('ended', channel_id, 1_000);
        const over = await harness.until('the phone to see the end', () => caller.ended, 2_000);
        expect(over.refused_with).toBe(486);
        expect(caller.early_media).toBe(false);
      });
    });

    describe('an attempt that fails', () => {
      const known: [TargetName, EventOf<'attempt_failed'>['failure']][] = [
        ['busy', { cause: 17, sip_status: 486, responded: true, unreachable: false, timed_out: false }],
        ['unavailable', { cause: 34, sip_status: 503, responded: true, unreachable: false, timed_out: false }],
        ['not_found', { cause: 1, sip_status: 404, responded: true, unreachable: false, timed_out: false }],
        ['silent', { cause: 0, sip_status: null, responded: false, unreachable: false, timed_out: true }],
        ['rings', { cause: 0, sip_status: null, responded: true, unreachable: false, timed_out: true }],
        ['unreachable', { cause: 0, sip_status: null, responded: false, unreachable: true, timed_out: false }],
      ];
      for (const [target, failure] of known) {
        it(`tells why: ${target}; the next attempt may still be answered`, async () => {
          const { caller, channel_id } = await arrive();
          const call_id = randomUUID();
          await port.bridge(channel_id, plan(target, { call_id, ring_timeout_ms: 1_000 }));
          const failed = await wait('attempt_failed', channel_id);
          expect(failed).toMatchObject({ call_id, attempt: 1, failure });
          expect(caller.ended).toBeNull();
          expect((await port.list()).find((call) => call.channel_id === channel_id)?.waiting).toBe(true);
          await port.bridge(channel_id, plan('answers', { call_id, attempt: 2 }));
          await wait('answered', channel_id);
          await port.hangUp(channel_id, 16);
          await harness.until(
            'the record of the second attempt',
            () =>
              harness.events.some(
                (e) => e.type === 'recorded' && e.record.call_id === call_id && e.record.attempt === 2,
              ),
            3_000,
          );
        });
      }

      it('does not take the failure of the attempt before it for its own', async () => {
        const { channel_id } = await arrive();
        await port.bridge(channel_id, plan('busy'));
        await wait('attempt_failed', channel_id);
        const before = harness.events.length;
        await port.bridge(channel_id, plan('silent', { attempt: 2, ring_timeout_ms: 500 }));
        const failed = await harness.until(
          'the second failure',
          () => seen('attempt_failed', channel_id, before),
          5_000,
        );
        expect(failed.failure).toMatchObject({ cause: 0, sip_status: null, responded: false });
      });
    });

    ownCallConformance({ harness: () => harness, seen, wait, recordsOf });

    describe('a channel', () => {
      it('is hung up with the cause that was asked for', async () => {
        const { caller, channel_id } = await arrive();
        expect(await port.hangUp(channel_id, 34)).toBe('done');
        expect((await wait('ended', channel_id)).cause).toBe(34);
        const over = await harness.until('the phone to see the end', () => caller.ended, 2_000);
        expect(over.refused_with).toBe(503);
      });

      it('that is gone is told as gone by every command', async () => {
        const { answered, channel_id } = await answer();
        await finish(channel_id);
        expect(await port.bridge(channel_id, plan('answers'))).toBe('gone');
        expect(await port.refuse(channel_id, { call_id: randomUUID(), prompt: 'blocked', cause: 21 })).toBe('gone');
        expect(await port.armDeadline(channel_id, answered.b_channel_id, 1_000)).toBe('gone');
        expect(await port.warn(channel_id)).toBe('gone');
        expect(await port.hangUp(channel_id, 16)).toBe('gone');
      });

      it('is listed with its call, its attempt, its legs and that it is for help, and no more when it ended', async () => {
        const waiting = await arrive();
        const { answered, plan: chosen, channel_id } = await answer({ help_code: '112' });
        const calls = await port.list();
        expect(calls).toHaveLength(2);
        expect(calls.find((call) => call.channel_id === waiting.channel_id)).toEqual({
          ...{ channel_id: waiting.channel_id, call_id: null, attempt: null, b_channel_id: null, answered_at_ms: null },
          ...{ waiting: true, help: null },
        });
        const live = calls.find((call) => call.channel_id === channel_id);
        const help = { code: '112', device: harness.device };
        expect(live).toMatchObject({ call_id: chosen.call_id, attempt: 1, waiting: false, help });
        expect(Math.abs((live?.help?.arrived_at_ms ?? 0) - answered.at_ms)).toBeLessThan(5_000);
        expect(live?.b_channel_id).toBe(answered.b_channel_id);
        expect(Math.abs((live?.answered_at_ms ?? 0) - answered.at_ms)).toBeLessThanOrEqual(harness.tolerance_ms);
        await port.hangUp(waiting.channel_id, 16);
        expect((await finish(channel_id)).help).toMatchObject(help);
        expect(await port.list()).toEqual([]);
      });

      it('hears the warning beside the conversation, and nothing of it is left', async () => {
        const { channel_id } = await answer();
        expect(await port.warn(channel_id)).toBe('done');
        await harness.until('the warning', () => harness.warningsHeard() > 0, 3_000);
        expect(seen('ended', channel_id)).toBeUndefined();
        expect((await port.list()).map((call) => call.channel_id)).toEqual([channel_id]);
        await finish(channel_id);
        expect(await port.list()).toEqual([]);
      });
    });

    describe('the connection', () => {
      it('is told when it is lost and when it is back, and calls go on meanwhile', async () => {
        const { answered, channel_id, plan: chosen } = await answer();
        const before = harness.events.length;
        await harness.cut();
        await harness.until(
          'the loss',
          () => harness.events.slice(before).some((event) => event.type === 'disconnected'),
          3_000,
        );
        await harness.until(
          'the return',
          () => harness.events.slice(before).some((event) => event.type === 'connected') && port.healthy,
          10_000,
        );
        const live = (await port.list()).find((call) => call.channel_id === channel_id);
        expect(live).toMatchObject({ call_id: chosen.call_id, b_channel_id: answered.b_channel_id });
        expect(Math.abs((live?.answered_at_ms ?? 0) - answered.at_ms)).toBeLessThanOrEqual(harness.tolerance_ms);
        expect(await port.armDeadline(channel_id, answered.b_channel_id, 300)).toBe('done');
        await wait('ended', channel_id);
        await finish(channel_id);
      });

      it('replays records after a position, and all of them from the beginning', async () => {
        const first = await answer();
        const { position } = await finish(first.channel_id);
        const second = await answer();
        await finish(second.channel_id);
        const told = (events: readonly SwitchEvent[]): string[] =>
          events.flatMap((event) => (event.type === 'recorded' ? [event.record.call_id] : []));
        expect(told(await harness.replay(position))).toEqual([second.plan.call_id]);
        const all = told(await harness.replay(null));
        expect(all.slice(-2)).toEqual([first.plan.call_id, second.plan.call_id]);
      });
    });
  });
}
