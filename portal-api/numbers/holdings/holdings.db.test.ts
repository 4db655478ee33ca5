import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calleeProfiles } from '../../../domain/accounts/callee_profile.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { brokenInvariants } from '../../../domain/ledger/invariants.ts';
import { topUpNow } from '../../../deploy/world/people.ts';
import { makeAdmin, makeUser } from '../../testing/people.ts';
import type { PortalClient } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { balanceOf, buyerOf, carryOut, problem, UNIT, untilIdle } from '../testing/buying.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { putInStock } from '../testing/stock.ts';
import { payNumbersSoon } from './pay_numbers_soon.ts';

const DAY_MS = 86_400_000;
const MONTH_AND_A_BIT_MS = 31.5 * DAY_MS;

let world: PortalWorld;
let last = 0;

beforeAll(async () => {
  world = await PortalWorld.begin();
  await needDocumentsIn(world.pool, ['GB']);
});

afterAll(() => world.end());

async function bought(balance_micros: bigint, country = 'DE') {
  last += 1;
  const number = `+4950300${String(last).padStart(3, '0')}`;
  await putInStock(world.pool, [number], { country });
  return { number, ...(await buyerOf(world, number, { balance_micros, tax_ppm: 190_000 })) };
}

/** By another sign-in, as that of before the clock moved is over. */
async function stateOf(user: { signIn: () => Promise<PortalClient> }, number: string): Promise<string> {
  const { status, body } = await (await user.signIn()).get<{ state: string }>(`/v1/numbers/${number}`);
  return status === 404 ? 'not theirs' : body.state;
}

async function didState(number: string): Promise<string> {
  const { rows } = await world.pool.query<{ state: string }>('select state from did where number = $1', [number]);
  return rows[0]?.state ?? '';
}

async function notices(account_id: string): Promise<string[]> {
  const { rows } = await world.pool.query<{ kind: string }>(
    `select n.kind from number_notice n join number_holding h on h.id = n.holding_id where h.account_id = $1 order by n.told_at`,
    [account_id],
  );
  return rows.map(({ kind }) => kind);
}

describe('a number that is held', () => {
  it('is announced a week and a day before, and renewed once for each month', async () => {
    const { user, number } = await bought(20n * UNIT);
    const paid = await balanceOf(world, user);
    const { rows } = await world.pool.query<{ paid_until: Date }>(
      'select paid_until from number_holding where number = $1',
      [number],
    );
    const left_ms = (rows[0]?.paid_until.getTime() ?? 0) - world.now().getTime();
    for (const before_ms of [7 * DAY_MS - 1_000, DAY_MS - 1_000]) {
      world.advance((rows[0]?.paid_until.getTime() ?? 0) - world.now().getTime() - before_ms);
      await carryOut(world, 'look_at_numbers');
      await carryOut(world, 'look_at_numbers');
    }
    expect(left_ms).toBeGreaterThan(27 * DAY_MS);
    expect(await notices(user.account_id)).toEqual(['renewal_week', 'renewal_day']);
    expect(await balanceOf(world, user)).toBe(paid);
    world.advance(DAY_MS);
    await Promise.all([carryOut(world, 'look_at_numbers'), carryOut(world, 'renew_numbers')]);
    expect(await balanceOf(world, user)).toBe(paid - 3_570_000n);
    expect(await stateOf(user, number)).toBe('active');
  });

  it('that is not paid works on for a week, is suspended for two, and is then nobody’s for ninety days', async () => {
    const { user, number } = await bought(5n * UNIT);
    world.advance(MONTH_AND_A_BIT_MS);
    await carryOut(world, 'look_at_numbers');
    expect(await stateOf(user, number)).toBe('grace');
    expect(await didState(number)).toBe('active');
    world.advance(7 * DAY_MS);
    await carryOut(world, 'look_at_numbers');
    expect(await stateOf(user, number)).toBe('suspended');
    expect(await calleeProfiles(world.pool, [number])).toMatchObject([{ did_state: 'suspended' }]);
    world.advance(14 * DAY_MS);
    await carryOut(world, 'look_at_numbers');
    expect(await stateOf(user, number)).toBe('not theirs');
    expect(await calleeProfiles(world.pool, [number])).toEqual([null]);
    expect(await notices(user.account_id)).toEqual(['grace', 'suspended']);
    const visitor = world.client();
    world.advance(90 * DAY_MS - 60_000);
    await carryOut(world, 'look_at_numbers');
    expect(await visitor.get(`/v1/number-offers/${number}`)).toMatchObject({ status: 404 });
    const early = world.pool.query(
      `insert into number_holding (id, number, account_id, wallet_id, state, state_since, held_from, currency, monthly_micros, anchor_day, paid_until)
       select gen_random_uuid(), $1, account_id, id, 'active', $3, $3, 'EUR', 0, 1, $3 from wallet where id = $2`,
      [number, user.wallet_id.toString(), world.now()],
    );
    await expect(early).rejects.toThrow(/number_holding_alone/u);
    world.advance(120_000);
    await carryOut(world, 'look_at_numbers');
    expect(await didState(number)).toBe('free');
    expect(await visitor.get(`/v1/number-offers/${number}`)).toMatchObject({ status: 200 });
    await buyerOf(world, number, { balance_micros: 10n * UNIT });
  });

  it('that is suspended is back when money comes, and its month begins anew', async () => {
    const { user, number } = await bought(5n * UNIT);
    world.advance(MONTH_AND_A_BIT_MS);
    await carryOut(world, 'look_at_numbers');
    world.advance(8 * DAY_MS);
    await carryOut(world, 'look_at_numbers');
    const client = await user.signIn();
    expect(await client.post(`/v1/numbers/${number}/renewal`)).toMatchObject(problem('no_money'));
    await topUpNow(world.pool, user.wallet_id, 10n * UNIT);
    await inTransaction(world.pool, (tx) => payNumbersSoon(tx, user.account_id));
    await untilIdle(world);
    expect(await stateOf(user, number)).toBe('active');
    expect(await didState(number)).toBe('active');
    const { body } = await client.get<{ paid_until: string }>(`/v1/numbers/${number}`);
    expect(Date.parse(body.paid_until) - world.now().getTime()).toBeGreaterThan(27 * DAY_MS);
    expect(await client.post(`/v1/numbers/${number}/renewal`)).toMatchObject(problem('conflict'));
  });
});

