import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { putDeck, putTextDeck } from '../../deploy/world/tariffs.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { makeAdmin, makeMember, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

let world: PortalWorld;
let user: TestUser;
let here: PortalClient;
let finance: PortalClient;

beforeAll(async () => {
  world = await PortalWorld.begin();
  user = await makeUser(world, { balance_micros: 20_000_000n, tax_ppm: 190_000 });
  here = await user.signIn();
  finance = await (await makeAdmin(world, ['finance'])).signIn();
});

afterAll(async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
  await world.end();
});

interface Offer {
  offer_id: string;
  version: number;
}

describe('a wallet', () => {
  it('tells its entries page by page, whoever of the account asks', async () => {
    for (let n = 1; n <= 5; n += 1) {
      await world.pool.query(
        `select charge_wallet('purchase', gen_random_uuid(), $1, $2, 0, '{"what":"a thing"}', now())`,
        [...[user.wallet_id.toString(), n * 1000]],
      );
    }
    const member = await (await makeMember(world, user.account_id, 'member')).signIn();
    const amounts: string[] = [];
    for (let cursor = '', more = true; more;) {
      const { body } = await member.get<{ items: { amount_micros: string }[]; next_cursor: string | null }>(
        `/v1/wallet/entries?limit=2${cursor}`,
      );
      amounts.push(...body.items.map(({ amount_micros }) => amount_micros));
      cursor = `&cursor=${body.next_cursor ?? ''}`;
      more = body.next_cursor !== null;
    }
    expect(amounts).toEqual(['-5000', '-4000', '-3000', '-2000', '-1000', '20000000']);
    expect(await here.get('/v1/wallet/entries?cursor=bm8')).toMatchObject({ status: 422 });
  });

  it('is seen by an admin with a purpose, which is on record', async () => {
    const path = `/v1/admin/accounts/${user.account_id}/wallet`;
    expect(await finance.get(path)).toMatchObject({ status: 422 });
    const seen = await finance.get<{ entries: unknown[] }>(`${path}?purpose=ticket%207`);
    expect(seen.status).toBe(200);
    expect(seen.body.entries).toHaveLength(6);
    const { rows } = await world.pool.query('select action, purpose from audit_log where account_id = $1', [
      user.account_id,
    ]);
    expect(rows).toEqual([{ action: 'wallet.view', purpose: 'ticket 7' }]);
  });
});

describe('a minute pack', () => {
  const offer = (more: object = {}) =>
    finance.post<Offer>('/v1/admin/pack-offers', {
      ...{
        name: 'Germany 100',
        prefixes: ['49'],
        seconds: 6_000,
        valid_days: 30,
        price_micros: '5000000',
        currency: 'EUR',
      },
      ...{ sold_from: '2026-01-01T00:00:00Z', ...more },
    });
  const balance = async () => (await here.get<{ balance_micros: string }>('/v1/wallet')).body.balance_micros;

  it('is bought once for one key: its price with tax leaves the wallet, and its seconds are there', async () => {
    const { body } = await offer();
    expect((await here.get<{ items: unknown[] }>('/v1/pack-offers')).body.items).toHaveLength(1);
    const before = BigInt(await balance());
    const idempotency_key = 'one-and-the-same';
    const buy = () => here.post(`/v1/pack-offers/${body.offer_id}/buy`, undefined, { idempotency_key });
    const replies = await Promise.all([buy(), buy(), buy()]);
    expect(replies.some(({ status }) => status === 201)).toBe(true);
    expect(before - BigInt(await balance())).toBe(5_950_000n);
    const wallet = await here.get<{ packs: { seconds_left: number }[] }>('/v1/wallet');
    expect(wallet.body.packs).toMatchObject([{ seconds_left: 6_000, prefixes: ['49'] }]);
  });

  it('is not sold before its day, after its end, or for more than there is', async () => {
    const dear = await offer({ price_micros: '500000000' });
    expect(await here.post(`/v1/pack-offers/${dear.body.offer_id}/buy`)).toMatchObject({ status: 409 });
    const later = await offer({ sold_from: '2100-01-01T00:00:00Z' });
    expect(await here.post(`/v1/pack-offers/${later.body.offer_id}/buy`)).toMatchObject({
      body: { type: 'urn:letsdial:problem:not_available' },
    });
    const { body } = await offer();
    const end = (version: number) =>
      finance.ask('PATCH', `/v1/admin/pack-offers/${body.offer_id}`, {
        ...{ version, body: { sold_until: world.now().toISOString() } },
      });
    expect(await end(7)).toMatchObject({ status: 412 });
    expect(await end(1)).toMatchObject({ status: 200, body: { version: 2 } });
    expect(await here.post(`/v1/pack-offers/${body.offer_id}/buy`)).toMatchObject({ status: 409 });
  });

  it('is not sold to whom a restriction keeps from buying', async () => {
    const { body } = await offer();
    const other = await makeUser(world, { balance_micros: 20_000_000n });
    await world.pool.query(
      `insert into restriction (id, account_id, scope, reason, starts_at) values (gen_random_uuid(), $1, 'purchases', 'a test', '2026-01-01')`,
      [other.account_id],
    );
    const reply = await (await other.signIn()).post(`/v1/pack-offers/${body.offer_id}/buy`);
    expect(reply).toMatchObject({ status: 409, body: { type: 'urn:letsdial:problem:restricted' } });
  });
});

