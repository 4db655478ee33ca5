import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SimulatedNumberProvider } from '../../../deploy/number_provider/number_provider.ts';
import { brokenInvariants } from '../../../domain/ledger/invariants.ts';
import { DataKeys } from '../../../domain/privacy/data_keys.ts';
import { makeAdmin } from '../../testing/people.ts';
import type { TestUser } from '../../testing/people.ts';
import type { PortalClient, Reply } from '../../testing/portal_client.ts';
import type { PortalWorld } from '../../testing/portal_world.ts';
import { buyerOf, carryOut, PATIENCE, problem, UNIT, untilIdle } from '../testing/buying.ts';
import { makeHolder } from '../testing/holder.ts';
import { partnerWorld } from '../testing/partner_world.ts';
import type { PartnerWorld } from '../testing/partner_world.ts';
import { tellTransfer } from '../moving/tell_provider.ts';
import { HttpProvider } from './http_provider.ts';
import type { NumberProvider } from './number_provider.ts';
import { putInStock } from '../testing/stock.ts';

let partner: PartnerWorld;
let world: PortalWorld;
let provider: SimulatedNumberProvider;
let last = 0;

beforeAll(async () => {
  partner = await partnerWorld();
  ({ world, provider } = partner);
});

beforeEach(() => provider.behave({}));

afterAll(async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
  await partner.end();
});

/** As an admin sets it: what the partner is told of holders of German numbers. */
async function rule(on_transfer: 'told' | 'asked', fields: string[] = ['holder_name', 'home_country']): Promise<void> {
  const admin = await (await makeAdmin(world, ['operations'])).signIn();
  const body = { country: 'DE', number_type: 'geographic', fields, on_transfer };
  expect(await admin.ask('PUT', '/v1/admin/number-providers/partner/rules', { body })).toMatchObject({
    status: 200,
    body: { on_transfer },
  });
}

interface Sold {
  number: string;
  order_id: string;
  from: { user: TestUser; client: PortalClient };
  to: { user: TestUser; client: PortalClient };
  accept: () => Promise<Reply<{ transfer_id: string; state: string }>>;
}

/** A number of the partner's that is held, offered to somebody else, and not accepted yet. */
async function offered(): Promise<Sold> {
  last += 1;
  const number = `+4970100${String(last).padStart(3, '0')}`;
  await putInStock(world.pool, [number], { provider: 'partner' });
  const from = await buyerOf(world, number, { balance_micros: 10n * UNIT });
  const user = await makeHolder(world, { name: 'Grace Example', home_country: 'FR' });
  const to = { user, client: await user.signIn() };
  const { body } = await from.client.post<{ code: string }>(`/v1/numbers/${number}/transfer`);
  const order_id = [...provider.orders].find(([, one]) => one.number === number)?.[0] ?? '';
  const accept = () =>
    to.client.post<{ transfer_id: string; state: string }>('/v1/number-transfers/accept', {
      ...{ code: body.code, consent: true },
    });
  return { number, order_id, from, to, accept };
}

const ADA = { holder_name: 'Ada Example', home_country: 'DE' };
const GRACE = { holder_name: 'Grace Example', home_country: 'FR' };

async function submissions(order_id: string): Promise<{ account_id: string; fields: string[]; forgotten: boolean }[]> {
  const { rows } = await world.pool.query<{ account_id: string; fields: string[]; forgotten: boolean }>(
    `select account_id, fields, deletion_asked_at is not null as forgotten from provider_submission where order_id = $1
      order by submitted_at, transfer_id nulls first`,
    [order_id],
  );
  return rows;
}

const holds = async ({ client }: { client: PortalClient }, number: string): Promise<boolean> =>
  (await client.get(`/v1/numbers/${number}`)).status === 200;

const fieldsAt = (order_id: string) => provider.orders.get(order_id)?.fields;

/** A provider that decides when a test says so, and not before. */
const UNTIL_TOLD_MS = 60_000;

/** It decides as soon as it was asked. */
async function decided(order_id: string): Promise<void> {
  const was_asked = () => [...provider.changes.values()].some((change) => change.order_id === order_id);
  await expect.poll(was_asked, PATIENCE).toBe(true);
  provider.decideHolder(order_id);
}

async function queue(stuck = ''): Promise<unknown[]> {
  const admin = await (await makeAdmin(world, ['operations'])).signIn();
  return (await admin.get<{ items: unknown[] }>(`/v1/admin/number-transfers${stuck}`)).body.items;
}

