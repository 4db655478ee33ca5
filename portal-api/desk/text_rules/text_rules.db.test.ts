import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAdmin, makeUser } from '../../testing/people.ts';
import type { PortalClient, Reply } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { Heard } from '../testing/heard.ts';

interface Rule {
  rule_id: number;
  pattern: string;
  version: number;
}
interface Refused {
  type: string;
  detail: string;
  errors?: { path: string; message: string }[];
}

let world: PortalWorld;
let operations: PortalClient;
let support: PortalClient;
let heard: Heard;

beforeAll(async () => {
  world = await PortalWorld.begin();
  operations = await (await makeAdmin(world, ['operations'])).signIn();
  support = await (await makeAdmin(world, ['support'])).signIn();
  heard = await Heard.on(world.pool, ['gateway']);
});

afterAll(async () => {
  heard.end();
  await world.end();
});

async function logged(subject: string): Promise<{ action: string; detail: unknown }[]> {
  const { rows } = await world.pool.query<{ action: string; detail: unknown }>(
    'select action, detail from audit_log where subject = $1 order by seq',
    [subject],
  );
  return rows;
}

describe('a rule of what texts may say', () => {
  const RULES = '/v1/admin/content-rules';
  const casino = {
    country: 'GB',
    kind: 'word',
    pattern: 'online casino',
    action: 'hold',
    reason: 'Needs a licence.',
    enabled: true,
  };

  it('is made once, edited, and taken away, which the gateway hears of', async () => {
    const idempotency_key = randomUUID();
    await heard.forget();
    const made = await operations.post<Rule>(RULES, casino, { idempotency_key });
    expect(made).toMatchObject({ status: 201, body: { ...casino, version: 1 } });
    await heard.all(['gateway: content_rule']);
    await world.pool.query('delete from idempotent_request where key = $1', [idempotency_key]);
    expect(await operations.post(RULES, casino, { idempotency_key })).toMatchObject({ status: 201, body: made.body });
    // Case makes no difference to what is found.
    const same = { ...casino, pattern: 'Online CASINO' };
    expect(await operations.post(RULES, same)).toMatchObject({ status: 409 });
    expect(await operations.post(RULES, casino, { idempotency_key: null })).toMatchObject({ status: 428 });

    const path = `${RULES}/${made.body.rule_id}`;
    expect(await support.get(path)).toMatchObject({ status: 200, body: made.body });
    const stricter = { ...casino, action: 'refuse', enabled: false };
    await heard.forget();
    expect(await operations.ask('PUT', path, { body: stricter, version: 1 })).toMatchObject({
      status: 200,
      body: { ...stricter, version: 2 },
    });
    await heard.all(['gateway: content_rule']);
    expect(await operations.ask('PUT', path, { body: stricter, version: 1 })).toMatchObject({ status: 412 });
    expect(await operations.ask('PUT', path, { body: stricter })).toMatchObject({ status: 428 });
    const { enabled, ...unsaid } = stricter;
    expect(enabled).toBe(false);
    expect(await operations.ask('PUT', path, { body: unsaid, version: 2 })).toMatchObject({ status: 422 });
    const { body: other } = await operations.post<Rule>(RULES, { ...casino, country: 'IE' });
    const clash = await operations.ask('PUT', `${RULES}/${other.rule_id}`, { body: same, version: 1 });
    expect(clash).toMatchObject({ status: 409 });

    expect(await operations.ask('DELETE', path, { version: 1 })).toMatchObject({ status: 412 });
    await heard.forget();
    expect(await operations.ask('DELETE', path, { version: 2 })).toMatchObject({ status: 204 });
    await heard.all(['gateway: content_rule']);
    expect(await operations.ask('DELETE', path, { version: 2 })).toMatchObject({ status: 404 });
    expect(await operations.get(path)).toMatchObject({ status: 404 });
    expect(await operations.ask('PUT', path, { body: stricter, version: 2 })).toMatchObject({ status: 404 });
    expect(await logged(`content_rule:${made.body.rule_id}`)).toEqual([
      { action: 'content_rule.create', detail: casino },
      { action: 'content_rule.edit', detail: { before: casino, after: stricter } },
      { action: 'content_rule.drop', detail: { before: stricter } },
    ]);
  });

  it('is listed by page, by country and by kind', async () => {
    const everywhere = {
      kind: 'sender',
      pattern: 'PayBank',
      action: 'refuse',
      reason: 'Nobody is the bank but the bank.',
    };
    const made: Rule[] = [];
    for (const country of [null, 'AT', 'CH']) {
      made.push((await operations.post<Rule>(RULES, { ...everywhere, country })).body);
    }
    const first = await support.get<{ items: Rule[]; next_cursor: string }>(`${RULES}?kind=sender&limit=2`);
    const rest = await support.get<{ items: Rule[] }>(`${RULES}?kind=sender&limit=2&cursor=${first.body.next_cursor}`);
    expect([...first.body.items, ...rest.body.items]).toEqual(made);
    expect(await support.get(`${RULES}?country=AT`)).toMatchObject({ body: { items: [made[1]], next_cursor: null } });
  });

  it.each([
    [{ kind: 'word', pattern: '!!!' }, 'pattern'],
    [{ kind: 'sender', pattern: ' ' }, 'pattern'],
    [{ kind: 'link', pattern: 'not a host' }, 'pattern'],
    [{ kind: 'link', pattern: 'host' }, 'pattern'],
    [{ kind: 'regex' }, 'kind'],
    [{ country: 'gb' }, 'country'],
    [{ action: 'delete' }, 'action'],
    [{ reason: '' }, 'reason'],
    [{ reasn: 'a slip' }, 'reasn'],
  ])('is refused, and by name: %j', async (wrong, field) => {
    const reply = await operations.post<Refused>(RULES, { ...casino, pattern: 'poker', ...wrong });
    expect(reply).toMatchObject({ status: 422 });
    expect(JSON.stringify(reply.body.errors)).toContain(field);
  });

  it.each(['*', 'bit.ly', 'https://bit.ly/x', 'www.пример.рф'])('of links takes %s', async (pattern) => {
    expect(await operations.post(RULES, { ...casino, kind: 'link', pattern })).toMatchObject({ status: 201 });
  });
});

