import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { makeAdmin, makeMember, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

let mail: MailCatcher;
let world: PortalWorld;
let support: { user_id: string; client: PortalClient };

beforeAll(async () => {
  mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
  world = await PortalWorld.begin({ SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}` });
  const admin = await makeAdmin(world, ['support']);
  support = { user_id: admin.user_id, client: await admin.signIn() };
});

afterAll(async () => {
  await world.end();
  await mail.end();
});

type Item = Record<string, unknown>;
interface Page {
  items: Item[];
  next_cursor: string | null;
}

/** What a stream tells, until it has told this. */
async function toldUntil(stream: Response, wanted: string): Promise<string> {
  let text = '';
  for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.includes(wanted)) return text;
  }
  throw new Error(`The stream ended before: ${text}`);
}

const pathOf = ({ account_id }: TestUser) => `/v1/admin/customers/${account_id}`;

async function recorded(user_id: string, method: string, result: string, address: string, at: Date): Promise<void> {
  await world.pool.query(
    `insert into login_event (id, user_id, at, method, result, address, user_agent) values ($1, $2, $3, $4, $5, $6, 'Firefox')`,
    [randomUUID(), user_id, at, method, result, address],
  );
}

async function audited(action: string, account_id: string): Promise<unknown[]> {
  const { rows } = await world.pool.query<Item>(
    'select actor_id, purpose, detail from audit_log where action = $1 and account_id = $2 order by seq',
    [action, account_id],
  );
  return rows;
}

describe('sign-ins at the desk', () => {
  it('are those of whoever may act for the account, by person, outcome and time; each view is on record', async () => {
    const user = await makeUser(world);
    const { user_id } = await makeMember(world, user.account_id, 'billing');
    const [stranger, base] = [await makeUser(world), world.now().getTime() - 3_600_000];
    await recorded(user.user_id, 'password', 'signed_in', '192.0.2.1', new Date(base));
    await recorded(user_id, 'passkey', 'signed_in', '192.0.2.2', new Date(base + 1_000));
    await recorded(user.user_id, 'password', 'refused', '198.51.100.0/24', new Date(base + 2_000));
    await recorded(stranger.user_id, 'password', 'signed_in', '192.0.2.3', new Date(base + 3_000));
    const list = async (query: string): Promise<Page> => {
      const reply = await support.client.get<Page>(`${pathOf(user)}/sign-ins?purpose=ticket%209${query}`);
      expect(reply.status).toBe(200);
      return reply.body;
    };
    const first = await list('&limit=2');
    expect(first.items).toMatchObject([
      {
        user_id: user.user_id,
        method: 'password',
        result: 'refused',
        address: '198.51.100.0/24',
        user_agent: 'Firefox',
      },
      { user_id, method: 'passkey', result: 'signed_in', address: '192.0.2.2' },
    ]);
    const rest = await list(`&limit=2&cursor=${first.next_cursor ?? ''}`);
    expect(rest).toMatchObject({ items: [{ address: '192.0.2.1' }], next_cursor: null });
    expect((await list('&result=refused')).items).toHaveLength(1);
    expect((await list(`&user_id=${user_id}`)).items).toMatchObject([{ user_id }]);
    expect((await list(`&user_id=${stranger.user_id}`)).items).toEqual([]);
    expect((await list(`&from=${new Date(base + 1_500).toISOString()}`)).items).toMatchObject([{ result: 'refused' }]);
    expect(await audited('sign_ins.view', user.account_id)).toEqual(
      Array.from({ length: 6 }, () => ({ actor_id: support.user_id, purpose: 'ticket 9', detail: {} })),
    );
    expect(await support.client.get(`${pathOf(user)}/sign-ins`)).toMatchObject({ status: 422 });
    const unknown = `/v1/admin/customers/${randomUUID()}`;
    expect(await support.client.get(`${unknown}/sign-ins?purpose=x`)).toMatchObject({ status: 404 });
    const finance = await (await makeAdmin(world, ['finance'])).signIn();
    expect(await finance.get(`${pathOf(user)}/sign-ins?purpose=x`)).toMatchObject({ status: 403 });
  });
});

describe('sessions at the desk', () => {
  it('are listed, and end all at once, within a second, for a reason that each person reads', async () => {
    const user = await makeUser(world, { email: 'olga@example.org' });
    const member = await makeMember(world, user.account_id, 'member');
    const clients = [await user.signIn(), await user.signIn(), await member.signIn()];
    const other = await makeUser(world);
    const stranger = await other.signIn();
    const heard = await (await member.signIn()).stream('/v1/events');
    const others = await stranger.stream('/v1/events');
    // All are remembered by the portal when they end.
    for (const client of clients) expect(await client.get('/v1/session')).toMatchObject({ status: 200 });
    const listed = await support.client.get<Page>(`${pathOf(user)}/sessions?purpose=stolen%20laptop`);
    expect(listed.body.items).toHaveLength(4);
    expect(listed.body.items).toContainEqual(
      expect.objectContaining({ user_id: member.user_id, role: 'member', address: '127.0.0.1', user_agent: 'a test' }),
    );
    expect(JSON.stringify(listed.body)).not.toMatch(/session_id|csrf/u);
    expect(await audited('sessions.view', user.account_id)).toMatchObject([{ purpose: 'stolen laptop' }]);
    const end = `${pathOf(user)}/sessions/end`;
    expect(await support.client.post(end, {})).toMatchObject({ status: 422 });
    const operations = await (await makeAdmin(world, ['operations'])).signIn();
    expect(await operations.post(end, { reason: 'x' })).toMatchObject({ status: 403 });
    expect(await support.client.post(end, { reason: 'Your laptop was stolen' })).toMatchObject({
      ...{ status: 200, body: { ended: 4 } },
    });
    for (const client of clients) {
      await expect.poll(async () => (await client.get('/v1/session')).status, { timeout: 1_000 }).toBe(401);
    }
    // What somebody listened to has ended as well; another's goes on.
    expect(await heard.text()).toContain('event: signed_out');
    expect(await stranger.get('/v1/session')).toMatchObject({ status: 200 });
    const event = { account_id: other.account_id, type: 'order', id: 'theirs' };
    await world.pool.query(`select pg_notify('portal_live', $1)`, [JSON.stringify(event)]);
    expect(await toldUntil(others, 'event: order')).not.toContain('signed_out');
    expect(await audited('sessions.end', user.account_id)).toMatchObject([
      { actor_id: support.user_id, detail: { reason: 'Your laptop was stolen', ended: 4 } },
    ]);
    for (const to of ['olga@example.org', `${member.user_id}@example.org`]) {
      await expect
        .poll(() => mail.mails(to).map(({ subject }) => subject), { timeout: 8_000 })
        .toEqual(['Letsdial: You were signed out everywhere']);
      expect(mail.mails(to)[0]?.text).toContain('Reason: Your laptop was stolen');
    }
  });
});
