import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../../../domain/ledger/invariants.ts';
import { makeAdmin } from '../../testing/people.ts';
import type { TestUser } from '../../testing/people.ts';
import type { PortalClient, Reply } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { balanceOf, buyerOf, carryOut, problem, UNIT } from '../testing/buying.ts';
import { brokenRules } from '../testing/broken_rules.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { putInStock } from '../testing/stock.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** Setup 1, a month 3, and a fifth of tax on each: what a number costs here at first. */
const PAID = 4_800_000n;
const MONTH_PAID = 3_600_000n;

let world: PortalWorld;
let last = 0;

beforeAll(async () => {
  world = await PortalWorld.begin({ SECOND_APPROVAL_ABOVE_UNITS: '10' });
  await needDocumentsIn(world.pool, []);
});

afterAll(async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
  expect(await brokenRules(world.pool)).toEqual([]);
  await world.end();
});

interface Bought {
  user: TestUser;
  client: PortalClient;
  number: string;
  path: string;
}

async function bought(monthly_micros = 3n * UNIT, balance_micros = 200n * UNIT): Promise<Bought> {
  last += 1;
  const number = `+4950900${String(last).padStart(3, '0')}`;
  await putInStock(world.pool, [number], { monthly_micros });
  const buyer = await buyerOf(world, number, { balance_micros, tax_ppm: 200_000 });
  return { ...buyer, number, path: `/v1/admin/numbers/${number}` };
}

const operations = async (): Promise<PortalClient> => (await makeAdmin(world, ['operations'])).signIn();
const finance = async (): Promise<PortalClient> => (await makeAdmin(world, ['finance'])).signIn();

interface Preview {
  refund_micros: string;
  refund_micros_max: string;
  needs_approval: boolean;
}

interface Order {
  cancellation_order_id: string;
  state: string;
  refund_micros: string;
}

interface Terms {
  when: 'now' | 'period_end';
  refund: 'policy' | 'none' | 'full';
}

async function preview(admin: PortalClient, path: string, { when, refund }: Terms): Promise<Preview> {
  const { status, body } = await admin.get<Preview>(`${path}/cancellation-preview?when=${when}&refund=${refund}`);
  expect(status).toBe(200);
  return body;
}

/** As whoever does it has seen before what it comes to. */
async function cancel(admin: PortalClient, path: string, terms: Terms): Promise<Reply<Order>> {
  const { refund_micros } = await preview(admin, path, terms);
  return admin.post<Order>(`${path}/cancellation`, { ...terms, refund_micros, reason: 'fraud case 17' });
}

const cancelAgain = (admin: PortalClient, { path }: Bought): Promise<Reply> =>
  admin.post(`${path}/cancellation`, { when: 'now', refund: 'none', refund_micros: '0', reason: 'once more' });

const seenOf = ({ refund_micros }: Preview): object => ({ refund_micros });

async function stateOf({ client, number }: Bought): Promise<string> {
  const { status, body } = await client.get<{ state: string }>(`/v1/numbers/${number}`);
  return status === 404 ? 'not theirs' : body.state;
}

async function actionsOn(number: string): Promise<{ action: string; detail: unknown }[]> {
  const { rows } = await world.pool.query<{ action: string; detail: unknown }>(
    `select action, detail from audit_log where subject = $1 order by seq`,
    [`number:${number}`],
  );
  return rows;
}

