import { expect, it } from 'vitest';
import { FewAtOnce } from './few_at_once.ts';

/** Works that end when they are told to. */
class Works {
  readonly begun: number[] = [];
  readonly #ends = new Map<number, (error?: Error) => void>();

  work = (n: number) => (): Promise<number> => {
    this.begun.push(n);
    return new Promise((resolve, reject) => {
      this.#ends.set(n, (error) => (error === undefined ? resolve(n) : reject(error)));
    });
  };

  async end(n: number, error?: Error): Promise<void> {
    this.#ends.get(n)?.(error);
    await new Promise(setImmediate);
  }
}

it('runs a few, lets some wait in their order, and takes no more', async () => {
  const works = new Works();
  const few = new FewAtOnce({ at_once_max: 2, waiting_max: 2 });
  const answers = [1, 2, 3, 4, 5].map((n) => few.take(works.work(n)));
  expect(answers.map((answer) => answer === null)).toEqual([false, false, false, false, true]);
  expect(works.begun).toEqual([1, 2]);
  await works.end(2);
  expect(works.begun).toEqual([1, 2, 3]);
  // A place that is free belongs to whoever waits.
  const sixth = few.take(works.work(6));
  expect(works.begun).toEqual([1, 2, 3]);
  for (const n of [1, 3, 4, 6]) await works.end(n);
  expect(works.begun).toEqual([1, 2, 3, 4, 6]);
  expect(await Promise.all([...answers, sixth])).toEqual([1, 2, 3, 4, null, 6]);
});

it('gives the place on when a work fails', async () => {
  const works = new Works();
  const few = new FewAtOnce({ at_once_max: 1, waiting_max: 1 });
  const failing = expect(few.take(works.work(1))).rejects.toThrow('no');
  const next = few.take(works.work(2));
  await works.end(1, new Error('no'));
  await failing;
  await works.end(2);
  expect(await next).toBe(2);
  expect(few.take(works.work(3))).not.toBeNull();
});
