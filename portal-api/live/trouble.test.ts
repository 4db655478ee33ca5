import pino from 'pino';
import { expect, it } from 'vitest';
import { Trouble } from './trouble.ts';

it('is told when it begins and when it is over, each time, and not between', async () => {
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line) => lines.push(line) });
  const trouble = new Trouble(log, 'the sea could not be seen');
  const bad = () => trouble.heardOf(Promise.reject(new Error('fog')));
  const good = () => trouble.heardOf(Promise.resolve());
  for (const turn of [good, bad, bad, bad, good, good, bad, good]) await turn();
  const told = lines.map((line) => JSON.parse(line) as { level: number; msg: string; failures?: number });
  const begun = { level: 40, msg: 'the sea could not be seen; it is tried each second', err: { message: 'fog' } };
  const over = { level: 30, msg: 'the sea could not be seen; that is over' };
  expect(told).toMatchObject([begun, { ...over, failures: 3 }, begun, { ...over, failures: 1 }]);
});
