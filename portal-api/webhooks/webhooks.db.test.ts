import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeApiKey, makeMember, makeUser } from '../testing/people.ts';
import type { PortalClient, Reply } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

interface Webhook {
  webhook_id: string;
  url: string;
  kinds: string[];
  enabled: boolean;
  secret: string;
  version: number;
}

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin();
});

afterAll(() => world.end());

const URL_OF_OURS = 'https://hooks.example.org/texts';
const problem = (name: string): object => ({ body: { type: `urn:letsdial:problem:${name}` } });
const make = (client: PortalClient, url: string, more: object = {}): Promise<Reply<Webhook>> =>
  client.post<Webhook>('/v1/webhooks', { url, ...more });

/** As the gateway reads it. */
async function kept(webhook_id: string): Promise<{ secret: string; enabled: boolean } | undefined> {
  const { rows } = await world.pool.query<{ secret: string; enabled: boolean }>(
    'select secret, enabled from webhook_endpoint where id = $1',
    [webhook_id],
  );
  return rows[0];
}

describe('a webhook', () => {
  it('has a secret that is shown once, is changed, signs by another secret, and ends', async () => {
    const user = await makeUser(world);
    const client = await user.signIn();
    const idempotency_key = randomUUID();
    const made = await client.post<Webhook>('/v1/webhooks', { url: URL_OF_OURS }, { idempotency_key });
    expect(made).toMatchObject({ status: 201, body: { url: URL_OF_OURS, kinds: ['receipt', 'text'], enabled: true } });
    const { webhook_id, secret } = made.body;
    expect(await kept(webhook_id)).toEqual({ secret, enabled: true });
    const again = await client.post('/v1/webhooks', { url: URL_OF_OURS }, { idempotency_key });
    expect(again).toMatchObject(problem('already_done'));

    const path = `/v1/webhooks/${webhook_id}`;
    const { version } = made.body;
    expect(await client.ask('PATCH', path, { body: { enabled: false } })).toMatchObject(problem('version_required'));
    const off = await client.ask<Webhook>('PATCH', path, { body: { enabled: false }, version });
    expect(off).toMatchObject({ status: 200, body: { url: URL_OF_OURS, enabled: false } });
    expect(off.headers.get('etag')).toBe(`"${off.body.version}"`);
    const move = { url: 'HTTPS://Other.example.org', kinds: ['text'] };
    expect(await client.ask('PATCH', path, { body: move, version })).toMatchObject(problem('version_conflict'));
    const moved = await client.ask('PATCH', path, { body: move, version: off.body.version });
    expect(moved).toMatchObject({ body: { url: 'https://other.example.org/', kinds: ['text'], enabled: false } });
    const rotated = await client.post<Webhook>(`${path}/secret`);
    expect(rotated.status).toBe(201);
    expect(rotated.body.secret).not.toBe(secret);
    expect(await kept(webhook_id)).toEqual({ secret: rotated.body.secret, enabled: false });
    const { rows: beside } = await world.pool.query<{ old_secret: string; hours: number }>(
      `select old_secret, round(extract(epoch from old_secret_until - now()) / 3600)::integer as hours
         from webhook_endpoint where id = $1`,
      [webhook_id],
    );
    expect(beside).toEqual([{ old_secret: secret, hours: 24 }]);

    const listed = await client.get<{ items: Webhook[] }>('/v1/webhooks');
    expect(listed.body.items.map((item) => item.webhook_id)).toEqual([webhook_id]);
    expect(JSON.stringify(listed.body)).not.toContain('whsec_');
    expect(await client.ask('DELETE', path)).toMatchObject({ status: 204 });
    expect(await client.ask('DELETE', path)).toMatchObject({ status: 404 });
    expect(await kept(webhook_id)).toBeUndefined();

    const { rows } = await world.pool.query<{ action: string; detail: object }>(
      'select action, detail from audit_log where account_id = $1 order by seq',
      [user.account_id],
    );
    const actions = ['webhook.make', 'webhook.change', 'webhook.change', 'webhook.rotate_secret', 'webhook.delete'];
    expect(rows.map(({ action }) => action)).toEqual(actions);
    expect(JSON.stringify(rows)).not.toMatch(/example|whsec_/u);
  });

  it('is made by a program with a key for texts, and by no member or other key', async () => {
    const { account_id } = await makeUser(world);
    const program = world.client();
    program.api_key = await makeApiKey(world, account_id, ['texts']);
    expect(await make(program, URL_OF_OURS)).toMatchObject({ status: 201 });
    expect(await program.get('/v1/webhooks')).toMatchObject({ body: { items: [{ url: URL_OF_OURS }] } });
    const other = world.client();
    other.api_key = await makeApiKey(world, account_id, ['calls:read']);
    expect(await make(other, URL_OF_OURS)).toMatchObject(problem('not_permitted'));
    const member = await (await makeMember(world, account_id, 'member')).signIn();
    expect(await make(member, URL_OF_OURS)).toMatchObject(problem('not_permitted'));
  });

  it('of somebody else is not there', async () => {
    const { body } = await make(await (await makeUser(world)).signIn(), URL_OF_OURS);
    const eve = await (await makeUser(world)).signIn();
    const path = `/v1/webhooks/${body.webhook_id}`;
    const { version } = body;
    const change = { body: { url: 'https://eve.example.org/' }, version };
    expect(await eve.ask('PATCH', path, change)).toMatchObject({ status: 404 });
    expect(await eve.post(`${path}/secret`)).toMatchObject({ status: 404 });
    expect(await eve.ask('DELETE', path)).toMatchObject({ status: 404 });
    expect(await eve.get('/v1/webhooks')).toMatchObject({ body: { items: [] } });
    expect(await kept(body.webhook_id)).toEqual({ secret: body.secret, enabled: true });
  });

  it('is pointed somewhere by who has just proven who it is, as codes come by text', async () => {
    const client = await (await makeUser(world)).signIn();
    const { webhook_id, version } = (await make(client, URL_OF_OURS)).body;
    world.advance(6 * 60_000);
    const path = `/v1/webhooks/${webhook_id}`;
    const change = { body: { url: 'https://eve.example.org/' }, version };
    for (const asked of [make(client, URL_OF_OURS), client.ask('PATCH', path, change), client.post(`${path}/secret`)])
      expect(await asked).toMatchObject(problem('step_up_required'));
    expect(await client.get('/v1/webhooks')).toMatchObject({ status: 200, body: { items: [{ url: URL_OF_OURS }] } });
    expect(await client.ask('DELETE', path)).toMatchObject({ status: 204 });
  });

  it('is refused where its address cannot be sent to, or has a password in it', async () => {
    const client = await (await makeUser(world)).signIn();
    const wrong = ['ftp://a.example.org/', 'nowhere', 'https://a:b@a.example.org/', 'javascript:alert(1)'];
    const long = `https://a.example.org/${'ä'.repeat(600)}`;
    for (const url of [...wrong, long, '']) expect(await make(client, url)).toMatchObject(problem('invalid'));
    for (const kinds of [[], ['text', 'text'], ['calls']]) {
      expect(await make(client, URL_OF_OURS, { kinds })).toMatchObject(problem('invalid'));
    }
  });

  it('is one of ten at most, however many are asked for at once', async () => {
    const client = await (await makeUser(world)).signIn();
    const replies = await Promise.all(Array.from({ length: 14 }, () => make(client, URL_OF_OURS)));
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(10);
    expect(replies.find(({ status }) => status !== 201)).toMatchObject(problem('conflict'));
    const made = replies.find(({ status }) => status === 201)?.body.webhook_id ?? '';
    expect(await client.ask('DELETE', `/v1/webhooks/${made}`)).toMatchObject({ status: 204 });
    expect(await make(client, URL_OF_OURS)).toMatchObject({ status: 201 });
  });
});
