import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readTakings } from './carrier_log.ts';

const TAG = 'tag-01234567-89ab-4cde-8f01-23456789abcd';

function submit(at: number, status = 0): object {
  return {
    ...{ at, t: 'submit', seq: 1, conn: 1, bind: 'b', from: 'a', from_ton: 1, to: '44', to_ton: 1, dc: 0, esm: 0 },
    ...{ hex: Buffer.from(`${TAG} Hello.`).toString('hex'), ref: null, rd: 1, id: 'x', status },
  };
}

it('the log of a carrier says what it took and how long it was not at work while it did', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'carrier-log-'));
  const file = join(folder, 'facts');
  const facts = [
    { at: 1_000, t: 'listen', on: false },
    { at: 5_000, t: 'listen', on: true },
    submit(9_000),
    { at: 9_070, t: 'receipt_lost', id: 'x', stat: 'DELIVRD' },
    submit(9_080, 88),
    submit(9_100),
    submit(9_160),
    // Nothing comes any more.
    { at: 20_000, t: 'listen', on: true },
  ];
  await writeFile(file, facts.map((fact) => `${JSON.stringify(fact)}\n`).join(''));
  expect(await readTakings(file)).toEqual({
    opened_at_ms: 20_000,
    takings: [9_000, 9_100, 9_160].map((at_ms) => ({ tag: TAG, at_ms })),
    pause_ms_max: 70,
  });
  await rm(folder, { recursive: true });
});
