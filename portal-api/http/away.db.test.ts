import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { LagMeter } from '../../deploy/world/lag_meter.ts';
import { OwnServers } from '../../deploy/world/own_servers.ts';
import { signals } from '../../deploy/world/processes.ts';
import { walletOf } from '../../deploy/world/verdict.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { enqueue } from '../jobs/task.ts';
import { makeAdmin, makeApiKey, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient, Reply } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

/** Within which whoever asks is told that we cannot. */
const REFUSED_MS = 3_000;
/** And within which we can again. */
const BACK = { timeout: 15_000, interval: 200 };
const PRICE_MICROS = 1_000_000n;

let servers: OwnServers;
let world: PortalWorld;
let offer_id: string;
let user: TestUser;
let here: PortalClient;
let is_frozen = false;

beforeAll(async () => {
  servers = await OwnServers.begin(inject('programs'));
  world = await PortalWorld.begin({}, { database_url: servers.postgres.url, redis_url: servers.valkey.url });
  const finance = await (await makeAdmin(world, ['finance'])).signIn();
  const offered = await finance.post<{ offer_id: string }>('/v1/admin/pack-offers', {
    ...{ name: 'An hour', prefixes: ['49'], seconds: 3_600, valid_days: 30, currency: 'EUR' },
    ...{ price_micros: PRICE_MICROS.toString(), sold_from: '2020-01-01T00:00:00.000Z' },
  });
  offer_id = offered.body.offer_id;
}, 120_000);

beforeEach(async () => {
  user = await makeUser(world, { balance_micros: 10n * PRICE_MICROS });
  here = await user.signIn();
});

// A server that stays frozen would hold up every end.
afterEach(() => thaw());

afterAll(async () => {
  await world.end();
  await servers.end();
});

function thaw(): void {
  if (is_frozen) signals.thaw(servers.valkey.pid);
  is_frozen = false;
  servers.thawPostgres();
}

const buy = (idempotency_key: string): Promise<Reply> =>
  here.post(`/v1/pack-offers/${offer_id}/buy`, undefined, { idempotency_key });
const balance = async (): Promise<bigint> => (await walletOf(world.pool, user.wallet_id)).balance_micros;

/** Said at once, and when to ask again. */
async function expectUnavailable(ask: () => Promise<Reply>): Promise<void> {
  const began_ms = Date.now();
  const reply = await ask();
  expect(reply).toMatchObject({ status: 503, body: { type: 'urn:letsdial:problem:unavailable' } });
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(Date.now() - began_ms).toBeLessThan(REFUSED_MS);
}

const statusOf = async (ask: () => Promise<Reply>): Promise<number> => (await ask()).status;

it('Postgres that is stopped is said to be away, costs nothing, and is used again when it is back', async () => {
  const [key, old] = [randomUUID(), randomUUID()];
  await world.pool.query(
    `insert into idempotent_request (actor, key, route, content_sha256, begun_at)
     values ('customer:gone', $1, 'buy_pack', repeat('0', 64), now() - interval '8 days')`,
    [old],
  );
  await inTransaction(world.pool, (tx) =>
    enqueue(tx, { task: 'forget_requests', payload: {}, run_at: new Date(Date.now() + 1_500) }),
  );
  await servers.postgres.stop();
  for (let turn = 0; turn < 3; turn += 1) {
    await expectUnavailable(() => buy(key));
    await expectUnavailable(() => here.get('/v1/calls'));
  }
  expect(await statusOf(() => world.client().get('/v1/payment-policy'))).toBe(200);
  await servers.startPostgres();
  await expect.poll(() => statusOf(() => here.get('/v1/calls')), BACK).toBe(200);
  expect(await balance()).toBe(10n * PRICE_MICROS);
  expect(await buy(key)).toMatchObject({ status: 201 });
  expect((await buy(key)).headers.get('idempotent-replay')).toBe('true');
  expect(await balance()).toBe(9n * PRICE_MICROS);
  const kept = () => world.pool.query('select 1 from idempotent_request where key = $1', [old]);
  await expect.poll(async () => (await kept()).rows.length, BACK).toBe(0);
  expect(await brokenInvariants(world.pool)).toEqual([]);
}, 60_000);

