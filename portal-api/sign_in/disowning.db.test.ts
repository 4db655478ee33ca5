import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { putDeck } from '../../deploy/world/tariffs.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { isPassword } from '../../domain/texts/esmes/bind_password.ts';
import { orderState, problem, UNIT } from '../numbers/testing/buying.ts';
import type { OrderBody } from '../numbers/testing/buying.ts';
import { needDocumentsIn } from '../numbers/testing/documents.ts';
import { makeHolder } from '../numbers/testing/holder.ts';
import { putInStock } from '../numbers/testing/stock.ts';
import { makeAdmin, makeMember, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { codeInMail, register, somePhone } from '../testing/registering.ts';
import { undoDisowned } from './undo_disowned.ts';

const PASSWORD = 'seven quiet lanterns drift upstream';

let mail: MailCatcher;
let world: PortalWorld;
let people = 0;
let numbers = 0;
let email: string;
let owner: TestUser;
let here: PortalClient;

beforeAll(async () => {
  mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
  world = await PortalWorld.begin({ SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}` });
  await needDocumentsIn(world.pool, []);
  const rows = [{ prefix: '44', destination: 'Britain', rate_micros_per_minute: 60_000n }];
  await putDeck(world.pool, { name: 'retail', currency: 'EUR', carrier_id: null, rows });
});

afterAll(async () => {
  await world.end();
  await mail.end();
});

beforeEach(async () => {
  people += 1;
  email = `owner-${people}@example.org`;
  owner = await makeHolder(world, { email, balance_micros: 20n * UNIT });
  here = await owner.signIn();
  const set = await here.ask('PUT', '/v1/credentials/password', { body: { password: PASSWORD } });
  expect(set).toMatchObject({ status: 204 });
});

/** Somebody who has the password, later than what was done before. */
async function thief(): Promise<PortalClient> {
  world.advance(1_000);
  const client = world.client();
  expect(await client.post('/v1/sign-in/password', { email, password: PASSWORD })).toMatchObject({ status: 200 });
  world.advance(1_000);
  return client;
}

/** That the newest sign-in was not them. */
async function disown(): Promise<void> {
  const { body } = await here.get<{ items: { login_event_id: string }[] }>('/v1/login-events?limit=1');
  expect(await here.post(`/v1/login-events/${body.items[0]?.login_event_id ?? ''}/not-me`)).toMatchObject({
    status: 204,
  });
}

const makeKey = (client: PortalClient, scopes: string[]) =>
  client.post<{ api_key_id: string; secret: string }>('/v1/api-keys', { name: 'x', scopes });

function program(secret: string): PortalClient {
  const client = world.client();
  client.api_key = secret;
  return client;
}

async function invite(client: PortalClient, to: string, role = 'owner'): Promise<string> {
  expect(await client.post('/v1/members/invitations', { email: to, role })).toMatchObject({ status: 201 });
  const tokens = () => mail.mails(to).flatMap(({ text }) => /invitation#([\w-]{43})/u.exec(text)?.[1] ?? []);
  await expect.poll(tokens, { timeout: 8_000 }).not.toEqual([]);
  return tokens().at(-1) ?? '';
}

async function enabled(table: 'sip_device' | 'webhook_endpoint'): Promise<boolean[]> {
  const { rows } = await world.pool.query<{ enabled: boolean }>(
    `select enabled from ${table} where account_id = $1 order by created_at, id`,
    [owner.account_id],
  );
  return rows.map((row) => row.enabled);
}

const taken = (to: string): string[] =>
  mail
    .mails(to)
    .filter(({ subject }) => subject.includes('is undone'))
    .map(({ text }) => /^What was changed: (.*)\nHow: (.*)\nTotal: (.*)$/mu.exec(text)?.slice(1).join(', ') ?? text)
    .toSorted();

describe('a sign-in that is disowned', () => {
  it('takes its keys, phones and webhooks with it, at once; what was there before stays', async () => {
    const own = await makeKey(here, ['texts']);
    await here.post('/v1/devices', { label: 'mine' });
    await here.post('/v1/webhooks', { url: 'https://mine.example.org/' });
    const other = await thief();
    const key = await makeKey(other, ['devices:write', 'texts']);
    await other.post('/v1/devices', { label: 'theirs' });
    expect(await program(key.body.secret).post('/v1/devices', { label: 'by the key' })).toMatchObject({ status: 201 });
    expect(await program(key.body.secret).post('/v1/webhooks', { url: 'https://eve.example.org/' })).toMatchObject({
      status: 201,
    });
    await disown();
    expect(await program(key.body.secret).get('/v1/devices')).toMatchObject({ status: 401 });
    expect(await program(own.body.secret).get('/v1/webhooks')).toMatchObject({ status: 200 });
    expect(await enabled('sip_device')).toEqual([true, false, false]);
    expect(await enabled('webhook_endpoint')).toEqual([true, false]);
    const told = ['API keys, revoked, 1', 'phones, switched off, 2', 'webhooks, switched off, 1'];
    await expect.poll(() => taken(email), { timeout: 8_000 }).toEqual(told);
    const { rows } = await world.pool.query<{ actor_id: string; detail: Record<string, string[]> }>(
      `select actor_id, detail from audit_log where action = 'sign_in.disown' and account_id = $1`,
      [owner.account_id],
    );
    expect(rows).toMatchObject([{ actor_id: owner.user_id, detail: { api_keys: [key.body.api_key_id], members: [] } }]);
    expect(rows[0]?.detail['devices']).toHaveLength(2);
  });

  it('takes what was there and is known to whoever came: a phone’s password, where a webhook points to', async () => {
    const phone = await here.post<{ device_id: string }>('/v1/devices', { label: 'mine' });
    const hooks: string[] = [];
    for (const name of ['moved', 'signed', 'kept']) {
      const made = await here.post<{ webhook_id: string }>('/v1/webhooks', { url: `https://${name}.example.org/` });
      hooks.push(`/v1/webhooks/${made.body.webhook_id}`);
    }
    const other = await thief();
    await other.post(`/v1/devices/${phone.body.device_id}/credentials`);
    const moved = await other.get<{ items: unknown[] }>('/v1/webhooks');
    expect(moved.body.items).toHaveLength(3);
    await other.ask('PATCH', hooks[0] ?? '', {
      body: { url: 'https://eve.example.org/' },
      version: await versionOf(other, 0),
    });
    await other.post(`${hooks[1] ?? ''}/secret`);
    await disown();
    expect(await enabled('sip_device')).toEqual([false]);
    expect(await enabled('webhook_endpoint')).toEqual([false, false, true]);
  });

  it('withdraws its invitations, and puts out who came by them and whom they let in', async () => {
    const member = await makeMember(world, owner.account_id, 'member');
    const guest_email = `guest-${people}@example.org`;
    const guest = await makeUser(world, { email: guest_email });
    const there = await guest.signIn();
    const own_key = await makeKey(there, ['texts']);
    const other = await thief();
    await invite(other, `waiting-${people}@example.org`);
    const invitation_token = await invite(other, guest_email);
    expect(await there.post('/v1/invitations/acceptance', { invitation_token })).toMatchObject({ status: 200 });
    const act = { body: { account_id: owner.account_id } };
    expect(await there.ask('PUT', '/v1/session/account', act)).toMatchObject({ status: 200 });
    const further = `further-${people}@example.org`;
    const token = await invite(there, further, 'owner');
    const { client } = await register(world, mail, { email: further, phone: somePhone(), invitation_token: token });
    const key = await makeKey(there, ['texts']);
    expect(await client.get('/v1/session')).toMatchObject({ body: { account_id: owner.account_id } });

    const shown = () =>
      world.pool.query('select number from verified_caller where account_id = $1', [owner.account_id]);
    expect((await shown()).rows).toHaveLength(1);
    await disown();
    expect((await shown()).rows).toEqual([]);
    for (const gone of [there, client]) expect(await gone.get('/v1/session')).toMatchObject({ status: 401 });
    const { rows } = await world.pool.query<{ user_id: string }>(
      'select user_id from membership where account_id = $1',
      [owner.account_id],
    );
    expect(rows.map(({ user_id }) => user_id).toSorted()).toEqual([owner.user_id, member.user_id].toSorted());
    expect(await program(key.body.secret).get('/v1/webhooks')).toMatchObject({ status: 401 });
    // What a guest has of their own is theirs.
    expect(await program(own_key.body.secret).get('/v1/webhooks')).toMatchObject({ status: 200 });
    const open = await world.pool.query(
      'select 1 from invitation where account_id = $1 and accepted_at is null and revoked_at is null',
      [owner.account_id],
    );
    expect(open.rows).toEqual([]);
    await expect
      .poll(() => taken(email), { timeout: 8_000 })
      .toEqual(['API keys, revoked, 1', 'invitations, withdrawn, 1', 'people who were invited, removed, 2']);
  });

  it('lowers whom it raised, and undoes what they have done since; it gives nobody more', async () => {
    const [raised, lowered] = [
      await makeMember(world, owner.account_id, 'member'),
      await makeMember(world, owner.account_id, 'owner'),
    ];
    const other = await thief();
    await setRole(other, raised.user_id, 'owner');
    await setRole(other, lowered.user_id, 'member');
    await setRole(other, lowered.user_id, 'billing');
    const there = await raised.signIn();
    const act = { body: { account_id: owner.account_id } };
    expect(await there.ask('PUT', '/v1/session/account', act)).toMatchObject({ body: { role: 'owner' } });
    const key = await makeKey(there, ['texts']);
    expect(await program(key.body.secret).get('/v1/webhooks')).toMatchObject({ status: 200 });

    await disown();
    expect(await roles()).toEqual({
      [owner.user_id]: 'owner',
      [raised.user_id]: 'member',
      [lowered.user_id]: 'billing',
    });
    expect(await there.get('/v1/session')).toMatchObject({ status: 401 });
    expect(await program(key.body.secret).get('/v1/webhooks')).toMatchObject({ status: 401 });
    const told = ['API keys, revoked, 1', 'roles of people, set back, 1'];
    await expect.poll(() => taken(email), { timeout: 8_000 }).toEqual(told);
  });

  it('leaves the password of a bind that it renewed to nobody, once', async () => {
    const system_id = `bind-${people}`;
    const operations = await (await makeAdmin(world, ['operations'])).signIn();
    const path = `/v1/admin/customers/${owner.account_id}/esmes/${system_id}`;
    const own = await operations.post<{ password: string }>(path, {});
    const since = new Date(world.now().getTime() + 500);
    const other = await thief();
    const renewed = await other.post<{ password: string }>(`/v1/esmes/${system_id}/password`);
    expect(await bindsBy(system_id, renewed.body.password)).toBe(true);
    await disown();
    for (const { body } of [own, renewed]) expect(await bindsBy(system_id, body.password)).toBe(false);
    const told = ['passwords of binds over SMPP, revoked, 1'];
    await expect.poll(() => taken(email), { timeout: 8_000 }).toEqual(told);
    const again = await (await owner.signIn()).post<{ password: string }>(`/v1/esmes/${system_id}/password`);
    await inTransaction(world.pool, (tx) => undoDisowned(world, tx, world.now(), { user_id: owner.user_id, since }));
    // Made after it, and by the one whose sign-in was disowned: it may be the other one's request that was under way.
    expect(await bindsBy(system_id, again.body.password)).toBe(false);
    const version = await bindVersion(system_id);
    await inTransaction(world.pool, (tx) => undoDisowned(world, tx, world.now(), { user_id: owner.user_id, since }));
    expect(await bindVersion(system_id)).toBe(version);
  });

  it('takes back where calls and texts of numbers go, and by what a number could be taken', async () => {
    const [moved, untouched] = [await bought(), await bought()];
    const own_hook = await here.post<{ webhook_id: string }>('/v1/webhooks', { url: 'https://mine.example.org/' });
    await setRouting(here, moved, 'text-routing', { webhook_ids: [own_hook.body.webhook_id] });
    await setRouting(here, untouched, 'routing', forwarding('+442071838751'));
    const since = new Date(world.now().getTime() + 500);
    const other = await thief();
    await setRouting(other, moved, 'routing', forwarding('+442071838750'));
    await setRouting(other, moved, 'text-routing', { webhook_ids: [] });
    expect(await other.post(`/v1/numbers/${untouched}/transfer`)).toMatchObject({ status: 201 });
    const { body } = await other.post<{ pin: string }>(`/v1/numbers/${moved}/port-pin`);
    const wish = { number: moved, pin: body.pin, to_carrier: 'Elsewhere' };
    expect(await world.client().post('/v1/port-outs', wish)).toMatchObject({ status: 201 });

    await disown();
    here = await owner.signIn();
    expect(await here.get(`/v1/numbers/${moved}/routing`)).toMatchObject({ body: { forward: null } });
    expect(await here.get(`/v1/numbers/${untouched}/routing`)).toMatchObject({
      body: { forward: { to: '+442071838751' } },
    });
    expect(await here.get(`/v1/numbers/${moved}/text-routing`)).toMatchObject({
      body: { webhook_ids: [own_hook.body.webhook_id] },
    });
    expect(await here.get('/v1/number-transfers')).toMatchObject({ body: { items: [{ state: 'withdrawn' }] } });
    expect(await here.get('/v1/port-outs')).toMatchObject({ body: { items: [{ state: 'objected' }] } });
    expect(await world.client().post('/v1/port-outs', wish)).toMatchObject(problem('code_wrong'));
    const told = [
      ...['PINs of numbers, revoked, 1', 'forwarding of calls, switched off, 1'],
      ...['offers of numbers, withdrawn, 1', 'routes of texts, set back, 1'],
    ];
    await expect.poll(() => taken(email), { timeout: 8_000 }).toEqual(told);
    await inTransaction(world.pool, (tx) => undoDisowned(world, tx, world.now(), { user_id: owner.user_id, since }));
    const { rows } = await world.pool.query(
      `select 1 from audit_log where action = 'sign_in.disown' and account_id = $1`,
      [owner.account_id],
    );
    expect(rows).toHaveLength(1);
  });

  it('undoes what a request did that was under way, when the password is set anew; nothing twice', async () => {
    const other = await thief();
    await disown();
    // As if it had been let in before its session ended.
    await world.pool.query('delete from reset_due where user_id = $1', [owner.user_id]);
    const late = await makeKey(await owner.signIn(), ['texts']);
    expect(await other.get('/v1/session')).toMatchObject({ status: 401 });
    const since = new Date(world.now().getTime() - 60_000);
    await world.pool.query('insert into reset_due (user_id, since) values ($1, $2)', [owner.user_id, since]);
    const ending = { email, code: await codeInMail(mail, email), password: 'thirteen green doors along the quay' };
    expect(await world.client().post('/v1/password-reset/end', ending)).toMatchObject({ status: 204 });
    expect(await program(late.body.secret).get('/v1/webhooks')).toMatchObject({ status: 401 });
    await expect.poll(() => taken(email), { timeout: 8_000 }).toEqual(['API keys, revoked, 1']);
    const again = await inTransaction(world.pool, (tx) =>
      undoDisowned(world, tx, world.now(), { user_id: owner.user_id, since }),
    );
    expect(again).toEqual([]);
    const { rows } = await world.pool.query(
      `select 1 from audit_log where action = 'sign_in.disown' and account_id = $1`,
      [owner.account_id],
    );
    expect(rows).toHaveLength(1);
  });
});

