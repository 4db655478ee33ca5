import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calleeProfiles } from '../../domain/accounts/callee_profile.ts';
import { callerProfiles } from '../../domain/accounts/caller_profile.ts';
import { deviceDigests } from '../../domain/devices/credentials.ts';
import { needDocumentsIn } from '../numbers/testing/documents.ts';
import { buyerOf, problem, UNIT } from '../numbers/testing/buying.ts';
import { putInStock } from '../numbers/testing/stock.ts';
import { makeUser } from '../testing/people.ts';
import { PortalWorld } from '../testing/portal_world.ts';

interface DeviceBody {
  device_id: string;
  username: string;
  credentials: { username: string; password: string; realm: string };
}

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin();
  await needDocumentsIn(world.pool, []);
});

afterAll(() => world.end());

async function digestsOf(device_id: string): Promise<unknown> {
  const { rows } = await world.pool.query('select ha1_md5, ha1_sha256 from sip_device where id = $1', [device_id]);
  return rows[0];
}

describe('a device', () => {
  it('works by credentials that are shown once and kept as digests alone', async () => {
    const client = await (await makeUser(world)).signIn();
    const key = { idempotency_key: randomUUID() };
    const made = await client.post<DeviceBody>('/v1/devices', { label: 'desk' }, key);
    expect(made.status).toBe(201);
    const { device_id, credentials } = made.body;
    expect(await digestsOf(device_id)).toEqual(deviceDigests(credentials.username, credentials.password));
    expect(await client.post('/v1/devices', { label: 'desk' }, key)).toMatchObject(problem('already_done'));
    const kept = await world.pool.query<{ body: unknown }>('select body from idempotent_request where key = $1', [
      key.idempotency_key,
    ]);
    expect(kept.rows).toEqual([{ body: null }]);
    const renewed = await client.post<DeviceBody>(`/v1/devices/${device_id}/credentials`);
    expect(renewed.body.credentials.password).not.toBe(credentials.password);
    expect(await digestsOf(device_id)).toEqual(deviceDigests(credentials.username, renewed.body.credentials.password));
    const listed = await client.get<{ items: object[] }>('/v1/devices');
    expect(listed.body.items).toHaveLength(1);
    expect(JSON.stringify(listed.body)).not.toContain('credentials');
  });

  it('shows a number that the account holds or has verified, and no other', async () => {
    const number = '+4970100100';
    await putInStock(world.pool, [number, '+4970100101']);
    await buyerOf(world, '+4970100101', { balance_micros: 10n * UNIT });
    const { user, client } = await buyerOf(world, number, { balance_micros: 10n * UNIT });
    const stranger = { label: 'desk', caller_number: '+4970100101' };
    expect(await client.post('/v1/devices', stranger)).toMatchObject(problem('conflict'));
    const made = await client.post<DeviceBody>('/v1/devices', { label: 'desk', caller_number: number });
    const { device_id, username } = made.body;
    const shown = async (): Promise<string | null | undefined> =>
      (await callerProfiles(world.pool, [{ device: username, claimed_caller: null }]))[0]?.caller_number;
    expect(await shown()).toBe(number);
    const path = `/v1/devices/${device_id}`;
    const change = (body: object, version: number) => client.ask('PATCH', path, { body, version });
    const version = Number(made.headers.get('etag')?.replaceAll('"', ''));
    expect(await change({ caller_number: '+4970100101' }, version)).toMatchObject(problem('conflict'));
    const verified = 'insert into verified_caller (account_id, number) values ($1, $2)';
    await world.pool.query(verified, [user.account_id, '+4915100001']);
    expect(await change({ caller_number: '+4915100001', label: 'kitchen' }, version)).toMatchObject({ status: 200 });
    expect(await shown()).toBe('+4915100001');
    expect(await change({ enabled: false }, version)).toMatchObject({ status: 412 });
    expect(await change({ enabled: false }, version + 1)).toMatchObject({ body: { label: 'kitchen', enabled: false } });
    expect(await shown()).toBeUndefined();
  });

  it('rings for the numbers that it was chosen for', async () => {
    const number = '+4970100102';
    await putInStock(world.pool, [number]);
    const { client } = await buyerOf(world, number, { balance_micros: 10n * UNIT });
    const [one, other] = await Promise.all(
      ['one', 'other'].map((label) => client.post<DeviceBody>('/v1/devices', { label })),
    );
    const ringing = async (): Promise<readonly string[]> =>
      (await calleeProfiles(world.pool, [number]))[0]?.devices ?? [];
    const all = [one?.body.username, other?.body.username].toSorted();
    expect((await ringing()).toSorted()).toEqual(all);
    const path = `/v1/numbers/${number}/routing`;
    const version = Number((await client.get(path)).headers.get('etag')?.replaceAll('"', ''));
    const choose = (device_ids: unknown[], of: number) =>
      client.ask('PUT', path, { body: { device_ids, ring_timeout_seconds: 20 }, version: of });
    expect(await choose([other?.body.device_id], version)).toMatchObject({ status: 200 });
    expect(await ringing()).toEqual([other?.body.username]);
    expect(await choose([randomUUID()], version + 1)).toMatchObject(problem('conflict'));
    expect(await choose([], version)).toMatchObject({ status: 412 });
    expect(await client.ask('DELETE', `/v1/devices/${other?.body.device_id ?? ''}`)).toMatchObject({ status: 204 });
    expect(await ringing()).toEqual([one?.body.username]);
  });

  it('is one of twenty at most, even of many made at once', async () => {
    const client = await (await makeUser(world)).signIn();
    const made = await Promise.all(
      Array.from({ length: 25 }, () => client.post('/v1/devices', { label: 'one of many' })),
    );
    expect(made.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(made.filter(({ status }) => status === 409)).toHaveLength(5);
  });

  it('gets credentials from who has just proven who it is, and who that was is on record', async () => {
    const user = await makeUser(world);
    const client = await user.signIn();
    const made = await client.post<DeviceBody>('/v1/devices', { label: 'desk' });
    const path = `/v1/devices/${made.body.device_id}`;
    await client.post(`${path}/credentials`);
    world.advance(6 * 60_000);
    expect(await client.post('/v1/devices', { label: 'late' })).toMatchObject(problem('step_up_required'));
    expect(await client.post(`${path}/credentials`)).toMatchObject(problem('step_up_required'));
    expect(await client.ask('DELETE', path)).toMatchObject({ status: 204 });
    const { rows } = await world.pool.query('select action, actor_id, subject from audit_log where account_id = $1', [
      user.account_id,
    ]);
    const by = { actor_id: user.user_id, subject: `device:${made.body.device_id}` };
    expect(rows).toEqual(
      ['device.make', 'device.renew_credentials', 'device.remove'].map((action) => ({ action, ...by })),
    );
  });

  it('of somebody else is not there', async () => {
    const made = await (await (await makeUser(world)).signIn()).post<DeviceBody>('/v1/devices', { label: 'desk' });
    const eve = await (await makeUser(world)).signIn();
    const path = `/v1/devices/${made.body.device_id}`;
    const replies = [
      await eve.get(path),
      await eve.ask('PATCH', path, { body: { enabled: false }, version: 2 }),
      await eve.post(`${path}/credentials`),
      await eve.ask('DELETE', path),
    ];
    expect(replies.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
  });
});
