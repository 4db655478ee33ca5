import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calleeProfiles } from '../../../domain/accounts/callee_profile.ts';
import { makeAdmin, makeUser } from '../../testing/people.ts';
import type { PortalClient, Reply } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { OFFER_COLUMNS } from '../offers/read_offers.ts';
import { balanceOf, buyerOf, problem, UNIT } from '../testing/buying.ts';
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

describe('a number that comes from another operator', () => {
  it('is taken in with its documents and its price, and works at once', async () => {
    const number = '+4980100130';
    const user = await makeUser(world, { balance_micros: 10n * UNIT });
    const client = await user.signIn();
    const document_id = randomUUID();
    const wish = {
      number,
      country: 'DE',
      number_type: 'geographic',
      from_carrier: 'Elsewhere',
      document_ids: [document_id],
    };
    expect(await client.post('/v1/port-ins', wish)).toMatchObject(problem('conflict'));
    await world.pool.query(
      `insert into kyc_document (id, account_id, type, file_id, page_bytes, key_sealed, uploaded_by, uploaded_at) values ($1, $2, 'passport', $3, '{1}', 'x', $4, now())`,
      [document_id, user.account_id, randomUUID(), user.user_id],
    );
    const asked = await client.post<{ port_in_id: string }>('/v1/port-ins', wish);
    expect(asked).toMatchObject({ status: 201, body: { state: 'requested' } });
    expect(await client.post('/v1/port-ins', wish)).toMatchObject(problem('conflict'));
    const decide = (decision: string, price?: object) =>
      admin.post(`/v1/admin/port-ins/${asked.body.port_in_id}/decision`, { decision, reason: 'a test', price });
    expect(await decide('complete')).toMatchObject(problem('too_late'));
    expect(await decide('accept')).toMatchObject({ body: { state: 'accepted' } });
    expect(await decide('complete')).toMatchObject(problem('conflict'));
    const price = { currency: 'EUR', monthly_micros: '2000000' };
    expect(await decide('complete', price)).toMatchObject({ body: { state: 'done' } });
    expect(await client.get(`/v1/numbers/${number}`)).toMatchObject({
      body: { state: 'active', monthly_micros: '2000000' },
    });
    expect(await balanceOf(world, user)).toBe(8n * UNIT);
    expect(await client.post(`/v1/port-ins/${asked.body.port_in_id}/withdraw`)).toMatchObject(problem('too_late'));
  });
});
