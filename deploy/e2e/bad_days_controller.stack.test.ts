import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WAITING_APPLICATION } from '../../dialplan/asterisk/contract.ts';
import { answer, ring } from '../sip/carrier_script.ts';
import { topUpNow } from '../world/people.ts';
import { healthStatus, killed, signals, untilHealth } from '../world/processes.ts';
import { talk } from '../world/talk.ts';
import { testWorld } from '../world/test_world.ts';
import { cdrsOf, eventually, walletOf } from '../world/verdict.ts';
import type { World } from '../world/world.ts';
import { Talkers } from './bad_days/talkers.ts';

let world: World;
let end: () => Promise<void>;
let talkers: Talkers;

beforeAll(async () => {
  // Long grants: what lives on while nobody renews is the point here.
  ({ world, end } = await testWorld({ settings: { GRANT_SECONDS: '20' } }));
  talkers = new Talkers(world);
}, 120_000);

afterAll(async () => {
  await end();
});

describe('a controller that is killed', () => {
  it('leaves calls that live on, end on time, and are settled by the next one', async () => {
    world.carrier('alpha').play(answer());
    world.carrier('alpha').play(ring(), '+442071838751');
    const goes_on = await talkers.talker(1_000_000n);
    const hangs_up = await talkers.talker(1_000_000n);
    const runs_dry = await talkers.talker(4_500n);
    const rings = await talkers.dial(1_000_000n, '+442071838751');
    await rings.call.ringing();
    const far = await eventually('the ringing call at the carrier', 5_000, () => {
      const live = world.carrier('alpha').liveCalls.find(({ record }) => record.number === '+442071838751');
      return live ?? null;
    });
    signals.freeze(world.controller.pid);
    const undecided = await talkers.dial(1_000_000n);
    await eventually('the undecided call in the switch', 5_000, async () =>
      (await world.asterisk.command('core show channels concise')).includes(`!${WAITING_APPLICATION}!`) ? true : null,
    );
    await killed(world.controller);
    const refused = await talkers.dial(1_000_000n);
    expect((await refused.call.ended()).status).toBe(503);
    await hangs_up.call.bye();
    expect((await runs_dry.call.ended(8_000)).by).toBe('remote');
    expect(world.talked(runs_dry.call).most_ms).toBeGreaterThan(3_800);
    expect(world.talked(runs_dry.call).least_ms).toBeLessThan(4_060);

    await world.startController({ log: 'next.log' });
    await undecided.call.ended();
    expect(undecided.call.record.answered_at_ms).toBeUndefined();
    expect(goes_on.call.isLive).toBe(true);
    expect(rings.call.isLive).toBe(true);
    await (far as { answer?: () => Promise<boolean> }).answer?.();
    await talk(rings.call, 1_200);
    await rings.call.bye();
    await goes_on.call.bye();
    for (const one of [goes_on, hangs_up, runs_dry, rings]) await talkers.expectTalked(one);
    expect(await walletOf(world.pool, undecided.customer.wallet_id)).toMatchObject({ held_micros: 0n, open_calls: 0 });
    await talkers.nothingIsLeft();
  }, 60_000);

  it('is followed by one that renews what it adopts', async () => {
    await world.stopControllers();
    await world.startController({ settings: { GRANT_SECONDS: '9' } });
    world.carrier('alpha').play(answer());
    const one = await talkers.talker(13_500n);
    await killed(world.controller);
    await world.startController({ settings: { GRANT_SECONDS: '9' } });
    expect((await one.call.ended(20_000)).by).toBe('remote');
    // Nine seconds were held before, and thirteen are paid for.
    expect(world.talked(one.call).most_ms).toBeGreaterThan(12_800);
    expect(world.talked(one.call).least_ms).toBeLessThan(13_060);
    await talkers.expectTalked(one);
    await talkers.nothingIsLeft();
  }, 60_000);
});

