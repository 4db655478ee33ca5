import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { seedLegalDocuments } from '../legal/seed_legal_documents.ts';
import { termsAccepted, termsInForce } from '../legal/terms_in_force.ts';
import { mailedWorld } from '../testing/mailed_world.ts';
import { makeUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import type { PortalWorld } from '../testing/portal_world.ts';
import { ada, codeInMail, codeInText, emailIndex, register, somePhone } from '../testing/registering.ts';

let mail: MailCatcher;
let world: PortalWorld;
let end: () => Promise<void>;

beforeAll(async () => {
  ({ mail, world, end } = await mailedWorld());
});

afterAll(() => end());

describe('registration', () => {
  it('makes an account of somebody who reads the mail and the text', async () => {
    const email = 'Ada.One@example.org';
    const phone = somePhone();
    const { client, reply } = await register(world, mail, { email, phone });
    expect(reply).toMatchObject({ status: 201, body: { kind: 'signed_in', role: 'owner' } });
    expect(await client.get('/v1/session')).toMatchObject({
      status: 200,
      body: { user_id: reply.body.user_id, account_id: reply.body.account_id },
    });
    const account = await world.pool.query(
      `select a.state, a.party, a.data_key_id is not null as has_key, w.currency, l.concurrent_calls_max
         from account a join wallet w on w.account_id = a.id join call_limit l on l.account_id = a.id where a.id = $1`,
      [reply.body.account_id],
    );
    expect(account.rows).toEqual([
      { state: 'active', party: 'person', has_key: true, currency: 'EUR', concurrent_calls_max: 5 },
    ]);
    expect(await client.get('/v1/billing-profile')).toMatchObject({ body: { name: ada.name, country: 'DE' } });
    // The text is the operator's own, costs nobody anything, and waits for whichever carrier.
    const text = await world.pool.query(
      `select m.source, m.sender, m.net_micros, q.state, q.carrier_id, q.epoch from message m join message_queue q on q.message_id = m.id
        where m.recipient = $1`,
      [phone],
    );
    expect(text.rows).toEqual([
      { source: 'system', sender: 'Letsdial', net_micros: '0', state: 'w', carrier_id: null, epoch: null },
    ]);
  });

  it('is sent its code in its own language', async () => {
    const phone = somePhone();
    const { status } = await begin(world.client(), { email: 'langue@example.org', phone, locale: 'fr-BE' });
    expect(status).toBe(201);
    const { rows } = await world.pool.query('select body from message where recipient = $1', [phone]);
    expect(rows).toEqual([{ body: expect.stringMatching(/^\d{6} est votre code Letsdial\./u) as unknown }]);
  });

  it('goes on where it was left, one code after the other, and only for whoever has its secret', async () => {
    const [email, phone] = ['resume@example.org', somePhone()];
    const client = world.client();
    const { body } = await begin(client, { email, phone });
    const { registration_token } = body;
    const prove = (codes: object) =>
      world.client().post<{ kind: string }>('/v1/registration/proof', { registration_token, ...codes });
    expect(await prove({ phone_code: await codeInText(world.pool, phone) })).toMatchObject({
      status: 200,
      body: { kind: 'proving', email_is_proven: false, phone_is_proven: true },
    });
    expect(await world.client().post('/v1/registration/resume', { registration_token })).toMatchObject({
      status: 200,
      body: { email, phone, name: ada.name, email_is_proven: false, phone_is_proven: true },
    });
    const other = 'A'.repeat(43);
    expect(await world.client().post('/v1/registration/resume', { registration_token: other })).toMatchObject({
      status: 404,
    });
    const email_code = await codeInMail(mail, email);
    expect(await prove({ email_code })).toMatchObject({ status: 201, body: { kind: 'signed_in' } });
    expect(await prove({ email_code })).toMatchObject({ status: 404 });
  });

  it('says which code is wrong, and ends after an hour, with nothing of it left to read', async () => {
    const [email, phone] = ['late@example.org', somePhone()];
    const client = world.client();
    const { body } = await begin(client, { email, phone });
    const { registration_token } = body;
    const phone_code = await codeInText(world.pool, phone);
    const email_code = wrongFor(await codeInMail(mail, email));
    expect(await client.post('/v1/registration/proof', { registration_token, email_code, phone_code })).toMatchObject({
      status: 422,
      body: { type: 'urn:letsdial:problem:code_wrong', errors: [{ path: 'body.email_code' }] },
    });
    world.advance(31_000);
    const again = await client.post('/v1/registration/codes', { registration_token, channel: 'email' });
    expect(again).toMatchObject({ status: 202 });
    expect(await client.post('/v1/registration/codes', { registration_token, channel: 'email' })).toMatchObject({
      status: 429,
    });
    world.advance(3_600_000);
    expect(await client.post('/v1/registration/resume', { registration_token })).toMatchObject({ status: 404 });
    await world.pool.query(`select graphile_worker.add_job('end_registrations', payload => '{}')`);
    const left = () =>
      world.pool
        .query(
          `select f.state, f.wishes_sealed, k.wrapped from registration_flow f join data_key k on k.id = f.data_key_id
            where f.email_index = $1`,
          [emailIndex(world, email)],
        )
        .then(({ rows }) => rows as unknown[]);
    await expect.poll(left).toEqual([{ state: 'abandoned', wishes_sealed: null, wrapped: null }]);
    world.advance(8 * 86_400_000);
    await world.pool.query(`select graphile_worker.add_job('forget_registrations', payload => '{}')`);
    await expect.poll(left).toEqual([]);
  });

  it('answers alike for an address that has an account, whose owner is told', async () => {
    const email = 'known@example.org';
    await register(world, mail, { email, phone: somePhone() });
    const [known, unknown] = await Promise.all([
      begin(world.client(), { email: 'KNOWN@example.org', phone: somePhone() }),
      begin(world.client(), { email: 'unknown@example.org', phone: somePhone() }),
    ]);
    expect([known.status, Object.keys(known.body).sort()]).toEqual([unknown.status, Object.keys(unknown.body).sort()]);
    const told = () => mail.mails('KNOWN@example.org').map(({ subject }) => subject);
    await expect.poll(told, { timeout: 8_000 }).toEqual(['Letsdial: You already have an account']);
    const wrong = { email_code: '000000', phone_code: '000000' };
    const answers = await Promise.all(
      [known, unknown].map(({ body: { registration_token } }) =>
        world.client().post<Record<string, unknown>>('/v1/registration/proof', { registration_token, ...wrong }),
      ),
    );
    const [of_known, of_unknown] = answers.map(({ status, body }) => ({ status, ...body, request_id: '' }));
    expect(of_known).toEqual(of_unknown);
  });

  it('takes no number that proves nothing, and no country that is none', async () => {
    await world.pool.query(`insert into did (number, state) values ('+4930901820001', 'free')`);
    for (const phone of ['+4930901820001', '+49 900 1234567', '+1', 'ada']) {
      const reply = await world.client().post('/v1/registration', { ...ada, email: 'no@example.org', phone });
      expect(reply).toMatchObject({ status: 422, body: { errors: [{ path: 'body.phone' }] } });
    }
    const wishes = { ...ada, email: 'no@example.org', phone: somePhone(), home_country: 'ZZ', time_zone: 'Mars/Base' };
    expect(await world.client().post('/v1/registration', wishes)).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'body.home_country' }, { path: 'body.time_zone' }] },
    });
    const unnamed = { ...ada, email: 'no@example.org', phone: somePhone(), party: 'business' };
    expect(await world.client().post('/v1/registration', unnamed)).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'body.business_name' }] },
    });
  });

  it('of one address by several at once makes one account', async () => {
    const email = 'twice@example.org';
    const ways = await Promise.all(
      [1, 2, 3].map(async () => {
        const phone = somePhone();
        const client = world.client();
        const { body } = await begin(client, { email, phone });
        return { client, phone, registration_token: body.registration_token };
      }),
    );
    const mailed = () => mail.mails(email).length;
    await expect.poll(mailed, { timeout: 8_000 }).toBe(3);
    const codes = mail.mails(email).flatMap(({ text }) => /Code: (\d{6})/u.exec(text)?.[1] ?? []);
    const replies = await Promise.all(
      ways.map(async ({ client, phone, registration_token }) => {
        const phone_code = await codeInText(world.pool, phone);
        let reply = await client.post<{ kind?: string }>('/v1/registration/proof', { registration_token, phone_code });
        // Which of the three mails belongs to which flow is not known here.
        for (const email_code of codes) {
          if (reply.body.kind === 'signed_in' || reply.status === 409) break;
          reply = await client.post('/v1/registration/proof', { registration_token, email_code });
        }
        return reply.status;
      }),
    );
    expect(replies.toSorted()).toEqual([201, 409, 409]);
  });

  it('names a business, and keeps all names sealed', async () => {
    const wishes = {
      email: 'firm@example.org',
      phone: somePhone(),
      party: 'business',
      business_name: 'Kontor Süd GmbH',
    };
    const { client, reply } = await register(world, mail, wishes);
    expect(await client.get('/v1/profile')).toMatchObject({
      body: { name: ada.name, accounts: [{ holder: 'Kontor Süd GmbH', role: 'owner', is_current: true }] },
    });
    const { rows } = await world.pool.query<{ name: string }>('select name from account where id = $1', [
      reply.body.account_id,
    ]);
    expect(rows).toEqual([{ name: 'Business account' }]);
  });
});

