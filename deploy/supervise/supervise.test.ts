import { expect, test } from 'vitest';
import type { Running } from '../runtime/running.ts';
import { Outage } from '../runtime/outage.ts';
import type { Part } from './part.ts';
import { supervise } from './supervise.ts';
import type { Surroundings } from './supervise.ts';

interface Stage {
  log: string[];
  world: Surroundings;
  signal: (at_ms: number) => void;
  part: (
    name: string,
    options?: { died?: Promise<Error>; start?: () => Promise<void>; stop?: () => Promise<void> },
  ) => Part;
}

function stage(): Stage {
  const log: string[] = [];
  let heard = (): void => undefined;
  let clock_ms = 0;
  const world: Surroundings = {
    onSignal: (handler) => (heard = handler),
    now_ms: () => clock_ms,
    say: () => undefined,
    complain: (line) => void log.push(`! ${line}`),
    exit: (code) => void log.push(`exit ${code}`),
  };
  return {
    log,
    world,
    signal: (at_ms) => {
      clock_ms = at_ms;
      heard();
    },
    part: (name, options = {}) => ({
      name,
      start: async (): Promise<Running> => {
        await options.start?.();
        log.push(`+${name}`);
        return {
          describe: name,
          stop: async () => {
            await options.stop?.();
            log.push(`-${name}`);
          },
          kill: () => void log.push(`x${name}`),
          died: options.died ?? new Promise(() => undefined),
        };
      },
    }),
  };
}

test('parts start in order and stop in reverse when asked to', async () => {
  const { log, world, signal, part } = stage();
  const code = await supervise(async (begin) => {
    for (const name of ['a', 'b', 'c']) await begin(part(name));
    signal(0);
  }, world);
  expect(log).toEqual(['+a', '+b', '+c', '-c', '-b', '-a']);
  expect(code).toBe(0);
});

test('a part that dies stops all the others, with its reason and a non-zero exit', async () => {
  const { log, world, part } = stage();
  let die: (reason: Error) => void = () => undefined;
  const died = new Promise<Error>((resolve) => (die = resolve));
  const code = await supervise(async (begin) => {
    await begin(part('a', { died }));
    await begin(part('b'));
    die(new Outage('a is gone'));
  }, world);
  expect(log).toEqual(['+a', '+b', '-b', '-a', '! a is gone']);
  expect(code).toBe(1);
});

test('a part that cannot start leaves nothing running', async () => {
  const { log, world, part } = stage();
  const code = await supervise(async (begin) => {
    await begin(part('a'));
    await begin(part('b', { start: () => Promise.reject(new Outage('the port of b is taken')) }));
    await begin(part('c'));
  }, world);
  expect(log).toEqual(['+a', '-a', '! the port of b is taken']);
  expect(code).toBe(1);
});

test('a signal while parts start begins no further one', async () => {
  const { log, world, signal, part } = stage();
  const code = await supervise(async (begin) => {
    await begin(part('a'));
    signal(0);
    await begin(part('b'));
  }, world);
  expect(log).toEqual(['+a', '-a']);
  expect(code).toBe(0);
});

test('the same wish heard twice is one, a later second one kills', async () => {
  const { log, world, signal, part } = stage();
  let stopped = (): void => undefined;
  const slow = new Promise<void>((resolve) => (stopped = resolve));
  const code = await supervise(async (begin) => {
    await begin(part('a', { stop: () => slow }));
    signal(1000);
    signal(1100);
    expect(log).toEqual(['+a']);
    signal(2000);
    expect(log).toEqual(['+a', 'xa', 'exit 130']);
    stopped();
  }, world);
  expect(code).toBe(0);
});

test('a part that fails to stop is killed, and the others stop all the same', async () => {
  const { log, world, signal, part } = stage();
  const code = await supervise(async (begin) => {
    await begin(part('a'));
    await begin(part('b', { stop: () => Promise.reject(new Outage('b hangs')) }));
    signal(0);
  }, world);
  expect(log).toEqual(['+a', '+b', 'xb', '! b did not stop in good order and was killed: b hangs', '-a']);
  expect(code).toBe(1);
});