describe('a transfer of a number whose provider is told of holders', () => {
  it('is done at once, and the provider is told of the new holder and forgets the old one', async () => {
    await rule('told');
    const { number, order_id, from, to, accept } = await offered();
    expect(fieldsAt(order_id)).toEqual(ADA);
    expect(await accept()).toMatchObject({ status: 201, body: { state: 'done' } });
    expect(await holds(to, number)).toBe(true);
    await expect.poll(() => fieldsAt(order_id), PATIENCE).toEqual(GRACE);
    await untilIdle(world);
    expect(await submissions(order_id)).toEqual([
      { account_id: from.user.account_id, fields: ['holder_name', 'home_country'], forgotten: true },
      { account_id: to.user.account_id, fields: ['holder_name', 'home_country'], forgotten: false },
    ]);
    expect(await queue()).toEqual([]);
  });

  it('tells nobody of anybody where no rule says so', async () => {
    await rule('told', []);
    const { number, order_id, to, accept } = await offered();
    expect(await accept()).toMatchObject({ body: { state: 'done' } });
    await untilIdle(world);
    expect(await holds(to, number)).toBe(true);
    expect([...provider.changes.values()].filter((one) => one.order_id === order_id)).toEqual([]);
  });

  it('has what was told before forgotten, though the rule is gone by then', async () => {
    await rule('told');
    const { order_id, accept } = await offered();
    await rule('told', []);
    expect(await accept()).toMatchObject({ body: { state: 'done' } });
    await expect.poll(() => fieldsAt(order_id), PATIENCE).toEqual({});
    await untilIdle(world);
    expect((await submissions(order_id)).map(({ fields, forgotten }) => [fields.length, forgotten])).toEqual([
      [2, true],
      [0, false],
    ]);
  });
});

/** Tells the partner of a transfer so slowly that all of `meanwhile` happens before it hears of it. */
function tellSlowly(transfer_id: string, meanwhile: () => Promise<void>): Promise<void> {
  const real = new HttpProvider({ url: provider.url, key: partner.key });
  const slow: NumberProvider = {
    provision: (wish) => real.provision(wish),
    status: (id) => real.status(id),
    release: (wish) => real.release(wish),
    changeHolder: async (wish) => {
      await meanwhile();
      return real.changeHolder(wish);
    },
  };
  const keys = new DataKeys(world.ring);
  const driving = { pool: world.pool, keys, providers: new Map([['partner', slow]]), now: () => world.now() };
  return tellTransfer(driving, transfer_id);
}

/** When the tellings that failed before are tried again; how many of them wait for that now. */
async function putOff(by: string): Promise<number> {
  const { rowCount } = await world.pool.query(
    `select graphile_worker.reschedule_jobs(array(
       select id from graphile_worker.jobs where task_identifier = 'tell_number_transfer' and attempts > 0 and locked_at is null
     ), run_at => now() + $1::interval)`,
    [by],
  );
  return rowCount ?? 0;
}

async function tellingNow(): Promise<number> {
  const { rowCount } = await world.pool.query(
    `select from graphile_worker.jobs where task_identifier = 'tell_number_transfer' and locked_at is not null`,
  );
  return rowCount ?? 0;
}

async function providerState(transfer_id: string): Promise<string | undefined> {
  const { rows } = await world.pool.query<{ provider_state: string }>(
    'select provider_state from number_transfer where id = $1',
    [transfer_id],
  );
  return rows[0]?.provider_state;
}

