import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calleeProfiles } from '../../../domain/accounts/callee_profile.ts';
import { makeAdmin } from '../../testing/people.ts';
import type { PortalClient, Reply } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { OFFER_COLUMNS } from '../offers/read_offers.ts';
import { buyerOf, UNIT } from '../testing/buying.ts';
import { needDocumentsIn } from '../testing/documents.ts';

let world: PortalWorld;
let admin: PortalClient;

beforeAll(async () => {
  world = await PortalWorld.begin();
  await needDocumentsIn(world.pool, []);
  admin = await (await makeAdmin(world, ['operations'])).signIn();
});

afterAll(() => world.end());

function send(client: PortalClient, lines: readonly string[], provider = 'stock'): Promise<Reply> {
  const form = new FormData();
  form.set('provider', provider);
  form.set('file', new Blob([[OFFER_COLUMNS.join(','), ...lines].join('\n')]), 'numbers.csv');
  return client.ask('POST', '/v1/admin/number-imports', { form });
}

const lineOf = (number: string, monthly = '3', valid_from = ''): string =>
  `${number},DE,geographic,yes,yes,EUR,1,${monthly},${valid_from}`;

async function onSale(): Promise<string[][]> {
  const { body } = await world
    .client()
    .get<{ items: { number: string; monthly_micros: string }[] }>('/v1/number-offers?country=DE');
  return body.items.map(({ number, monthly_micros }) => [number, monthly_micros]);
}

async function audited(subject: string): Promise<string[]> {
  const { rows } = await world.pool.query<{ action: string }>(
    'select action from audit_log where subject = $1 order by seq',
    [subject],
  );
  return rows.map(({ action }) => action);
}

describe('an import', () => {
  it('makes its lines what is for sale, from the moments that they name, and takes away what is not in it', async () => {
    expect(await send(admin, [lineOf('+4980100100'), lineOf('+4980100101')])).toMatchObject({
      status: 201,
      body: { offered: 2, repriced: 2, withdrawn: 0 },
    });
    const tomorrow = new Date(world.now().getTime() + 86_400_000).toISOString();
    const second = [lineOf('+4980100101', '4', tomorrow), lineOf('+4980100102')];
    expect(await send(admin, second)).toMatchObject({ body: { offered: 2, repriced: 2, withdrawn: 1 } });
    expect(await onSale()).toEqual([
      ['+4980100101', '3000000'],
      ['+4980100102', '3000000'],
    ]);
    world.advance(86_400_001);
    expect(await onSale()).toEqual([
      ['+4980100101', '4000000'],
      ['+4980100102', '3000000'],
    ]);
    admin = await (await makeAdmin(world, ['operations'])).signIn();
    expect(await audited('number_provider:stock')).toEqual(['number.import', 'number.import']);
  });

  it('with any line that is wrong changes nothing, and says which', async () => {
    const before = await onSale();
    const bad = await send(admin, [lineOf('+4980100199'), 'nonsense', lineOf('+4980100198', '-1')]);
    expect(bad).toMatchObject({ status: 422, body: { errors: [{ path: 'line 3' }, { path: 'line 4' }] } });
    expect(await send(admin, [lineOf('+4980100102')], 'partner')).toMatchObject({ status: 422 });
    expect(await send(admin, [lineOf('+4980100199')], 'nobody')).toMatchObject({ status: 422 });
    expect(await onSale()).toEqual(before);
  });

  it('leaves a number with its holder', async () => {
    await send(admin, [lineOf('+4980100110')]);
    const { client } = await buyerOf(world, '+4980100110', { balance_micros: 10n * UNIT });
    await send(admin, [lineOf('+4980100111', '9')]);
    expect(await client.get('/v1/numbers/+4980100110')).toMatchObject({ body: { monthly_micros: '3000000' } });
    const listed = await admin.get('/v1/admin/numbers?state=active');
    expect(listed).toMatchObject({ body: { items: [{ number: '+4980100110', offered: false, state: 'active' }] } });
  });

  it('is for those who keep the inventory', async () => {
    const support = await (await makeAdmin(world, ['support'])).signIn();
    expect(await send(support, [])).toMatchObject({ status: 403 });
    expect(await support.get('/v1/admin/numbers')).toMatchObject({ status: 200 });
  });
});

describe('a dispute about a number', () => {
  it('is seen through with a purpose, and ends with a release that is audited', async () => {
    const number = '+4980100120';
    await send(admin, [lineOf(number)]);
    const { user, client } = await buyerOf(world, number, { balance_micros: 10n * UNIT });
    const path = `/v1/admin/numbers/${number}`;
    expect(await admin.get(`${path}/holders`)).toMatchObject({ status: 422 });
    const seen = await admin.get(`${path}/holders?purpose=dispute%2017`);
    expect(seen).toMatchObject({ body: { items: [{ account_id: user.account_id, state: 'active', held_to: null }] } });
    expect(await admin.post(`${path}/release`, { reason: 'dispute 17' })).toMatchObject({ status: 204 });
    expect(await client.get(`/v1/numbers/${number}`)).toMatchObject({ status: 404 });
    expect(await calleeProfiles(world.pool, [number])).toEqual([null]);
    expect(await audited(`number:${number}`)).toEqual(['number_holding.view', 'number.release']);
    const after = await admin.get(`${path}/holders?purpose=dispute%2017`);
    expect(after).toMatchObject({ body: { items: [{ state: 'ended', end_reason: 'forced' }] } });
  });
});
