import { randomUUID } from 'node:crypto';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import { freshRedis } from '../../deploy/testing/redis.ts';
import { Sessions } from '../identity/sessions.ts';
import { makeUser } from '../testing/people.ts';
import type { PortalClient, Reply } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin();
});

afterAll(() => world.end());

describe('a session', () => {
  it('tells who is signed in, and nobody who is not', async () => {
    const user = await makeUser(world, { email: 'ada@example.org' });
    const here = await user.signIn();
    const reply = await here.get<{ user_id: string; account_id: string; role: string }>('/v1/session');
    expect(reply).toMatchObject({ status: 200, body: { kind: 'customer', user_id: user.user_id, role: 'owner' } });
    expect(await world.client().get('/v1/session')).toMatchObject({
      status: 401,
      body: { type: 'urn:letsdial:problem:sign_in_required' },
    });
  });

  it('is listed with the others, and revoked for the very next request', async () => {
    const user = await makeUser(world, { email: 'bea@example.org' });
    const [here, there] = [await user.signIn(), await user.signIn()];
    const { body } = await here.get<{ items: { session_id: string; is_this: boolean }[] }>('/v1/sessions');
    expect(body.items.map(({ is_this }) => is_this).toSorted()).toEqual([false, true]);
    const other = body.items.find(({ is_this }) => !is_this);
    expect(await here.ask('DELETE', `/v1/sessions/${other?.session_id ?? ''}`)).toMatchObject({ status: 204 });
    expect(await there.get('/v1/session')).toMatchObject({ status: 401 });
    expect(await here.get('/v1/session')).toMatchObject({ status: 200 });
  });

  it('of somebody else is not there', async () => {
    const [ada, eve] = [
      await makeUser(world, { email: 'ada2@example.org' }),
      await makeUser(world, { email: 'eve@example.org' }),
    ];
    const [hers, theirs] = [await ada.signIn(), await eve.signIn()];
    const { body } = await hers.get<{ items: { session_id: string }[] }>('/v1/sessions');
    expect(await theirs.ask('DELETE', `/v1/sessions/${body.items[0]?.session_id ?? ''}`)).toMatchObject({
      status: 404,
    });
    expect(await hers.get('/v1/session')).toMatchObject({ status: 200 });
  });

  it('changes nothing for another site, which has its cookie and not its token', async () => {
    const user = await makeUser(world, { email: 'cal@example.org' });
    const here = await user.signIn();
    const without = await here.ask('DELETE', '/v1/session', { headers: { 'x-csrf-token': randomUUID() } });
    expect(without).toMatchObject({ status: 403, body: { type: 'urn:letsdial:problem:cross_site' } });
    const elsewhere = await here.ask('DELETE', '/v1/session', { headers: { origin: 'https://elsewhere.example' } });
    expect(elsewhere).toMatchObject({ status: 403, body: { type: 'urn:letsdial:problem:cross_site' } });
    expect(await here.get('/v1/session')).toMatchObject({ status: 200 });
  });

  it.each(['find', 'prove'] as const)('that is revoked while it is read to %s it stays revoked', async (way) => {
    const redis = createClient({ url: (await freshRedis()).url });
    await redis.connect();
    let [now_ms, session_id, is_read] = [1_000_000_000_000, '', false];
    const user_id = randomUUID();
    const store: ConstructorParameters<typeof Sessions>[0]['store'] = {
      ...{
        set: redis.set.bind(redis),
        del: redis.del.bind(redis),
        exists: redis.exists.bind(redis),
      },
      ...{ eval: redis.eval.bind(redis), sRem: redis.sRem.bind(redis), sMembers: redis.sMembers.bind(redis) },
      get: async (key) => {
        const text = await redis.get(key);
        // Between what is read here and what is written for it.
        if (is_read) expect(await sessions.revoke(user_id, session_id)).toBe(true);
        is_read = false;
        return text;
      },
    };
    const sessions: Sessions = new Sessions({ store, now: () => now_ms, idle_ms: 3_600_000, life_ms: 7_200_000 });
    const who = { user_id, kind: 'customer', account_id: null, role: null, admin_roles: [] } as const;
    const begun = await sessions.begin({ ...who, admin_roles: [], address: '192.0.2.1', user_agent: 'test' });
    ({ session_id } = begun);
    now_ms += 61_000;
    expect(await sessions.find(begun.token)).toMatchObject({ seen_at_ms: 1_000_000_000_000 });
    expect(await sessions.find(begun.token)).toMatchObject({ seen_at_ms: now_ms });
    now_ms += 61_000;
    is_read = true;
    if (way === 'find') await sessions.find(begun.token);
    else await sessions.prove(session_id);
    expect(is_read).toBe(false);
    expect(await sessions.find(begun.token)).toBeNull();
    redis.destroy();
  });

  it('ends when nobody uses it for its time', async () => {
    const user = await makeUser(world, { email: 'dan@example.org' });
    const here = await user.signIn();
    world.advance(31 * 86_400_000);
    expect(await here.get('/v1/session')).toMatchObject({ status: 401 });
  });
});