describe('a number that one of us cancels', () => {
  it.each([
    ['none', 0n],
    ['full', PAID],
  ] as const)('at once is gone, with %s given back, and it is on record who did so and why', async (refund, given) => {
    const one = await bought();
    const before = await balanceOf(world, one.user);
    const admin = await operations();
    const seen = await preview(admin, one.path, { when: 'now', refund });
    expect(seen).toMatchObject({ refund_micros: `${given}`, refund_micros_max: `${PAID}`, needs_approval: false });
    const wish = { when: 'now', refund, refund_micros: seen.refund_micros, reason: 'fraud case 17' };
    const idempotency_key = randomUUID();
    const done = await admin.post<Order>(`${one.path}/cancellation`, wish, { idempotency_key });
    expect(done).toMatchObject({ status: 201, body: { state: 'done', refund, refund_micros: `${given}` } });
    expect(await admin.post(`${one.path}/cancellation`, wish, { idempotency_key })).toMatchObject({ body: done.body });
    expect(await stateOf(one)).toBe('not theirs');
    expect(await balanceOf(world, one.user)).toBe(before + given);
    expect(await actionsOn(one.number)).toMatchObject([
      {
        action: 'number.cancel',
        detail: { reason: 'fraud case 17', refund, refund_micros: `${given}`, state: 'done' },
      },
    ]);
    expect(await cancelAgain(admin, one)).toMatchObject({ status: 404 });
  });

  it('by the policy gives back what its holder would get, and never more than the preview said', async () => {
    const one = await bought();
    world.advance(10 * DAY_MS);
    const admin = await operations();
    const client = await one.user.signIn();
    const { body: theirs } = await client.get<Preview>(`/v1/numbers/${one.number}/cancellation-preview?when=now`);
    const seen = await preview(admin, one.path, { when: 'now', refund: 'policy' });
    expect(seen.refund_micros).toBe(theirs.refund_micros);
    expect(BigInt(seen.refund_micros)).toBeGreaterThan(0n);
    expect(BigInt(seen.refund_micros)).toBeLessThan(MONTH_PAID);
    const wish = { when: 'now', refund: 'policy', reason: 'x' };
    const wrong = await admin.post(`${one.path}/cancellation`, { ...wish, refund_micros: `${PAID}` });
    expect(wrong).toMatchObject(problem('conflict'));
    const before = await balanceOf(world, one.user);
    expect(await admin.post(`${one.path}/cancellation`, { ...wish, ...seenOf(seen) })).toMatchObject({ status: 201 });
    expect(await balanceOf(world, one.user)).toBe(before + BigInt(seen.refund_micros));
  });

  it('gives back in full what is left of what was paid, where some of it was credited before', async () => {
    const one = await bought();
    const [admin, money] = [await operations(), await finance()];
    const { rows } = await world.pool.query<{ charge_ref: string }>(
      `select p.charge_ref from number_period p join number_holding h on h.id = p.holding_id where h.number = $1`,
      [one.number],
    );
    const credit = { charge_kind: 'purchase', charge_ref: rows[0]?.charge_ref, reason: 'a fault' };
    const credited = await money.post(`/v1/admin/accounts/${one.user.account_id}/credit-notes`, {
      ...{ ...credit, net_micros: '3500000', tax_micros: '700000' },
    });
    expect(credited).toMatchObject({ status: 201 });
    expect(await preview(admin, one.path, { when: 'now', refund: 'full' })).toMatchObject({ refund_micros: '600000' });
    // Nor does the policy give back what is not there any more: neither we nor its holder are refused for it.
    const client = await one.user.signIn();
    const path = `/v1/numbers/${one.number}`;
    const { body } = await client.get<Preview>(`${path}/cancellation-preview?when=now`);
    expect(body.refund_micros).toBe('600000');
    const before = await balanceOf(world, one.user);
    expect(await client.post(`${path}/cancellation`, { when: 'now', ...seenOf(body) })).toMatchObject({ status: 201 });
    expect(await balanceOf(world, one.user)).toBe(before + 600_000n);
  });

  it('to the period’s end works until then, cannot be kept by its holder, and then pays what was promised', async () => {
    const one = await bought();
    const before = await balanceOf(world, one.user);
    const admin = await operations();
    expect(await cancel(admin, one.path, { when: 'period_end', refund: 'full' })).toMatchObject({
      ...{ status: 201, body: { state: 'done', refund_micros: `${PAID}` } },
    });
    expect(await balanceOf(world, one.user)).toBe(before);
    const client = await one.user.signIn();
    const path = `/v1/numbers/${one.number}/cancellation`;
    expect(await client.get(path)).toMatchObject({ body: { by: 'operator', reason: 'fraud case 17', done_at: null } });
    expect(await client.ask('DELETE', path)).toMatchObject(problem('conflict'));
    // What we decided on its refund is not gone round.
    expect(await client.post(path, { when: 'now' })).toMatchObject(problem('conflict'));
    expect(await cancel(admin, one.path, { when: 'period_end', refund: 'none' })).toMatchObject(problem('conflict'));
    expect(await stateOf(one)).toBe('active');
    world.advance(31 * DAY_MS + HOUR_MS);
    await carryOut(world, 'look_at_numbers');
    expect(await (await one.user.signIn()).get(`/v1/numbers/${one.number}`)).toMatchObject({ status: 404 });
    expect(await balanceOf(world, one.user)).toBe(before + PAID);
    await carryOut(world, 'look_at_numbers');
    expect(await balanceOf(world, one.user)).toBe(before + PAID);
  });

  it('to the period’s end can be left with its holder after all, by one of us, with a reason', async () => {
    const one = await bought();
    const admin = await operations();
    const withdraw = (): Promise<Reply> =>
      admin.post(`${one.path}/cancellation/withdraw`, { reason: 'it was not him' });
    expect(await withdraw()).toMatchObject({ status: 404 });
    // What its holder cancelled is his, until we decide otherwise.
    await one.client.post(`/v1/numbers/${one.number}/cancellation`, { when: 'period_end' });
    expect(await withdraw()).toMatchObject({ status: 404 });
    await cancel(admin, one.path, { when: 'period_end', refund: 'none' });
    expect(await withdraw()).toMatchObject({ status: 200, body: { by: 'operator', when: 'period_end' } });
    expect(await one.client.get(`/v1/numbers/${one.number}/cancellation`)).toMatchObject({ status: 404 });
    expect((await actionsOn(one.number)).map(({ action }) => action)).toEqual(['number.cancel', 'number.keep']);
  });

  it('is told to its holder, with the reason and what is given back', async () => {
    const one = await bought();
    await cancel(await operations(), one.path, { when: 'now', refund: 'full' });
    // For the account, and then for each of its people.
    const { rows } = await world.pool.query<{ facts: unknown }>(
      `select distinct (payload -> 'facts')::jsonb as facts from graphile_worker._private_jobs
        where payload ->> 'template' = 'number_cancelled_by_us' and payload -> 'facts' ->> 'number' = $1`,
      [one.number],
    );
    expect(rows).toMatchObject([{ facts: { reason: 'fraud case 17', amount: '4.80 EUR' } }]);
  });

  it('and that its holder cancels at the same moment is cancelled once, and given back once', async () => {
    const one = await bought();
    const before = await balanceOf(world, one.user);
    const admin = await operations();
    const wish = { when: 'now', refund: 'full', refund_micros: `${PAID}`, reason: 'fraud case 17' };
    const replies = await Promise.all([
      admin.post<Order>(`${one.path}/cancellation`, wish),
      one.client.post<{ refund_micros: string }>(`/v1/numbers/${one.number}/cancellation`, { when: 'now' }),
    ]);
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 404]);
    const given = replies.find(({ status }) => status === 201)?.body.refund_micros ?? '';
    expect(await balanceOf(world, one.user)).toBe(before + BigInt(given));
  });

  it('stays where it is while it is on its way to another operator', async () => {
    const one = await bought();
    const admin = await operations();
    const { body } = await one.client.post<{ pin: string }>(`/v1/numbers/${one.number}/port-pin`);
    const port_out = { number: one.number, pin: body.pin, to_carrier: 'Elsewhere' };
    const asked = await world.client().post<{ port_out_id: string }>('/v1/port-outs', port_out);
    const decision = { decision: 'approve', reason: 'a test' };
    await admin.post(`/v1/admin/port-outs/${asked.body.port_out_id}/decision`, decision);
    expect(await cancel(admin, one.path, { when: 'now', refund: 'full' })).toMatchObject(problem('conflict'));
    expect(await stateOf(one)).toBe('active');
  });

  it('is nobody’s to cancel who is not of operations, or has not proven lately who he is', async () => {
    const one = await bought();
    const support = await (await makeAdmin(world, ['support'])).signIn();
    const wish = { when: 'now', refund: 'none', refund_micros: '0', reason: 'x' };
    expect(await support.post(`${one.path}/cancellation`, wish)).toMatchObject(problem('not_permitted'));
    expect(await one.client.post(`${one.path}/cancellation`, wish)).toMatchObject(problem('not_permitted'));
    const admin = await operations();
    world.advance(6 * 60_000);
    expect(await admin.post(`${one.path}/cancellation`, wish)).toMatchObject(problem('step_up_required'));
    expect(await stateOf(one)).toBe('active');
  });
});

