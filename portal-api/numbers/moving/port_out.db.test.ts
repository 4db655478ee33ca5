import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../../../domain/ledger/invariants.ts';
import { makeAdmin } from '../../testing/people.ts';
import type { TestUser } from '../../testing/people.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { balanceOf, buyerOf, carryOut, PATIENCE, problem, UNIT } from '../testing/buying.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { putInStock } from '../testing/stock.ts';

const DAY_MS = 86_400_000;
const MONTH_AND_A_BIT_MS = 31.5 * DAY_MS;

let world: PortalWorld;
let last = 0;

beforeAll(async () => {
  world = await PortalWorld.begin();
  await needDocumentsIn(world.pool, []);
});

afterAll(async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
  await world.end();
});

interface Promised {
  number: string;
  user: TestUser;
  port_out_id: string;
  decide: (decision: 'approve' | 'refuse' | 'complete') => Promise<unknown>;
}

/** A number that another operator was promised, cancelled before that if so wished. */
async function promised(wishes: { balance_micros: bigint; is_cancelled: boolean | 'by_us' }): Promise<Promised> {
  last += 1;
  const number = `+4950400${String(last).padStart(3, '0')}`;
  await putInStock(world.pool, [number]);
  const { user, client } = await buyerOf(world, number, { ...wishes, tax_ppm: 190_000 });
  const { body } = await client.post<{ pin: string }>(`/v1/numbers/${number}/port-pin`);
  const asked = await world.client().post<{ port_out_id: string }>('/v1/port-outs', {
    ...{ number, pin: body.pin, to_carrier: 'Elsewhere' },
  });
  if (wishes.is_cancelled === 'by_us') await cancelInFull(number);
  else if (wishes.is_cancelled) {
    const path = `/v1/numbers/${number}/cancellation`;
    expect(await client.post(path, { when: 'period_end' })).toMatchObject({ status: 201 });
  }
  const { port_out_id } = asked.body;
  const decide = async (decision: string): Promise<unknown> => {
    const admin = await (await makeAdmin(world, ['operations'])).signIn();
    return admin.post(`/v1/admin/port-outs/${port_out_id}/decision`, { decision, reason: 'a test' });
  };
  expect(await decide('approve')).toMatchObject({ status: 200, body: { state: 'approved' } });
  return { number, user, port_out_id, decide };
}

/** By one of us, to the end of its month, with all that it cost. */
async function cancelInFull(number: string): Promise<void> {
  const admin = await (await makeAdmin(world, ['operations'])).signIn();
  const wish = { when: 'period_end', refund: 'full', refund_micros: '4760000', reason: 'a test' };
  expect(await admin.post(`/v1/admin/numbers/${number}/cancellation`, wish)).toMatchObject({ status: 201 });
}

async function standing(number: string): Promise<unknown> {
  const { rows } = await world.pool.query(
    `select h.state, h.end_reason, d.state as did from number_holding h join did d on d.number = h.number where h.number = $1`,
    [number],
  );
  return rows[0];
}

/** Whom of them a notice waits for that their number was not handed over; there is no server for mail here. */
async function toldOfIt(users: readonly string[]): Promise<string[]> {
  const { rows } = await world.pool.query<{ user_id: string }>(
    `select payload ->> 'user_id' as user_id from graphile_worker._private_jobs
      where payload ->> 'template' = 'port_out_refused' and payload ->> 'user_id' = any ($1)`,
    [users],
  );
  return rows.map(({ user_id }) => user_id).toSorted();
}

const HELD = { state: 'active', end_reason: null, did: 'active' };
const SUSPENDED = { state: 'suspended', end_reason: null, did: 'suspended' };
const gone = (end_reason: string) => ({ state: 'ended', end_reason, did: 'quarantined' });

/** In steps of a day, as by itself: until an unpaid number is suspended, and then until it would have ended. */
async function leaveUnpaidForLong(): Promise<void> {
  for (const days of [31.5, 7.5, 14.5]) {
    world.advance(days * DAY_MS);
    await carryOut(world, 'look_at_numbers');
  }
}

