import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rotateRecords } from '../../controller/reconcile/rotate_records.ts';
import { leaseName } from '../../domain/lease/lease_keeper.ts';
import { answer, ring } from '../sip/carrier_script.ts';
import { monotonicMs } from '../sip/clock.ts';
import { killed, untilHealth } from '../world/processes.ts';
import { talk } from '../world/talk.ts';
import { testWorld } from '../world/test_world.ts';
import { eventually } from '../world/verdict.ts';
import type { World } from '../world/world.ts';
import { Talkers } from './bad_days/talkers.ts';

let world: World;
let end: () => Promise<void>;
let talkers: Talkers;

beforeAll(async () => {
  ({ world, end } = await testWorld({ settings: { GRANT_SECONDS: '20' } }));
  talkers = new Talkers(world);
}, 120_000);

afterAll(async () => {
  await end();
});

/** What the portal's status goes by. */
const saysThatItWorks = (works: boolean): Promise<true> =>
  eventually(`the controller to say that it ${works ? 'works' : 'is cut off'}`, 5_000, async () => {
    const { rowCount } = await world.pool.query(
      'select 1 from pg_stat_activity where datname = current_database() and application_name = $1',
      [leaseName('controller', works)],
    );
    return rowCount === 1 ? true : null;
  });

it('a switch that is killed: calls are settled once from what is known, and the next switch begins empty', async () => {
  const silent = '+442071838751';
  world.carrier('alpha').play(answer());
  world.carrier('alpha').play(ring(), silent);
  const ended_before = await talkers.talker(1_000_000n);
  const talks = await talkers.talker(1_000_000n);
  const small = await talkers.talker(4_500n);
  const rings = await talkers.dial(1_000_000n, silent);
  await rings.call.ringing();
  await talk(ended_before.call, 1_300);
  await ended_before.call.bye();
  await talk(talks.call, 2_300);
  const killed_at_ms = monotonicMs();
  await killed(world.asterisk);
  // Its connections end with the last of its threads, somewhere between the two.
  const gone_at_ms = monotonicMs();
  await untilHealth(world.controller.url, 503, 5_000);
  await saysThatItWorks(false);
  await world.startAsterisk();
  await untilHealth(world.controller.url, 200, 10_000);
  await saysThatItWorks(true);

  await talkers.expectTalked(ended_before);
  for (const one of [talks, small]) {
    const cdr = await talkers.oneRecord(one.customer);
    expect(cdr).toMatchObject({ result: 'answered', duration_source: 'proof_of_life', operator_loss_micros: 0n });
    const answered_at_ms = one.call.record.answered_at_ms ?? 0;
    expect(cdr.duration_ms).toBeGreaterThan(killed_at_ms - answered_at_ms - 250);
    expect(cdr.duration_ms).toBeLessThan(gone_at_ms - answered_at_ms + 250);
    expect(cdr.net_micros).toBe(BigInt(Math.ceil(cdr.duration_ms / 1000)) * 1_000n);
  }
  const unanswered = await talkers.oneRecord(rings.customer);
  expect(unanswered).toMatchObject({ duration_ms: 0, seconds_charged: 0, net_micros: 0n });
  await talkers.nothingIsLeft();

  const next = await talkers.talker(1_000_000n);
  await talk(next.call, 1_200);
  await next.call.bye();
  await talkers.expectTalked(next);
  await talkers.nothingIsLeft();
}, 90_000);

it('records that are put aside while calls are up: each of them is settled by its record', async () => {
  world.carrier('alpha').play(answer());
  const [before, within] = [await talkers.talker(1_000_000n), await talkers.talker(1_000_000n)];
  await talk(before.call, 1_100);
  await before.call.bye();
  const file = join(world.home, 'asterisk/cdr/calls.csv');
  await rotateRecords(file, new Date(), 7);
  await talk(within.call, 1_500);
  await within.call.bye();
  const after = await talkers.talker(1_000_000n);
  await talk(after.call, 1_100);
  await after.call.bye();
  for (const one of [before, within, after]) await talkers.expectTalked(one);
  const names = await readdir(dirname(file));
  expect(names.filter((name) => name.startsWith('calls.csv'))).toHaveLength(2);
});