describe('a cancellation that gives back more than one of us may', () => {
  /** A month of nine units and a setup of one, and a fifth on each: 12, where one may give back 10. */
  const dear = (): Promise<Bought> => bought(9n * UNIT);
  const FULL = 12n * UNIT;

  const decide = (admin: PortalClient, id: string, decision: 'approve' | 'reject'): Promise<Reply<Order>> =>
    admin.post(`/v1/admin/cancellation-orders/${id}/${decision}`, ...(decision === 'reject' ? [{ reason: 'no' }] : []));

  it('waits, with nothing done, until another one agrees', async () => {
    const one = await dear();
    const before = await balanceOf(world, one.user);
    const owner = await makeAdmin(world, ['owner']);
    const admin = await owner.signIn();
    expect(await preview(admin, one.path, { when: 'now', refund: 'full' })).toMatchObject({ needs_approval: true });
    const asked = await cancel(admin, one.path, { when: 'now', refund: 'full' });
    expect(asked).toMatchObject({
      status: 201,
      body: { state: 'waiting', refund_micros: `${FULL}`, approvals_needed: 2 },
    });
    const { cancellation_order_id: id } = asked.body;
    expect([await stateOf(one), await balanceOf(world, one.user)]).toEqual(['active', before]);
    expect(await cancel(admin, one.path, { when: 'now', refund: 'none' })).toMatchObject(problem('conflict'));
    expect(await decide(await operations(), id, 'approve')).toMatchObject(problem('not_permitted'));
    expect(await decide(admin, id, 'approve')).toMatchObject(problem('second_approval_required'));
    const second = await finance();
    const listed = await second.get<{ items: Order[] }>('/v1/admin/cancellation-orders');
    expect(listed.body.items.map(({ cancellation_order_id }) => cancellation_order_id)).toEqual([id]);
    const both = await Promise.all([decide(second, id, 'approve'), decide(await finance(), id, 'approve')]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect([await stateOf(one), await balanceOf(world, one.user)]).toEqual(['not theirs', before + FULL]);
    expect((await actionsOn(one.number)).map(({ action }) => action)).toEqual([
      'number.cancel',
      'number.cancel_approve',
    ]);
  });

  it('leaves everything as it was where it is rejected', async () => {
    const one = await dear();
    const before = await balanceOf(world, one.user);
    const { body } = await cancel(await operations(), one.path, { when: 'now', refund: 'full' });
    const second = await finance();
    expect(await decide(second, body.cancellation_order_id, 'reject')).toMatchObject({ body: { state: 'rejected' } });
    expect(await decide(second, body.cancellation_order_id, 'approve')).toMatchObject(problem('conflict'));
    expect([await stateOf(one), await balanceOf(world, one.user)]).toEqual(['active', before]);
  });

  it('lapses where its holder has it no longer', async () => {
    const one = await dear();
    const { body } = await cancel(await operations(), one.path, { when: 'now', refund: 'full' });
    await one.client.post(`/v1/numbers/${one.number}/cancellation`, { when: 'now' });
    const after = await balanceOf(world, one.user);
    const second = await finance();
    expect(await decide(second, body.cancellation_order_id, 'approve')).toMatchObject(problem('conflict'));
    expect(await balanceOf(world, one.user)).toBe(after);
    const { body: lapsed } = await second.get<{ items: Order[] }>('/v1/admin/cancellation-orders?state=lapsed');
    expect(lapsed.items).toMatchObject([{ cancellation_order_id: body.cancellation_order_id }]);
  });

  it('gives back no more than was asked for, where another month was paid while it waited', async () => {
    const one = await dear();
    world.advance(20 * DAY_MS);
    const { body } = await cancel(await operations(), one.path, { when: 'now', refund: 'full' });
    world.advance(12 * DAY_MS);
    await carryOut(world, 'look_at_numbers');
    // Of the second month there is no setup to give back: it is less, and all of what that month was paid with.
    const before = await balanceOf(world, one.user);
    expect(await decide(await finance(), body.cancellation_order_id, 'approve')).toMatchObject({ status: 200 });
    expect(await balanceOf(world, one.user)).toBe(before + 10_800_000n);
  });
});