describe('what a country asks of texts', () => {
  const path = '/v1/admin/country-text-rules/US';
  const put = (body: unknown, version: number, client = operations): Promise<Reply<Refused>> =>
    client.ask<Refused>('PUT', path, { body, version });
  const rule = {
    alphanumeric_sender: false,
    bulk_hours: { from: '09:00', until: '20:00' },
    time_zones: ['America/New_York', 'America/Los_Angeles'],
  };

  it('is said, said anew and taken back, at the version that was seen', async () => {
    expect(await put(rule, 1)).toMatchObject({ status: 412 });
    await heard.forget();
    expect(await put(rule, 0)).toMatchObject({ status: 200, body: { country: 'US', ...rule, version: 1 } });
    await heard.all(['gateway: country_text_rule']);
    expect(await put(rule, 0)).toMatchObject({ status: 412 });
    const always = { ...rule, bulk_hours: null };
    expect(await put(always, 1)).toMatchObject({ status: 200, body: { ...always, version: 2 } });
    const { body } = await support.get('/v1/admin/country-text-rules');
    expect(body).toEqual({ items: [{ country: 'US', ...always, version: 2 }] });
    expect(await operations.ask('DELETE', path, { version: 1 })).toMatchObject({ status: 412 });
    await heard.forget();
    expect(await operations.ask('DELETE', path, { version: 2 })).toMatchObject({ status: 204 });
    await heard.all(['gateway: country_text_rule']);
    expect(await operations.ask('DELETE', path, { version: 2 })).toMatchObject({ status: 404 });
    expect(await logged('country_text_rule:US')).toMatchObject([
      { action: 'country_text_rule.put', detail: { before: null, after: rule } },
      { action: 'country_text_rule.put', detail: { before: rule, after: always } },
      { action: 'country_text_rule.drop', detail: { before: always } },
    ]);
  });

  it.each([
    [{ bulk_hours: { from: '20:00', until: '09:00' } }, /begin before they end/u],
    [{ bulk_hours: { from: '09:00', until: '10:00' } }, /At no time/u],
    [{ bulk_hours: { from: '09:10', until: '20:00' } }, /bulk_hours/u],
    [{ bulk_hours: { from: '09:00' } }, /bulk_hours/u],
    [{ time_zones: [] }, /time_zones/u],
    [{ time_zones: ['America/Gotham'] }, /no time zone/u],
    [{ alphanumeric_sender: 'no' }, /alphanumeric_sender/u],
  ])('is refused in words: %j', async (wrong, words) => {
    const reply = await put({ ...rule, ...wrong }, 0);
    expect(reply).toMatchObject({ status: 422 });
    expect(JSON.stringify(reply.body)).toMatch(words);
  });
});

