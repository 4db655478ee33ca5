import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAdmin, makeUser } from '../../testing/people.ts';
import type { Reply } from '../../testing/portal_client.ts';
import { CarrierDesk, refusal } from '../testing/carrier_desk.ts';
import type { Carrier, Refused } from '../testing/carrier_desk.ts';

const SECRET = 'semi;colon^3Band-more';

let desk: CarrierDesk;

beforeAll(async () => {
  desk = await CarrierDesk.begin();
});

afterAll(() => desk.end());

describe('a carrier', () => {
  it('is made once by a request that is asked twice, also where its answer was lost', async () => {
    const body = { code: 'alpha', name: 'Alpha', currency: 'EUR' };
    const idempotency_key = randomUUID();
    const made = await desk.operations.post<Carrier>('/v1/admin/carriers', body, { idempotency_key });
    expect(made).toMatchObject({
      status: 201,
      body: { code: 'alpha', enabled: true, version: 1, trunks: [], binds: [] },
    });
    expect(made.headers.get('etag')).toBe('"1"');
    const again = await desk.operations.post('/v1/admin/carriers', body, { idempotency_key });
    expect(again).toMatchObject({ status: 201, body: made.body });
    // The process died before it remembered what it answered.
    await desk.world.pool.query('delete from idempotent_request where key = $1', [idempotency_key]);
    const once_more = await desk.operations.post('/v1/admin/carriers', body, { idempotency_key });
    expect(once_more).toMatchObject({ status: 201, body: made.body });
    expect(await desk.operations.post('/v1/admin/carriers', body, { idempotency_key: null })).toMatchObject({
      status: 428,
    });
    const subject = `carrier:${made.body.carrier_id}`;
    expect(await desk.logged(subject)).toEqual([{ action: 'carrier.create', detail: { ...body, enabled: true } }]);
    expect(await desk.finance.get(`/v1/admin/carriers/${made.body.carrier_id}`)).toMatchObject({
      status: 200,
      body: made.body,
    });
  });

  it('is refused a code that another has, and a currency that is none', async () => {
    const { code } = await desk.newCarrier();
    const body = { code, name: 'Other', currency: 'EUR' };
    expect(await desk.operations.post('/v1/admin/carriers', body)).toMatchObject(refusal('conflict', code));
    const odd = { ...body, code: 'odd', currency: 'XYQ' };
    expect(await desk.operations.post('/v1/admin/carriers', odd)).toMatchObject(refusal('invalid', 'ISO 4217'));
    for (const wrong of [{ code: 'Two Words' }, { name: '' }, { limit: 1 }]) {
      expect(await desk.operations.post('/v1/admin/carriers', { ...body, code: 'odd', ...wrong })).toMatchObject({
        status: 422,
      });
    }
  });

  it('is edited at the version that was seen, which services hear of', async () => {
    const { carrier_id, code, name } = await desk.newCarrier();
    const path = `/v1/admin/carriers/${carrier_id}`;
    await desk.heard.forget();
    const edited = await desk.patch<Carrier>(path, 1, { code: `${code}-new`, name: 'Renamed', enabled: false });
    expect(edited).toMatchObject({ status: 200, body: { code: `${code}-new`, enabled: false, version: 2 } });
    await desk.heard.all(['rates: carrier', 'gateway: carrier']);
    expect(await desk.patch(path, 1, { enabled: true })).toMatchObject({ status: 412 });
    expect(await desk.patch(path, 2, {})).toMatchObject(refusal('invalid', 'at least one'));
    expect(await desk.operations.ask('PATCH', path, { body: { enabled: true } })).toMatchObject({ status: 428 });
    expect(await desk.patch('/v1/admin/carriers/99999', 1, { enabled: true })).toMatchObject({ status: 404 });
    const other = await desk.newCarrier();
    expect(await desk.patch(path, 2, { code: other.code })).toMatchObject(refusal('conflict', other.code));
    const [, edit] = await desk.logged(`carrier:${carrier_id}`);
    expect(edit).toEqual({
      action: 'carrier.edit',
      detail: {
        changed: ['code', 'name', 'enabled'],
        before: { code, name, enabled: true },
        after: { code: `${code}-new`, name: 'Renamed', enabled: false },
      },
    });
  });

  it('is shown to support and finance, and edited by neither of them nor by a customer', async () => {
    const { carrier_id } = await desk.newCarrier();
    const support = await (await makeAdmin(desk.world, ['support'])).signIn();
    const kyc = await (await makeAdmin(desk.world, ['kyc'])).signIn();
    const customer = await (await makeUser(desk.world)).signIn();
    expect(await support.get('/v1/admin/carriers')).toMatchObject({ status: 200 });
    for (const client of [kyc, customer]) expect(await client.get('/v1/admin/carriers')).toMatchObject({ status: 403 });
    const path = `/v1/admin/carriers/${carrier_id}`;
    for (const client of [support, desk.finance, kyc, customer]) {
      expect(await client.post('/v1/admin/carriers', { code: 'no', name: 'No', currency: 'EUR' })).toMatchObject({
        status: 403,
      });
      expect(await desk.patch(path, 1, { enabled: false }, client)).toMatchObject({ status: 403 });
      expect(await client.post(`${path}/trunks`, { trunk_id: 'trunk-no', host: 'x' })).toMatchObject({ status: 403 });
      expect(await client.post(`${path}/binds`, {})).toMatchObject({ status: 403 });
      const route = { body: { trunk_id: 'trunk-no' }, version: 0 };
      expect(await client.ask('PUT', '/v1/admin/emergency-routes/DE', route)).toMatchObject({ status: 403 });
    }
  });
});

