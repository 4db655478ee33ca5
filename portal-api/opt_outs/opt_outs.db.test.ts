import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAdmin, makeApiKey, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import { PortalWorld } from '../testing/portal_world.ts';

const NUMBER = '+493088001';

let world: PortalWorld;
let user: TestUser;
let other: TestUser;

beforeAll(async () => {
  world = await PortalWorld.begin();
  [user, other] = [await makeUser(world), await makeUser(world)];
  const stop = ({ account_id }: TestUser, recipient: string, sender: string, at: string) =>
    world.pool.query(
      'insert into opt_out (account_id, recipient, sender, opted_out_at, message_id) values ($1, $2, $3, $4, $5)',
      [account_id, recipient, sender, at, randomUUID()],
    );
  await stop(user, '+447700900001', NUMBER, '2026-01-01T10:00:00.000001Z');
  // Two within a millisecond, as one statement may write.
  await stop(user, '+447700900002', NUMBER, '2026-01-01T10:00:00.000002Z');
  await stop(user, '+447700900003', '*', '2026-02-01T10:00:00Z');
  await stop(user, '+447700900004', 'Shop', '2026-03-01T10:00:00Z');
  await stop(other, '+447700900005', '+493088002', '2026-04-01T10:00:00Z');
});

afterAll(() => world.end());

interface Page {
  items: Record<string, unknown>[];
  next_cursor: string | null;
}

describe('who said STOP', () => {
  it('is seen by the customer whom it was said to, and his programs, page by page', async () => {
    const here = await user.signIn();
    const seen: unknown[] = [];
    for (let cursor = ''; ;) {
      const { body } = await here.get<Page>(`/v1/opt-outs?limit=1${cursor}`);
      seen.push(...body.items.map(({ recipient, sender }) => [recipient, sender]));
      if (body.next_cursor === null) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
    const [four, three] = [
      ['+447700900004', 'Shop'],
      ['+447700900003', null],
    ];
    expect(seen).toEqual([four, three, ['+447700900002', NUMBER], ['+447700900001', NUMBER]]);
    const program = world.client();
    program.api_key = await makeApiKey(world, user.account_id, ['texts']);
    const of_number = await program.get<Page>(`/v1/opt-outs?sender=${encodeURIComponent(NUMBER)}`);
    expect(of_number.body.items.map(({ recipient }) => recipient)).toEqual([
      ...['+447700900003', '+447700900002', '+447700900001'],
    ]);
    const one = await here.get<Page>(`/v1/opt-outs?recipient=${encodeURIComponent('+447700900004')}`);
    expect(one.body.items).toMatchObject([{ sender: 'Shop' }]);
    const late = await here.get<Page>('/v1/opt-outs?from=2026-02-01T10:00:00Z&to=2026-03-01T10:00:00Z');
    expect(late.body.items).toMatchObject([{ recipient: '+447700900003' }]);
  });

  it('is seen masked by an admin, with a purpose that is on record', async () => {
    const admin = await makeAdmin(world, ['support']);
    const support = await admin.signIn();
    const all = await support.get<Page>('/v1/admin/opt-outs?purpose=a%20complaint');
    expect(all.body.items).toHaveLength(5);
    expect(all.body.items[0]).toMatchObject({ account_id: other.account_id, recipient_masked: '+4477•••05' });
    expect(JSON.stringify(all.body)).not.toContain('77009000');
    const of_user = await support.get<Page>(`/v1/admin/opt-outs?purpose=x&account_id=${user.account_id}&sender=Shop`);
    expect(of_user.body.items).toMatchObject([{ sender: 'Shop' }, { sender: null }]);
    const { rows } = await world.pool.query(
      `select actor_id, purpose, account_id from audit_log where action = 'opt_outs.view' order by seq`,
    );
    expect(rows).toEqual([
      { actor_id: admin.user_id, purpose: 'a complaint', account_id: null },
      { actor_id: admin.user_id, purpose: 'x', account_id: user.account_id },
    ]);
    expect(await support.get('/v1/admin/opt-outs')).toMatchObject({ status: 422 });
    const finance = await (await makeAdmin(world, ['finance'])).signIn();
    expect(await finance.get('/v1/admin/opt-outs?purpose=x')).toMatchObject({ status: 403 });
  });
});