describe('a cancellation', () => {
  interface Preview {
    refund_micros: string;
    refund_tax_micros: string;
    days_unused: number;
    effective_at: string;
  }

  it('pays what its preview says, once, and not the setup', async () => {
    const { user, number } = await bought(10n * UNIT);
    world.advance(10 * DAY_MS);
    const client = await user.signIn();
    const before = await balanceOf(world, user);
    const { body } = await client.get<Preview>(`/v1/numbers/${number}/cancellation-preview?when=now`);
    const refund = BigInt(body.refund_micros);
    expect(refund).toBeGreaterThan(0n);
    expect(refund).toBeLessThan(3_570_000n);
    const wrong = await client.post(`/v1/numbers/${number}/cancellation`, { when: 'now', refund_micros: '1' });
    expect(wrong).toMatchObject(problem('conflict'));
    const wish = { when: 'now', refund_micros: body.refund_micros };
    const key = { idempotency_key: 'a cancellation'.replaceAll(' ', '-') };
    const done = await client.post(`/v1/numbers/${number}/cancellation`, wish, key);
    expect(done).toMatchObject({ status: 201, body: { refund_micros: body.refund_micros } });
    expect(await balanceOf(world, user)).toBe(before + refund);
    const again = await client.post(`/v1/numbers/${number}/cancellation`, wish, key);
    expect(again.body).toEqual(done.body);
    expect(await client.post(`/v1/numbers/${number}/cancellation`, wish)).toMatchObject({ status: 404 });
    expect(await balanceOf(world, user)).toBe(before + refund);
    expect(await didState(number)).toBe('quarantined');
  });

  it('to the end of the month can be undone until then, and gives nothing back', async () => {
    const { user, number } = await bought(10n * UNIT);
    const client = await user.signIn();
    const before = await balanceOf(world, user);
    const path = `/v1/numbers/${number}/cancellation`;
    expect(await client.post(path, { when: 'period_end' })).toMatchObject({
      status: 201,
      body: { refund_micros: '0' },
    });
    expect(await client.post(path, { when: 'period_end' })).toMatchObject(problem('conflict'));
    expect(await client.get(path)).toMatchObject({ status: 200, body: { when: 'period_end', done_at: null } });
    expect(await client.ask('DELETE', path)).toMatchObject({ status: 204 });
    expect(await client.ask('DELETE', path)).toMatchObject({ status: 404 });
    expect(await client.post(path, { when: 'period_end' })).toMatchObject({ status: 201 });
    world.advance(MONTH_AND_A_BIT_MS);
    const later = await user.signIn();
    expect(await later.ask('DELETE', path)).toMatchObject(problem('too_late'));
    await carryOut(world, 'look_at_numbers');
    expect(await stateOf(user, number)).toBe('not theirs');
    expect(await balanceOf(world, user)).toBe(before);
  });
});

