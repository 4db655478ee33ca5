import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { answer } from '../sip/carrier_script.ts';
import { OwnServers } from '../world/own_servers.ts';
import { untilHealth } from '../world/processes.ts';
import { talk } from '../world/talk.ts';
import { eventually, walletOf } from '../world/verdict.ts';
import { World } from '../world/world.ts';
import { NUMBER, Talkers } from './bad_days/talkers.ts';

const GRANT_SECONDS = 20;
const BALANCE_MICROS = 1_000_000n;

let servers: OwnServers;
let world: World;
let talkers: Talkers;

beforeAll(async () => {
  const programs = inject('programs');
  servers = await OwnServers.begin(programs);
  world = await World.begin({
    programs,
    database_url: servers.postgres.url,
    redis_url: servers.valkey.url,
    settings: { GRANT_SECONDS: String(GRANT_SECONDS) },
  });
  talkers = new Talkers(world);
  world.carrier('alpha').play(answer());
}, 120_000);

// A server that stays frozen would hold up every end.
afterEach(() => servers.thawPostgres());

afterAll(async () => {
  await world.end();
  await servers.end();
});

interface Outage {
  name: string;
  begin: () => Promise<void>;
  end: () => Promise<void>;
}

/** Connections stay open, and nobody answers on them. */
function frozen(): Outage {
  return {
    name: 'is frozen',
    begin: () => servers.freezePostgres(),
    end: () => {
      servers.thawPostgres();
      return Promise.resolve();
    },
  };
}

/** Connections end, and new ones are refused. */
function stopped(): Outage {
  return {
    name: 'is stopped and started',
    begin: () => servers.postgres.stop(),
    end: () => servers.startPostgres(),
  };
}

async function recordsOfDevice(device: string): Promise<{ refusal: string; cause: number }[]> {
  const { rows } = await world.pool.query<{ refusal: string; cause: number }>(
    'select refusal, cause from cdr where device = $1',
    [device],
  );
  return rows;
}

describe.each([frozen(), stopped()])('Postgres that $name for ten seconds', (outage) => {
  it('ends no call before its deadline and none after it, takes no new one, and loses nothing', async () => {
    const late_customer = await world.customer({ balance_micros: BALANCE_MICROS });
    const late_phone = await world.phone(late_customer);
    const goes_on = await talkers.talker(BALANCE_MICROS);
    const hangs_up = await talkers.talker(BALANCE_MICROS);
    const runs_dry = await talkers.talker(6_500n);
    await talk(goes_on.call, 1_000);
    await outage.begin();
    await untilHealth(world.controller.url, 503, 8_000);
    await talk(hangs_up.call, 3_500);
    await hangs_up.call.bye();

    const late = late_phone.call(NUMBER);
    await late.earlyMedia();
    await late.hears('voice', 8_000);
    expect(late.record.answered_at_ms).toBeUndefined();
    expect(await late.ended(15_000)).toMatchObject({ by: 'remote', status: 503 });

    expect((await runs_dry.call.ended(8_000)).by).toBe('remote');
    expect(world.talked(runs_dry.call).most_ms).toBeGreaterThan(5_800);
    expect(world.talked(runs_dry.call).least_ms).toBeLessThan(6_060);
    await talk(goes_on.call, 11_000);
    await outage.end();
    await untilHealth(world.controller.url, 200, 10_000);
    // Beyond what was held before the outage: the renewal that failed in it was made up for.
    await talk(goes_on.call, GRANT_SECONDS * 1000 + 1_500);
    expect(goes_on.call.isLive).toBe(true);
    await goes_on.call.bye();

    for (const one of [goes_on, hangs_up, runs_dry]) {
      const cdr = await talkers.expectTalked(one);
      const { balance_micros } = await walletOf(world.pool, one.customer.wallet_id);
      expect(balance_micros).toBe((one === runs_dry ? 6_500n : BALANCE_MICROS) - cdr.net_micros);
    }
    const records = await eventually('the record of the refused call', 10_000, async () => {
      const found = await recordsOfDevice(late_customer.device.username);
      return found.length > 0 ? found : null;
    });
    expect(records).toEqual([{ refusal: 'outage', cause: 42 }]);
    expect(await walletOf(world.pool, late_customer.wallet_id)).toMatchObject({
      balance_micros: BALANCE_MICROS,
      held_micros: 0n,
    });
    await talkers.nothingIsLeft();
  }, 90_000);
});