describe('two controllers', () => {
  it('are one that drives and one that stands by and takes over', async () => {
    await world.stopControllers();
    const first = await world.startController();
    const second = await world.startController({ standby: true, log: 'standby.log' });
    expect(await healthStatus(second.url)).toBe(503);
    expect(await healthStatus(first.url)).toBe(200);
    const one = await talkers.talker(1_000_000n);
    await killed(first);
    await untilHealth(second.url, 200, 15_000);
    expect(one.call.isLive).toBe(true);
    const another = await talkers.talker(1_000_000n);
    await one.call.bye();
    await another.call.bye();
    await talkers.expectTalked(one);
    await talkers.expectTalked(another);
    await talkers.nothingIsLeft();
  }, 60_000);

  it('never both act: one that was frozen and thawed changes nothing and ends', async () => {
    await world.stopControllers();
    const old = await world.startController({ settings: { GRANT_SECONDS: '9' }, log: 'old.log' });
    const next = await world.startController({ standby: true, settings: { GRANT_SECONDS: '9' }, log: 'next.log' });
    const one = await talkers.talker(1_000_000n);
    signals.freeze(old.pid);
    await untilHealth(next.url, 200, 20_000);
    // The old one hears of it when it is thawed, and must not take it for its own.
    const another = await talkers.talker(1_000_000n);
    // Beyond the deadline that the old one knew of: had it the right to, it would hang up now.
    await talk(one.call, 12_000);
    expect(one.call.isLive).toBe(true);
    signals.thaw(old.pid);
    expect((await old.died).message).toContain('ended with code 1');
    const told = await readFile(join(world.home, 'log/old.log'), 'utf8');
    expect(told).toContain('Another controller took the switch over');
    await talk(one.call, 13_500);
    expect([one.call.isLive, another.call.isLive]).toEqual([true, true]);
    for (const talker of [one, another]) {
      await talker.call.bye();
      await talkers.expectTalked(talker);
    }
    await talkers.nothingIsLeft();
  }, 60_000);
});

/** A signal is heard when the process comes to it: until then it takes calls, as it may. */
async function untilDraining(log: string): Promise<void> {
  const file = join(world.home, 'log', log);
  await eventually('the drain', 5_000, async () =>
    (await readFile(file, 'utf8')).includes('"msg":"draining"') ? true : null,
  );
}

describe('a controller that is asked to stop', () => {
  it('takes no new call, lets live ones settle, and ends with 0', async () => {
    await world.stopControllers();
    const draining = await world.startController({ settings: { DRAIN_MS: '4000' }, log: 'once.log' });
    const ends_itself = await talkers.talker(1_000_000n);
    const is_ended = await talkers.talker(1_000_000n);
    signals.askToStop(draining.pid);
    await untilDraining('once.log');
    const late = await talkers.dial(1_000_000n);
    await late.call.earlyMedia();
    await late.call.hears('voice', 5_000);
    await talk(ends_itself.call, 2_000);
    await ends_itself.call.bye();
    expect((await is_ended.call.ended(8_000)).by).toBe('remote');
    expect((await draining.died).message).toContain('ended with code 0');
    await talkers.expectTalked(ends_itself);
    await talkers.expectTalked(is_ended);
    expect(late.call.record.answered_at_ms).toBeUndefined();
    expect(await cdrsOf(world.pool, late.customer.account_id)).toMatchObject([{ refusal: 'draining', blame: 'us' }]);
    await world.startController();
    await talkers.nothingIsLeft();
  }, 60_000);

  it('ends at once when it is asked twice, and the next one goes on with its calls', async () => {
    await world.stopControllers();
    const draining = await world.startController({ settings: { DRAIN_MS: '30000' }, log: 'twice.log' });
    const one = await talkers.talker(1_000_000n);
    signals.askToStop(draining.pid);
    await untilDraining('twice.log');
    signals.askToStop(draining.pid);
    expect((await draining.died).message).toContain('ended with code 1');
    await world.startController();
    expect(one.call.isLive).toBe(true);
    await one.call.bye();
    await talkers.expectTalked(one);
    await talkers.nothingIsLeft();
  }, 60_000);
});

describe('a top-up that was not heard of', () => {
  it('still extends the call', async () => {
    await world.stopControllers();
    await world.startController({ settings: { GRANT_SECONDS: '3' } });
    const one = await talkers.talker(4_000n);
    await talk(one.call, 2_200);
    const cut = await world.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'letsdial listener'`,
    );
    expect(cut.rowCount).toBe(1);
    await topUpNow(world.pool, one.customer.wallet_id, 3_000n);
    await one.call.ended(12_000);
    expect(world.talked(one.call).most_ms).toBeGreaterThan(6_800);
    expect(world.talked(one.call).least_ms).toBeLessThan(7_060);
    await talkers.expectTalked(one);
    await talkers.nothingIsLeft();
  }, 60_000);
});
