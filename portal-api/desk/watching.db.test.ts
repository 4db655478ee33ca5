import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { PortalClient, Reply } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { ada, codeInMail, codeInText, register, somePhone } from '../testing/registering.ts';
import { figuresOf } from './sign_up_funnel.ts';
import type { StepCount } from './sign_up_funnel.ts';

let mail: MailCatcher;
let world: PortalWorld;
let support: PortalClient;
let day: string;

beforeAll(async () => {
  mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
  world = await PortalWorld.begin({
    ...{ SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}`, PROXIES: '1' },
    ...{ CODES_PER_ADDRESS_PER_HOUR_MAX: '1000', CODES_PER_TARGET_PER_HOUR_MAX: '2' },
  });
  support = await (await makeAdmin(world, ['support'])).signIn();
  day = world.now().toISOString().slice(0, 10);
});

afterAll(async () => {
  await world.end();
  await mail.end();
});

interface Step {
  step: string;
  people: number;
  of_step: string | null;
  lost: number;
  median_seconds: number | null;
}
type Funnel = { steps: Step[]; days: ({ day: string } & Record<string, number>)[] };

const funnel = async (from = day, to = day): Promise<Reply<Funnel>> =>
  support.get<Funnel>(`/v1/admin/sign-ups?from=${from}&to=${to}`);

const peopleOf = async (): Promise<Record<string, number>> =>
  Object.fromEntries((await funnel()).body.steps.map(({ step, people }) => [step, people]));

describe('sign-ups', () => {
  it('are counted step by step, with how long each takes, though the registrations are forgotten', async () => {
    const { reply } = await register(world, mail, { email: 'first@example.org', phone: somePhone() });
    const { account_id } = reply.body;
    // One proves the address after some minutes and leaves; one does nothing at all.
    const second = world.client();
    const wishes = { ...ada, email: 'second@example.org', phone: somePhone() };
    const begun = await second.post<{ registration_token: string }>('/v1/registration', wishes);
    await second.post('/v1/registration', { ...ada, email: 'third@example.org', phone: somePhone() });
    const email_code = await codeInMail(mail, 'second@example.org');
    world.advance(300_000);
    const proof = { registration_token: begun.body.registration_token, email_code };
    expect(await second.post('/v1/registration/proof', proof)).toMatchObject({ status: 200 });
    expect(await peopleOf()).toEqual({
      ...{ flow_begun: 3, terms_accepted: 3, email_proven: 2, phone_proven: 1, account_made: 1 },
      ...{ first_top_up: 0, first_order: 0 },
    });
    const { body } = await funnel();
    const step = (name: string): Step | undefined => body.steps.find((one) => one.step === name);
    expect(step('email_proven')).toMatchObject({ of_step: 'terms_accepted', lost: 1 });
    expect(step('phone_proven')).toMatchObject({ lost: 2 });
    expect(step('account_made')).toMatchObject({ of_step: 'phone_proven', lost: 0 });

    await pay(account_id);
    await pay(account_id);
    expect(await peopleOf()).toMatchObject({ first_top_up: 1 });
    await order(account_id);
    await order(account_id);
    expect(await peopleOf()).toMatchObject({ first_order: 1 });
    // Whoever did not come by a registration was in no funnel.
    await pay((await makeUser(world)).account_id);
    world.advance(3_600_000);
    await world.pool.query(`select graphile_worker.add_job('end_registrations', '{}')`);
    const states = () =>
      world.pool
        .query<{ state: string }>('select state from registration_flow order by state')
        .then(({ rows }) => rows.map(({ state }) => state));
    await expect.poll(states, { timeout: 8_000 }).toEqual(['abandoned', 'abandoned', 'done']);
    expect(await peopleOf()).toMatchObject({ flow_begun: 3, email_proven: 2, first_top_up: 1, first_order: 1 });
  });

  it('are not counted where the transaction is given up, nor where somebody is invited', async () => {
    const before = await peopleOf();
    const invited = `insert into registration_flow (id, token_sha256, data_key_id, wishes_sealed, party, home_country, time_zone, locale,
        document_ids, invitation_id, email_index, created_at, expires_at)
      select $1::uuid, sha256($1::text::bytea), data_key_id, '\\x00', party, home_country, time_zone, locale, '{}', $2::uuid, email_index, now(), now()
        from registration_flow limit 1`;
    const { account_id, user_id } = await makeUser(world);
    const invitation = await world.pool.query<{ id: string }>(
      `insert into invitation (id, account_id, role, email_sealed, email_index, invited_by, created_at, expires_at)
       values (gen_random_uuid(), $1, 'member', '\\x00', sha256('x'), $2, now(), now() + interval '7 days') returning id`,
      [account_id, user_id],
    );
    await world.pool.query(invited, [randomUUID(), invitation.rows[0]?.id]);
    const client = await world.pool.connect();
    try {
      await client.query('begin');
      await client.query(invited, [randomUUID(), null]);
      await client.query('set constraints all immediate');
      await client.query('rollback');
    } finally {
      client.release();
    }
    expect(await peopleOf()).toEqual(before);
    await world.pool.query(invited, [randomUUID(), null]);
    expect((await peopleOf())['flow_begun']).toBe((before['flow_begun'] ?? 0) + 1);
  });

  it('are read by those whose work it is, for a quarter of a year at most', async () => {
    const kyc = await (await makeAdmin(world, ['kyc'])).signIn();
    expect(await kyc.get(`/v1/admin/sign-ups?from=${day}&to=${day}`)).toMatchObject({ status: 403 });
    expect(await funnel('2026-01-01', '2026-04-03')).toMatchObject({ status: 422 });
    expect(await funnel('2026-01-02', '2026-01-01')).toMatchObject({ status: 422 });
    const quarter = await funnel('2026-01-01', '2026-04-02');
    expect(quarter.status).toBe(200);
    expect(quarter.body.days).toHaveLength(92);
    expect(quarter.body.days.at(-1)).toMatchObject({ day: '2026-04-02', flow_begun: 0 });
  });

  it('have a median to a tenth', async () => {
    for (const seconds of [0.5, 1, 7, 60, 299, 3_599, 500_000]) {
      const { rows } = await world.pool.query<{ wait_bucket: number }>(
        `with cleared as (delete from sign_up_day where day = '2001-01-01')
         select count_sign_up('2001-01-01T12:00:00Z', 'email_proven', make_interval(secs => $1))`,
        [seconds],
      );
      expect(rows).toHaveLength(1);
      const counted = await world.pool.query<StepCount>(
        `select *, people::integer from sign_up_day where day = '2001-01-01'`,
      );
      const median = figuresOf(counted.rows.map((row) => ({ ...row, people: 1 }))).find(
        ({ step }) => step === 'email_proven',
      );
      const told = median?.median_seconds ?? -1;
      expect(Math.abs(told - seconds)).toBeLessThanOrEqual(Math.max(1, seconds / 10));
      await world.pool.query(`delete from sign_up_day where day = '2001-01-01'`);
    }
    const counts = [1, 1, 40].map((wait_bucket) => ({ day, step: 'phone_proven', wait_bucket, people: 1 }) as const);
    expect(figuresOf(counts).find(({ step }) => step === 'phone_proven')?.median_seconds).toBe(1);
  });
});

async function pay(account_id: string): Promise<void> {
  const { rows } = await world.pool.query<{ id: string }>(
    `insert into payment_attempt (id, account_id, wallet_id, currency, amount_micros, purpose, provider, policy_version, created_at, changed_at)
     select gen_random_uuid(), account_id, id, currency, 1000000, 'top_up', 'local', '1', $2, $2 from wallet where account_id = $1 returning id`,
    [account_id, world.now()],
  );
  await world.pool.query(`update payment_attempt set state = 'succeeded', changed_at = $2 where id = $1`, [
    ...[rows[0]?.id, world.now()],
  ]);
}

let numbers = 0;
async function order(account_id: string): Promise<void> {
  numbers += 1;
  const number = `+4930901${String(numbers).padStart(6, '0')}`;
  await world.pool.query(`insert into did (number, state) values ($1, 'free')`, [number]);
  await world.pool.query(
    `insert into number_offer (number, country, number_type, calls, texts, provider)
     select $1, 'DE', 'geographic', true, false, (select code from number_provider limit 1)`,
    [number],
  );
  await world.pool.query(
    `insert into number_order (id, account_id, number, state, provider, wallet_id, currency, setup_micros, setup_tax_micros, monthly_micros,
       monthly_tax_micros, ordered_at, state_since)
     select gen_random_uuid(), $1, $2, 'ordered', (select provider from number_offer where number = $2), id, currency, 0, 0, 0, 0, $3, $3
       from wallet where account_id = $1`,
    [account_id, number, world.now()],
  );
}

const from = (address: string): { headers: Record<string, string> } => ({ headers: { 'x-forwarded-for': address } });
const begin = (
  phone: string,
  email: string,
  address = '203.0.113.7',
): Promise<Reply<{ registration_token: string; detail: string }>> =>
  world.client().post('/v1/registration', { ...ada, email, phone }, from(address));

interface Group {
  group: string | null;
  asked: number;
  sent: number;
  refused_too_many: number;
  refused_number: number;
  used: number;
  used_ppm: number | null;
  is_blocked: boolean | null;
}
const groups = async (by: 'prefix' | 'network'): Promise<Map<string | null, Group>> => {
  const today = world.now().toISOString().slice(0, 10);
  const { body } = await support.get<{ items: Group[] }>(`/v1/admin/code-requests?from=${today}&to=${today}&by=${by}`);
  return new Map(body.items.map((item) => [item.group, item]));
};

describe('codes that are asked for', () => {
  it('are seen by the beginning of the number and the network of whoever asks, with what came of them', async () => {
    await world.pool.query('delete from code_request');
    const one = await begin('+393331234561', 'abuse-1@example.org');
    expect(one.status).toBe(201);
    expect(await begin('+393331234562', 'abuse-2@example.org', '203.0.113.99')).toMatchObject({ status: 201 });
    for (const n of [3, 4, 5]) await begin('+393331234563', `abuse-${n}@example.org`, '2001:db8:aa:bb01::1');
    expect(await begin('+499001234567', 'abuse-6@example.org', '2001:db8:aa:bbff::9')).toMatchObject({ status: 422 });
    const phone_code = await codeInText(world.pool, '+393331234561');
    await world
      .client()
      .post('/v1/registration/proof', { registration_token: one.body.registration_token, phone_code });
    const italy = {
      asked: 5,
      sent: 4,
      refused_too_many: 1,
      refused_number: 0,
      used: 1,
      used_ppm: 250_000,
      is_blocked: false,
    };
    await expect.poll(async () => (await groups('prefix')).get('+39333')).toMatchObject(italy);
    await expect
      .poll(async () => (await groups('prefix')).get('+49900'))
      .toMatchObject({ asked: 1, sent: 0, refused_number: 1, used_ppm: null });
    const networks = await groups('network');
    expect([...networks.keys()].sort()).toEqual(['2001:db8:aa:bb00::/56', '203.0.113.0/24']);
    expect(networks.get('203.0.113.0/24')).toMatchObject({ asked: 4, sent: 4, used: 1 });
    const { rows } = await world.pool.query<{ all: string }>(
      'select string_agg(c::text, chr(10)) as all from code_request c',
    );
    expect(rows[0]?.all).not.toMatch(/3331234|203\.0\.113\.7|bb01::1|example/u);
  });

  it('go to no number that begins as an admin said, who said why; whoever proved one keeps it', async () => {
    const path = '/v1/admin/blocked-prefixes';
    const finance = await (await makeAdmin(world, ['finance'])).signIn();
    const wish = { prefix: '+39333', reason: 'Codes were pumped there in November.' };
    expect(await finance.post(path, wish)).toMatchObject({ status: 403 });
    expect(await support.post(path, { ...wish, prefix: '39333' })).toMatchObject({ status: 422 });
    const key = randomUUID();
    type Blocked = { blocked_id: string; version: number };
    const made = await support.post<Blocked>(path, wish, { idempotency_key: key });
    expect(made).toMatchObject({ status: 201, body: wish });
    expect(await support.post(path, wish, { idempotency_key: key })).toMatchObject({ status: 201, body: made.body });
    expect(await support.post(path, wish)).toMatchObject({ status: 409 });
    const refused = await begin('+393331239999', 'blocked@example.org');
    expect(refused.status).toBe(422);
    expect(refused.body.detail).toContain('no codes are sent to');
    expect(await begin('+393341239999', 'other@example.org')).toMatchObject({ status: 201 });
    const member = await (await makeUser(world)).signIn();
    expect(await member.post('/v1/profile/phone', { phone: '+393331239998' })).toMatchObject({ status: 422 });
    await expect
      .poll(async () => (await groups('prefix')).get('+39333'))
      .toMatchObject({ refused_number: 2, is_blocked: true });

    const one = `${path}/${made.body.blocked_id}`;
    const edit = { body: { reason: 'Still so.' }, version: 1 };
    expect(await support.ask('PUT', one, edit)).toMatchObject({
      status: 200,
      body: { reason: 'Still so.', version: 2 },
    });
    expect(await support.ask('PUT', one, edit)).toMatchObject({ status: 412 });
    expect(await support.get(path)).toMatchObject({ body: { items: [{ prefix: '+39333', reason: 'Still so.' }] } });
    expect(await support.ask('DELETE', one)).toMatchObject({ status: 204 });
    expect(await support.ask('DELETE', one)).toMatchObject({ status: 404 });
    expect(await begin('+393331239997', 'unblocked@example.org')).toMatchObject({ status: 201 });
    const { rows } = await world.pool.query<{ action: string }>(
      'select action from audit_log where subject = $1 order by seq',
      [`blocked_prefix:${made.body.blocked_id}`],
    );
    expect(rows.map(({ action }) => action)).toEqual([
      'blocked_prefix.add',
      'blocked_prefix.edit',
      'blocked_prefix.remove',
    ]);
  });
});
