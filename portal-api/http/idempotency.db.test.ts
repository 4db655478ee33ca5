import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { walletOf } from '../../deploy/world/verdict.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { topUp } from '../../domain/ledger/top_up.ts';
import { enqueue } from '../jobs/task.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient, Reply } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { claimRequest, forgetRequest } from './idempotency.ts';

const PRICE_MICROS = 2_000_000n;
const DAY_MS = 86_400_000;

let world: PortalWorld;
let offer_id: string;
let user: TestUser;
let here: PortalClient;

const newOffer = {
  ...{ name: 'An hour', prefixes: ['49'], seconds: 3_600, valid_days: 30, currency: 'EUR' },
  ...{ price_micros: PRICE_MICROS.toString(), sold_from: '2020-01-01T00:00:00.000Z' },
};

beforeAll(async () => {
  world = await PortalWorld.begin();
  const finance = await (await makeAdmin(world, ['finance'])).signIn();
  const offered = await finance.post<{ offer_id: string }>('/v1/admin/pack-offers', newOffer);
  offer_id = offered.body.offer_id;
});

beforeEach(async () => {
  user = await makeUser(world, { balance_micros: 10n * PRICE_MICROS });
  here = await user.signIn();
});

afterAll(async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
  await world.end();
});

const buy = (idempotency_key: string, by = here): Promise<Reply> =>
  by.post(`/v1/pack-offers/${offer_id}/buy`, undefined, { idempotency_key });
const spent = async (of = user): Promise<bigint> =>
  10n * PRICE_MICROS - (await walletOf(world.pool, of.wallet_id)).balance_micros;
const problem = (name: string): object => ({ type: `urn:letsdial:problem:${name}` });
/** Keys are the actors' own: those of other tests are of other people. */
const rowsOf = async (key: string): Promise<number> =>
  (await world.pool.query('select 1 from idempotent_request where key = $1', [key])).rows.length;

it('answers the same key the same, and says that it does', async () => {
  const key = randomUUID();
  const first = await buy(key);
  const again = await buy(key);
  expect(first.status).toBe(201);
  expect(first.headers.get('idempotent-replay')).toBeNull();
  expect(again).toMatchObject({ status: 201, body: first.body });
  expect(again.headers.get('idempotent-replay')).toBe('true');
  expect(await spent()).toBe(PRICE_MICROS);
});

it('neither shows nor changes for another account of theirs what somebody made by the same key', async () => {
  const other = await makeUser(world);
  await world.pool.query(`insert into membership (account_id, user_id, role) values ($1, $2, 'owner')`, [
    ...[other.account_id, user.user_id],
  ]);
  const asked: [string, object][] = [
    ['/v1/webhooks', { url: 'https://hooks.example.org/texts' }],
    ['/v1/members/invitations', { email: 'guest@example.org', role: 'member' }],
  ];
  const made = [];
  for (const [path, body] of asked) {
    const idempotency_key = randomUUID();
    expect(await here.post(path, body, { idempotency_key })).toMatchObject({ status: 201 });
    // As where the answer was lost before it was kept, or is forgotten by now.
    await world.pool.query('delete from idempotent_request where key = $1', [idempotency_key]);
    made.push([path, body, idempotency_key] as const);
  }
  const secrets = () =>
    world.pool.query('select account_id, secret from webhook_endpoint where account_id = $1', [user.account_id]);
  const before = (await secrets()).rows;
  const moved = { body: { account_id: other.account_id } };
  expect(await here.ask('PUT', '/v1/session/account', moved)).toMatchObject({ status: 200 });
  for (const [path, body, idempotency_key] of made) {
    expect(await here.post(path, body, { idempotency_key })).toMatchObject({
      status: 409,
      body: problem('key_conflict'),
    });
  }
  expect((await secrets()).rows).toEqual(before);
  expect(await here.get('/v1/webhooks')).toMatchObject({ body: { items: [] } });
  expect(await here.post('/v1/webhooks', asked[0]?.[1])).toMatchObject({ status: 201 });
});

it('tells the ETag of what was made again', async () => {
  const finance = await (await makeAdmin(world, ['finance'])).signIn();
  const idempotency_key = randomUUID();
  const make = () => finance.post('/v1/admin/pack-offers', newOffer, { idempotency_key });
  const [first, again] = [await make(), await make()];
  expect(again.headers.get('idempotent-replay')).toBe('true');
  expect(first.headers.get('etag')).toBe('"1"');
  expect(again.headers.get('etag')).toBe('"1"');
});

it('carries fifty requests with one key out once, though they come at the same moment', async () => {
  const key = randomUUID();
  const replies = await Promise.all(Array.from({ length: 50 }, () => buy(key)));
  const carried_out = replies.filter(({ status, headers }) => status === 201 && !headers.has('idempotent-replay'));
  expect(carried_out).toHaveLength(1);
  for (const reply of replies.filter(({ status }) => status !== 201)) {
    expect(reply).toMatchObject({ status: 409, body: problem('in_progress') });
    expect(reply.headers.get('retry-after')).toBe('1');
  }
  expect(await buy(key)).toMatchObject({ status: 201, body: carried_out[0]?.body });
  expect(await spent()).toBe(PRICE_MICROS);
});

