import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batch, Outage } from './batch.ts';

/** A database that is told when to answer, and how. */
class Desk {
  readonly asked: (readonly number[])[] = [];
  #answer: ((error?: Error) => void) | null = null;

  run = (items: readonly number[]): Promise<readonly number[]> => {
    this.asked.push(items);
    return new Promise((resolve, reject) => {
      this.#answer = (error) => {
        this.#answer = null;
        if (error === undefined) resolve(items.map((item) => item * 2));
        else reject(error);
      };
    });
  };

  async answer(error?: Error): Promise<void> {
    while (this.#answer === null) await setImmediate();
    this.#answer(error);
  }
}

function postgresError(code: string): Error {
  return Object.assign(new Error(`SQLSTATE ${code}`), { code });
}

describe('a batch', () => {
  it('sends together what came together, and what came meanwhile next', async () => {
    const desk = new Desk();
    const batch = new Batch(desk.run);
    const first = [batch.push(1), batch.push(2)];
    while (desk.asked.length === 0) await setImmediate();
    const second = [batch.push(3), batch.push(4)];
    await desk.answer();
    await desk.answer();
    expect(await Promise.all([...first, ...second])).toEqual([2, 4, 6, 8]);
    expect(desk.asked).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('never asks two questions at a time', async () => {
    let [open, most] = [0, 0];
    const batch = new Batch<number, number>(async (items) => {
      open += 1;
      most = Math.max(most, open);
      await setImmediate();
      open -= 1;
      return items;
    });
    const answers: Promise<number>[] = [];
    for (let n = 0; n < 50; n += 1) {
      answers.push(batch.push(n));
      await setImmediate();
    }
    expect(await Promise.all(answers)).toHaveLength(50);
    expect(most).toBe(1);
  });

  it('is no longer than it may be', async () => {
    const sizes: number[] = [];
    const batch = new Batch<number, number>(
      (items) => {
        sizes.push(items.length);
        return Promise.resolve(items);
      },
      { size_max: 3 },
    );
    await Promise.all([1, 2, 3, 4, 5, 6, 7].map((n) => batch.push(n)));
    expect(sizes).toEqual([3, 3, 1]);
  });

  it('that lingers gathers what comes within that time, after each answer anew', async () => {
    const sizes: number[] = [];
    const batch = new Batch<number, number>(
      (items) => {
        sizes.push(items.length);
        return Promise.resolve(items);
      },
      { linger_ms: 20, size_max: Infinity },
    );
    const answers: Promise<number>[] = [];
    const until_ms = performance.now() + 200;
    while (performance.now() < until_ms) {
      answers.push(batch.push(answers.length));
      await setImmediate();
    }
    await Promise.all(answers);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(answers.length);
    expect(sizes.length).toBeLessThanOrEqual(Math.ceil(220 / 20));
  });

  it('that lingers waits for nobody when it is full', async () => {
    const sizes: number[] = [];
    const batch = new Batch<number, number>(
      (items) => {
        sizes.push(items.length);
        return Promise.resolve(items);
      },
      { linger_ms: 3_600_000, size_max: 2 },
    );
    await Promise.all([1, 2, 3, 4].map((n) => batch.push(n)));
    expect(sizes).toEqual([2, 2]);
  });

  it('that lingers is hurried by whoever waits for it, also while the one before is under way', async () => {
    const desk = new Desk();
    const batch = new Batch(desk.run, { linger_ms: 3_600_000 });
    const first = batch.push(1);
    batch.hurry();
    while (desk.asked.length === 0) await setImmediate();
    const second = batch.push(2);
    batch.hurry();
    await desk.answer();
    expect(await first).toBe(2);
    await desk.answer();
    expect(await second).toBe(4);
  });

  it('lingers again after it was hurried', async () => {
    const desk = new Desk();
    const batch = new Batch(desk.run, { linger_ms: 3_600_000 });
    // Nobody is waited for.
    batch.hurry();
    const first = batch.push(1);
    await setImmediate();
    expect(desk.asked).toEqual([]);
    batch.hurry();
    await desk.answer();
    await first;
    const second = [batch.push(2)];
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    expect(desk.asked).toEqual([[1]]);
    second.push(batch.push(3));
    batch.hurry();
    await desk.answer();
    await Promise.all(second);
    expect(desk.asked).toEqual([[1], [2, 3]]);
  });

  it('tells everybody of an outage, and goes on when it is over', async () => {
    const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    for (const away of [new Error('connect ECONNREFUSED'), broken, postgresError('57P01'), postgresError('53300')]) {
      const desk = new Desk();
      const batch = new Batch(desk.run);
      const lost = Promise.allSettled([batch.push(1), batch.push(2)]);
      await desk.answer(away);
      for (const result of await lost) expect(result).toMatchObject({ status: 'rejected', reason: { name: 'Outage' } });
      const next = batch.push(5);
      await desk.answer();
      expect(await next).toBe(10);
    }
  });

  it('finds the item that spoils it, and answers the others', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.record({ item: fc.nat(), bad: fc.boolean() }), { maxLength: 12 }), async (all) => {
        const bad = new Set(all.filter((one) => one.bad).map(({ item }) => item));
        const batch = new Batch<number, number>((items) =>
          items.some((item) => bad.has(item))
            ? Promise.reject(postgresError('23514'))
            : Promise.resolve(items.map((item) => item + 1)),
        );
        const results = await Promise.allSettled(all.map(({ item }) => batch.push(item)));
        for (const [n, result] of results.entries()) {
          const item = all[n]?.item ?? -1;
          if (!bad.has(item)) expect(result).toEqual({ status: 'fulfilled', value: item + 1 });
          else {
            expect(result).toMatchObject({ status: 'rejected', reason: { code: '23514' } });
            expect((result as PromiseRejectedResult).reason).not.toBeInstanceOf(Outage);
          }
        }
      }),
      { numRuns: 200 },
    ));
});
