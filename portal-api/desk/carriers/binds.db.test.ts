import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CarrierDesk, refusal } from '../testing/carrier_desk.ts';
import type { Refused } from '../testing/carrier_desk.ts';
import { privateKey, selfSigned } from './testing/certificate.ts';

interface Bind {
  bind_id: string;
  version: number;
}

const PASSWORD = 'hush-hus';
const THEIRS = 'hush-too';

/** Every setting, and none as it is where nothing is said. */
const settings = {
  host: '2001:db8::5',
  port: 2775,
  tls: true,
  system_id: 'us',
  system_type: 'VMA',
  kind: 'transmitter',
  interface_version: '5.0',
  window_max: 9,
  texts_per_second_max: 8,
  alphanumeric_sender: false,
  default_alphabet: 'latin1',
  national_languages: [],
  receipt_id_form: 'any',
  receipt_utc_offset_minutes: -60,
  unflagged_receipts: true,
  countries: ['GB', 'IE'],
  hours: { opens_at: '08:30', closes_at: '24:00' },
  time_zone: 'Europe/Dublin',
  home_country: 'IE',
  number_ton: 2,
  number_npi: 8,
  short_code_ton: 4,
  short_code_npi: 3,
  name_ton: 6,
  name_npi: 9,
  recipient_ton: 0,
  recipient_npi: 18,
  plus_sign: true,
  sends_validity: false,
  tls_authorities: selfSigned,
  tls_name: 'smsc.inside',
  enabled: false,
};

let desk: CarrierDesk;

beforeAll(async () => {
  desk = await CarrierDesk.begin();
});

afterAll(() => desk.end());