it('says of a secret that was shown that it was done, where to find it, and how to have another', async () => {
  const idempotency_key = randomUUID();
  const add = (label: string) =>
    here.post<{ device_id: string; credentials: { password: string } }>('/v1/devices', { label }, { idempotency_key });
  const first = await add('desk');
  expect(first.status).toBe(201);
  const again = await here.post<{ detail: string; new_secret_at: string }>(
    '/v1/devices',
    { label: 'desk' },
    { idempotency_key },
  );
  const new_secret_at = `/v1/devices/${first.body.device_id}/credentials`;
  expect(again).toMatchObject({
    ...{ status: 409, body: { ...problem('already_done'), found_at: '/v1/devices', new_secret_at } },
  });
  expect(JSON.stringify(again.body)).not.toContain(first.body.credentials.password);
  expect(await add('another')).toMatchObject({ status: 409, body: problem('key_conflict') });
  const { body } = await here.get<{ items: { device_id: string }[] }>('/v1/devices');
  expect(body.items.map(({ device_id }) => device_id)).toEqual([first.body.device_id]);
  expect(await here.post(again.body.new_secret_at)).toMatchObject({ status: 201 });
});

it('refuses a key that stands for something else', async () => {
  const idempotency_key = randomUUID();
  const top_up = () => here.post('/v1/top-ups', { amount_micros: '5000000' }, { idempotency_key });
  const other_offer = () => here.post(`/v1/pack-offers/${randomUUID()}/buy`, undefined, { idempotency_key });
  await buy(idempotency_key);
  expect(await other_offer()).toMatchObject({ status: 409, body: problem('key_conflict') });
  expect(await top_up()).toMatchObject({ status: 409, body: problem('key_conflict') });
  expect(await spent()).toBe(PRICE_MICROS);
});

it('takes another person’s same key for another request', async () => {
  const key = randomUUID();
  const eve = await makeUser(world, { balance_micros: 10n * PRICE_MICROS });
  const [mine, hers] = [await buy(key), await buy(key, await eve.signIn())];
  expect([mine.status, hers.status]).toEqual([201, 201]);
  expect(hers.headers.has('idempotent-replay')).toBe(false);
  expect(hers.body).not.toEqual(mine.body);
  expect([await spent(), await spent(eve)]).toEqual([PRICE_MICROS, PRICE_MICROS]);
});

it('frees the key of what was refused', async () => {
  const poor = await makeUser(world);
  const browser = await poor.signIn();
  const key = randomUUID();
  expect(await buy(key, browser)).toMatchObject({ status: 409, body: problem('no_money') });
  expect(await rowsOf(key)).toBe(0);
  const { wallet_id } = poor;
  const gift = { payment_id: randomUUID(), wallet_id, amount_micros: PRICE_MICROS, reason: 'a gift' };
  await inTransaction(world.pool, (tx) => topUp(tx, gift));
  expect(await buy(key, browser)).toMatchObject({ status: 201 });
  expect((await walletOf(world.pool, wallet_id)).balance_micros).toBe(0n);
});

it('frees its own claim and not that of whoever began the same again meanwhile', async () => {
  const request = { actor: 'somebody', key: randomUUID(), route: 'buy_pack', content_sha256: '0'.repeat(64) };
  const [first_at, later_at] = [world.now(), new Date(world.now().getTime() + 61_000)];
  expect(await claimRequest(world.pool, request, first_at)).toEqual({ kind: 'ours' });
  expect(await claimRequest(world.pool, request, later_at)).toEqual({ kind: 'ours' });
  await forgetRequest(world.pool, request, first_at);
  expect(await rowsOf(request.key)).toBe(1);
  await forgetRequest(world.pool, request, later_at);
  expect(await rowsOf(request.key)).toBe(0);
});

it('asks for a key, and for one that is one', async () => {
  const path = `/v1/pack-offers/${offer_id}/buy`;
  expect(await here.post(path, undefined, { idempotency_key: null })).toMatchObject({ status: 428 });
  for (const wrong of ['short', 'x'.repeat(201), 'with a space'])
    expect(await buy(wrong)).toMatchObject({ status: 422 });
  expect(await spent()).toBe(0n);
});

it('carries out again what was begun and never answered, and moves the money once', async () => {
  const key = randomUUID();
  const first = await buy(key);
  // As if the process had ended between its commit and its answer.
  await world.pool.query('update idempotent_request set status = null, body = null where key = $1', [key]);
  expect(await buy(key)).toMatchObject({ status: 409, body: problem('in_progress') });
  world.advance(61_000);
  const again = await buy(key);
  expect(again).toMatchObject({ status: 201, body: first.body });
  expect(again.headers.has('idempotent-replay')).toBe(false);
  expect(await spent()).toBe(PRICE_MICROS);
  expect((await buy(key)).headers.get('idempotent-replay')).toBe('true');
});

it('forgets keys after seven days', async () => {
  const [old, new_one] = [randomUUID(), randomUUID()];
  await buy(old);
  world.advance(6 * DAY_MS);
  here = await user.signIn();
  await buy(new_one);
  world.advance(DAY_MS + 60_000);
  await inTransaction(world.pool, (tx) => enqueue(tx, { task: 'forget_requests', payload: {} }));
  await expect.poll(() => rowsOf(old)).toBe(0);
  expect(await rowsOf(new_one)).toBe(1);
});