describe('a number that another operator was promised', () => {
  it('goes there though its cancellation’s day comes first, and costs nothing from then on', async () => {
    const { number, user, decide } = await promised({ balance_micros: 20n * UNIT, is_cancelled: true });
    const before = await balanceOf(world, user);
    world.advance(MONTH_AND_A_BIT_MS);
    await carryOut(world, 'look_at_numbers');
    await carryOut(world, 'renew_numbers', { account_id: user.account_id });
    expect(await standing(number)).toEqual(HELD);
    expect(await decide('complete')).toMatchObject({ status: 200, body: { state: 'done' } });
    expect(await standing(number)).toEqual(gone('ported_out'));
    expect(await balanceOf(world, user)).toBe(before);
  });

  it('is given back for what one of us promised for its cancellation, as its day comes before it goes', async () => {
    const { number, user, decide } = await promised({ balance_micros: 20n * UNIT, is_cancelled: 'by_us' });
    const before = await balanceOf(world, user);
    world.advance(MONTH_AND_A_BIT_MS);
    await carryOut(world, 'look_at_numbers');
    expect(await balanceOf(world, user)).toBe(before);
    expect(await decide('complete')).toMatchObject({ status: 200, body: { state: 'done' } });
    expect(await standing(number)).toEqual(gone('ported_out'));
    // All that it cost: the setup of 1 and the month of 3, with 19 per cent of tax.
    expect(await balanceOf(world, user)).toBe(before + 4_760_000n);
  });

  it('is given back for what one of us promised, though it goes before that day', async () => {
    const { number, user, decide } = await promised({ balance_micros: 20n * UNIT, is_cancelled: 'by_us' });
    const before = await balanceOf(world, user);
    expect(await decide('complete')).toMatchObject({ status: 200, body: { state: 'done' } });
    expect(await standing(number)).toEqual(gone('ported_out'));
    expect(await balanceOf(world, user)).toBe(before + 4_760_000n);
  });

  it('is not kept for it for ever: what is not fetched in 60 days goes on as if nobody had asked', async () => {
    const [cancelled, unpaid, paid] = [
      await promised({ balance_micros: 20n * UNIT, is_cancelled: true }),
      await promised({ balance_micros: 5n * UNIT, is_cancelled: false }),
      await promised({ balance_micros: 20n * UNIT, is_cancelled: false }),
    ];
    await leaveUnpaidForLong();
    expect(await standing(cancelled.number)).toEqual(HELD);
    world.advance(6.4 * DAY_MS);
    await carryOut(world, 'look_at_numbers');
    expect(await standing(cancelled.number)).toEqual(HELD);
    world.advance(0.2 * DAY_MS);
    await carryOut(world, 'look_at_numbers');
    await carryOut(world, 'look_at_numbers');
    expect(await standing(cancelled.number)).toEqual(gone('cancelled'));
    expect(await standing(unpaid.number)).toEqual(gone('unpaid'));
    expect(await standing(paid.number)).toEqual(HELD);
    const client = await paid.user.signIn();
    expect(await client.get('/v1/port-outs')).toMatchObject({ body: { items: [{ state: 'refused' }] } });
    expect(await paid.decide('complete')).toMatchObject(problem('too_late'));
    const users = [cancelled, unpaid, paid].map(({ user }) => user.user_id);
    await expect.poll(() => toldOfIt(users), PATIENCE).toEqual(users.toSorted());
  });

  it('ends as it was cancelled once that has come to nothing', async () => {
    const { number, user, decide } = await promised({ balance_micros: 20n * UNIT, is_cancelled: true });
    const before = await balanceOf(world, user);
    world.advance(MONTH_AND_A_BIT_MS);
    await carryOut(world, 'look_at_numbers');
    expect(await decide('refuse')).toMatchObject({ status: 200, body: { state: 'refused' } });
    await carryOut(world, 'look_at_numbers');
    expect(await standing(number)).toEqual(gone('cancelled'));
    expect(await balanceOf(world, user)).toBe(before);
  });

  it('can be kept until then, and is paid for as if it had not been cancelled', async () => {
    const { number, user, port_out_id } = await promised({ balance_micros: 20n * UNIT, is_cancelled: true });
    const before = await balanceOf(world, user);
    world.advance(MONTH_AND_A_BIT_MS);
    await carryOut(world, 'look_at_numbers');
    const client = await user.signIn();
    expect(await client.ask('DELETE', `/v1/numbers/${number}/cancellation`)).toMatchObject({ status: 204 });
    expect(await client.post(`/v1/port-outs/${port_out_id}/object`)).toMatchObject({ body: { state: 'objected' } });
    await carryOut(world, 'look_at_numbers');
    expect(await standing(number)).toEqual(HELD);
    expect(await balanceOf(world, user)).toBe(before - 3_570_000n);
    expect(await client.post(`/v1/numbers/${number}/renewal`)).toMatchObject(problem('conflict'));
  });

  it('goes there though nobody pays for it any more, and is lost for that only once it does not go', async () => {
    const [goes, stays] = [
      await promised({ balance_micros: 5n * UNIT, is_cancelled: false }),
      await promised({ balance_micros: 5n * UNIT, is_cancelled: false }),
    ];
    await leaveUnpaidForLong();
    expect([await standing(goes.number), await standing(stays.number)]).toEqual([SUSPENDED, SUSPENDED]);
    expect(await goes.decide('complete')).toMatchObject({ status: 200, body: { state: 'done' } });
    expect(await stays.decide('refuse')).toMatchObject({ status: 200, body: { state: 'refused' } });
    await carryOut(world, 'look_at_numbers');
    expect([await standing(goes.number), await standing(stays.number)]).toEqual([gone('ported_out'), gone('unpaid')]);
  });

  it('is lost by its cancellation where it was asked for and not promised', async () => {
    const { number, user, decide } = await promised({ balance_micros: 20n * UNIT, is_cancelled: false });
    await decide('refuse');
    const client = await user.signIn();
    const { body } = await client.post<{ pin: string }>(`/v1/numbers/${number}/port-pin`);
    const wish = { number, pin: body.pin, to_carrier: 'Elsewhere' };
    expect(await world.client().post('/v1/port-outs', wish)).toMatchObject({ status: 201 });
    await client.post(`/v1/numbers/${number}/cancellation`, { when: 'period_end' });
    world.advance(MONTH_AND_A_BIT_MS);
    await carryOut(world, 'look_at_numbers');
    expect(await standing(number)).toEqual(gone('cancelled'));
  });
});