describe('a trunk', () => {
  it('is made with a secret that the switch reads as it is, and nobody else at all', async () => {
    const { carrier_id } = await desk.newCarrier();
    await desk.heard.forget();
    const trunk = await desk.newTrunk(
      {
        ...{
          trunk_id: 'trunk-made',
          host: 'sip.example.net',
          transport: 'tls',
          from_domain: 'us.example.org',
          max_channels: 7,
        },
        ...{
          credentials: { username: 'we;too', secret: SECRET },
          addresses: ['192.0.2.7', '198.51.100.0/28', '2001:db8::/48'],
        },
      },
      carrier_id,
    );
    expect(trunk).toEqual({
      ...{ trunk_id: 'trunk-made', carrier_id, host: 'sip.example.net', port: 5061, transport: 'tls' },
      ...{ from_domain: 'us.example.org', auth_username: 'we;too', has_secret: true, max_channels: 7, enabled: true },
      ...{ addresses: ['192.0.2.7/32', '198.51.100.0/28', '2001:db8::/48'], emergency_countries: [], version: 1 },
    });
    await desk.heard.all(['rates: trunk', 'device: trunk-made']);
    const { rows } = await desk.world.pool.query(
      `select auth_secret, (select username from ps_auths where id = t.id) as username, (select password from ps_auths where id = t.id) as password
         from trunk t where id = 'trunk-made'`,
    );
    expect(rows).toEqual([{ auth_secret: SECRET, username: 'we^3Btoo', password: 'semi^3Bcolon^5E3Band-more' }]);
    await desk.keeps(SECRET);
    const [made] = await desk.logged('trunk:trunk-made');
    expect(made).toMatchObject({
      action: 'trunk.create',
      detail: { host: 'sip.example.net', auth_username: 'we;too' },
    });
    expect(await desk.finance.get('/v1/admin/trunks/trunk-made')).toMatchObject({ status: 200, body: trunk });
    expect(await desk.finance.get('/v1/admin/trunks/trunk-none')).toMatchObject({ status: 404 });
  });

  it('has a name of its own and a carrier that is there', async () => {
    const trunk = await desk.newTrunk();
    const { carrier_id } = await desk.newCarrier();
    const taken = { trunk_id: trunk.trunk_id, host: 'sip.example.net' };
    const path = `/v1/admin/carriers/${carrier_id}/trunks`;
    expect(await desk.operations.post(path, taken)).toMatchObject(refusal('conflict', trunk.trunk_id));
    const nobodys = { ...taken, trunk_id: 'trunk-nobodys' };
    expect(await desk.operations.post('/v1/admin/carriers/99999/trunks', nobodys)).toMatchObject({ status: 404 });
  });

  it.each([
    ['host', 'sip example'],
    ['host', 'a;transport=tcp'],
    ['host', '-a.example'],
    ['port', 0],
    ['transport', 'ws'],
    ['from_domain', 'a^3Bb'],
    ['max_channels', 0],
    ['credentials', { username: 'we' }],
    ['credentials', { username: 'we', secret: 'with space' }],
    ['addresses', ['192.0.2.7/24']],
    ['addresses', ['192.0.2.0/33']],
    ['addresses', ['10.0.0.0/8']],
    ['addresses', ['0.0.0.0/0']],
    ['addresses', ['2001:db8::1/64']],
    ['addresses', ['fe80::1%eth0']],
    ['addresses', ['::ffff:192.0.2.7']],
    ['addresses', ['sip.example.net']],
    ['max_chanels', 5],
  ])('is refused, and by name, where %s is %j', async (field, value) => {
    const { carrier_id } = await desk.newCarrier();
    const body = { trunk_id: 'trunk-wrong', host: 'sip.example.net', [field]: value };
    const reply = await desk.operations.post<Refused>(`/v1/admin/carriers/${carrier_id}/trunks`, body);
    expect(reply).toMatchObject({ status: 422 });
    expect(JSON.stringify(reply.body.errors)).toContain(field);
  });

  it('shares no address with a trunk of another carrier, and may with one of its own', async () => {
    const { carrier_id } = await desk.newCarrier();
    const first = await desk.newTrunk({ addresses: ['203.0.113.0/28'] }, carrier_id);
    await desk.newTrunk({ addresses: ['203.0.113.1'] }, carrier_id);
    const other = await desk.newTrunk();
    const shares = { addresses: ['192.0.2.99', '203.0.113.14'] };
    const path = `/v1/admin/trunks/${other.trunk_id}`;
    const reply = await desk.patch(path, 1, shares);
    expect(reply).toMatchObject({ status: 409, ...refusal('conflict', first.trunk_id) });
    expect(await desk.operations.get(path)).toMatchObject({ body: { addresses: [], version: 1 } });
  });

  it('is edited in part: another secret, other addresses, off and on', async () => {
    const trunk = await desk.newTrunk({ addresses: ['198.51.100.100', '198.51.100.101'] });
    const path = `/v1/admin/trunks/${trunk.trunk_id}`;
    await desk.heard.forget();
    const edit = {
      ...{ addresses: ['198.51.100.101', '198.51.100.102'], max_channels: 3, enabled: false, port: 5070 },
      credentials: { username: 'we', secret: SECRET },
    };
    expect(await desk.patch(path, 1, edit)).toMatchObject({
      status: 200,
      body: {
        addresses: ['198.51.100.101/32', '198.51.100.102/32'],
        max_channels: 3,
        has_secret: true,
        enabled: false,
        version: 2,
      },
    });
    await desk.heard.all(['rates: trunk', `device: ${trunk.trunk_id}`]);
    expect(await desk.patch(path, 1, { enabled: true })).toMatchObject({ status: 412 });
    expect(await desk.patch(path, 2, {})).toMatchObject({ status: 422 });
    expect(await desk.patch(path, 2, { cuts_off_emergency_calls: true })).toMatchObject({ status: 422 });
    expect(await desk.patch('/v1/admin/trunks/trunk-none', 1, { enabled: true })).toMatchObject({ status: 404 });
    await desk.keeps(SECRET);
    const [, log] = await desk.logged(`trunk:${trunk.trunk_id}`);
    expect(log).toEqual({
      action: 'trunk.edit',
      detail: {
        changed: ['port', 'credentials', 'addresses', 'max_channels', 'enabled'],
        before: {
          ...{ max_channels: 1000, enabled: true, port: 5060, auth_username: null },
          addresses: ['198.51.100.100/32', '198.51.100.101/32'],
        },
        after: {
          ...{ max_channels: 3, enabled: false, port: 5070, auth_username: 'we' },
          addresses: ['198.51.100.101/32', '198.51.100.102/32'],
        },
      },
    });
    const open = await desk.patch(path, 2, { credentials: null, enabled: true, addresses: [] });
    expect(open).toMatchObject({ body: { has_secret: false, auth_username: null, enabled: true, addresses: [] } });
  });

  it('tells of an address alone, as the switch remembers it', async () => {
    const trunk = await desk.newTrunk({ addresses: ['198.51.100.120'] });
    await desk.heard.all([`device: ${trunk.trunk_id}`]);
    await desk.heard.forget();
    await desk.world.pool.query('delete from trunk_address where trunk_id = $1', [trunk.trunk_id]);
    await desk.heard.all([`device: ${trunk.trunk_id}`]);
  });
});