describe('a provider that is slow', () => {
  it('is told of one transfer of a number after another', async () => {
    await rule('told');
    const { number, accept } = await offered();
    provider.behave({ outage: 'errors' });
    await accept();
    const { rows } = await world.pool.query<{ queue_name: string }>(
      `select queue_name from graphile_worker.jobs where task_identifier = 'tell_number_transfer' and queue_name like '%' || $1`,
      [number],
    );
    expect(rows).toHaveLength(1);
    provider.behave({});
    await carryOut(world, 'look_at_number_orders');
  });

  it('is told once more that the holder stays where it hears of the new one after that was given up', async () => {
    await rule('asked');
    const { order_id, accept } = await offered();
    provider.behave({ outage: 'errors' });
    const { transfer_id } = (await accept()).body;
    const admin = await (await makeAdmin(world, ['operations'])).signIn();
    const seen: unknown[] = [];
    await tellSlowly(transfer_id, async () => {
      // While the provider is away, or a look at all that waits tells it of the new one before he is given up.
      const given_up = await admin.post(`/v1/admin/number-transfers/${transfer_id}/give-up`, { reason: 'a test' });
      expect(given_up.status).toBe(200);
      // Whoever began to tell it before that has failed by then.
      await expect.poll(() => tellingNow(), PATIENCE).toBe(0);
      provider.behave({});
      await expect
        .poll(async () => {
          await putOff('0 seconds');
          return providerState(transfer_id);
        }, PATIENCE)
        .toBe('told_back');
      seen.push(fieldsAt(order_id));
    });
    expect(seen).toEqual([ADA]);
    await putOff('0 seconds');
    await expect.poll(() => fieldsAt(order_id), PATIENCE).toEqual(ADA);
    await untilIdle(world);
    expect(fieldsAt(order_id)).toEqual(ADA);
    expect((await submissions(order_id)).map(({ forgotten }) => forgotten)).toEqual([false, true, false]);
    expect(await queue()).toEqual([]);
  });

  it('is told once more of the next holder where it hears of the one before after him, whom nobody forgets', async () => {
    await rule('told');
    const { number, order_id, to, accept } = await offered();
    provider.behave({ outage: 'errors' });
    const { transfer_id } = (await accept()).body;
    const next = await makeHolder(world, { name: 'Next Example', home_country: 'ES' });
    const NEXT = { holder_name: 'Next Example', home_country: 'ES' };
    const seen: unknown[] = [];
    await tellSlowly(transfer_id, async () => {
      provider.behave({});
      const { body } = await to.client.post<{ code: string }>(`/v1/numbers/${number}/transfer`);
      const taken = await (await next.signIn()).post('/v1/number-transfers/accept', { code: body.code, consent: true });
      expect(taken).toMatchObject({ status: 201, body: { state: 'done' } });
      await expect.poll(() => fieldsAt(order_id), PATIENCE).toEqual(NEXT);
      seen.push(fieldsAt(order_id));
    });
    expect(seen).toEqual([NEXT]);
    await untilIdle(world);
    expect(fieldsAt(order_id)).toEqual(NEXT);
    const known = (await submissions(order_id)).filter(({ forgotten }) => !forgotten);
    expect(known.map(({ account_id }) => account_id)).toEqual([next.account_id]);
    expect(await queue()).toEqual([]);
  });
});

describe('a new holder whom the provider refused', () => {
  it('is told to it again by an admin, and is then known there and not forgotten', async () => {
    await rule('told');
    const { number, order_id, accept } = await offered();
    provider.behave({ holders_refused: [number] });
    const { transfer_id } = (await accept()).body;
    const forgotten = async () => (await submissions(order_id)).map((one) => one.forgotten);
    await expect.poll(forgotten, PATIENCE).toEqual([false, true]);
    provider.behave({});
    const admin = await (await makeAdmin(world, ['operations'])).signIn();
    expect(await admin.post(`/v1/admin/number-transfers/${transfer_id}/retry`)).toMatchObject({ status: 202 });
    await expect.poll(() => fieldsAt(order_id), PATIENCE).toEqual(GRACE);
    await untilIdle(world);
    expect(await forgotten()).toEqual([true, false]);
  });
});

