import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calleeProfiles } from '../../../domain/accounts/callee_profile.ts';
import { putDeck } from '../../../deploy/world/tariffs.ts';
import { makeApiKey, makeUser } from '../../testing/people.ts';
import type { PortalClient } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { buyerOf, problem, UNIT } from '../testing/buying.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { putInStock } from '../testing/stock.ts';

const UK = '+442071838750';
const STEP_UP_MS = 5 * 60_000;

let world: PortalWorld;
let last = 0;

beforeAll(async () => {
  world = await PortalWorld.begin();
  await needDocumentsIn(world.pool, []);
  const rows = ['44', '49', '1', '88'].map((prefix) => ({
    ...{ prefix, destination: `to ${prefix}`, rate_micros_per_minute: prefix === '88' ? 5_000_000n : 60_000n },
  }));
  await putDeck(world.pool, { name: 'retail', currency: 'EUR', carrier_id: null, rows });
});

afterAll(() => world.end());

interface Routing {
  device_ids: string[];
  ring_timeout_seconds: number;
  forward: { to: string; when: string } | null;
}

/** A customer and a number that is his, and how it is routed. */
async function bought() {
  last += 1;
  const number = `+4950400${String(last).padStart(3, '0')}`;
  await putInStock(world.pool, [number]);
  const buyer = await buyerOf(world, number, { balance_micros: 20n * UNIT });
  const path = `/v1/numbers/${number}/routing`;
  const read = async (client: PortalClient = buyer.client) => {
    const { body, headers } = await client.get<Routing>(path);
    return { body, version: Number(headers.get('etag')?.replaceAll('"', '')) };
  };
  const set = async (wish: Partial<Routing> & { forward?: unknown }, client: PortalClient = buyer.client) => {
    const { body, version } = await read(client);
    const { device_ids, ring_timeout_seconds } = body;
    const wanted = { device_ids, ring_timeout_seconds, ...wish };
    return client.ask<Routing & { detail?: string }>('PUT', path, { body: wanted, version });
  };
  return { ...buyer, number, read, set };
}

async function forwardOf(number: string): Promise<unknown> {
  return (await calleeProfiles(world.pool, [number]))[0]?.forward;
}

