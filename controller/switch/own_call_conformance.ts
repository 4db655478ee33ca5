import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EventOf, Harness, TargetName } from './conformance.ts';
import type { SpokenCall, SwitchEvent } from './switch.ts';

/** What the suite looks and waits with. */
export interface SuiteTools {
  /** Of the test that runs. */
  harness: () => Harness;
  seen: <T extends SwitchEvent['type']>(type: T, channel_id: string) => EventOf<T> | undefined;
  wait: <T extends SwitchEvent['type']>(type: T, channel_id: string, within_ms?: number) => Promise<EventOf<T>>;
  recordsOf: (channel_id: string) => readonly SwitchEvent[];
}

/** What every switch must do that calls by itself to speak digits. */
export function ownCallConformance({ harness, seen, wait, recordsOf }: SuiteTools): void {
  describe('a call of its own', () => {
    function spoken(target: TargetName, more: Partial<SpokenCall> = {}): SpokenCall {
      const to = harness().targets[target];
      if (to.kind !== 'trunk') throw new Error('The switch calls by itself over trunks.');
      return {
        ...{ channel_id: `spoken-${randomUUID()}`, call_id: randomUUID(), trunk: to.trunk, number: to.number },
        ...{ caller_number: '+441632960001', ring_timeout_ms: 5_000, limit_ms: 50_000 },
        ...{ digits: '40', language: 'en', ...more },
      };
    }

    it('speaks the digits twice to whoever answers, and is over', async () => {
      const call = spoken('answers');
      await harness().port.speak(call);
      const ringing = await wait('ringing', call.channel_id);
      const answered = await wait('answered', call.channel_id);
      expect(answered.at_ms).toBeGreaterThanOrEqual(ringing.at_ms);
      const [live] = await harness().port.list();
      expect(live).toMatchObject({ channel_id: call.channel_id, call_id: call.call_id, attempt: 1, waiting: false });
      expect(live?.b_channel_id).toBe(answered.b_channel_id);
      await wait('ended', call.channel_id, 50_000);
      expect(harness().digitsHeard()).toBe('4040');
      const { record } = await wait('recorded', call.channel_id);
      expect(record).toMatchObject({ call_id: call.call_id, attempt: 1, cause: 16 });
      expect(Math.abs(Number(record.answered_at_us ?? 0n) / 1000 - answered.at_ms)).toBeLessThanOrEqual(
        harness().tolerance_ms,
      );
      expect(seen('attempt_failed', call.channel_id)).toBeUndefined();
      expect(recordsOf(call.channel_id)).toHaveLength(1);
    }, 60_000);

    it('ends at its limit, also one that was moved, and when it is hung up', async () => {
      const [short, moved, hung_up] = [spoken('answers', { limit_ms: 1_500 }), spoken('answers'), spoken('answers')];
      for (const call of [short, moved, hung_up]) await harness().port.speak(call);
      const { b_channel_id } = await wait('answered', moved.channel_id);
      expect(await harness().port.armDeadline(moved.channel_id, b_channel_id, 300)).toBe('done');
      await wait('ended', moved.channel_id, 1_000);
      await wait('answered', hung_up.channel_id);
      expect(await harness().port.hangUp(hung_up.channel_id, 16)).toBe('done');
      await wait('ended', hung_up.channel_id);
      const answered = await wait('answered', short.channel_id);
      const ended = await wait('ended', short.channel_id);
      expect(Math.abs(ended.at_ms - answered.at_ms - 1_500)).toBeLessThanOrEqual(harness().tolerance_ms);
    });

    const failures: [TargetName, Partial<EventOf<'attempt_failed'>['failure']>][] = [
      ['busy', { cause: 17, sip_status: 486, responded: true, timed_out: false }],
      ['unavailable', { sip_status: 503, responded: true, timed_out: false }],
      ['not_found', { cause: 1, sip_status: 404, timed_out: false }],
      ['rings', { sip_status: null, responded: true, unreachable: false, timed_out: true }],
      ['silent', { sip_status: null, responded: false }],
    ];
    for (const [target, failure] of failures) {
      it(`tells why nobody answered: ${target}`, async () => {
        const call = spoken(target, { ring_timeout_ms: 1_000 });
        await harness().port.speak(call);
        const failed = await wait('attempt_failed', call.channel_id);
        expect(failed).toMatchObject({ call_id: call.call_id, attempt: 1, failure });
        await wait('ended', call.channel_id);
        expect((await wait('recorded', call.channel_id)).record.answered_at_us).toBeNull();
        expect(seen('answered', call.channel_id)).toBeUndefined();
        expect(await harness().port.list()).toEqual([]);
      });
    }

    it('over a trunk that is not there reaches nobody', async () => {
      const call = spoken('answers', { trunk: 'trunk-nowhere', number: '999' });
      await harness().port.speak(call);
      expect((await wait('attempt_failed', call.channel_id)).failure).toMatchObject({ unreachable: true });
      await wait('ended', call.channel_id);
    });

    it('may withhold the caller number', async () => {
      const call = spoken('answers', { caller_number: null });
      await harness().port.speak(call);
      await wait('answered', call.channel_id);
      await harness().port.hangUp(call.channel_id, 16);
      await wait('ended', call.channel_id);
    });
  });
}