describe('a transfer', () => {
  it('hands a number over with both consents, without what was routed, and at no cost', async () => {
    const { user, client, number } = await bought(10n * UNIT);
    const device = await client.post<{ device_id: string }>('/v1/devices', { label: 'desk', caller_number: number });
    const { device_id } = device.body;
    const routing = await client.get(`/v1/numbers/${number}/routing`);
    const version = Number(routing.headers.get('etag')?.replaceAll('"', ''));
    const body = { device_ids: [device_id], ring_timeout_seconds: 45 };
    expect(await client.ask('PUT', `/v1/numbers/${number}/routing`, { body, version })).toMatchObject({ status: 200 });
    expect(await calleeProfiles(world.pool, [number])).toMatchObject([{ ring_timeout_seconds: 45 }]);
    const offered = await client.post<{ code: string }>(`/v1/numbers/${number}/transfer`);
    expect(offered.status).toBe(201);
    expect(await client.post(`/v1/numbers/${number}/transfer`)).toMatchObject(problem('conflict'));
    const next = await makeUser(world);
    const theirs = await next.signIn();
    const accept = { code: offered.body.code, consent: true };
    expect(await client.post('/v1/number-transfers/accept', accept)).toMatchObject(problem('conflict'));
    expect(await theirs.post('/v1/number-transfers/accept', { ...accept, consent: false })).toMatchObject({
      status: 422,
    });
    expect(await theirs.post('/v1/number-transfers/accept', accept)).toMatchObject({
      status: 201,
      body: { side: 'to' },
    });
    expect(await stateOf(user, number)).toBe('not theirs');
    expect(await stateOf(next, number)).toBe('active');
    expect(await calleeProfiles(world.pool, [number])).toMatchObject([{ account_id: next.account_id, devices: [] }]);
    expect(await client.get(`/v1/devices/${device_id}`)).toMatchObject({ body: { caller_number: null } });
    expect(await theirs.get(`/v1/numbers/${number}/cancellation-preview?when=now`)).toMatchObject({
      body: { refund_micros: '0' },
    });
    const late = await (await makeUser(world)).signIn();
    expect(await late.post('/v1/number-transfers/accept', accept)).toMatchObject(problem('code_wrong'));
  });

  it('asks the new holder for the documents of such a number, ends with its week, and can be withdrawn', async () => {
    await needDocumentsIn(world.pool, []);
    const { user, client, number } = await bought(10n * UNIT, 'GB');
    await needDocumentsIn(world.pool, ['GB']);
    const theirs = await (await makeUser(world)).signIn();
    const offer = (by: PortalClient) => by.post<{ code: string }>(`/v1/numbers/${number}/transfer`);
    const first = await offer(client);
    const accept = (code: string) => theirs.post('/v1/number-transfers/accept', { code, consent: true });
    // The rules of today are in force a day after those of yesterday.
    expect(await accept(first.body.code)).toMatchObject({
      body: { ...problem('kyc_required').body, missing: ['passport'] },
    });
    expect(await client.ask('DELETE', `/v1/numbers/${number}/transfer`)).toMatchObject({ status: 204 });
    expect(await accept(first.body.code)).toMatchObject(problem('code_wrong'));
    await needDocumentsIn(world.pool, []);
    const second = await offer(client);
    expect(second.status).toBe(201);
    world.advance(7 * DAY_MS + 1);
    const later = await (await makeUser(world)).signIn();
    const expired = await later.post('/v1/number-transfers/accept', { code: second.body.code, consent: true });
    expect(expired).toMatchObject(problem('code_wrong'));
    expect(await offer(await user.signIn())).toMatchObject({ status: 201 });
  });
});

describe('a number that goes to another operator', () => {
  it('goes by its PIN, with an admin’s word, and is never sold again', async () => {
    const { user, client, number } = await bought(10n * UNIT);
    const visitor = world.client();
    const ask = (pin: string) =>
      visitor.post<{ port_out_id: string }>('/v1/port-outs', { number, pin, to_carrier: 'Elsewhere' });
    expect(await ask('0123456789')).toMatchObject(problem('code_wrong'));
    const { body: old } = await client.post<{ pin: string }>(`/v1/numbers/${number}/port-pin`);
    const { body } = await client.post<{ pin: string }>(`/v1/numbers/${number}/port-pin`);
    expect(await ask(old.pin)).toMatchObject(problem('code_wrong'));
    const first = await ask(body.pin);
    expect(first.status).toBe(201);
    const object = await client.post(`/v1/port-outs/${first.body.port_out_id}/object`);
    expect(object).toMatchObject({ status: 200, body: { state: 'objected' } });
    const second = await ask(body.pin);
    const admin = await (await makeAdmin(world, ['operations'])).signIn();
    const decide = (decision: string) =>
      admin.post(`/v1/admin/port-outs/${second.body.port_out_id}/decision`, { decision, reason: 'a test' });
    expect(await decide('complete')).toMatchObject(problem('too_late'));
    expect(await decide('approve')).toMatchObject({ body: { state: 'approved' } });
    expect(await client.post(`/v1/numbers/${number}/cancellation`, { when: 'now' })).toMatchObject(problem('conflict'));
    expect(await decide('complete')).toMatchObject({ body: { state: 'done' } });
    expect(await stateOf(user, number)).toBe('not theirs');
    world.advance(3_650 * DAY_MS);
    await carryOut(world, 'look_at_numbers');
    expect(await didState(number)).toBe('quarantined');
  });

  it('does not go once five PINs were wrong', async () => {
    const { client, number } = await bought(10n * UNIT);
    const { body } = await client.post<{ pin: string }>(`/v1/numbers/${number}/port-pin`);
    const ask = (pin: string) => world.client().post('/v1/port-outs', { number, pin, to_carrier: 'Elsewhere' });
    const wrong = body.pin === '0000000000' ? '1111111111' : '0000000000';
    for (let tries = 0; tries < 5; tries += 1) await ask(wrong);
    expect(await ask(body.pin)).toMatchObject(problem('code_wrong'));
  });
});

it('leaves the books right', async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
});