async function setRole(client: PortalClient, user_id: string, role: string): Promise<void> {
  const { body } = await client.get<{ items: { user_id: string; version: number }[] }>('/v1/members');
  const version = body.items.find((item) => item.user_id === user_id)?.version ?? 0;
  const changed = await client.ask('PUT', `/v1/members/${user_id}`, { body: { role }, version });
  expect(changed).toMatchObject({ status: 204 });
}

async function roles(): Promise<Record<string, string>> {
  const { rows } = await world.pool.query<{ user_id: string; role: string }>(
    'select user_id, role from membership where account_id = $1',
    [owner.account_id],
  );
  return Object.fromEntries(rows.map(({ user_id, role }) => [user_id, role]));
}

interface BindRow {
  password_scrypt: string;
  version: number;
}

async function bindRow(system_id: string): Promise<BindRow> {
  const { rows } = await world.pool.query<BindRow>('select password_scrypt, version from esme where system_id = $1', [
    system_id,
  ]);
  return rows[0] ?? { password_scrypt: '', version: 0 };
}

const bindVersion = async (system_id: string): Promise<number> => (await bindRow(system_id)).version;
const bindsBy = async (system_id: string, password: string): Promise<boolean> =>
  isPassword(password, (await bindRow(system_id)).password_scrypt);

/** A number of the owner's. */
async function bought(): Promise<string> {
  numbers += 1;
  const number = `+4950410${String(numbers).padStart(3, '0')}`;
  await putInStock(world.pool, [number]);
  const placed = await here.post<OrderBody>('/v1/number-orders', { number });
  await expect.poll(() => orderState(here, placed.body.order_id), { timeout: 8_000 }).toBe('active');
  return number;
}

const forwarding = (to: string) => ({ device_ids: [], ring_timeout_seconds: 30, forward: { to, when: 'always' } });

async function setRouting(client: PortalClient, number: string, what: string, body: unknown): Promise<void> {
  const path = `/v1/numbers/${number}/${what}`;
  const { headers } = await client.get(path);
  const version = Number(headers.get('etag')?.replaceAll('"', ''));
  expect(await client.ask('PUT', path, { body, version })).toMatchObject({ status: 200 });
}

async function versionOf(client: PortalClient, nth: number): Promise<number> {
  const { body } = await client.get<{ items: { version?: number }[] }>('/v1/webhooks');
  return body.items[nth]?.version ?? 0;
}
