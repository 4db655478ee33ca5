import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAdmin, makeMember, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient, Reply } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { restrictionsInForce } from './restriction_rows.ts';

interface Restriction {
  restriction_id: string;
  is_in_force: boolean;
  appeal_state: string | null;
  evidence?: string;
  version: number;
}
interface Appeal {
  appeal_id: string;
  state: string;
  version: number;
}

let world: PortalWorld;
let user: TestUser;
let here: PortalClient;
let setter: PortalClient;
let other: PortalClient;

beforeAll(async () => {
  world = await PortalWorld.begin();
  user = await makeUser(world);
  here = await user.signIn();
  setter = await (await makeAdmin(world, ['operations'])).signIn();
  other = await (await makeAdmin(world, ['support'])).signIn();
});

afterAll(() => world.end());

function restrict(wishes: Record<string, unknown> = {}): Promise<Reply<Restriction>> {
  const told = { account_id: user.account_id, scope: 'sms', reason: 'many complaints', evidence: 'case 17' };
  return setter.post<Restriction>('/v1/admin/restrictions', { ...told, ...wishes });
}

const appealTo = (id: string, client = here): Promise<Reply<Appeal>> =>
  client.post<Appeal>(`/v1/restrictions/${id}/appeal`, { words: 'That was not me.' });

const decide = (admin: PortalClient, { appeal_id, version }: Appeal, decision = 'lift') =>
  admin.post<Appeal>(`/v1/admin/appeals/${appeal_id}/decision`, { decision, words: 'Looked at.' }, { version });

async function openAppeals(): Promise<(Appeal & { restriction_id: string })[]> {
  const { body } = await other.get<{ items: (Appeal & { restriction_id: string })[] }>(
    '/v1/admin/appeals?state=open&purpose=the+daily+round',
  );
  return body.items;
}

/** What was queued for the account by mail. */
async function notices(): Promise<string[]> {
  const { rows } = await world.pool.query<{ template: string }>(
    `select payload ->> 'template' as template from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
      where t.identifier = 'send_notice' and payload ->> 'user_id' = $1`,
    [user.user_id],
  );
  return rows.map(({ template }) => template);
}

describe('a restriction', () => {
  it('is in force at once, is told without its evidence, and ends', async () => {
    const set = await restrict();
    expect(set).toMatchObject({ status: 201, body: { is_in_force: true, evidence: 'case 17', version: 1 } });
    const id = set.body.restriction_id;
    expect(await restrictionsInForce(world.pool, user.account_id, world.now())).toEqual(['sms']);
    const { body } = await here.get<{ items: Restriction[] }>('/v1/restrictions');
    expect(body.items[0]).toMatchObject({ restriction_id: id, is_in_force: true, reason: 'many complaints' });
    expect(JSON.stringify(body)).not.toContain('case 17');
    const stranger = await (await makeUser(world)).signIn();
    expect(await stranger.get('/v1/restrictions')).toMatchObject({ body: { items: [] } });
    expect(await appealTo(id, stranger)).toMatchObject({ status: 404 });

    const path = `/v1/admin/restrictions/${id}/end`;
    expect(await setter.post(path, { reason: 'a mistake' }, { version: 9 })).toMatchObject({ status: 412 });
    expect(await setter.post(path, { reason: 'a mistake' }, { version: 1 })).toMatchObject({
      status: 200,
      body: { is_in_force: false },
    });
    expect(await restrictionsInForce(world.pool, user.account_id, world.now())).toEqual([]);
    expect(await setter.post(path, { reason: 'again' }, { version: 2 })).toMatchObject({ status: 409 });
    const { rows } = await world.pool.query<{ action: string }>(
      'select action from audit_log where subject = $1 order by seq',
      [`restriction:${id}`],
    );
    expect(rows.map(({ action }) => action)).toEqual(['restriction.set', 'restriction.end']);
  });

  it('is made once by the same key', async () => {
    const idempotency_key = randomUUID();
    const asked = { account_id: user.account_id, scope: 'calls_in', reason: 'once' };
    const [one, two] = [
      await setter.post<Restriction>('/v1/admin/restrictions', asked, { idempotency_key }),
      await setter.post<Restriction>('/v1/admin/restrictions', asked, { idempotency_key }),
    ];
    expect(two.body.restriction_id).toBe(one.body.restriction_id);
  });

  it('that runs out is told to be over', async () => {
    const ends_at = new Date(world.now().getTime() + 5_000).toISOString();
    const set = await restrict({ scope: 'purchases', ends_at });
    world.advance(6_000);
    await world.pool.query(`select graphile_worker.add_job('tell_restrictions_ended', '{}')`);
    const told = async (): Promise<unknown> => {
      const { rows } = await world.pool.query<{ told: boolean }>(
        'select end_told_at is not null as told from restriction where id = $1',
        [set.body.restriction_id],
      );
      return rows[0]?.told;
    };
    await expect.poll(told).toBe(true);
  });

  it('is set by admins alone, on accounts that are there', async () => {
    const asked = { account_id: user.account_id, scope: 'all', reason: 'x' };
    const kyc = await (await makeAdmin(world, ['kyc'])).signIn();
    expect(await kyc.post('/v1/admin/restrictions', asked)).toMatchObject({ status: 403 });
    expect(await here.post('/v1/admin/restrictions', asked)).toMatchObject({ status: 403 });
    expect(await setter.post('/v1/admin/restrictions', { ...asked, account_id: randomUUID() })).toMatchObject({
      status: 404,
    });
    expect(await restrict({ ends_at: '2020-01-01T00:00:00Z' })).toMatchObject({ status: 422 });
  });
});

