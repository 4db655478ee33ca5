import { createClient } from 'redis';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { answer } from '../sip/carrier_script.ts';
import { OwnServers } from '../world/own_servers.ts';
import { killed, signals } from '../world/processes.ts';
import { talk } from '../world/talk.ts';
import { walletOf } from '../world/verdict.ts';
import { World } from '../world/world.ts';
import { Talkers } from './bad_days/talkers.ts';
import type { Talker } from './bad_days/talkers.ts';

const BALANCE_MICROS = 1_000_000n;

let servers: OwnServers;
let world: World;
let talkers: Talkers;

beforeAll(async () => {
  const programs = inject('programs');
  servers = await OwnServers.begin(programs);
  world = await World.begin({ programs, database_url: servers.postgres.url, redis_url: servers.valkey.url });
  talkers = new Talkers(world);
  world.carrier('alpha').play(answer());
}, 120_000);

afterAll(async () => {
  await world.end();
  await servers.end();
});

async function flushed(): Promise<void> {
  const client = createClient({ url: servers.valkey.url });
  await client.connect();
  await client.flushAll();
  client.destroy();
}

/** Neither the seconds nor the money show that anything happened. */
async function endsAsEver(one: Talker, lasts_ms: number): Promise<void> {
  await talk(one.call, lasts_ms);
  expect(one.call.isLive).toBe(true);
  await one.call.bye();
  const cdr = await talkers.expectTalked(one);
  const { balance_micros } = await walletOf(world.pool, one.customer.wallet_id);
  expect(balance_micros).toBe(BALANCE_MICROS - cdr.net_micros);
}

it('Redis that is frozen holds up no call', async () => {
  signals.freeze(servers.valkey.pid);
  try {
    const made = await talkers.dial(BALANCE_MICROS);
    await made.call.answered(2_000);
    await endsAsEver(made, 1_300);
  } finally {
    signals.thaw(servers.valkey.pid);
  }
  await talkers.nothingIsLeft();
}, 60_000);

it('Redis that is flushed or killed in mid-call changes no second and no amount', async () => {
  const [first, second] = await Promise.all([talkers.talker(BALANCE_MICROS), talkers.talker(BALANCE_MICROS)]);
  await flushed();
  await talk(first.call, 2_000);
  await killed(servers.valkey);
  const without = await talkers.talker(BALANCE_MICROS);
  // Beyond the three seconds of a grant, so that each was renewed.
  await Promise.all([endsAsEver(first, 4_300), endsAsEver(second, 5_300), endsAsEver(without, 3_700)]);
  await servers.startValkey();
  await talkers.nothingIsLeft();
}, 60_000);

it('a controller starts while Redis is away, and counts there once it is back', async () => {
  await world.stopControllers();
  await killed(servers.valkey);
  await world.startController();
  await endsAsEver(await talkers.talker(BALANCE_MICROS), 1_300);
  await servers.startValkey();
  const client = createClient({ url: servers.valkey.url });
  await client.connect();
  try {
    await expect
      .poll(
        async () => {
          await endsAsEver(await talkers.talker(BALANCE_MICROS), 300);
          return (await client.keys('letsdial:call-rate:*')).length;
        },
        { timeout: 15_000 },
      )
      .toBeGreaterThan(0);
  } finally {
    client.destroy();
  }
  await talkers.nothingIsLeft();
}, 60_000);