describe('the name that an account writes by', () => {
  it('is allowed by a person and withdrawn by one, and the log does not tell it', async () => {
    const { account_id } = await makeUser(world);
    const path = `/v1/admin/customers/${account_id}/text-senders`;
    const wish = { sender: 'Ada & Co', reason: 'A company of that name, by its register.' };
    expect(await operations.post(path, wish)).toMatchObject({ status: 201, body: { sender: 'Ada & Co' } });
    expect(await operations.post(path, wish)).toMatchObject({ status: 201 });
    const seen = `${path}?purpose=a%20complaint`;
    expect(await support.get(path)).toMatchObject({ status: 422 });
    expect(await support.get(seen)).toMatchObject({ body: { items: [{ sender: 'Ada & Co' }] } });
    for (const sender of ['12', '123456789', '+49301234', 'Ä', 'Too long a name', '---']) {
      expect(await operations.post(path, { ...wish, sender })).toMatchObject({ status: 422 });
    }
    const nobodys = `/v1/admin/customers/${randomUUID()}/text-senders`;
    expect(await operations.post(nobodys, wish)).toMatchObject({ status: 404 });
    const one = `${path}/${encodeURIComponent('Ada & Co')}`;
    expect(await support.ask('DELETE', one)).toMatchObject({ status: 403 });
    expect(await operations.ask('DELETE', one)).toMatchObject({ status: 204 });
    expect(await operations.ask('DELETE', one)).toMatchObject({ status: 404 });
    expect(await support.get(seen)).toMatchObject({ body: { items: [] } });
    const log = await logged(`account:${account_id}`);
    expect(log).toEqual([
      { action: 'text_sender.allow', detail: { reason: wish.reason } },
      { action: 'text_senders.view', detail: {} },
      { action: 'text_sender.withdraw', detail: {} },
      { action: 'text_senders.view', detail: {} },
    ]);
  });
});

describe('an account that a person vouches for', () => {
  it('is trusted for a country, until then, and the log says by whom and why', async () => {
    const { account_id } = await makeUser(world);
    const path = `/v1/admin/customers/${account_id}/text-trusts`;
    const put = (body: unknown, country = 'GB') => operations.ask('PUT', `${path}/${country}`, { body });
    const until = new Date(world.now().getTime() + 86_400_000).toISOString();
    await heard.forget();
    expect(await put({ trusted_until: until, reason: 'A sale, said their owner.' })).toMatchObject({
      status: 200,
      body: { country: 'GB', trusted_until: until, reason: 'A sale, said their owner.' },
    });
    await heard.all(['gateway: text_trust']);
    expect(await put({ trusted_until: null, reason: 'For good.' })).toMatchObject({ body: { trusted_until: null } });
    expect(await put({ trusted_until: null, reason: 'A branch there.' }, 'DE')).toMatchObject({ status: 200 });
    expect(await support.get(path)).toMatchObject({
      body: { items: [{ country: 'DE' }, { country: 'GB', trusted_until: null, reason: 'For good.' }] },
    });
    const over = new Date(world.now().getTime() - 1).toISOString();
    expect(await put({ trusted_until: over, reason: 'Late.' })).toMatchObject({ status: 422 });
    expect(await put({ trusted_until: null })).toMatchObject({ status: 422 });
    expect(await put({ trusted_until: null, reason: 'x' }, 'gb')).toMatchObject({ status: 404 });
    const nobodys = `/v1/admin/customers/${randomUUID()}/text-trusts/GB`;
    const body = { trusted_until: null, reason: 'x' };
    expect(await operations.ask('PUT', nobodys, { body })).toMatchObject({ status: 404 });
    expect(await support.ask('PUT', `${path}/GB`, { body })).toMatchObject({ status: 403 });
    await heard.forget();
    expect(await operations.ask('DELETE', `${path}/GB`)).toMatchObject({ status: 204 });
    await heard.all(['gateway: text_trust']);
    expect(await operations.ask('DELETE', `${path}/GB`)).toMatchObject({ status: 404 });
    expect(await logged(`account:${account_id}`)).toMatchObject([
      { action: 'text_trust.vouch', detail: { country: 'GB', trusted_until: until } },
      { action: 'text_trust.vouch', detail: { country: 'GB', trusted_until: null, reason: 'For good.' } },
      { action: 'text_trust.vouch', detail: { country: 'DE' } },
      { action: 'text_trust.withdraw', detail: { country: 'GB' } },
    ]);
  });
});

it('is for those who run the service to edit, and for support to see', async () => {
  const { account_id, signIn } = await makeUser(world);
  const kyc = await (await makeAdmin(world, ['kyc'])).signIn();
  const customer = await signIn();
  const senders = `/v1/admin/customers/${account_id}/text-senders`;
  for (const path of ['/v1/admin/content-rules', '/v1/admin/country-text-rules', `${senders}?purpose=x`]) {
    expect(await support.get(path)).toMatchObject({ status: 200 });
    for (const client of [kyc, customer]) expect(await client.get(path)).toMatchObject({ status: 403 });
  }
  for (const client of [support, kyc, customer]) {
    expect(await client.post('/v1/admin/content-rules', {})).toMatchObject({ status: 403 });
    expect(await client.post(senders, {})).toMatchObject({ status: 403 });
    for (const path of ['/v1/admin/content-rules/1', '/v1/admin/country-text-rules/DE']) {
      for (const method of ['PUT', 'DELETE'])
        expect(await client.ask(method, path, { version: 1 })).toMatchObject({ status: 403 });
    }
  }
});