describe('an appeal', () => {
  it('is decided by another admin than who set the restriction, and lifts it', async () => {
    const { body: set } = await restrict({ scope: 'calls_out' });
    const member = await (await makeMember(world, user.account_id, 'member')).signIn();
    expect(await appealTo(set.restriction_id, member)).toMatchObject({ status: 403 });
    const opened = await appealTo(set.restriction_id);
    expect(opened).toMatchObject({ status: 201, body: { state: 'open' } });
    expect(await appealTo(set.restriction_id)).toMatchObject({ status: 409 });
    const waiting = (await openAppeals()).find(({ restriction_id }) => restriction_id === set.restriction_id);
    if (waiting === undefined) throw new Error('The appeal is not on the list.');
    expect(await decide(setter, waiting)).toMatchObject({
      status: 409,
      body: { type: 'urn:letsdial:problem:second_approval_required' },
    });
    expect(await decide(other, waiting)).toMatchObject({ status: 200, body: { state: 'lifted' } });
    expect(await decide(other, { ...waiting, version: 2 }, 'uphold')).toMatchObject({ status: 409 });
    const { body } = await here.get<{ items: Restriction[] }>('/v1/restrictions');
    const lifted = body.items.find(({ restriction_id }) => restriction_id === set.restriction_id);
    expect(lifted).toMatchObject({ is_in_force: false, appeal_state: 'lifted' });
    expect(await here.get('/v1/appeals')).toMatchObject({ body: { items: [{ state: 'lifted' }] } });
  });

  it('that is upheld leaves the restriction as it is', async () => {
    const { body: set } = await restrict({ scope: 'all' });
    const { body: opened } = await appealTo(set.restriction_id);
    expect(await decide(other, { ...opened, version: 1 }, 'uphold')).toMatchObject({ body: { state: 'upheld' } });
    expect(await restrictionsInForce(world.pool, user.account_id, world.now())).toContain('all');
  });

  it('is refused by the database, too, where who set the restriction decides it', async () => {
    const { body: set } = await restrict();
    const { body: opened } = await appealTo(set.restriction_id);
    await expect(
      world.pool.query(
        `update appeal set state = 'lifted', decided_by = restriction_set_by, decided_at = now(), decision_words = 'x' where id = $1`,
        [opened.appeal_id],
      ),
    ).rejects.toThrow(/appeal_decided_by_another/);
    await expect(
      world.pool.query(`update appeal set restriction_set_by = 'somebody else' where id = $1`, [opened.appeal_id]),
    ).rejects.toThrow(/foreign key/);
  });

  it('and restrictions are told by mail', async () => {
    // No mail server takes them here, so that they stay queued for who owns the account.
    const kinds = async (): Promise<string[]> => [...new Set(await notices())].toSorted();
    await expect.poll(kinds).toEqual(['appeal_decided', 'restriction_ended', 'restriction_set']);
  });
});

it('are listed of everybody, of which each who is in the list sees that they were', async () => {
  const [second, stranger] = [await makeUser(world), await makeUser(world)];
  const [theirs, elsewhere] = [await second.signIn(), await stranger.signIn()];
  const [mine, other_one] = [await restrict(), await restrict({ account_id: second.account_id })];
  expect(await appealTo(mine.body.restriction_id)).toMatchObject({ status: 201 });
  expect(await appealTo(other_one.body.restriction_id, theirs)).toMatchObject({ status: 201 });
  for (const path of ['/v1/admin/restrictions?purpose=a+round', '/v1/admin/appeals?state=open&purpose=a+round']) {
    expect(await setter.get(path)).toMatchObject({ status: 200 });
  }
  const seen = async (client: PortalClient): Promise<string[]> => {
    const { body } = await client.get<{ items: { action: string; purpose: string | null }[] }>('/v1/access-log');
    return body.items.filter(({ purpose }) => purpose === 'a round').map(({ action }) => action);
  };
  for (const client of [here, theirs]) expect(await seen(client)).toEqual(['appeal.list', 'restriction.list']);
  expect(await seen(elsewhere)).toEqual([]);
  const own = `/v1/admin/restrictions?purpose=a+round&account_id=${stranger.account_id}`;
  expect(await setter.get(own)).toMatchObject({ status: 200, body: { items: [] } });
  expect(await seen(elsewhere)).toEqual(['restriction.list']);
});