describe('a transfer that the provider has to agree to', () => {
  it('takes effect when it has, which it may tell twice', async () => {
    await rule('asked');
    const { number, order_id, from, to, accept } = await offered();
    provider.behave({ holder_ms: UNTIL_TOLD_MS, webhook_copies: 2 });
    expect(await accept()).toMatchObject({ status: 201, body: { state: 'with_provider' } });
    expect(await holds(from, number)).toBe(true);
    expect(await holds(to, number)).toBe(false);
    expect(await accept()).toMatchObject({ status: 201, body: { state: 'with_provider' } });
    expect(await from.client.ask('DELETE', `/v1/numbers/${number}/transfer`)).toMatchObject(problem('too_late'));
    expect(await from.client.post(`/v1/numbers/${number}/transfer`)).toMatchObject(problem('conflict'));
    await decided(order_id);
    await expect.poll(() => holds(to, number), PATIENCE).toBe(true);
    expect(await holds(from, number)).toBe(false);
    expect(fieldsAt(order_id)).toEqual(GRACE);
    expect((await submissions(order_id)).map(({ forgotten }) => forgotten)).toEqual([true, false]);
  });

  it('is refused when it does not agree, and nothing of the new holder is kept', async () => {
    await rule('asked');
    const { number, order_id, from, to, accept } = await offered();
    provider.behave({ holders_refused: [number] });
    await accept();
    const state = async () =>
      (await to.client.get<{ items: { state: string }[] }>('/v1/number-transfers')).body.items[0]?.state;
    await expect.poll(state, PATIENCE).toBe('refused');
    expect(await holds(from, number)).toBe(true);
    expect(fieldsAt(order_id)).toEqual(ADA);
    expect((await submissions(order_id)).map(({ forgotten }) => forgotten)).toEqual([false, true]);
    expect(await queue()).toEqual([]);
    // And it can be offered again.
    expect(await from.client.post(`/v1/numbers/${number}/transfer`)).toMatchObject({ status: 201 });
  });

  it('waits while the provider is away, is stuck for an admin, goes on when it is back', async () => {
    await rule('asked');
    const { number, from, to, accept } = await offered();
    provider.behave({ outage: 'errors' });
    const { body } = await accept();
    world.advance(16 * 60_000);
    expect(await queue('?stuck=yes')).toMatchObject([{ transfer_id: body.transfer_id, is_stuck: true }]);
    const holder = await from.user.signIn();
    expect(await holds({ client: holder }, number)).toBe(true);
    provider.behave({});
    const admin = await (await makeAdmin(world, ['operations'])).signIn();
    const path = `/v1/admin/number-transfers/${body.transfer_id}`;
    const next = await to.user.signIn();
    const { status } = await admin.post(`${path}/retry`);
    // It may have been tried again by itself just before, and is done then.
    if (status !== 202) expect([status, await holds({ client: next }, number)]).toEqual([409, true]);
    await expect.poll(() => holds({ client: next }, number), PATIENCE).toBe(true);
    expect(await admin.post(`${path}/give-up`, { reason: 'too late' })).toMatchObject(problem('too_late'));
    expect(await queue()).toEqual([]);
  });

  it('is given up by an admin, and the provider, which agreed meanwhile, is told that the holder stays', async () => {
    await rule('asked');
    const { number, order_id, from, to, accept } = await offered();
    provider.behave({ holder_ms: 200, webhook_copies: 0 });
    const { body } = await accept();
    await expect.poll(() => fieldsAt(order_id), PATIENCE).toEqual(GRACE);
    const admin = await (await makeAdmin(world, ['operations'])).signIn();
    const given_up = await admin.post(`/v1/admin/number-transfers/${body.transfer_id}/give-up`, { reason: 'a test' });
    expect(given_up).toMatchObject({ status: 200, body: { state: 'refused', provider_state: 'telling_back' } });
    await expect.poll(() => fieldsAt(order_id), PATIENCE).toEqual(ADA);
    await carryOut(world, 'look_at_number_orders');
    await expect.poll(() => queue(), PATIENCE).toEqual([]);
    expect(await holds(from, number)).toBe(true);
    expect(await holds(to, number)).toBe(false);
    expect((await submissions(order_id)).map(({ forgotten }) => forgotten)).toEqual([false, true, false]);
  });

  it('comes too late where the holder cancels meanwhile: all that was told is forgotten', async () => {
    await rule('asked');
    const { number, order_id, from, to, accept } = await offered();
    provider.behave({ holder_ms: UNTIL_TOLD_MS });
    await accept();
    expect(await from.client.post(`/v1/numbers/${number}/cancellation`, { when: 'now' })).toMatchObject({
      status: 201,
    });
    await expect.poll(() => provider.orders.get(order_id)?.state, PATIENCE).toBe('released');
    await untilIdle(world);
    expect(await holds(to, number)).toBe(false);
    expect((await submissions(order_id)).every(({ forgotten }) => forgotten)).toBe(true);
    const state = await world.pool.query('select state from number_transfer where number = $1', [number]);
    expect(state.rows).toEqual([{ state: 'refused' }]);
  });

  it('is told back where it was cancelled to the end of its month, as that is not handed over', async () => {
    await rule('asked');
    const { number, order_id, from, accept } = await offered();
    const changes_before = provider.changes.size;
    provider.behave({ holder_ms: UNTIL_TOLD_MS });
    await accept();
    await from.client.post(`/v1/numbers/${number}/cancellation`, { when: 'period_end' });
    await decided(order_id);
    expect(fieldsAt(order_id)).toEqual(GRACE);
    await expect.poll(() => provider.changes.size, PATIENCE).toBe(changes_before + 2);
    provider.decideHolder(order_id);
    await expect.poll(() => fieldsAt(order_id), PATIENCE).toEqual(ADA);
    expect(await holds(from, number)).toBe(true);
  });
});