describe('a session instead of another, for another account', () => {
  const DAY_MS = 86_400_000;

  async function withTwoAccounts(): Promise<{ here: PortalClient; change: () => Promise<Reply> }> {
    const [user, other] = [await makeUser(world), await makeUser(world)];
    await world.pool.query(`insert into membership (account_id, user_id, role) values ($1, $2, 'owner')`, [
      ...[other.account_id, user.user_id],
    ]);
    const here = await user.signIn();
    const change = () => here.ask('PUT', '/v1/session/account', { body: { account_id: other.account_id } });
    return { here, change };
  }

  it('proves nothing of who it is', async () => {
    const { here, change } = await withTwoAccounts();
    const makeKey = () => here.post('/v1/api-keys', { name: 'x', scopes: ['texts'] });
    expect(await change()).toMatchObject({ status: 200 });
    expect(await makeKey()).toMatchObject({ status: 201 });
    world.advance(6 * 60_000);
    expect(await change()).toMatchObject({ status: 200 });
    expect(await makeKey()).toMatchObject({
      status: 403,
      body: { type: 'urn:letsdial:problem:step_up_required' },
    });
  });

  it('ends when that one would have ended', async () => {
    const { here, change } = await withTwoAccounts();
    world.advance(20 * DAY_MS);
    const changed = await change();
    expect(changed).toMatchObject({ status: 200 });
    const [, max_age] = /Max-Age=(\d+)/u.exec(changed.headers.get('set-cookie') ?? '') ?? [];
    expect(Number(max_age)).toBeGreaterThan((9 * DAY_MS) / 1000);
    expect(Number(max_age)).toBeLessThanOrEqual((10 * DAY_MS) / 1000);
    world.advance(9 * DAY_MS);
    expect(await here.get('/v1/session')).toMatchObject({ status: 200 });
    world.advance(1.5 * DAY_MS);
    expect(await change()).toMatchObject({ status: 401 });
    expect(await here.get('/v1/session')).toMatchObject({ status: 401 });
  });
});

/** A way to Redis on which its word that something was changed is lost. */
async function deafWay(url: URL): Promise<{ url: string; lost: () => number; close: () => void }> {
  let lost = 0;
  const server = createServer((client) => {
    const redis = connect(Number(url.port), url.hostname);
    client.pipe(redis);
    redis.on('data', (bytes: Buffer) => {
      const heard = bytes
        .toString('latin1')
        .replaceAll(/>2\r\n\$10\r\ninvalidate\r\n\*1\r\n\$\d+\r\n[^\r]*\r\n/gu, () => {
          lost += 1;
          return '';
        });
      client.write(Buffer.from(heard, 'latin1'));
    });
    for (const socket of [client, redis]) {
      socket.on('error', () => socket.destroy());
      socket.on('close', () => [client, redis].forEach((one) => one.destroy()));
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const deaf = new URL(url);
  deaf.hostname = '127.0.0.1';
  deaf.port = String((server.address() as AddressInfo).port);
  return { url: deaf.href, lost: () => lost, close: () => server.close() };
}

it('is revoked within about a second where the word of Redis does not reach us', async () => {
  const [database, { url }] = [await freshDatabase(), await freshRedis()];
  const deaf = await deafWay(new URL(url));
  const elsewhere = createClient({ url });
  await elsewhere.connect();
  const apart = await PortalWorld.begin({}, { database_url: database.url, redis_url: deaf.url });
  const here = await (await makeUser(apart)).signIn();
  const status = async (): Promise<number> => (await here.get('/v1/session')).status;
  expect(await status()).toBe(200);
  expect(await elsewhere.del(await elsewhere.keys('portal:session:*'))).toBe(1);
  await expect.poll(() => deaf.lost()).toBe(1);
  await expect.poll(status, { timeout: 2_000 }).toBe(401);
  elsewhere.destroy();
  await apart.end();
  deaf.close();
  await database.drop();
});