/** By the owner of an account, to somebody who is new; what the mail holds. */
async function invite(owner: PortalClient, email: string, role: string): Promise<string> {
  expect(await owner.post('/v1/members/invitations', { email, role })).toMatchObject({ status: 201 });
  const tokens = () => mail.mails(email).flatMap(({ text }) => /invitation#([\w-]{43})/u.exec(text)?.[1] ?? []);
  await expect.poll(tokens, { timeout: 8_000 }).not.toEqual([]);
  return tokens().at(-1) ?? '';
}

describe('an invitation', () => {
  it('is none any more to an account that was closed meanwhile', async () => {
    const owner = await makeUser(world);
    const [email, phone] = ['too.late@example.org', somePhone()];
    const invitation_token = await invite(await owner.signIn(), email, 'member');
    await world.pool.query(`update account set state = 'closed' where id = $1`, [owner.account_id]);
    const { reply } = await register(world, mail, { email, phone, invitation_token });
    expect(reply).toMatchObject({ status: 409 });
    const { rows } = await world.pool.query('select from membership where account_id = $1', [owner.account_id]);
    expect(rows).toHaveLength(1);
  });
});

// Last: from here on there is something to agree to.
describe('the documents in force', () => {
  it('are agreed to before anything is sent, and that is kept', async () => {
    await seedLegalDocuments(world.pool, world.now());
    const in_force = await termsInForce(world.pool, world.now());
    const wishes = { email: 'agrees@example.org', phone: somePhone() };
    expect(await begin(world.client(), wishes)).toMatchObject({
      status: 409,
      body: { type: 'urn:letsdial:problem:terms_required', missing: in_force.map(({ kind }) => kind) },
    });
    const document_ids = in_force.map(({ id }) => id);
    const { reply } = await register(world, mail, { ...wishes, document_ids });
    expect(reply.status).toBe(201);
    const { rows } = await world.pool.query('select document_id from acceptance where account_id = $1', [
      reply.body.account_id,
    ]);
    expect(rows.map((row: { document_id: string }) => row.document_id).toSorted()).toEqual(document_ids.toSorted());
  });

  it.each(['member', 'billing', 'owner'])(
    'are agreed to for an account by its owners alone, if a new %s does',
    async (role) => {
      const document_ids = (await termsInForce(world.pool, world.now())).map(({ id }) => id);
      const owner = await makeUser(world);
      const here = await owner.signIn();
      const [email, phone] = [`new.${role}@example.org`, somePhone()];
      const invitation_token = await invite(here, email, role);
      const { reply } = await register(world, mail, { email, phone, invitation_token, document_ids });
      expect(reply).toMatchObject({ status: 201, body: { account_id: owner.account_id, role } });
      expect(await termsAccepted(world.pool, owner.account_id, world.now())).toBe(role === 'owner');
      expect(await here.get('/v1/legal/acceptances')).toMatchObject({ body: { terms_accepted: role === 'owner' } });
      // What whoever is new agreed to stays known.
      const { rows } = await world.pool.query('select document_ids from registration_flow where user_id = $1', [
        reply.body.user_id,
      ]);
      expect(rows).toEqual([{ document_ids }]);
      expect(await here.post('/v1/legal/acceptances', { document_ids })).toMatchObject({
        body: { terms_accepted: true },
      });
    },
  );
});

function begin(client: PortalClient, wishes: { email: string; phone: string; locale?: string }) {
  return client.post<{ registration_token: string }>('/v1/registration', { ...ada, ...wishes });
}

const wrongFor = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
