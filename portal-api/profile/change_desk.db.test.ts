import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataKeys } from '../../domain/privacy/data_keys.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { makeAdmin, makeMember, makeUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { recordChange } from './profile_changes.ts';
import type { PersonalField } from './profile_changes.ts';

let world: PortalWorld;
let kyc: { user_id: string; client: PortalClient };

beforeAll(async () => {
  world = await PortalWorld.begin();
  const admin = await makeAdmin(world, ['kyc']);
  kyc = { user_id: admin.user_id, client: await admin.signIn() };
});

afterAll(() => world.end());

interface Page {
  items: Record<string, unknown>[];
  next_cursor: string | null;
}

/** As a person who is signed in does it. */
async function changed(user_id: string, field: PersonalField, before: string | null, after: string): Promise<void> {
  world.advance(1_000);
  await inTransaction(world.pool, async (tx) => {
    const { rows } = await tx.query<{ data_key_id: string }>('select data_key_id from portal_user where id = $1', [
      user_id,
    ]);
    const key = await new DataKeys(world.ring).open(tx, rows[0]?.data_key_id ?? '');
    await recordChange(tx, world.now(), { user_id, key, field, before, after, address: '192.0.2.7' });
  });
}

describe('changes of a profile at the desk', () => {
  it('tell what was changed, masked, by whom, when and from where; each view is on record', async () => {
    const user = await makeUser(world, { name: 'Nora One' });
    const member = await makeMember(world, user.account_id, 'member');
    const here = await user.signIn();
    const { body: profile } = await here.get<{ version: number }>('/v1/profile');
    await here.ask('PATCH', '/v1/profile', { body: { name: 'Nora Two' }, version: profile.version });
    await changed(user.user_id, 'email', 'nora@example.org', 'nora@elsewhere.example');
    await changed(member.user_id, 'phone', null, '+4915112345678');
    await changed((await makeUser(world)).user_id, 'locale', 'en', 'de');
    const path = `/v1/admin/customers/${user.account_id}/profile-changes?purpose=takeover`;
    const list = async (query: string): Promise<Page> => {
      const reply = await kyc.client.get<Page>(`${path}${query}`);
      expect(reply.status).toBe(200);
      return reply.body;
    };
    const first = await list('&limit=2');
    expect(first.items).toMatchObject([
      {
        field: 'phone',
        user_id: member.user_id,
        before_masked: null,
        after_masked: '+4915•••78',
        address: '192.0.2.7',
      },
      { field: 'email', user_id: user.user_id, before_masked: 'n•••@e•••.org', after_masked: 'n•••@e•••.example' },
    ]);
    const rest = await list(`&limit=2&cursor=${first.next_cursor ?? ''}`);
    expect(rest).toMatchObject({
      items: [{ field: 'name', before_masked: 'N••• O•••', after_masked: 'N••• T•••' }],
      next_cursor: null,
    });
    expect((await list('&field=email')).items).toHaveLength(1);
    expect((await list(`&user_id=${member.user_id}`)).items).toMatchObject([{ field: 'phone' }]);
    const { rows } = await world.pool.query(
      `select actor_id, purpose from audit_log where action = 'profile_changes.view' and account_id = $1`,
      [user.account_id],
    );
    expect(rows).toEqual(Array.from({ length: 4 }, () => ({ actor_id: kyc.user_id, purpose: 'takeover' })));
    // Whose data is erased has changed something, and nobody knows what.
    await world.pool.query(
      `update data_key set destroyed_at = now(), wrapped = null where id = (select data_key_id from portal_user where id = $1)`,
      [member.user_id],
    );
    expect((await list(`&user_id=${member.user_id}`)).items).toMatchObject([{ field: 'phone', after_masked: null }]);
  });

  it('are shown neither without a purpose nor to who does not need them', async () => {
    const { account_id } = await makeUser(world);
    const path = `/v1/admin/customers/${account_id}/profile-changes`;
    expect(await kyc.client.get(path)).toMatchObject({ status: 422 });
    expect(await kyc.client.get(`/v1/admin/customers/${randomUUID()}/profile-changes?purpose=x`)).toMatchObject({
      status: 404,
    });
    const finance = await (await makeAdmin(world, ['finance'])).signIn();
    expect(await finance.get(`${path}?purpose=x`)).toMatchObject({ status: 403 });
  });
});
