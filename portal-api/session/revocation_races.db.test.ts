import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Outage } from '../../domain/db/batch.ts';
import type { Sessions } from '../identity/sessions.ts';
import { makeAdmin, makeMember, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient, Reply } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

const PASSWORD = 'seven quiet lanterns drift upstream';
const NEW_PASSWORD = 'eleven slow ferries cross at dawn';
const HERE = 4_711;

let world: PortalWorld;
let sessions: Sessions;
let people = 0;
let owner: TestUser;
let here: PortalClient;

beforeAll(async () => {
  world = await PortalWorld.begin();
  ({ sessions } = world.portal);
  // Whoever's guesses are forgiven has shown the right password, and waits here where a test has it so.
  await world.pool.query(
    `create function wait_here() returns trigger language plpgsql as
       'begin perform pg_advisory_xact_lock(${HERE}); return old; end';
     create trigger wait_here before delete on guess_count for each row execute function wait_here()`,
  );
});

afterAll(() => world.end());

const emailOf = (n: number): string => `racer-${n}@example.org`;
const setPassword = (client: PortalClient, password: string): Promise<Reply> =>
  client.ask('PUT', '/v1/credentials/password', { body: { password } });
const signIn = (client = world.client(), password = PASSWORD): Promise<Reply<Record<string, unknown>>> =>
  client.post('/v1/sign-in/password', { email: emailOf(people), password });
const signedInTimes = async (user_id: string): Promise<number> => (await sessions.list(user_id)).length;

beforeEach(async () => {
  people += 1;
  owner = await makeUser(world, { email: emailOf(people) });
  here = await owner.signIn();
  expect(await setPassword(here, PASSWORD)).toMatchObject({ status: 204 });
});

/** What happens once between what a session says was read and the session. */
function beforeItBegins(happens: () => Promise<unknown>): void {
  const begin = sessions.beginSince.bind(sessions);
  sessions.beginSince = async (...asked) => {
    sessions.beginSince = begin;
    await happens();
    return begin(...asked);
  };
}