describe('a price', () => {
  it('of a number is that of the longest prefix of the deck in force', async () => {
    const rows = [
      { prefix: '44', destination: 'UK', rate_micros_per_minute: 10_000n },
      { prefix: '447', destination: 'UK mobile', rate_micros_per_minute: 30_000n, minimum_seconds: 60 },
    ];
    await putDeck(world.pool, { name: 'retail', currency: 'EUR', carrier_id: null, rows });
    await putTextDeck(world.pool, {
      ...{ name: 'retail-texts', currency: 'EUR', carrier_id: null },
      rows: [{ prefix: '44', destination: 'UK', rate_micros_per_segment: 45_000n }],
    });
    const look = (number: string) => here.get(`/v1/rates?number=${encodeURIComponent(number)}`);
    expect(await look('+447700900123')).toMatchObject({
      body: {
        call: {
          prefix: '447',
          destination: 'UK mobile',
          rate_micros_per_minute: '30000',
          minimum_seconds: 60,
          deck_version: 1,
        },
        text: { prefix: '44', rate_micros_per_segment: '45000' },
        tax_ppm: 190_000,
      },
    });
    expect(await look('+442071838750')).toMatchObject({ body: { call: { prefix: '44' } } });
    expect(await look('+33199001234')).toMatchObject({ status: 200, body: { call: null, text: null } });
  });

  it('has the tax of the customer’s country from the day on that it is in force', async () => {
    const taxed = async () => {
      const { rows } = await world.pool.query<{ tax_ppm: number }>('select tax_ppm from account where id = $1', [
        user.account_id,
      ]);
      return rows[0]?.tax_ppm;
    };
    const day = (days: number) => new Date(world.now().getTime() + days * 86_400_000).toISOString().slice(0, 10);
    const add = (valid_from: string, tax_ppm: number) =>
      finance.post('/v1/admin/tax-rates', { country: 'DE', party: 'person', valid_from, tax_ppm });
    expect(await add(day(-1), 160_000)).toMatchObject({ status: 409 });
    expect(await add(day(5), 210_000)).toMatchObject({ status: 201 });
    expect(await add(day(5), 220_000)).toMatchObject({ status: 409 });
    await world.pool.query(`select graphile_worker.add_job('apply_tax_rates')`);
    await expect
      .poll(async () => {
        const { rows } = await world.pool.query<{ n: number }>(
          `select count(*)::int as n from graphile_worker.jobs where task_identifier = 'apply_tax_rates'`,
        );
        return rows[0]?.n;
      })
      .toBe(0);
    expect(await taxed()).toBe(190_000);
    world.advance(7 * 86_400_000);
    await world.pool.query(`select graphile_worker.add_job('apply_tax_rates')`);
    await expect.poll(taxed).toBe(210_000);
  });
});