/** For so long a Postgres that says nothing may keep whoever asks waiting. */
const FROZEN_MS_MAX = 5_000;

it('Postgres that is frozen is told of within five seconds, then at once, and what was asked is done once when it thaws', async () => {
  const key = randomUUID();
  const health = (): Promise<{ status: number; database: boolean }> =>
    fetch(`http://127.0.0.1:${world.portal.ports.observe}/healthz`).then(async (response) => {
      const { database } = (await response.json()) as { database: boolean };
      return { status: response.status, database };
    });
  expect(await health()).toEqual({ status: 200, database: true });
  await servers.freezePostgres();
  const [began_ms, lag] = [Date.now(), new LagMeter()];
  const told = [() => buy(key), ...Array.from({ length: 30 }, () => () => here.get('/v1/calls'))].map(async (ask) => ({
    reply: await ask(),
    took_ms: Date.now() - began_ms,
  }));
  expect(await health()).toEqual({ status: 503, database: false });
  for (const { reply, took_ms } of await Promise.all(told)) {
    expect(reply).toMatchObject({ status: 503, body: { type: 'urn:letsdial:problem:unavailable' } });
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    // Both the portal and who asks it are of this process, and neither hears anything while it stands still.
    expect(took_ms).toBeLessThan(FROZEN_MS_MAX + lag.total_ms);
  }
  // By now it is known, and nobody waits for it.
  const asked_ms = Date.now();
  for (let turn = 0; turn < 10; turn += 1) expect(await statusOf(() => here.get('/v1/calls'))).toBe(503);
  expect(await health()).toEqual({ status: 503, database: false });
  expect(Date.now() - asked_ms).toBeLessThan(1_000 + lag.total_ms);
  lag.stop();
  expect(await statusOf(() => world.client().get('/v1/payment-policy'))).toBe(200);
  thaw();
  await expect.poll(() => statusOf(() => here.get('/v1/calls')), BACK).toBe(200);
  await expect.poll(health, BACK).toEqual({ status: 200, database: true });
  await expect.poll(() => statusOf(() => buy(key)), BACK).toBe(201);
  expect(await balance()).toBe(9n * PRICE_MICROS);
  expect(await brokenInvariants(world.pool)).toEqual([]);
}, 60_000);

const outages = [
  {
    name: 'frozen',
    begin: (): Promise<void> => {
      is_frozen = signals.freeze(servers.valkey.pid);
      return Promise.resolve();
    },
    end: (): Promise<void> => {
      thaw();
      return Promise.resolve();
    },
  },
  {
    name: 'stopped',
    begin: (): Promise<void> => servers.valkey.stop(),
    end: (): Promise<void> => servers.startValkey(),
  },
];

describe.each(outages)('Redis that is $name', ({ begin, end }) => {
  it('is said to be away to whoever is signed in, and is missed by nobody else', async () => {
    const program = world.client();
    program.api_key = await makeApiKey(world, user.account_id, ['calls:read']);
    const key = randomUUID();
    await begin();
    for (let turn = 0; turn < 3; turn += 1) {
      await expectUnavailable(() => here.get('/v1/calls'));
      await expectUnavailable(() => buy(key));
    }
    expect(await statusOf(() => world.client().get('/v1/payment-policy'))).toBe(200);
    expect(await statusOf(() => program.get('/v1/calls'))).toBe(200);
    const many = await Promise.all(Array.from({ length: 100 }, () => statusOf(() => program.get('/v1/calls'))));
    expect(new Set(many)).toEqual(new Set([200]));
    expect(await balance()).toBe(10n * PRICE_MICROS);
    await end();
    // What was in it may be gone: whoever was signed in signs in again.
    const isBack = async (): Promise<number> =>
      statusOf(async () => (await user.signIn().catch(() => here)).get('/v1/calls'));
    await expect.poll(isBack, BACK).toBe(200);
    here = await user.signIn();
    expect(await buy(key)).toMatchObject({ status: 201 });
    expect(await balance()).toBe(9n * PRICE_MICROS);
  }, 60_000);
});
