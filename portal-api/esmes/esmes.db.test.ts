import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { isPassword } from '../../domain/texts/esmes/bind_password.ts';
import { Heard } from '../desk/testing/heard.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

interface Esme {
  system_id: string;
  enabled: boolean;
  version: number;
  password?: string;
  found_at?: string;
}

const EMAIL = 'ada@example.org';

let mail: MailCatcher;
let world: PortalWorld;
let operations: PortalClient;
let support: PortalClient;
let owner: TestUser;
let heard: Heard;

const DEFAULTS = {
  ...{ enabled: true, binds_max: 4, window_max: 100, texts_per_second_max: 100, allowed_addresses: null },
  ...{ address_range: null, tls_required: true, default_class: 'normal', on_doubt: 'resend' },
};

beforeAll(async () => {
  mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
  world = await PortalWorld.begin({ SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}` });
  operations = await (await makeAdmin(world, ['operations'])).signIn();
  support = await (await makeAdmin(world, ['support'])).signIn();
  owner = await makeUser(world, { email: EMAIL });
  heard = await Heard.on(world.pool, ['gateway']);
});

afterAll(async () => {
  heard.end();
  await world.end();
  await mail.end();
});

const listOf = (account_id: string): string => `/v1/admin/customers/${account_id}/esmes`;
const pathOf = (system_id: string, account_id = owner.account_id): string => `${listOf(account_id)}/${system_id}`;

async function isRight(system_id: string, password: string | undefined): Promise<boolean> {
  const { rows } = await world.pool.query<{ password_scrypt: string }>(
    'select password_scrypt from esme where system_id = $1',
    [system_id],
  );
  return isPassword(password ?? '', rows[0]?.password_scrypt ?? '');
}

async function actionsOn(system_id: string): Promise<{ action: string; detail: unknown }[]> {
  const { rows } = await world.pool.query<{ action: string; detail: unknown }>(
    'select action, detail from audit_log where subject = $1 order by seq',
    [`esme:${system_id}`],
  );
  return rows;
}

describe('a customer who binds', () => {
  it('is let in at the desk, with a password that is shown once', async () => {
    await heard.forget();
    const idempotency_key = randomUUID();
    const made = await operations.post<Esme>(pathOf('acme'), {}, { idempotency_key });
    expect(made).toMatchObject({ status: 201, body: { system_id: 'acme', ...DEFAULTS, version: 1 } });
    expect(made.body.password).toMatch(/^[A-Za-z2-9]{8}$/u);
    expect(await isRight('acme', made.body.password)).toBe(true);
    await heard.all(['gateway: esme']);
    const again = await operations.post<Esme>(pathOf('acme'), {}, { idempotency_key });
    expect(again).toMatchObject({ status: 409, body: { found_at: listOf(owner.account_id) } });

    expect(await support.get(listOf(owner.account_id))).toMatchObject({ status: 422 });
    const list = `${listOf(owner.account_id)}?purpose=he%20cannot%20bind`;
    const [listed] = (await support.get<{ items: Esme[] }>(list)).body.items;
    expect({ ...listed, password: made.body.password }).toEqual(made.body);
    const { rows } = await world.pool.query(`select 1 from idempotent_request where body::text like $1`, [
      `%${made.body.password ?? ''}%`,
    ]);
    expect(rows).toEqual([]);
    const views = await world.pool.query(`select account_id, purpose from audit_log where action = 'esmes.view'`);
    expect(views.rows).toEqual([{ account_id: owner.account_id, purpose: 'he cannot bind' }]);
    expect(await actionsOn('acme')).toEqual([{ action: 'esme.create', detail: DEFAULTS }]);
  });

  it('has another password where the answer was lost before it was kept', async () => {
    const idempotency_key = randomUUID();
    const lost = await operations.post<Esme>(pathOf('lost'), {}, { idempotency_key });
    await world.pool.query('delete from idempotent_request where key = $1', [idempotency_key]);
    const told = await operations.post<Esme>(pathOf('lost'), {}, { idempotency_key });
    expect(told).toMatchObject({ status: 201, body: { system_id: 'lost' } });
    expect(told.body.password).not.toBe(lost.body.password);
    expect(await isRight('lost', told.body.password)).toBe(true);
  });

  it('has a name that nobody else has, and twenty at most', async () => {
    const other = await makeUser(world);
    await operations.post(pathOf('taken'), {});
    expect(await operations.post(pathOf('taken'), {})).toMatchObject({ status: 409 });
    expect(await operations.post(pathOf('taken', other.account_id), {})).toMatchObject({ status: 409 });
    expect(await operations.post(pathOf('nobody', randomUUID()), {})).toMatchObject({ status: 404 });
    for (let n = 0; n < 20; n += 1) {
      expect(await operations.post(pathOf(`many-${n}`, other.account_id), {})).toMatchObject({ status: 201 });
    }
    expect(await operations.post(pathOf('one-more', other.account_id), {})).toMatchObject({ status: 409 });
  });

  it('may do what is said of it, at the version that was seen', async () => {
    const { body } = await operations.post<Esme>(pathOf('edited'), { ...DEFAULTS, allowed_addresses: ['192.0.2.7'] });
    expect(body).toMatchObject({ allowed_addresses: ['192.0.2.7/32'] });
    const path = '/v1/admin/esmes/edited';
    const settings = {
      ...{ ...DEFAULTS, enabled: false, binds_max: 2, window_max: 10, texts_per_second_max: 5, tls_required: false },
      ...{ allowed_addresses: ['192.0.2.0/24', '2001:db8::/32'], address_range: '4930', default_class: 'bulk' },
      on_doubt: 'hold',
    };
    await heard.forget();
    expect(await operations.ask('PUT', path, { body: settings, version: 1 })).toMatchObject({
      status: 200,
      body: { ...settings, version: 2 },
    });
    await heard.all(['gateway: esme']);
    expect(await operations.ask('PUT', path, { body: settings, version: 1 })).toMatchObject({ status: 412 });
    expect(await operations.ask('PUT', '/v1/admin/esmes/nobody', { body: settings, version: 1 })).toMatchObject({
      status: 404,
    });
    expect(await actionsOn('edited')).toMatchObject([
      { action: 'esme.create' },
      {
        action: 'esme.edit',
        detail: { before: { ...DEFAULTS, allowed_addresses: ['192.0.2.7/32'] }, after: settings },
      },
    ]);
  });

  it.each([
    [{ binds_max: 0 }, 'binds_max'],
    [{ allowed_addresses: [] }, 'allowed_addresses'],
    [{ allowed_addresses: ['0.0.0.0/0'] }, 'allowed_addresses'],
    [{ address_range: '+49' }, 'address_range'],
    [{ on_doubt: 'forget' }, 'on_doubt'],
    [{ bind_max: 3 }, 'bind_max'],
  ])('is refused in words: %j', async (wrong, field) => {
    const reply = await operations.post<{ errors: unknown }>(pathOf('wrong'), { ...DEFAULTS, ...wrong });
    expect(reply).toMatchObject({ status: 422 });
    expect(JSON.stringify(reply.body.errors)).toContain(field);
  });
});

describe('the password of a bind', () => {
  it('is renewed at the desk and by the customer, who is told of it', async () => {
    const { body } = await operations.post<Esme>(pathOf('renewed'), {});
    const idempotency_key = randomUUID();
    const renew = '/v1/admin/esmes/renewed/password';
    const at_desk = await operations.post<Esme>(renew, undefined, { idempotency_key });
    expect(at_desk).toMatchObject({ status: 201, body: { version: 2 } });
    const again = await operations.post<Esme>(renew, undefined, { idempotency_key });
    expect(again).toMatchObject({ status: 409, body: { new_secret_at: renew } });
    // Where it says that it is to be found, it is.
    const found = await support.get<Esme>(`${again.body.found_at ?? ''}?purpose=a+test`);
    expect(found).toMatchObject({ status: 200, body: { system_id: 'renewed', version: 2 } });
    expect(found.headers.get('etag')).toBe('"2"');
    expect(await support.get('/v1/admin/esmes/nobody?purpose=a+test')).toMatchObject({ status: 404 });
    expect(await support.get('/v1/admin/esmes/renewed')).toMatchObject({ status: 422 });
    expect((await actionsOn('renewed')).at(-1)).toMatchObject({ action: 'esmes.view' });
    expect(await isRight('renewed', body.password)).toBe(false);
    expect(await isRight('renewed', at_desk.body.password)).toBe(true);
    const customer = await owner.signIn();
    const own = await customer.post<Esme>('/v1/esmes/renewed/password');
    expect(own).toMatchObject({ status: 201, body: { system_id: 'renewed', version: 3 } });
    expect(await isRight('renewed', own.body.password)).toBe(true);
    const seen = (await customer.get<{ items: Esme[] }>('/v1/esmes')).body.items;
    expect(seen.find(({ system_id }) => system_id === 'renewed')).toMatchObject({ version: 3 });
    expect(JSON.stringify(seen)).not.toContain('scrypt');
    expect((await actionsOn('renewed')).map(({ action }) => action)).toEqual([
      ...['esme.create', 'esme.renew_password', 'esmes.view', 'esme.renew_password'],
    ]);
    const told = (): number => mail.mails(EMAIL).filter(({ subject }) => subject.includes('SMPP')).length;
    await expect.poll(told, { timeout: 10_000 }).toBe(2);
  });

  it('of somebody else is not there', async () => {
    await operations.post<Esme>(pathOf('private'), {});
    const eve = await (await makeUser(world)).signIn();
    expect(await eve.post('/v1/esmes/private/password')).toMatchObject({ status: 404 });
    expect(await eve.post('/v1/esmes/absent/password')).toMatchObject({ status: 404 });
    expect((await eve.get<{ items: Esme[] }>('/v1/esmes')).body.items).toEqual([]);
    expect(await support.post('/v1/admin/esmes/private/password')).toMatchObject({ status: 403 });
  });
});
