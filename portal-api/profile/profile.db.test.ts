import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { mailedWorld } from '../testing/mailed_world.ts';
import { makeAdmin, makeMember, makeUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import type { PortalWorld } from '../testing/portal_world.ts';
import { ada, codeInMail, codeInText, register, somePhone } from '../testing/registering.ts';

let mail: MailCatcher;
let world: PortalWorld;
let end: () => Promise<void>;

beforeAll(async () => {
  ({ mail, world, end } = await mailedWorld());
});

afterAll(() => end());

const subjectsTo = (to: string): string[] => mail.mails(to).map(({ subject }) => subject.replace('Letsdial: ', ''));

describe('a profile', () => {
  it('is read and edited by its person, at the version that was seen, with what was there before kept', async () => {
    const user = await makeUser(world, { email: 'nora@example.org', name: 'Nora One' });
    const here = await user.signIn();
    const { body, headers } = await here.get<{ version: number }>('/v1/profile');
    expect(body).toMatchObject({ name: 'Nora One', email: 'nora@example.org', phone: null, locale: 'en' });
    expect(headers.get('etag')).toBe(`"${body.version}"`);
    const edit = (version: number, change: object) => here.ask('PATCH', '/v1/profile', { body: change, version });
    expect(await edit(body.version, { name: 'Nora Two' })).toMatchObject({ status: 200, body: { name: 'Nora Two' } });
    expect(await edit(body.version, { name: 'Nora Three' })).toMatchObject({ status: 412 });
    expect(await edit(body.version + 1, { locale: 'de' })).toMatchObject({ status: 200, body: { locale: 'de' } });
    expect(await here.get('/v1/profile/changes')).toMatchObject({
      body: {
        items: [
          { field: 'locale', before: 'en', after: 'de' },
          { field: 'name', before: 'Nora One', after: 'Nora Two' },
        ],
      },
    });
    const { rows } = await world.pool.query<{ row: string }>(
      'select c::text as row from profile_change c where user_id = $1',
      [user.user_id],
    );
    expect(rows.map(({ row }) => row).join(' ')).not.toContain(Buffer.from('Nora').toString('hex'));
    await expect(world.pool.query('delete from profile_change')).rejects.toThrow(/append-only/u);
  });

  it('has another address when a code from there came back; the old one is told', async () => {
    const user = await makeUser(world, { email: 'old@example.org' });
    await makeUser(world, { email: 'taken@example.org' });
    const here = await user.signIn();
    const to = (email: string) => here.post('/v1/profile/email', { email });
    expect(await to('taken@example.org')).toMatchObject({ status: 202, body: Buffer.alloc(0) });
    await expect
      .poll(() => subjectsTo('taken@example.org'), { timeout: 8_000 })
      .toEqual(['You already have an account']);
    world.advance(31_000);
    expect(await to('new@example.org')).toMatchObject({ status: 202, body: Buffer.alloc(0) });
    const code = await codeInMail(mail, 'new@example.org');
    expect(await here.get('/v1/profile')).toMatchObject({ body: { email: 'old@example.org' } });
    const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
    expect(await here.post('/v1/profile/email/confirmation', { code: wrong })).toMatchObject({ status: 422 });
    expect(await here.post('/v1/profile/email/confirmation', { code })).toMatchObject({ status: 204 });
    expect(await here.post('/v1/profile/email/confirmation', { code })).toMatchObject({ status: 422 });
    expect(await here.get('/v1/profile')).toMatchObject({ body: { email: 'new@example.org' } });
    await expect
      .poll(() => subjectsTo('old@example.org'), { timeout: 8_000 })
      .toEqual(['The address of your account was changed']);
    expect(mail.mails('old@example.org')[0]?.text).not.toContain('new@example.org');
    world.advance(6 * 60_000);
    expect(await here.post('/v1/profile/email', { email: 'x@example.org' })).toMatchObject({ status: 403 });
  });

  it('has another number when a code from there came back, which may then be shown', async () => {
    const [first, second] = [somePhone(), somePhone()];
    const { client, reply } = await register(world, mail, { email: 'ring@example.org', phone: first });
    expect(await client.post('/v1/profile/phone', { phone: '+49 900 1234567' })).toMatchObject({ status: 422 });
    expect(await client.post('/v1/profile/phone', { phone: second })).toMatchObject({ status: 202 });
    const code = await codeInText(world.pool, second);
    expect(await client.post('/v1/profile/phone/confirmation', { code })).toMatchObject({ status: 204 });
    expect(await client.get('/v1/profile')).toMatchObject({ body: { phone: second } });
    const { rows } = await world.pool.query('select number from verified_caller where account_id = $1', [
      reply.body.account_id,
    ]);
    expect(rows).toEqual([{ number: second }]);
    await expect
      .poll(() => subjectsTo('ring@example.org'), { timeout: 8_000 })
      .toContain('The phone number of your account was changed');
  });
});

describe('members of an account', () => {
  const invite = (client: PortalClient, email: string, role = 'member') =>
    client.post<{ invitation_id: string }>('/v1/members/invitations', { email, role });

  async function versionOf(client: PortalClient, user_id: string): Promise<number> {
    const { body } = await client.get<{ items: { user_id: string; version: number }[] }>('/v1/members');
    return body.items.find((item) => item.user_id === user_id)?.version ?? 0;
  }

  async function tokenFor(email: string): Promise<string> {
    const tokens = () => mail.mails(email).flatMap(({ text }) => /invitation#([\w-]{43})/u.exec(text)?.[1] ?? []);
    await expect.poll(tokens, { timeout: 8_000 }).not.toEqual([]);
    return tokens().at(-1) ?? '';
  }

  it('are invited by mail; who has an account accepts, and acts for either', async () => {
    const owner = await makeUser(world, { email: 'boss@example.org' });
    const guest = await makeUser(world, { email: 'guest@example.org' });
    const stranger = await makeUser(world, { email: 'stranger@example.org' });
    const [here, there, elsewhere] = [await owner.signIn(), await guest.signIn(), await stranger.signIn()];
    await world.pool.query(`update portal_user set locale = 'de-AT' where id = $1`, [owner.user_id]);
    expect(await invite(here, 'guest@example.org', 'billing')).toMatchObject({ status: 201 });
    const invitation_token = await tokenFor('guest@example.org');
    // In the language of whoever invites.
    expect(subjectsTo('guest@example.org')).toEqual(['Sie sind zu einem Konto eingeladen']);
    expect(await elsewhere.post('/v1/invitations/acceptance', { invitation_token })).toMatchObject({ status: 404 });
    expect(await there.post('/v1/invitations/acceptance', { invitation_token })).toMatchObject({
      status: 200,
      body: { account_id: owner.account_id, role: 'billing' },
    });
    expect(await there.post('/v1/invitations/acceptance', { invitation_token })).toMatchObject({ status: 404 });
    const change = (account_id: string) => there.ask('PUT', '/v1/session/account', { body: { account_id } });
    expect(await change(stranger.account_id)).toMatchObject({ status: 404 });
    expect(await change(owner.account_id)).toMatchObject({ status: 200, body: { role: 'billing' } });
    expect(await there.get('/v1/session')).toMatchObject({ body: { account_id: owner.account_id, role: 'billing' } });
    expect(await there.get('/v1/members')).toMatchObject({ status: 403 });
    expect(await here.get('/v1/members')).toMatchObject({
      body: {
        items: [
          { is_you: true, role: 'owner' },
          { email: 'guest@example.org', role: 'billing' },
        ],
      },
    });
    // A change of role, and a removal, hold for the very next request.
    const path = `/v1/members/${guest.user_id}`;
    const version = await versionOf(here, guest.user_id);
    expect(await here.ask('PUT', path, { body: { role: 'member' } })).toMatchObject({ status: 428 });
    expect(await here.ask('PUT', path, { body: { role: 'member' }, version })).toMatchObject({ status: 204 });
    expect(await here.ask('PUT', path, { body: { role: 'owner' }, version })).toMatchObject({ status: 412 });
    expect(await there.get('/v1/session')).toMatchObject({ status: 401 });
    expect(await here.ask('DELETE', `/v1/members/${guest.user_id}`)).toMatchObject({ status: 204 });
    expect(await here.ask('DELETE', `/v1/members/${guest.user_id}`)).toMatchObject({ status: 404 });
  });

  it('register by an invitation, into that account and none of their own', async () => {
    const owner = await makeUser(world);
    const here = await owner.signIn();
    await invite(here, 'fresh@example.org');
    const invitation_token = await tokenFor('fresh@example.org');
    const wishes = { email: 'fresh@example.org', phone: somePhone(), invitation_token };
    const other = { ...ada, ...wishes, email: 'other@example.org' };
    expect(await world.client().post('/v1/registration', other)).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'body.invitation_token' }] },
    });
    const { reply } = await register(world, mail, wishes);
    expect(reply).toMatchObject({ status: 201, body: { account_id: owner.account_id, role: 'member' } });
  });

  it('have their number shown for what they own alone, or another owner of the same number does', async () => {
    const owner = await makeUser(world);
    const here = await owner.signIn();
    const join = async (name: string, phone: string): Promise<{ client: PortalClient; user_id: string }> => {
      const email = `${name}@example.org`;
      await invite(here, email, 'owner');
      const wishes = { email, phone, invitation_token: await tokenFor(email) };
      const { client, reply } = await register(world, mail, wishes);
      return { client, user_id: reply.body.user_id };
    };
    const shown = async (): Promise<string[]> => {
      const { rows } = await world.pool.query<{ number: string }>(
        'select number from verified_caller where account_id = $1 order by number',
        [owner.account_id],
      );
      return rows.map(({ number }) => number);
    };
    const [shared, own, later] = [somePhone(), somePhone(), somePhone()];
    const [one, two, three, alone] = [
      await join('first-of-three', shared),
      await join('second-of-three', shared),
      await join('third-of-three', shared),
      await join('alone', own),
    ];
    expect(await shown()).toEqual([shared, own]);
    const lower = { body: { role: 'member' }, version: await versionOf(here, alone.user_id) };
    expect(await here.ask('PUT', `/v1/members/${alone.user_id}`, lower)).toMatchObject({ status: 204 });
    expect(await shown()).toEqual([shared]);
    expect(await one.client.post('/v1/profile/phone', { phone: later })).toMatchObject({ status: 202 });
    const code = await codeInText(world.pool, later);
    expect(await one.client.post('/v1/profile/phone/confirmation', { code })).toMatchObject({ status: 204 });
    expect(await shown()).toEqual([shared, later]);
    for (const [{ user_id }, left] of [[one, [shared]] as const, [two, [shared]] as const, [three, []] as const]) {
      expect(await here.ask('DELETE', `/v1/members/${user_id}`)).toMatchObject({ status: 204 });
      expect(await shown()).toEqual(left);
    }
  });

  it('are not signed in by a registration where they were removed at that very moment', async () => {
    const owner = await makeUser(world);
    const here = await owner.signIn();
    await invite(here, 'shortly@example.org');
    const invitation_token = await tokenFor('shortly@example.org');
    const { sessions } = world.portal;
    const begin = sessions.beginSince.bind(sessions);
    sessions.beginSince = async (session, ...asked) => {
      sessions.beginSince = begin;
      expect(await here.ask('DELETE', `/v1/members/${session.user_id}`)).toMatchObject({ status: 204 });
      return begin(session, ...asked);
    };
    const wishes = { email: 'shortly@example.org', phone: somePhone(), invitation_token };
    const { client, reply } = await register(world, mail, wishes);
    expect(reply).toMatchObject({ status: 409, body: { type: 'urn:letsdial:problem:conflict' } });
    expect(await client.get('/v1/session')).toMatchObject({ status: 401 });
  });

  it('are not invited twice by a double click, nor by a withdrawn invitation', async () => {
    const here = await (await makeUser(world)).signIn();
    const key = { idempotency_key: 'the-same-click' };
    const body = { email: 'click@example.org', role: 'member' };
    const [one, two] = [
      await here.post<{ invitation_id: string }>('/v1/members/invitations', body, key),
      await here.post<{ invitation_id: string }>('/v1/members/invitations', body, key),
    ];
    expect(two.body).toEqual(one.body);
    const invitation_token = await tokenFor('click@example.org');
    const listed = { items: [{ email: 'click@example.org', role: 'member' }] };
    expect(await here.get('/v1/members/invitations')).toMatchObject({ body: listed });
    const path = `/v1/members/invitations/${one.body.invitation_id}`;
    const other = await (await makeUser(world)).signIn();
    expect(await other.ask('DELETE', path)).toMatchObject({ status: 404 });
    expect(await here.ask('DELETE', path)).toMatchObject({ status: 204 });
    expect(await here.get('/v1/members/invitations')).toMatchObject({ body: { items: [] } });
    const wishes = { ...ada, email: 'click@example.org', phone: somePhone(), invitation_token };
    expect(await world.client().post('/v1/registration', wishes)).toMatchObject({ status: 422 });
  });

  it('keep an owner among them, whoever removes whom at the same moment', async () => {
    const first = await makeUser(world);
    const second = await makeMember(world, first.account_id, 'owner');
    const [one, two] = [await first.signIn(), await second.signIn()];
    const replies = await Promise.all([
      one.ask('DELETE', `/v1/members/${second.user_id}`),
      two.ask('DELETE', `/v1/members/${first.user_id}`),
    ]);
    const statuses = replies.map(({ status }) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    const { rows } = await world.pool.query('select 1 from membership where account_id = $1', [first.account_id]);
    expect(rows).toHaveLength(1);
    const alone = await makeUser(world);
    const client = await alone.signIn();
    const own = `/v1/members/${alone.user_id}`;
    const version = await versionOf(client, alone.user_id);
    expect(await client.ask('DELETE', own)).toMatchObject({ status: 409 });
    expect(await client.ask('PUT', own, { body: { role: 'member' }, version })).toMatchObject({ status: 409 });
    await expect(world.pool.query('delete from membership where account_id = $1', [alone.account_id])).rejects.toThrow(
      /keeps an owner/u,
    );
  });
});