describe('calls for help', () => {
  const path = '/v1/admin/emergency-routes/FR';
  const put = (trunk_id: string, version: number): Promise<Reply> =>
    desk.operations.ask('PUT', path, { body: { trunk_id }, version });

  it('go over a trunk that is there and in use, at the version that was seen', async () => {
    await makeUser(desk.world, { home_country: 'FR' });
    const [first, second, off] = [
      await desk.newTrunk(),
      await desk.newTrunk(),
      await desk.newTrunk({ enabled: false }),
    ];
    const before = await desk.finance.get<{ unreachable_from: unknown[] }>('/v1/admin/emergency-routes');
    expect(before.body.unreachable_from).toContainEqual({ country: 'FR', accounts: 1 });
    expect(await put('trunk-none', 0)).toMatchObject(refusal('conflict', 'no trunk trunk-none'));
    expect(await put(off.trunk_id, 0)).toMatchObject(refusal('conflict', 'switched off'));
    expect(await put(first.trunk_id, 1)).toMatchObject({ status: 412 });
    await desk.heard.forget();
    expect(await put(first.trunk_id, 0)).toMatchObject({
      status: 200,
      body: { country: 'FR', is_usable: true, version: 1 },
    });
    await desk.heard.all(['rates: emergency_route']);
    expect(await put(second.trunk_id, 0)).toMatchObject({ status: 412 });
    expect(await put(second.trunk_id, 1)).toMatchObject({
      status: 200,
      body: { trunk_id: second.trunk_id, version: 2 },
    });
    expect(await desk.finance.get('/v1/admin/emergency-routes')).toMatchObject({
      body: {
        items: [{ country: 'FR', trunk_id: second.trunk_id }],
        unreachable_from: expect.not.arrayContaining([{ country: 'FR', accounts: 1 }]) as unknown,
      },
    });

    // Nobody cuts them off by a slip of the pen.
    const trunk = `/v1/admin/trunks/${second.trunk_id}`;
    expect(await desk.patch(trunk, 1, { enabled: false })).toMatchObject(
      refusal('conflict', /FR .*cuts_off_emergency_calls/u),
    );
    expect(await desk.operations.get(trunk)).toMatchObject({ body: { enabled: true, emergency_countries: ['FR'] } });
    expect(await desk.patch(trunk, 1, { enabled: false, cuts_off_emergency_calls: true })).toMatchObject({
      status: 200,
    });
    const cut = await desk.finance.get('/v1/admin/emergency-routes');
    expect(cut.body).toMatchObject({
      items: [{ is_usable: false }],
      unreachable_from: expect.arrayContaining([{ country: 'FR', accounts: 1 }]) as unknown,
    });

    expect(await desk.operations.ask('DELETE', path, { version: 1 })).toMatchObject({ status: 412 });
    await desk.heard.forget();
    expect(await desk.operations.ask('DELETE', path, { version: 2 })).toMatchObject({ status: 204 });
    await desk.heard.all(['rates: emergency_route']);
    expect(await desk.operations.ask('DELETE', path, { version: 2 })).toMatchObject({ status: 404 });
    expect(await desk.logged('emergency_route:FR')).toEqual([
      { action: 'emergency_route.put', detail: { before: null, after: first.trunk_id } },
      { action: 'emergency_route.put', detail: { before: first.trunk_id, after: second.trunk_id } },
      { action: 'emergency_route.drop', detail: { before: second.trunk_id, after: null } },
    ]);
  });
});
