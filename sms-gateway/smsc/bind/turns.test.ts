import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

it('works of one key wait for each other, those of another do not, and nothing is left of them', async () => {
  const turns = new Turns();
  const told: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => (): Promise<string> => {
    told.push(`${name} begins`);
    return new Promise((resolve) => ends.push(() => resolve(name)));
  };
  const [first, second, other] = [turns.take('a', work('1')), turns.take('a', work('2')), turns.take('b', work('3'))];
  await new Promise(setImmediate);
  expect(told).toEqual(['1 begins', '3 begins']);
  expect(turns.size).toBe(2);
  ends[0]?.();
  expect(await first).toBe('1');
  await new Promise(setImmediate);
  expect(told).toEqual(['1 begins', '3 begins', '2 begins']);
  for (const end of ends) end();
  expect(await Promise.all([second, other])).toEqual(['2', '3']);
  expect(turns.size).toBe(0);
});

it('a work that fails fails for whoever asked for it, and the next one has its turn', async () => {
  const turns = new Turns();
  const failing = turns.take('a', () => Promise.reject(new Error('no')));
  const next = turns.take('a', () => Promise.resolve('yes'));
  await expect(failing).rejects.toThrow('no');
  expect(await next).toBe('yes');
  expect(turns.size).toBe(0);
});
