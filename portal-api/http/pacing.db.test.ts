import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeUser } from '../testing/people.ts';
import type { PortalClient, Reply } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { pacedAddress } from './pacing.ts';

const READS_MAX = 5;

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin({ READS_PER_MINUTE_MAX: String(READS_MAX), PROXIES: '1' });
});

afterAll(() => world.end());

const readsFrom = async (client: PortalClient, address: string, times: number): Promise<Reply[]> => {
  const replies: Reply[] = [];
  for (let n = 0; n < times; n += 1) {
    replies.push(await client.get('/v1/payment-policy', { headers: { 'x-forwarded-for': address } }));
  }
  return replies;
};
const statuses = (replies: readonly Reply[]): number[] => replies.map(({ status }) => status);
const allowed = Array.from({ length: READS_MAX }, () => 200);

it('refuses an address that asks too often, says for how long, and lets others in', async () => {
  const replies = await readsFrom(world.client(), '192.0.2.1', READS_MAX + 1);
  expect(statuses(replies)).toEqual([...allowed, 429]);
  const refused = replies.at(-1);
  expect(refused?.body).toMatchObject({ type: 'urn:letsdial:problem:too_many' });
  const retry_after_seconds = Number(refused?.headers.get('retry-after'));
  expect(retry_after_seconds).toBeGreaterThan(0);
  expect(retry_after_seconds).toBeLessThanOrEqual(60);
  expect(statuses(await readsFrom(world.client(), '192.0.2.2', 1))).toEqual([200]);
});

it('refuses a person that asks too often from many addresses, and nobody else there', async () => {
  const [ada, eve] = [await (await makeUser(world)).signIn(), await (await makeUser(world)).signIn()];
  const replies = await Promise.all(
    Array.from({ length: READS_MAX + 1 }, (_, n) => readsFrom(ada, `198.51.100.${n}`, 1)),
  );
  expect(statuses(replies.flat()).toSorted()).toEqual([...allowed, 429]);
  expect(statuses(await readsFrom(eve, '198.51.100.0', 1))).toEqual([200]);
});

it('counts a network of IPv6 as one that asks', async () => {
  const replies = await Promise.all(
    Array.from({ length: READS_MAX + 1 }, (_, n) => readsFrom(world.client(), `2001:db8:1:2::${n + 1}`, 1)),
  );
  expect(statuses(replies.flat()).toSorted()).toEqual([...allowed, 429]);
  expect(statuses(await readsFrom(world.client(), '2001:db8:1:3::1', 1))).toEqual([200]);
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['::1', '0:0:0:0::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:0DB8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['no address', 'no address'],
])('paces %s as %s', (address, paced) => {
  expect(pacedAddress(address)).toBe(paced);
});
