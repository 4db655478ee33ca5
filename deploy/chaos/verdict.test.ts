import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { answeredBySwitch } from './switch_view.ts';
import { passed } from './verdict.ts';
import type { ChaosFindings, ChaosVerdict } from './verdict.ts';

const verdict: ChaosVerdict = {
  kills: 1,
  calls: 2,
  settled_exactly_once: 2,
  unsettled: 0,
  settled_twice: 0,
  overspend_micros: 0,
  orphan_channels: 0,
  hangup_lateness_ms_p99: 1000,
};

const findings: ChaosFindings = {
  duration_difference_ms_max: 0,
  cut_off: 1,
  cut_off_alone: 0,
  hangup_lateness_ms_max: 0,
  hung_up_unheard: 0,
  unsettled: [],
  unsettled_by_switch: [],
  switch_difference_ms_max: 0,
  recorded_difference_ms_max: 500,
  operator_loss_micros: 0n,
  by_duration_source: {},
  broken_invariants: [],
};

describe('a chaos run', () => {
  it('passes when nothing is wrong', () => {
    expect(passed({ verdict, findings })).toBe(true);
  });

  it.each<Partial<ChaosVerdict>>([
    { unsettled: 1 },
    { settled_twice: 1 },
    { overspend_micros: 1 },
    { orphan_channels: 1 },
    { hangup_lateness_ms_p99: 1001 },
    { calls: 0 },
  ])('fails with %o', (wrong) => {
    expect(passed({ verdict: { ...verdict, ...wrong }, findings })).toBe(false);
  });

  it('fails when the books are broken, or no call ran out of money, which would prove nothing', () => {
    const broken_invariants = [{ name: 'held is the sum of open holds', broken: 1 }];
    expect(passed({ verdict, findings: { ...findings, broken_invariants } })).toBe(false);
    expect(passed({ verdict, findings: { ...findings, cut_off: 0 } })).toBe(false);
  });

  it('fails when a call that was settled from the switch’s record lasted otherwise', () => {
    expect(passed({ verdict, findings: { ...findings, recorded_difference_ms_max: 501 } })).toBe(false);
  });
});

describe("the switch's own records", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'letsdial-records-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('say how long each answered call of ours lasted', async () => {
    const file = join(folder, 'calls.csv');
    const lines = [
      'one*1,a.0,1700000000.000000,1700000001.250000,1700000003.500000,8,0,x',
      'one*2,a.0,1700000000.000000,0.000000,1700000003.500000,2,0,x',
      'two*1,a.1,1700000000.000000,0.000000,1700000003.500000,1,0,x',
      ',a.2,1700000000.000000,1700000001.250000,1700000003.500000,8,0,x',
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    expect([...(await answeredBySwitch(file))]).toEqual([['one', 2250]]);
  });
});
