import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { makeLetterKey, openLetter } from '../../domain/privacy/sealed_letter.ts';
import { spokenWordsContext, wordsFromBytes } from '../../domain/privacy/spoken_words.ts';
import { checkVoicePace } from './voice_pace.ts';
import type { PortalClient, Reply } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { ada, codeInMail, register, somePhone } from '../testing/registering.ts';

const speaker = makeLetterKey();
const MINUTE_MS = 60_000;

let world: PortalWorld;
let mail: MailCatcher;
let people = 0;

beforeAll(async () => {
  mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
  world = await PortalWorld.begin({
    SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}`,
    ...{ SPOKEN_CODES_PER_TARGET_PER_DAY_MAX: '2', SPOKEN_CODES_PER_ADDRESS_PER_DAY_MAX: '50' },
    ...{
      SPOKEN_CODES_PER_HOUR_MAX: '30',
      CODES_PER_TARGET_PER_HOUR_MAX: '100',
      CODES_PER_ADDRESS_PER_HOUR_MAX: '1000',
    },
  });
});

afterAll(async () => {
  await world.end();
  await mail.end();
});

/** A controller is there. */
beforeEach(() => speaks(world.now()));

async function speaks(alive_at: Date): Promise<void> {
  await world.pool.query(
    `insert into speaker (switch_id, public_key, alive_at) values ('here', $1, $2)
     on conflict (switch_id) do update set alive_at = excluded.alive_at`,
    [speaker.public_key, alive_at],
  );
}

interface Begun {
  client: PortalClient;
  email: string;
  registration_token: string;
}

async function begin(phone: string): Promise<Begun> {
  people += 1;
  const email = `called-${people}@example.org`;
  const client = world.client();
  const begun = await client.post<{ registration_token: string }>('/v1/registration', { ...ada, email, phone });
  expect(begun).toMatchObject({ status: 201 });
  // So long nobody asks for another code.
  world.advance(MINUTE_MS / 2 + 1);
  return { client, email, registration_token: begun.body.registration_token };
}

const call = ({ client, registration_token }: Begun, channel = 'phone_call'): Promise<Reply> =>
  client.post('/v1/registration/codes', { registration_token, channel });

async function stateOf({ client, registration_token }: Begun): Promise<unknown> {
  const { body } = await client.post<{ phone_call: unknown }>('/v1/registration/resume', { registration_token });
  return body.phone_call;
}

interface Asked {
  id: string;
  box: Buffer | null;
  row: string;
}

async function newest(): Promise<Asked> {
  const { rows } = await world.pool.query<Asked>(
    'select id, box, s::text as row from spoken_code s order by asked_at desc limit 1',
  );
  if (rows[0] === undefined) throw new Error('No call was asked for.');
  return rows[0];
}

describe('a code by a call', () => {
  it('is told sealed to the controller alone, and proves the number', async () => {
    const phone = somePhone();
    const one = await begin(phone);
    expect(await stateOf(one)).toBeNull();
    expect(await call(one)).toMatchObject({ status: 202 });
    expect(await stateOf(one)).toEqual({ state: 'asked', failure: null });
    const { id, box, row } = await newest();
    const words = wordsFromBytes(openLetter(speaker, spokenWordsContext(id), box ?? Buffer.alloc(0)));
    expect(words).toMatchObject({ number: phone, language: 'en' });
    expect(row).not.toContain(Buffer.from(words.digits).toString('hex'));
    expect(row).not.toContain(phone.slice(1));
    const { client, email, registration_token } = one;
    const proof = { registration_token, phone_code: words.digits, email_code: await codeInMail(mail, email) };
    expect(await client.post('/v1/registration/proof', proof)).toMatchObject({ status: 201 });
    // It was used, so nobody is called with it any more.
    expect(await newest()).toMatchObject({ id, box: null });
  });

  it('takes the place of the one before, and a newer one takes its place', async () => {
    const one = await begin(somePhone());
    expect(await call(one)).toMatchObject({ status: 202 });
    expect(await call(one)).toMatchObject({ status: 429 });
    world.advance(MINUTE_MS);
    expect(await call(one, 'phone')).toMatchObject({ status: 202 });
    expect(await newest()).toMatchObject({ box: null });
    expect(await stateOf(one)).toEqual({ state: 'failed', failure: 'replaced' });
  });

  it('is not to be had where nobody can call, which is said', async () => {
    await speaks(new Date(world.now().getTime() - 2 * MINUTE_MS));
    const one = await begin(somePhone());
    expect(await call(one)).toMatchObject({ status: 503, body: { type: 'urn:letsdial:problem:unavailable' } });
    await speaks(world.now());
    expect(await call(one)).toMatchObject({ status: 202 });
  });

  it('comes seldom: to one number, by one address, and in all', async () => {
    const phone = somePhone();
    const [one, two] = [await begin(phone), await begin(phone)];
    expect(await call(one)).toMatchObject({ status: 202 });
    expect(await call(two)).toMatchObject({ status: 202 });
    world.advance(MINUTE_MS);
    const third = await call(one);
    expect(third).toMatchObject({ status: 429, body: { retry_after_seconds: 86_400 } });
    expect(await call(one, 'phone')).toMatchObject({ status: 202 });
  });

  it('comes no more often where several ask for one number at the same moment', async () => {
    const phone = somePhone();
    const asking: Begun[] = [];
    for (let n = 0; n < 5; n += 1) asking.push(await begin(phone));
    await speaks(world.now());
    const replies = await Promise.all(asking.map((one) => call(one)));
    expect(replies.map(({ status }) => status).toSorted()).toEqual([202, 202, 429, 429, 429]);
  });

  it('is not to be had by one who asks for many numbers, nor when all others ask for too many', async () => {
    const { pool } = world;
    const target = { target_index: Buffer.alloc(32, 7), address: '198.51.100.9' };
    const pace = { per_target_per_day_max: 9, per_address_per_day_max: 9, per_hour_max: 9 };
    const { rows } = await pool.query<{ in_all: number }>('select count(*)::int as in_all from spoken_code');
    const asked = rows[0]?.in_all ?? 0;
    expect(asked).toBeGreaterThan(0);
    const check = (more: Partial<typeof pace>, address = target.address): Promise<void> =>
      inTransaction(pool, (tx) => checkVoicePace(tx, world.now(), { ...target, address }, { ...pace, ...more }));
    await expect(check({ per_hour_max: asked })).rejects.toThrow(/so many calls|no more for now/iu);
    await expect(check({ per_hour_max: asked + 1 })).resolves.toBeUndefined();
    await expect(check({ per_hour_max: 99, per_address_per_day_max: asked }, '127.0.0.1')).rejects.toThrow(/in a day/u);
    await expect(check({ per_hour_max: 99, per_address_per_day_max: asked })).resolves.toBeUndefined();
    // Whoever has one address of IPv6 has the whole network of it.
    const { rows: before } = await pool.query<{ id: string; address: string }>('select id, address from spoken_code');
    await pool.query(`update spoken_code set address = '2001:db8:1:2::5'`);
    const many = { per_hour_max: 99, per_address_per_day_max: asked };
    await expect(check(many, '2001:db8:1:2:ffff::1')).rejects.toThrow(/in a day/u);
    await expect(check(many, '2001:db8:1:3::1')).resolves.toBeUndefined();
    for (const { id, address } of before)
      await pool.query('update spoken_code set address = $2 where id = $1', [id, address]);
  });

  it('is called off where no controller took it, so that no digits stay', async () => {
    const one = await begin(somePhone());
    expect(await call(one)).toMatchObject({ status: 202 });
    world.advance(2 * MINUTE_MS);
    await world.pool.query(`select graphile_worker.add_job('end_spoken_codes', '{}')`);
    await expect.poll(async () => (await newest()).box, { timeout: 8_000 }).toBeNull();
    expect(await stateOf(one)).toEqual({ state: 'failed', failure: 'too_late' });
  });

  it('goes to a new number of somebody who was sent a text there first', async () => {
    const { client } = await register(world, mail, { email: 'moves@example.org', phone: somePhone() });
    const moved = somePhone();
    expect(await client.post('/v1/profile/phone/call')).toMatchObject({ status: 409 });
    expect(await client.get('/v1/profile/phone/call')).toMatchObject({ body: { call: null } });
    expect(await client.post('/v1/profile/phone', { phone: moved })).toMatchObject({ status: 202 });
    world.advance(MINUTE_MS);
    await speaks(world.now());
    expect(await client.post('/v1/profile/phone/call')).toMatchObject({ status: 202 });
    const { id, box } = await newest();
    const { number, digits } = wordsFromBytes(openLetter(speaker, spokenWordsContext(id), box ?? Buffer.alloc(0)));
    expect(number).toBe(moved);
    expect(await client.get('/v1/profile/phone/call')).toMatchObject({ body: { call: { state: 'asked' } } });
    expect(await client.post('/v1/profile/phone/confirmation', { code: digits })).toMatchObject({ status: 204 });
  });
});
