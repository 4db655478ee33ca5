import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeUser } from '../testing/people.ts';
import { OidcIssuer } from '../testing/oidc_issuer.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

let issuer: OidcIssuer;
let world: PortalWorld;

beforeAll(async () => {
  issuer = await OidcIssuer.begin('letsdial', 'a secret of theirs', 'http://localhost:8720/sign-in/google');
  world = await PortalWorld.begin({
    GOOGLE_ISSUER: issuer.issuer,
    GOOGLE_CLIENT_ID: 'letsdial',
    GOOGLE_CLIENT_SECRET: 'a secret of theirs',
  });
});

afterAll(async () => {
  await world.end();
  await issuer.end();
});

interface Begun {
  challenge_token: string;
  url: string;
}

const begin = async (client: PortalClient, path: string): Promise<Begun> => {
  const reply = await client.post<Begun>(path);
  expect(reply).toMatchObject({ status: 200 });
  return reply.body;
};

/** To the issuer and back, as a browser goes. */
async function go(client: PortalClient, where: '/v1/sign-in/google' | '/v1/credentials/google', subject: string) {
  issuer.subject = subject;
  const { challenge_token, url } = await begin(client, `${where}/begin`);
  const back = await issuer.visit(url);
  return client.post<Record<string, unknown>>(`${where}/end`, { challenge_token, ...back });
}

describe('sign-in with Google', () => {
  it('is for whoever linked it, until it is unlinked', async () => {
    const user = await makeUser(world, { email: 'gil@example.org' });
    const here = await user.signIn();
    expect(await go(world.client(), '/v1/sign-in/google', 'gil')).toMatchObject({ status: 401 });
    expect(await go(here, '/v1/credentials/google', 'gil')).toMatchObject({ status: 204 });
    expect(await here.get('/v1/credentials')).toMatchObject({ body: { google_is_linked: true } });
    const client = world.client();
    expect(await go(client, '/v1/sign-in/google', 'gil')).toMatchObject({
      status: 200,
      body: { user_id: user.user_id },
    });
    expect(await client.get('/v1/session')).toMatchObject({ status: 200 });
    expect(await go(world.client(), '/v1/sign-in/google', 'somebody else')).toMatchObject({ status: 401 });
    // Who they are there stands nowhere.
    const { rows } = await world.pool.query<{ row: string }>('select e::text as row from external_identity e');
    expect(rows.map(({ row }) => row).join(' ')).not.toMatch(/gil/u);
    expect(await here.ask('DELETE', '/v1/credentials/google')).toMatchObject({ status: 204 });
    expect(await go(world.client(), '/v1/sign-in/google', 'gil')).toMatchObject({ status: 401 });
  });

  it('links one there to one here', async () => {
    const [ada, eve] = [await (await makeUser(world)).signIn(), await (await makeUser(world)).signIn()];
    expect(await go(ada, '/v1/credentials/google', 'ada')).toMatchObject({ status: 204 });
    expect(await go(eve, '/v1/credentials/google', 'ada')).toMatchObject({ status: 409 });
    expect(await go(ada, '/v1/credentials/google', 'another')).toMatchObject({ status: 409 });
  });

  it('is ended by whoever began it, once, with the answer to their own question', async () => {
    const here = await (await makeUser(world)).signIn();
    await go(here, '/v1/credentials/google', 'kim');
    issuer.subject = 'kim';
    const end = (body: object) => world.client().post('/v1/sign-in/google/end', body);
    const [hers, theirs] = [
      await begin(world.client(), '/v1/sign-in/google/begin'),
      await begin(world.client(), '/v1/sign-in/google/begin'),
    ];
    const back = await issuer.visit(hers.url);
    // Somebody else's question, another state, a code that is none, and then once too often.
    expect(await end({ challenge_token: theirs.challenge_token, ...back })).toMatchObject({ status: 401 });
    const again = await begin(world.client(), '/v1/sign-in/google/begin');
    const other = await issuer.visit(again.url);
    expect(await end({ challenge_token: again.challenge_token, ...other, state: 'another' })).toMatchObject({
      status: 401,
    });
    expect(await end({ challenge_token: again.challenge_token, ...other })).toMatchObject({ status: 401 });
    expect(await end({ challenge_token: hers.challenge_token, ...back })).toMatchObject({ status: 200 });
    expect(await end({ challenge_token: hers.challenge_token, ...back })).toMatchObject({ status: 401 });
    const third = await begin(world.client(), '/v1/sign-in/google/begin');
    const { state } = await issuer.visit(third.url);
    expect(await end({ challenge_token: third.challenge_token, state, code: 'made-up' })).toMatchObject({
      status: 401,
    });
    // What was begun to sign in links nothing.
    const fourth = await begin(world.client(), '/v1/sign-in/google/begin');
    const mixed = { challenge_token: fourth.challenge_token, ...(await issuer.visit(fourth.url)) };
    expect(await here.post('/v1/credentials/google/end', mixed)).toMatchObject({ status: 422 });
  });

  it('is not offered where nothing is set up, and its absence is told as such', async () => {
    const elsewhere = await PortalWorld.begin();
    expect(await elsewhere.client().post('/v1/sign-in/google/begin')).toMatchObject({ status: 404 });
    await elsewhere.end();
    const without = await PortalWorld.begin({ GOOGLE_ISSUER: 'http://127.0.0.1:9', GOOGLE_CLIENT_ID: 'letsdial' });
    expect(await without.client().post('/v1/sign-in/google/begin')).toMatchObject({ status: 503 });
    await without.end();
  });
});