describe('where calls to a number go on to', () => {
  it('is set, kept when something else is changed, and taken away, each from the next call on', async () => {
    const { number, read, set } = await bought();
    expect((await read()).body.forward).toBeNull();
    const forward = { to: UK, when: 'unanswered' };
    expect(await set({ forward })).toMatchObject({ status: 200, body: { forward } });
    expect(await forwardOf(number)).toEqual(forward);
    expect(await set({ ring_timeout_seconds: 12 })).toMatchObject({ status: 200, body: { forward } });
    expect((await read()).body).toMatchObject({ ring_timeout_seconds: 12, forward });
    expect(await set({ forward: { to: UK, when: 'always' } })).toMatchObject({ status: 200 });
    expect(await forwardOf(number)).toEqual({ to: UK, when: 'always' });
    expect(await set({ forward: null })).toMatchObject({ status: 200, body: { forward: null } });
    expect(await forwardOf(number)).toBeNull();
    const { rows } = await world.pool.query<{ detail: unknown; subject: string }>(
      `select l.detail, l.subject from audit_log l join number_holding h on l.subject = 'number_holding:' || h.id
        where h.number = $1 and l.action = 'number.forward' order by l.seq`,
      [number],
    );
    expect(rows.map(({ detail }) => detail)).toEqual([
      { before: 'never', after: 'unanswered' },
      { before: 'unanswered', after: 'always' },
      { before: 'always', after: 'never' },
    ]);
  });

  it.each([
    ['a number for help', '+353112', /not a telephone number/u],
    ['a number that cannot be', '+44207183', /not a telephone number/u],
    ['a premium number', '+499001234567', /premium/u],
    ['a destination without a price', '+33155550100', /no price/u],
    ['one above the highest price of the account', '+881612345678', /5(\.00)? EUR a minute.*highest price/u],
    ['one that the account has blocked', '+447012345678', /blocked/u],
  ])('is never %s: %s', async (_, to, words) => {
    const { user, number, set } = await bought();
    await world.pool.query(
      `update call_limit set blocked_prefixes = '{4470}', rate_micros_per_minute_max = 1000000 where account_id = $1`,
      [user.account_id],
    );
    const refused = await set({ forward: { to, when: 'always' } });
    expect(refused).toMatchObject(problem('conflict'));
    expect(refused.body.detail).toMatch(words);
    expect(await forwardOf(number)).toBeNull();
  });

  it('is never a number of ours, be it one’s own, another’s or nobody’s', async () => {
    const [here, there] = [await bought(), await bought()];
    await putInStock(world.pool, ['+4950409999']);
    for (const to of [here.number, there.number, '+4950409999']) {
      const refused = await here.set({ forward: { to, when: 'always' } });
      expect(refused).toMatchObject(problem('conflict'));
      expect(refused.body.detail).toMatch(/a number of ours/u);
    }
  });

  it('is no short code, and nothing without a plus', async () => {
    const { set } = await bought();
    for (const to of ['112', '442071838750', '+49', 'sip:a@b'])
      expect(await set({ forward: { to, when: 'always' } })).toMatchObject({ status: 422 });
    expect(await set({ forward: { to: UK, when: 'sometimes' } })).toMatchObject({ status: 422 });
  });

  it('is set by whoever has just proven who it is, or by a program with the right to', async () => {
    const { user, number, set } = await bought();
    const client = await user.signIn();
    world.advance(STEP_UP_MS + 1_000);
    const forward = { to: UK, when: 'always' };
    expect(await set({ forward }, client)).toMatchObject(problem('step_up_required'));
    expect(await forwardOf(number)).toBeNull();
    // What does not send calls elsewhere needs no such proof.
    expect(await set({ ring_timeout_seconds: 9 }, client)).toMatchObject({ status: 200 });
    const program = world.client();
    program.api_key = await makeApiKey(world, user.account_id, ['numbers:read', 'numbers:write']);
    expect(await set({ forward }, program)).toMatchObject({ status: 200 });
    expect(await set({ forward }, client)).toMatchObject({ status: 200 });
    expect(await set({ forward: null }, client)).toMatchObject({ status: 200 });
  });

  it('is another customer’s neither to see nor to change', async () => {
    const { number } = await bought();
    const other = await (await makeUser(world)).signIn();
    expect(await other.get(`/v1/numbers/${number}/routing`)).toMatchObject({ status: 404 });
    const body = { device_ids: [], ring_timeout_seconds: 9, forward: { to: UK, when: 'always' } };
    expect(await other.ask('PUT', `/v1/numbers/${number}/routing`, { body, version: 1 })).toMatchObject({
      status: 404,
    });
  });

  it('is gone with its holder, whichever way the number leaves him', async () => {
    const [cancelled, moved] = [await bought(), await bought()];
    for (const { set } of [cancelled, moved])
      expect(await set({ forward: { to: UK, when: 'always' } })).toMatchObject({ status: 200 });
    const preview = await cancelled.client.get<{ refund_micros: string }>(
      `/v1/numbers/${cancelled.number}/cancellation-preview?when=now`,
    );
    const wish = { when: 'now', refund_micros: preview.body.refund_micros };
    expect(await cancelled.client.post(`/v1/numbers/${cancelled.number}/cancellation`, wish)).toMatchObject({
      status: 201,
    });
    await world.pool.query(`update did set account_id = $2 where number = $1`, [
      moved.number,
      cancelled.user.account_id,
    ]);
    const { rows } = await world.pool.query(
      'select forward_to, forward_when from did where number = any($1) and (forward_to is not null or forward_when is not null)',
      [[cancelled.number, moved.number]],
    );
    expect(rows).toEqual([]);
  });
});
