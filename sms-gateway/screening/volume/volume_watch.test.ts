import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TextVolume } from '../../../domain/texts/screening/text_volumes.ts';
import { VOLUME_DEFAULTS } from './volume_settings.ts';
import { VolumeWatch } from './volume_watch.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = Date.UTC(2026, 0, 15);
/** What an account may send in a day; a hundredth of it, a thousand, is never too sudden. */
const DAY_MAX = 100_000;

interface Sender {
  watch: VolumeWatch;
  now_ms: number;
}
const sender = (): Sender => ({ watch: new VolumeWatch(VOLUME_DEFAULTS), now_ms: START });

/** Sends so many over so long; says how many of them were held. */
function send(one: Sender, texts: number, within_ms: number, account = 'a'): number {
  let held = 0;
  for (let text = 0; text < texts; text += 1) {
    one.now_ms += within_ms / texts;
    if (one.watch.judge(account, DAY_MAX, one.now_ms).kind === 'hold') held += 1;
    else one.watch.passed(account, one.now_ms);
  }
  return held;
}

describe('an account', () => {
  it('that grows by a third each day, and then sends about as much each day, is not held, at whichever hours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4_000 }), fc.integer({ min: 1, max: 24 }), (texts, hours) => {
        const one = sender();
        for (let day = 0; day < 20; day += 1) {
          expect(send(one, Math.min(texts, Math.floor(400 * 1.3 ** day)), hours * HOUR_MS)).toBe(0);
          one.now_ms += DAY_MS - hours * HOUR_MS;
        }
      }),
      { numRuns: 100 },
    );
  });

  it('that writes to its customers once a week, all within an hour where it used to take days, is not held', () => {
    const one = sender();
    for (let day = 0; day < 56; day += 1) expect(send(one, 700, DAY_MS)).toBe(0);
    for (let week = 0; week < 6; week += 1) {
      expect(send(one, 5_000, HOUR_MS)).toBe(0);
      one.now_ms += 7 * DAY_MS - HOUR_MS;
    }
  });

  it('that never sends much is held when it sends thousands, however slowly within half a day', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 60_000, max: 12 * HOUR_MS }),
        (usual, within_ms) => {
          const one = sender();
          for (let day = 0; day < 14; day += 1) {
            expect(send(one, usual, 10 * HOUR_MS)).toBe(0);
            one.now_ms += 14 * HOUR_MS;
          }
          expect(send(one, 10_000, within_ms)).toBeGreaterThan(5_000);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('that is new is held when it begins with thousands within hours, and not when it takes days for them', () => {
    const sudden = sender();
    const held = send(sudden, 4_000, HOUR_MS);
    expect(held).toBeLessThanOrEqual(3_000);
    // What fades meanwhile lets some more through.
    expect(held).toBeGreaterThan(2_900);
    const grows = sender();
    expect(send(grows, 4_000, 4 * DAY_MS)).toBe(0);
  });

  it('that was held goes on as far as what it sent is forgotten', () => {
    const one = sender();
    send(one, 2_000, HOUR_MS);
    expect(one.watch.judge('a', DAY_MAX, one.now_ms).kind).toBe('hold');
    one.now_ms += 6 * HOUR_MS;
    expect(one.watch.judge('a', DAY_MAX, one.now_ms).kind).toBe('pass');
  });

  it('is watched by itself', () => {
    const one = sender();
    send(one, 2_000, HOUR_MS);
    expect(send(one, 500, HOUR_MS, 'b')).toBe(0);
  });
});

describe('what is usual', () => {
  /** As a new process finds it. */
  function restarted({ watch }: Sender): { watch: VolumeWatch; saved: TextVolume[] } {
    const saved = watch.toSave(100);
    const next = new VolumeWatch(VOLUME_DEFAULTS);
    for (const volume of saved) next.learn(volume);
    return { watch: next, saved };
  }

  it('is the same after a restart', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 0, max: 3 * DAY_MS }), (texts, pause_ms) => {
        const one = sender();
        send(one, texts, DAY_MS);
        const { watch } = restarted(one);
        const later = one.now_ms + pause_ms;
        for (const each of [one.watch, watch]) {
          for (let text = 0; text < 1_200; text += 1) each.passed('a', later);
        }
        expect(watch.judge('a', DAY_MAX, later)).toEqual(one.watch.judge('a', DAY_MAX, later));
      }),
    );
  });

  it('is saved once for each change, and once more where it could not be', () => {
    const one = sender();
    expect(one.watch.toSave(10)).toEqual([]);
    for (const account of ['a', 'b', 'c']) send(one, 1, 1, account);
    const first = one.watch.toSave(2);
    expect(first.map(({ account_id }) => account_id)).toEqual(['a', 'b']);
    expect(one.watch.toSave(2).map(({ account_id }) => account_id)).toEqual(['c']);
    expect(one.watch.toSave(2)).toEqual([]);
    one.watch.unsaved(first);
    expect(one.watch.toSave(2)).toEqual(first);
    one.watch.judge('a', DAY_MAX, one.now_ms);
    expect(one.watch.toSave(2)).toEqual([]);
  });

  it('is learned for those who are not watched yet, and of a clock that was set back nothing fades', () => {
    const one = sender();
    send(one, 10, 1);
    const [volume] = one.watch.toSave(1);
    if (volume === undefined) throw new Error('Nothing is to be saved.');
    one.watch.learn({ ...volume, lately: 1e6 });
    expect(one.watch.judge('a', DAY_MAX, one.now_ms - DAY_MS).kind).toBe('pass');
  });

  it('is known of so many accounts at most: who sent nothing since the others were saved is forgotten first', () => {
    const watch = new VolumeWatch({ ...VOLUME_DEFAULTS, accounts_max: 2 });
    const one = { watch, now_ms: START };
    send(one, 2_000, HOUR_MS, 'busy');
    send(one, 1, 1, 'quiet');
    watch.toSave(10);
    send(one, 1, 1, 'busy');
    watch.toSave(10);
    send(one, 1, 1, 'new');
    expect(watch.size).toBe(2);
    expect(send(one, 500, 1, 'busy')).toBeGreaterThan(450);
  });
});