/** What happens while others wait for something that a connection of the test's own holds. */
async function whileHeld(
  hold: (client: pg.PoolClient) => Promise<unknown>,
  begin: () => Promise<Reply>,
  happens: (client: pg.PoolClient) => Promise<unknown>,
): Promise<Reply> {
  const client = await world.pool.connect();
  try {
    await client.query('begin');
    await hold(client);
    const reply = begin();
    const waiting = async (): Promise<number> => {
      const { rows } = await world.pool.query<{ waiting: number }>(
        `select count(*)::int as waiting from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows[0]?.waiting ?? 0;
    };
    await expect.poll(waiting, { timeout: 8_000, interval: 20 }).toBe(1);
    await happens(client);
    await client.query('commit');
    return await reply;
  } finally {
    client.release();
  }
}

const asIfTheHashWaited = (happens: (client: pg.PoolClient) => Promise<unknown>): Promise<Reply> =>
  whileHeld(
    (client) => client.query('select pg_advisory_xact_lock($1)', [HERE]),
    () => signIn(),
    happens,
  );

describe('sessions', () => {
  const who = () => ({
    ...{ user_id: owner.user_id, kind: 'customer' as const, account_id: owner.account_id, role: 'owner' as const },
    ...{ admin_roles: [], address: '192.0.2.1', user_agent: 'a test' },
  });

  it('are not begun with what was read before all were revoked, and are after that', async () => {
    const mark = await sessions.markOf(owner.user_id);
    expect(await sessions.revokeAll(owner.user_id, null)).toBe(1);
    expect(await sessions.beginSince(who(), mark)).toBeNull();
    expect(await signedInTimes(owner.user_id)).toBe(0);
    const begun = await sessions.beginSince(who(), await sessions.markOf(owner.user_id));
    expect(await sessions.find(begun?.token ?? '')).toMatchObject({ user_id: owner.user_id });
  });

  it('are revoked however many begin at the same moment', async () => {
    const mark = await sessions.markOf(owner.user_id);
    const beginning = Array.from({ length: 20 }, () => sessions.beginSince(who(), mark));
    const revoking = sessions.revokeAll(owner.user_id, null);
    const begun = (await Promise.all(beginning)).filter((one) => one !== null);
    await revoking;
    for (const { token } of begun) expect(await sessions.find(token)).toBeNull();
    expect(await signedInTimes(owner.user_id)).toBe(0);
  });

  it('of one account end alone; nobody comes in there with what was read before', async () => {
    const elsewhere = await sessions.begin({ ...who(), account_id: (await makeUser(world)).account_id });
    const mark = await sessions.markOf(owner.user_id);
    const revocation = { revocation_id: randomUUID(), user_id: owner.user_id, except: null };
    expect(await sessions.carryOut({ ...revocation, account_id: owner.account_id })).toBe(1);
    expect(await sessions.find(elsewhere.token)).not.toBeNull();
    expect(await sessions.beginSince(who(), mark)).toBeNull();
  });

  it('end by one revocation once: who has signed in since stays', async () => {
    const { user_id } = owner;
    const revocation = { revocation_id: randomUUID(), user_id, except: null, account_id: null };
    expect(await sessions.carryOut(revocation)).toBe(1);
    const mark = await sessions.markOf(user_id);
    expect(await sessions.carryOut(revocation)).toBe(0);
    const begun = await sessions.beginSince(who(), mark);
    expect(await sessions.carryOut(revocation)).toBe(0);
    expect(await sessions.find(begun?.token ?? '')).toMatchObject({ user_id });
    expect(await sessions.carryOut({ ...revocation, revocation_id: randomUUID() })).toBe(1);
  });

  it('take the place of one that is there, and of none that has ended', async () => {
    const first = await sessions.begin(who());
    const mark = await sessions.markOf(owner.user_id);
    const second = await sessions.beginSince(who(), mark, first.session_id);
    expect(await sessions.find(first.token)).toBeNull();
    expect(await sessions.find(second?.token ?? '')).not.toBeNull();
    expect(await sessions.beginSince(who(), mark, first.session_id)).toBeNull();
  });
});

describe('a sign-in that is under way', () => {
  it('comes to nothing where the password is another one by then', async () => {
    const reply = await asIfTheHashWaited(() => setPassword(here, NEW_PASSWORD));
    expect(reply).toMatchObject({ status: 401, body: { type: 'urn:letsdial:problem:sign_in_failed' } });
    expect(await signedInTimes(owner.user_id)).toBe(1);
    expect(await signIn(world.client(), NEW_PASSWORD)).toMatchObject({ status: 200 });
  });

  it('comes to nothing where a new password is due by then', async () => {
    const { user_id } = owner;
    const reply = await asIfTheHashWaited(() =>
      world.pool.query('insert into reset_due (user_id, since) values ($1, $2)', [user_id, world.now()]),
    );
    expect(reply).toMatchObject({ status: 401 });
    expect(await signedInTimes(user_id)).toBe(1);
  });

  it('comes to nothing where everybody is signed out by then', async () => {
    const support = await (await makeAdmin(world, ['support'])).signIn();
    const path = `/v1/admin/customers/${owner.account_id}/sessions/end`;
    beforeItBegins(() => support.post(path, { reason: 'stolen' }));
    expect(await signIn()).toMatchObject({ status: 401 });
    expect(await signedInTimes(owner.user_id)).toBe(0);
    expect(await signIn()).toMatchObject({ status: 200 });
  });

  it('keeps no role that was taken away meanwhile', async () => {
    const boss = await makeUser(world);
    const theirs = await boss.signIn();
    await world.pool.query(`insert into membership (account_id, user_id, role) values ($1, $2, 'billing')`, [
      ...[boss.account_id, owner.user_id],
    ]);
    const { body } = await theirs.get<{ items: { user_id: string; version: number }[] }>('/v1/members');
    const version = body.items.find(({ user_id }) => user_id === owner.user_id)?.version ?? 0;
    const change = { body: { role: 'member' }, version };
    beforeItBegins(() => theirs.ask('PUT', `/v1/members/${owner.user_id}`, change));
    const moved = { body: { account_id: boss.account_id } };
    expect(await here.ask('PUT', '/v1/session/account', moved)).toMatchObject({ status: 401 });
    expect(await here.ask('PUT', '/v1/session/account', moved)).toMatchObject({
      status: 200,
      body: { role: 'member' },
    });
  });

  it('of an admin keeps no role that was taken away meanwhile', async () => {
    const admin = await makeAdmin(world, ['support', 'finance']);
    const { user_id } = admin;
    const who = { user_id, kind: 'admin' as const, account_id: null, role: null, admin_roles: ['finance' as const] };
    const mark = await sessions.markOf(user_id);
    const boss = await (await makeAdmin(world, ['owner'])).signIn();
    const path = `/v1/admin/users/${user_id}/roles`;
    expect(await boss.ask('PUT', path, { body: { roles: ['support'] }, version: 1 })).toMatchObject({ status: 200 });
    const begun = await sessions.beginSince({ ...who, address: '192.0.2.1', user_agent: 'a test' }, mark);
    expect(begun).toBeNull();
  });

  it('is not finished by a second factor where the first is worth nothing any more', async () => {
    const { body } = await here.post<{ secret_base32: string }>('/v1/credentials/totp');
    const codeOf = (): string =>
      new TOTP({ secret: Secret.fromBase32(body.secret_base32) }).generate({ timestamp: world.now().getTime() });
    const confirmed = await here.post('/v1/credentials/totp/confirmation', { code: codeOf() });
    expect(confirmed).toMatchObject({ status: 201 });
    const tickets = [await signIn(), await signIn()].map((reply) => reply.body['ticket']);
    world.advance(30_000);
    const finish = (ticket: unknown): Promise<Reply> =>
      world.client().post('/v1/sign-in/second-factor', { ticket, factor: 'totp', code: codeOf() });
    expect(await finish(tickets[0])).toMatchObject({ status: 200 });
    expect(await setPassword(here, NEW_PASSWORD)).toMatchObject({ status: 204 });
    world.advance(30_000);
    expect(await finish(tickets[1])).toMatchObject({ status: 401 });
    expect(await signedInTimes(owner.user_id)).toBe(1);
  });
});

describe('acting for another account', () => {
  it('does not go on in a new session where this one is ended at that moment', async () => {
    const other = await makeUser(world);
    await world.pool.query(`insert into membership (account_id, user_id, role) values ($1, $2, 'member')`, [
      ...[other.account_id, owner.user_id],
    ]);
    const move = () => here.ask('PUT', '/v1/session/account', { body: { account_id: other.account_id } });
    const [{ session_id } = { session_id: '' }] = await sessions.list(owner.user_id);
    beforeItBegins(() => sessions.revoke(owner.user_id, session_id));
    expect(await move()).toMatchObject({ status: 401 });
    expect(await signedInTimes(owner.user_id)).toBe(0);
  });
});

describe('a password that is being set', () => {
  const locked = (client: pg.PoolClient) =>
    client.query('select 1 from portal_user where id = $1 for update', [owner.user_id]);

  it('is not set over another one that was set meanwhile', async () => {
    const reply = await whileHeld(
      locked,
      () => setPassword(here, NEW_PASSWORD),
      (client) => client.query('update portal_user set password_argon2 = null where id = $1', [owner.user_id]),
    );
    expect(reply).toMatchObject({ status: 401 });
    expect(await signIn(world.client(), NEW_PASSWORD)).toMatchObject({ status: 401 });
  });

  it('is not set by who was signed out meanwhile', async () => {
    const reply = await whileHeld(
      locked,
      () => setPassword(here, NEW_PASSWORD),
      () => sessions.revokeAll(owner.user_id, null),
    );
    expect(reply).toMatchObject({ status: 401 });
    expect(await signIn()).toMatchObject({ status: 200 });
  });
});

describe('a change that ends sessions, of which Redis does not hear', () => {
  /** What is asked meanwhile finds Redis silent. */
  async function whileSilent(ask: () => Promise<Reply>): Promise<Reply> {
    const carryOut = sessions.carryOut.bind(sessions);
    sessions.carryOut = () => Promise.reject(new Outage('Redis is silent'));
    try {
      return await ask();
    } finally {
      sessions.carryOut = carryOut;
    }
  }
  const statusOf = async (client: PortalClient): Promise<number> => (await client.get('/v1/session')).status;
  const IN_TIME = { timeout: 20_000, interval: 100 };

  it('ends them all the same: of somebody who was removed', async () => {
    const member = await makeMember(world, owner.account_id, 'billing');
    const there = await member.signIn();
    expect(await whileSilent(() => here.ask('DELETE', `/v1/members/${member.user_id}`))).toMatchObject({ status: 503 });
    await expect.poll(() => statusOf(there), IN_TIME).toBe(401);
    expect(await statusOf(here)).toBe(200);
  }, 30_000);

  it('ends them all the same: of an account that was closed', async () => {
    const support = await (await makeAdmin(world, ['support'])).signIn();
    const path = `/v1/admin/customers/${owner.account_id}`;
    const { headers } = await support.get(`${path}?purpose=asked`);
    const version = Number(headers.get('etag')?.replaceAll('"', ''));
    const close = { body: { event: 'close', reason: 'asked for' }, version };
    expect(await whileSilent(() => support.ask('POST', `${path}/state`, close))).toMatchObject({ status: 503 });
    await expect.poll(() => statusOf(here), IN_TIME).toBe(401);
  }, 30_000);

  it('ends them all the same: of a password that was set', async () => {
    const there = await owner.signIn();
    expect(await whileSilent(() => setPassword(here, NEW_PASSWORD))).toMatchObject({ status: 503 });
    await expect.poll(() => statusOf(there), IN_TIME).toBe(401);
    expect(await statusOf(here)).toBe(200);
  }, 30_000);
});

it('is what a member who was removed finds, whatever was under way', async () => {
  const member = await makeMember(world, owner.account_id, 'billing');
  const mark = await sessions.markOf(member.user_id);
  expect(await here.ask('DELETE', `/v1/members/${member.user_id}`)).toMatchObject({ status: 204 });
  const who = { user_id: member.user_id, kind: 'customer' as const, account_id: owner.account_id, admin_roles: [] };
  const begun = await sessions.beginSince({ ...who, role: 'billing', address: '192.0.2.1', user_agent: 'x' }, mark);
  expect(begun).toBeNull();
});
