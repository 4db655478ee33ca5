import { beforeEach, describe, expect, it } from 'vitest';
import type { QueuedTexts } from '../../domain/texts/queued_texts.ts';
import { QueueRoom } from './queue_room.ts';

/** What the database has, and what stands in its way. */
let queued: QueuedTexts[] = [];
let asked = 0;
let answer: () => Promise<readonly QueuedTexts[]>;
let now_ms = 0;
let room: QueueRoom;
let faults: unknown[] = [];

const of = (account_id: string, waiting: number, scheduled = 0): QueuedTexts => ({ account_id, waiting, scheduled });

beforeEach(() => {
  [queued, asked, now_ms, faults] = [[], 0, 0, []];
  answer = () => Promise.resolve(queued);
  room = new QueueRoom({
    ...{ texts_max: 10, account_texts_max: 4, monotonic: () => now_ms },
    onFault: (error) => faults.push(error),
    count: () => {
      asked += 1;
      return answer();
    },
  });
});

function accept(account_id: string, times: number, is_scheduled = false): void {
  for (let n = 0; n < times; n += 1) {
    room.enters(account_id, is_scheduled);
    room.stored(account_id, is_scheduled, true);
  }
}

describe('there is room', () => {
  it('until as many wait as may, of the account and in all', async () => {
    queued = [of('a', 3), of('b', 4), of('c', 2)];
    await room.count();
    expect([room.texts, room.account_texts_most]).toEqual([9, 4]);
    expect(['a', 'b', 'c', 'new'].map((one) => room.lacks(one, false))).toEqual([
      null,
      'account_queue_full',
      null,
      null,
    ]);
    accept('new', 1);
    expect(['a', 'b', 'new'].map((one) => room.lacks(one, false))).toEqual([
      'queue_full',
      'account_queue_full',
      'queue_full',
    ]);
  });

  it('for as many at once as there are places, before any of them is stored', () => {
    for (let n = 0; n < 4; n += 1) {
      expect(room.lacks('a', false)).toBeNull();
      room.enters('a', false);
    }
    expect(room.lacks('a', false)).toBe('account_queue_full');
    // One is refused by the database, and one held for a person.
    room.stored('a', false, false);
    expect([room.lacks('a', false), room.texts]).toEqual([null, 3]);
  });

  it('again as soon as one is on its way', () => {
    accept('a', 4);
    expect(room.lacks('a', false)).toBe('account_queue_full');
    room.left('a');
    expect([room.lacks('a', false), room.texts]).toEqual([null, 3]);
  });

  it('for what is scheduled while its account has some, however much waits in all', async () => {
    queued = [of('a', 0, 3), ...['b', 'c', 'd', 'e', 'f'].map((one) => of(one, 2))];
    await room.count();
    expect([room.texts, room.account_texts_most]).toEqual([10, 3]);
    expect([room.lacks('a', false), room.lacks('a', true)]).toEqual(['queue_full', null]);
    accept('a', 1, true);
    expect([room.lacks('a', true), room.texts]).toEqual(['account_queue_full', 10]);
    // Their time has come.
    queued = [of('a', 4)];
    await room.count();
    expect(room.texts).toBe(4);
  });
});

describe('a count', () => {
  it('forgets what came and went before it, and nothing of what comes while it is under way', async () => {
    accept('a', 3);
    room.enters('a', false);
    let tell: (rows: QueuedTexts[]) => void = () => undefined;
    answer = () => new Promise((resolve) => (tell = resolve));
    const counting = room.count();
    room.stored('a', false, true);
    accept('b', 2);
    expect(room.texts).toBe(6);
    // It saw that two of the three had been taken back, and not the one that was on its way.
    tell([of('a', 1)]);
    await counting;
    expect([room.texts, room.account_texts_most]).toEqual([4, 2]);
    answer = () => Promise.resolve([]);
    await room.count();
    expect([room.texts, room.account_texts_most]).toEqual([0, 0]);
  });

  it('that failed leaves what was known, and counts what came since once', async () => {
    queued = [of('a', 1)];
    await room.count();
    accept('a', 1);
    answer = () => Promise.reject(new Error('away'));
    await room.count();
    expect(faults).toEqual([new Error('away')]);
    accept('a', 1);
    expect(room.texts).toBe(3);
    answer = () => Promise.resolve([of('a', 3)]);
    await room.count();
    expect(room.texts).toBe(3);
  });

  it('that took long is not asked for again before the database has rested', async () => {
    answer = () => {
      now_ms += 1_000;
      return Promise.resolve(queued);
    };
    await room.count();
    now_ms += 19_999;
    await room.count();
    expect(asked).toBe(1);
    now_ms += 1;
    await room.count();
    expect(asked).toBe(2);
  });
});

it('less than nothing never waits, whatever leaves', async () => {
  for (let n = 0; n < 5; n += 1) room.left('a');
  expect([room.texts, room.account_texts_most]).toEqual([0, 0]);
  await room.count();
  accept('a', 4);
  expect(room.lacks('a', false)).toBe('account_queue_full');
});