describe('an API key', () => {
  it('is shown once, works for its scopes, and ends when it is revoked', async () => {
    const owner = await makeUser(world);
    const here = await owner.signIn();
    const make = (body: object) => here.post<{ api_key_id: string; secret: string }>('/v1/api-keys', body);
    expect(await make({ name: 'x', scopes: ['everything'] })).toMatchObject({ status: 422 });
    const made = await make({ name: 'our program', scopes: ['wallet:read', 'texts'] });
    expect(made).toMatchObject({ status: 201 });
    expect(made.body.secret).toMatch(/^ld_[\w-]{43}$/u);
    const listed = await here.get<{ items: unknown[] }>('/v1/api-keys');
    expect(listed.body.items).toMatchObject([
      { name: 'our program', scopes: ['wallet:read', 'texts'], revoked_at: null },
    ]);
    expect(JSON.stringify(listed.body)).not.toContain(made.body.secret);
    const program = world.client();
    program.api_key = made.body.secret;
    expect(await program.get('/v1/profile')).toMatchObject({ status: 403 });
    const path = `/v1/api-keys/${made.body.api_key_id}`;
    expect(await (await (await makeUser(world)).signIn()).ask('DELETE', path)).toMatchObject({ status: 404 });
    expect(await here.ask('DELETE', path)).toMatchObject({ status: 204 });
    expect(await program.get('/v1/profile')).toMatchObject({ status: 401 });
    const { rows } = await world.pool.query('select action from audit_log where account_id = $1 order by seq', [
      owner.account_id,
    ]);
    expect(rows).toEqual([{ action: 'api_key.make' }, { action: 'api_key.revoke' }]);
    // What was answered is nowhere remembered with its secret.
    const remembered = await world.pool.query('select 1 from idempotent_request where body::text like $1', [
      `%${made.body.secret}%`,
    ]);
    expect(remembered.rows).toEqual([]);
  });

  it('is made once by a double click, and every owner is told', async () => {
    const email = 'double@example.org';
    const owner = await makeUser(world, { email });
    const here = await owner.signIn();
    const key = { idempotency_key: 'the-same-click-on-keys' };
    const click = () => here.post<{ api_key_id: string }>('/v1/api-keys', { name: 'x', scopes: ['texts'] }, key);
    const one = await click();
    expect(one).toMatchObject({ status: 201 });
    expect(await click()).toMatchObject({ status: 409, body: { type: 'urn:letsdial:problem:already_done' } });
    // Where the answer was lost with its process, nobody has the secret: the key is there, to be revoked.
    await world.pool.query('delete from idempotent_request where key = $1', ['the-same-click-on-keys']);
    expect(await click()).toMatchObject({ status: 409, body: { type: 'urn:letsdial:problem:conflict' } });
    const { body } = await here.get<{ items: unknown[] }>('/v1/api-keys');
    expect(body.items).toMatchObject([{ api_key_id: one.body.api_key_id }]);
    const told = () =>
      mail.mails(email).filter(({ text }) => text.includes('What was changed: an API key\nHow: added'));
    await expect.poll(told, { timeout: 8_000 }).toHaveLength(1);
  });

  it('is seen and revoked at the desk, for a reason that its owner reads', async () => {
    const email = 'robbed@example.org';
    const owner = await makeUser(world, { email });
    const made = await (
      await owner.signIn()
    ).post<{ api_key_id: string; secret: string }>('/v1/api-keys', {
      ...{ name: 'our program', scopes: ['wallet:read'] },
    });
    const support = await makeAdmin(world, ['support']);
    const client = await support.signIn();
    const path = `/v1/admin/customers/${owner.account_id}/api-keys`;
    expect(await client.get(path)).toMatchObject({ status: 422 });
    const listed = await client.get(`${path}?purpose=a%20stolen%20key`);
    expect(listed.body).toMatchObject({ items: [{ api_key_id: made.body.api_key_id, name: 'our program' }] });
    const revocation = `${path}/${made.body.api_key_id}/revocation`;
    const reason = { reason: 'It was in a public repository.' };
    const finance = await (await makeAdmin(world, ['finance'])).signIn();
    expect(await finance.post(revocation, reason)).toMatchObject({ status: 403 });
    expect(await client.post(revocation, {})).toMatchObject({ status: 422 });
    const elsewhere = `/v1/admin/customers/${(await makeUser(world)).account_id}/api-keys/${made.body.api_key_id}/revocation`;
    expect(await client.post(elsewhere, reason)).toMatchObject({ status: 404 });
    expect(await client.post(revocation, reason)).toMatchObject({ status: 204 });
    expect(await client.post(revocation, reason)).toMatchObject({ status: 404 });
    const program = world.client();
    program.api_key = made.body.secret;
    expect(await program.get('/v1/profile')).toMatchObject({ status: 401 });
    const told = () => mail.mails(email).filter(({ text }) => text.includes(`Reason: ${reason.reason}`));
    await expect.poll(told, { timeout: 8_000 }).toHaveLength(1);
    const { rows } = await world.pool.query(
      `select action, purpose, detail from audit_log where actor_id = $1 order by seq`,
      [support.user_id],
    );
    expect(rows).toEqual([
      { action: 'api_keys.view', purpose: 'a stolen key', detail: {} },
      { action: 'api_key.revoke_by_desk', purpose: null, detail: reason },
    ]);
    world.advance(6 * 60_000);
    expect(await client.get(`${path}?purpose=x`)).toMatchObject({
      body: { type: 'urn:letsdial:problem:step_up_required' },
    });
    expect(await client.post(revocation, reason)).toMatchObject({ status: 403 });
  });

  it('is the owner’s to make', async () => {
    const owner = await makeUser(world);
    const member = await (await makeMember(world, owner.account_id, 'member')).signIn();
    const admin = await (await makeAdmin(world, ['owner'])).signIn();
    for (const client of [member, admin]) {
      expect(await client.post('/v1/api-keys', { name: 'x', scopes: ['texts'] })).toMatchObject({ status: 403 });
    }
  });
});
