import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { answer } from '../sip/carrier_script.ts';
import type { Programs } from '../runtime/machine/programs.ts';
import { talk } from '../world/talk.ts';
import { testWorld } from '../world/test_world.ts';
import { eventually } from '../world/verdict.ts';
import type { World } from '../world/world.ts';
import { Talkers } from './bad_days/talkers.ts';

let world: World;
let end: () => Promise<void>;
let talkers: Talkers;
let folder: string;
let offset_seconds = 0;

/** The switch alone lives by the other clock, as it would on a machine of its own. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letsdial-clock-'));
  await setClock();
  const programs = inject('programs');
  ({ world, end } = await testWorld({
    settings: { GRANT_SECONDS: '8' },
    programs: { ...programs, asterisk: { ...programs.asterisk, asterisk: await otherClock(programs) } },
    asterisk_env: {
      FAKETIME_TIMESTAMP_FILE: clockFile(),
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  }));
  talkers = new Talkers(world);
  world.carrier('alpha').play(answer());
}, 120_000);

afterAll(async () => {
  await end();
  await rm(folder, { recursive: true, force: true });
});

/**
 * The start script of our own Asterisk, with the library that changes the clock loaded first. Not by LD_PRELOAD: the
 * machine's own shell would load it too, whose C library is another.
 */
async function otherClock({ asterisk, libfaketime }: Programs): Promise<string> {
  const script = await readFile(asterisk.asterisk, 'utf8');
  const changed = script
    .replace('b=$0', `b='${asterisk.asterisk}'`)
    .replace('--library-path', `--preload '${libfaketime}' --library-path`);
  const file = join(folder, 'asterisk');
  await writeFile(file, changed, { mode: 0o755 });
  return file;
}

function clockFile(): string {
  return join(folder, 'clock');
}

/**
 * By a rename, for the file is read at every look at the clock, and a library that finds it empty between the truncation and
 * the write ends the switch.
 */
async function setClock(): Promise<void> {
  const whole = `${clockFile()}.new`;
  await writeFile(whole, offset_seconds < 0 ? String(offset_seconds) : `+${offset_seconds}`);
  await rename(whole, clockFile());
}

/** Seen at the switch itself, so that a test cannot pass because no clock ever stepped. */
async function step(seconds: number): Promise<void> {
  offset_seconds += seconds;
  await setClock();
  await eventually(`a clock that is ${offset_seconds} s off`, 3_000, async () => {
    const uptime = await world.asterisk.command('dialplan eval function STRFTIME(,GMT,%s)');
    const switch_seconds = Number(/Result: (\d+)/u.exec(uptime)?.[1]);
    return Math.abs(switch_seconds - Date.now() / 1000 - offset_seconds) < 1.5 ? true : null;
  });
}

describe("a step of the switch's wall clock", () => {
  it.each([2, -5])(
    'of %i s ends no call sooner or later than it is paid for',
    async (seconds) => {
      const runs_dry = await talkers.talker(6_500n);
      const renews = await talkers.talker(1_000_000n);
      await talk(runs_dry.call, 1_000);
      await step(seconds);
      expect((await runs_dry.call.ended(12_000)).by).toBe('remote');
      expect(world.talked(runs_dry.call).most_ms).toBeGreaterThan(5_750);
      expect(world.talked(runs_dry.call).least_ms).toBeLessThan(6_100);
      await talk(renews.call, 9_300);
      expect(renews.call.isLive).toBe(true);
      await renews.call.bye();
      await talkers.expectTalked(runs_dry, 'monotonic');
      await talkers.expectTalked(renews, 'monotonic');
      await talkers.nothingIsLeft();
    },
    60_000,
  );

  it.each([3_600, -3_600])(
    'of %i s is no second that anybody pays for',
    async (seconds) => {
      const one = await talkers.talker(1_000_000n);
      await talk(one.call, 1_300);
      await step(seconds);
      await talk(one.call, 2_600);
      if (one.call.isLive) await one.call.bye();
      await talkers.expectTalked(one, 'monotonic');
      const next = await talkers.talker(1_000_000n);
      await talk(next.call, 1_300);
      await next.call.bye();
      await talkers.expectTalked(next);
      await talkers.nothingIsLeft();
    },
    60_000,
  );
});