describe('a bind', () => {
  const wanted = { host: 'smsc.example.net', port: 3550, system_id: 'letsdial', password: PASSWORD };

  it('is made as most carriers want it, where nothing else is said, and never tells its password', async () => {
    const { carrier_id } = await desk.newCarrier();
    const path = `/v1/admin/carriers/${carrier_id}/binds`;
    await desk.heard.forget();
    const made = await desk.operations.post<Bind>(path, { bind_id: 'plain-1', ...wanted });
    expect(made).toMatchObject({
      status: 201,
      body: {
        bind_id: 'plain-1',
        carrier_id,
        has_password: true,
        kind: 'transceiver',
        interface_version: '3.4',
        tls: false,
        hours: null,
        countries: null,
        window_max: 50,
        number_ton: 1,
        sends_validity: true,
        enabled: true,
        version: 1,
      },
    });
    await desk.heard.all(['gateway: carrier_bind']);
    await desk.keeps(PASSWORD);
    expect(JSON.stringify(made.body)).not.toContain(PASSWORD);
    const stored = await desk.world.pool.query(`select password from carrier_bind where id = 'plain-1'`);
    expect(stored.rows).toEqual([{ password: PASSWORD }]);
    expect(await desk.operations.post(path, { bind_id: 'plain-1', ...wanted })).toMatchObject(
      refusal('conflict', 'plain-1'),
    );
    expect(await desk.operations.post('/v1/admin/carriers/99999/binds', { bind_id: 'x', ...wanted })).toMatchObject({
      status: 404,
    });
    const { rows } = await desk.world.pool.query(
      `select count(*)::integer from audit_log where action = 'carrier_bind.create'`,
    );
    expect(rows).toEqual([{ count: 1 }]);
  });

  it('has every setting that the gateway knows, and is edited in part', async () => {
    const { carrier_id } = await desk.newCarrier();
    const path = '/v1/admin/carrier-binds/full-1';
    const outbind = { system_id: 'them', address: '192.0.2.16/28' };
    const body = { bind_id: 'full-1', password: '', outbind: { ...outbind, password: THEIRS }, ...settings };
    const made = await desk.operations.post<Bind>(`/v1/admin/carriers/${carrier_id}/binds`, body);
    expect(made.body).toEqual({ bind_id: 'full-1', carrier_id, ...settings, outbind, has_password: false, version: 1 });
    expect(await desk.finance.get(path)).toMatchObject({ status: 200, body: made.body });
    await desk.heard.forget();
    const edit = {
      enabled: true,
      hours: null,
      outbind: null,
      password: PASSWORD,
      window_max: 10,
      tls_authorities: null,
    };
    expect(await desk.patch(path, 1, edit)).toMatchObject({
      status: 200,
      body: {
        ...settings,
        enabled: true,
        hours: null,
        outbind: null,
        has_password: true,
        window_max: 10,
        tls_authorities: null,
        version: 2,
      },
    });
    await desk.heard.all(['gateway: carrier_bind']);
    expect(await desk.patch(path, 1, edit)).toMatchObject({ status: 412 });
    expect(await desk.patch(path, 2, {})).toMatchObject({ status: 422 });
    // That bind takes latin1, in which there are no septets.
    const languages = { national_languages: ['turkish'] };
    expect(await desk.patch(path, 2, languages)).toMatchObject(refusal('invalid', 'septets'));
    expect(await desk.patch(path, 2, { ...languages, default_alphabet: 'gsm7' })).toMatchObject({
      body: { ...languages, version: 3 },
    });
    expect(await desk.patch('/v1/admin/carrier-binds/none', 1, edit)).toMatchObject({ status: 404 });
    for (const secret of [PASSWORD, THEIRS]) await desk.keeps(secret);
    const [create, log] = await desk.logged('carrier_bind:full-1');
    expect(JSON.stringify(create)).not.toContain('BEGIN CERTIFICATE');
    expect(log).toEqual({
      action: 'carrier_bind.edit',
      detail: {
        changed: ['window_max', 'hours', 'tls_authorities', 'enabled', 'password', 'outbind'],
        before: {
          ...{ enabled: false, window_max: 9, opens_at: '08:30:00', closes_at: '24:00:00' },
          ...{ outbind_system_id: outbind.system_id, outbind_address: outbind.address },
        },
        after: {
          ...{ enabled: true, window_max: 10, opens_at: null, closes_at: null },
          ...{ outbind_system_id: null, outbind_address: null },
        },
      },
    });
  });

  it('has no column that the desk knows nothing of', async () => {
    const { rows } = await desk.world.pool.query<{ name: string }>(
      `select column_name::text as name from information_schema.columns where table_name = 'carrier_bind'`,
    );
    const plain = Object.keys(settings).filter((name) => name !== 'hours');
    const outbind = ['outbind_system_id', 'outbind_password', 'outbind_address'];
    const known = [...plain, 'opens_at', 'closes_at', 'password', 'has_password', ...outbind];
    const ours = ['id', 'carrier_id', 'version', 'operation_id'];
    expect(rows.map(({ name }) => name).toSorted()).toEqual([...known, ...ours].toSorted());
  });

  it.each([
    ['host', 'smsc example'],
    ['system_id', 'sixteen-letters!'],
    ['password', 'nineteen!'],
    ['kind', 'both'],
    ['interface_version', '3.5'],
    ['countries', []],
    ['countries', ['gb']],
    ['hours', { opens_at: '08:30' }],
    ['hours', { opens_at: '25:00', closes_at: '26:00' }],
    ['time_zone', 'Europe/Atlantis'],
    ['number_ton', 8],
    ['national_languages', ['klingon']],
    ['tls_authorities', 'not a certificate'],
    ['tls_authorities', `${selfSigned}${privateKey}`],
    ['outbind', { system_id: 'them', password: 'let me in', address: '192.0.2.16/28' }],
    ['outbind', { system_id: 'them', password: 'letmein', address: '192.0.2.17/28' }],
    ['windw_max', 5],
  ])('is refused, and by name, where %s is %j', async (field, value) => {
    const { carrier_id } = await desk.newCarrier();
    const body = { bind_id: 'wrong-1', ...wanted, [field]: value };
    const reply = await desk.operations.post<Refused>(`/v1/admin/carriers/${carrier_id}/binds`, body);
    expect(reply).toMatchObject({ status: 422 });
    expect(JSON.stringify(reply.body.errors)).toContain(field);
  });
});
