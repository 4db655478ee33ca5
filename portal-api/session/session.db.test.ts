import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeUser } from '../testing/people.ts';
import { PortalWorld } from '../testing/portal_world.ts';

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin();
});

afterAll(() => world.end());

describe('a session', () => {
  it('tells who is signed in, and nobody who is not', async () => {
    const user = await makeUser(world, { email: 'ada@example.org' });
    const here = await user.signIn();
    const reply = await here.get<{ user_id: string; account_id: string; role: string }>('/v1/session');
    expect(reply).toMatchObject({ status: 200, body: { kind: 'customer', user_id: user.user_id, role: 'owner' } });
    expect(await world.client().get('/v1/session')).toMatchObject({
      status: 401,
      body: { type: 'urn:letsdial:problem:sign_in_required' },
    });
  });

  it('is listed with the others, and revoked for the very next request', async () => {
    const user = await makeUser(world, { email: 'bea@example.org' });
    const [here, there] = [await user.signIn(), await user.signIn()];
    const { body } = await here.get<{ items: { session_id: string; is_this: boolean }[] }>('/v1/sessions');
    expect(body.items.map(({ is_this }) => is_this).toSorted()).toEqual([false, true]);
    const other = body.items.find(({ is_this }) => !is_this);
    expect(await here.ask('DELETE', `/v1/sessions/${other?.session_id ?? ''}`)).toMatchObject({ status: 204 });
    expect(await there.get('/v1/session')).toMatchObject({ status: 401 });
    expect(await here.get('/v1/session')).toMatchObject({ status: 200 });
  });

  it('of somebody else is not there', async () => {
    const [ada, eve] = [
      await makeUser(world, { email: 'ada2@example.org' }),
      await makeUser(world, { email: 'eve@example.org' }),
    ];
    const [hers, theirs] = [await ada.signIn(), await eve.signIn()];
    const { body } = await hers.get<{ items: { session_id: string }[] }>('/v1/sessions');
    expect(await theirs.ask('DELETE', `/v1/sessions/${body.items[0]?.session_id ?? ''}`)).toMatchObject({
      status: 404,
    });
    expect(await hers.get('/v1/session')).toMatchObject({ status: 200 });
  });

  it('changes nothing for another site, which has its cookie and not its token', async () => {
    const user = await makeUser(world, { email: 'cal@example.org' });
    const here = await user.signIn();
    const without = await here.ask('DELETE', '/v1/session', { headers: { 'x-csrf-token': randomUUID() } });
    expect(without).toMatchObject({ status: 403, body: { type: 'urn:letsdial:problem:cross_site' } });
    const elsewhere = await here.ask('DELETE', '/v1/session', { headers: { origin: 'https://elsewhere.example' } });
    expect(elsewhere).toMatchObject({ status: 403, body: { type: 'urn:letsdial:problem:cross_site' } });
    expect(await here.get('/v1/session')).toMatchObject({ status: 200 });
  });

  it('ends when nobody uses it for its time', async () => {
    const user = await makeUser(world, { email: 'dan@example.org' });
    const here = await user.signIn();
    world.advance(31 * 86_400_000);
    expect(await here.get('/v1/session')).toMatchObject({ status: 401 });
  });
});
