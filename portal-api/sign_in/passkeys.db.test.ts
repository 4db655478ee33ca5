import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAdmin, makeUser } from '../testing/people.ts';
import { Authenticator } from '../testing/authenticator.ts';
import type { Asked, Behaviour } from '../testing/authenticator.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

const ORIGIN = 'http://localhost:8720';

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin();
});

afterAll(() => world.end());

const ask = async (client: PortalClient, path: string): Promise<Asked> => (await client.post<Asked>(path)).body;

/** Adds a passkey to whoever is signed in there. */
async function add(client: PortalClient, authenticator: Authenticator, behaviour: Behaviour = {}) {
  const asked = await ask(client, '/v1/credentials/passkeys/options');
  const body = { name: 'the blue key', ...authenticator.create(asked, behaviour) };
  return client.post<{ passkey_id: string }>('/v1/credentials/passkeys', body);
}

async function signIn(authenticator: Authenticator, behaviour: Behaviour = {}, client = world.client()) {
  const asked = await ask(client, '/v1/sign-in/passkey/options');
  return client.post<Record<string, unknown>>('/v1/sign-in/passkey', authenticator.get(asked, behaviour));
}

describe('a passkey', () => {
  it('signs in whose it is, without any name being typed, and is listed', async () => {
    const user = await makeUser(world, { email: 'pat@example.org' });
    const here = await user.signIn();
    const authenticator = new Authenticator(ORIGIN);
    expect(await signIn(authenticator)).toMatchObject({ status: 401 });
    expect(await add(here, authenticator)).toMatchObject({ status: 201 });
    const client = world.client();
    expect(await signIn(authenticator, {}, client)).toMatchObject({ status: 200, body: { user_id: user.user_id } });
    expect(await client.get('/v1/session')).toMatchObject({ status: 200 });
    expect(await here.get('/v1/credentials')).toMatchObject({
      body: { has_password: false, passkeys: [{ name: 'the blue key' }] },
    });
  });

  it('is refused from another site, without a person, with a forged signature, or twice', async () => {
    const user = await makeUser(world);
    const here = await user.signIn();
    const authenticator = new Authenticator(ORIGIN);
    for (const behaviour of [{ origin: 'https://elsewhere.example' }, { is_verified: false }]) {
      expect(await add(here, authenticator, behaviour)).toMatchObject({ status: 422 });
    }
    expect(await add(here, authenticator)).toMatchObject({ status: 201 });
    expect(await add(here, authenticator)).toMatchObject({ status: 409 });
    for (const behaviour of [{ origin: 'https://elsewhere.example' }, { is_verified: false }, { is_forged: true }]) {
      expect(await signIn(authenticator, behaviour)).toMatchObject({ status: 401 });
    }
    const asked = await ask(world.client(), '/v1/sign-in/passkey/options');
    const answer = authenticator.get(asked);
    const uses = await Promise.all([1, 2, 3].map(() => world.client().post('/v1/sign-in/passkey', answer)));
    expect(uses.map(({ status }) => status).toSorted()).toEqual([200, 401, 401]);
  });

  it('answers only what it was asked: no other challenge, and none that is too old', async () => {
    const user = await makeUser(world);
    const here = await user.signIn();
    const authenticator = new Authenticator(ORIGIN);
    expect(await add(here, authenticator)).toMatchObject({ status: 201 });
    expect(await signIn(authenticator)).toMatchObject({ status: 200 });
    const [one, other] = [
      await ask(world.client(), '/v1/sign-in/passkey/options'),
      await ask(world.client(), '/v1/sign-in/passkey/options'),
    ];
    const mixed = authenticator.get({ challenge_token: one.challenge_token, options: other.options });
    expect(await world.client().post('/v1/sign-in/passkey', mixed)).toMatchObject({ status: 401 });
    world.advance(11 * 60_000);
    expect(await world.client().post('/v1/sign-in/passkey', authenticator.get(other))).toMatchObject({ status: 401 });
  });

  it('of which there is a copy lets one of both in', async () => {
    const authenticator = new Authenticator(ORIGIN);
    await add(await (await makeUser(world)).signIn(), authenticator);
    for (let round = 0; round < 5; round += 1) {
      const [one, other] = [
        await ask(world.client(), '/v1/sign-in/passkey/options'),
        await ask(world.client(), '/v1/sign-in/passkey/options'),
      ];
      const answers = [authenticator.get(one), authenticator.get(other, { is_copy: true })];
      const uses = await Promise.all(answers.map((answer) => world.client().post('/v1/sign-in/passkey', answer)));
      expect(uses.map(({ status }) => status).toSorted()).toEqual([200, 401]);
    }
  });

  it('proves again who it is, only by its owner, and is removed', async () => {
    const user = await makeUser(world);
    const here = await user.signIn();
    const [own, strange] = [new Authenticator(ORIGIN), new Authenticator(ORIGIN)];
    const added = await add(here, own);
    await add(await (await makeUser(world)).signIn(), strange);
    world.advance(6 * 60_000);
    const path = `/v1/credentials/passkeys/${added.body.passkey_id}`;
    expect(await here.ask('DELETE', path)).toMatchObject({ status: 403 });
    const prove = async (authenticator: Authenticator) =>
      here.post('/v1/session/proof', authenticator.get(await ask(here, '/v1/session/proof/options')));
    expect(await prove(strange)).toMatchObject({ status: 401 });
    expect(await here.ask('DELETE', path)).toMatchObject({ status: 403 });
    expect(await prove(own)).toMatchObject({ status: 204 });
    expect(await here.ask('DELETE', path)).toMatchObject({ status: 204 });
    expect(await here.ask('DELETE', path)).toMatchObject({ status: 404 });
    expect(await signIn(own)).toMatchObject({ status: 401 });
  });

  it('is both factors of an admin, whose changes are in the log', async () => {
    const admin = await makeAdmin(world, ['support']);
    const authenticator = new Authenticator(ORIGIN);
    expect(await add(await admin.signIn(), authenticator)).toMatchObject({ status: 201 });
    expect(await signIn(authenticator)).toMatchObject({
      status: 200,
      body: { user_id: admin.user_id, admin_roles: ['support'], account_id: null },
    });
    const { rows } = await world.pool.query('select action, detail from audit_log where actor_id = $1', [
      admin.user_id,
    ]);
    expect(rows).toEqual([{ action: 'credential.added', detail: { field: 'passkey' } }]);
  });
});
