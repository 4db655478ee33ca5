import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calleeProfiles } from '../../../domain/accounts/callee_profile.ts';
import type { Queryable } from '../../../domain/db/transaction.ts';
import { brokenInvariants } from '../../../domain/ledger/invariants.ts';
import { makeAdmin, makeUser } from '../../testing/people.ts';
import type { TestUser } from '../../testing/people.ts';
import type { PortalClient } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { portInAnswers } from './port_in_routes.ts';
import { portInsOf } from './port_in_rows.ts';
import { OPEN_PORT_INS_MAX } from '../terms.ts';
import { balanceOf, buyerOf, carryOut, problem, UNIT } from '../testing/buying.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { putInStock } from '../testing/stock.ts';

let world: PortalWorld;
let admin: PortalClient;
let last = 0;

/** By another sign-in, as that of before the clock moved is over. */
const desk = async (): Promise<PortalClient> => (await makeAdmin(world, ['operations'])).signIn();

beforeAll(async () => {
  world = await PortalWorld.begin();
  await needDocumentsIn(world.pool, ['SE']);
  admin = await desk();
});

afterAll(async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
  await world.end();
});

async function upload({ account_id, user_id }: TestUser, type: string, approved = false): Promise<string> {
  const id = randomUUID();
  await world.pool.query(
    `insert into kyc_document (id, account_id, type, file_id, page_bytes, key_sealed, uploaded_by, uploaded_at) values ($1, $2, $3, $4, '{1}', 'x', $5, now())`,
    [id, account_id, type, randomUUID(), user_id],
  );
  if (approved) {
    await world.pool.query(
      `update kyc_document set state = 'approved', submitted_at = now(), decided_at = now(), decided_by = $2, valid_until = current_date + 100 where id = $1`,
      [id, user_id],
    );
  }
  return id;
}

interface PortInBody {
  port_in_id: string;
  state: string;
  missing_documents: string[];
  reason: string | null;
}

/** How numbers of a country begin, but for their last three digits. */
const BEGINNINGS: Readonly<Record<string, string>> = {
  ...{ DE: '+4980200', GB: '+442079460', NO: '+4722200', US: '+12125550' },
};

async function asked(country: string, balance_micros = 20n * UNIT) {
  last += 1;
  const number = `${BEGINNINGS[country] ?? ''}${String(last).padStart(3, '0')}`;
  const user = await makeUser(world, { balance_micros, tax_ppm: 190_000 });
  return bring(user, number, country);
}

async function bring(user: TestUser, number: string, country: string) {
  const client = await user.signIn();
  const wish = { number, country, number_type: 'geographic', from_carrier: 'Elsewhere' };
  const { status, body } = await client.post<PortInBody>('/v1/port-ins', wish);
  expect(status).toBe(201);
  const path = `/v1/port-ins/${body.port_in_id}`;
  const decide = async (decision: string, more: object = {}) =>
    (await desk()).post<PortInBody>(`/v1/admin/port-ins/${body.port_in_id}/decision`, {
      decision,
      reason: 'a test says so',
      ...more,
    });
  const add = (documents: object[]) => client.post<PortInBody>(`${path}/documents`, { documents });
  return { number, user, client, body, wish, path, decide, add };
}

/** As far as a day that is set, with all that the rule for everywhere asks for. */
async function comeSoFar({ user, decide, add }: Awaited<ReturnType<typeof bring>>): Promise<void> {
  const named = async (kind: string, type: string) => ({ kind, document_id: await upload(user, type) });
  await add([
    await named('letter_of_authorisation', 'proof_of_address'),
    await named('latest_bill', 'proof_of_address'),
    await named('identity', 'passport'),
  ]);
  expect(await decide('schedule', { scheduled_for: today() })).toMatchObject({ body: { state: 'scheduled' } });
}

const today = (): string => world.now().toISOString().slice(0, 10);

async function works(number: string): Promise<boolean> {
  const [profile] = await calleeProfiles(world.pool, [number]);
  return profile?.did_state === 'active';
}

describe('a number that comes from another operator', () => {
  it('goes on once the documents of its country are there, works from its completion on, and costs its fee then', async () => {
    const { number, user, client, body, wish, path, decide, add } = await asked('DE');
    expect(body).toMatchObject({
      ...{ state: 'documents_missing', missing_documents: ['letter_of_authorisation', 'identity'] },
      ...{ currency: 'EUR', fee_micros: '5000000', monthly_micros: '2000000' },
    });
    expect(await client.post('/v1/port-ins', wish)).toMatchObject(problem('conflict'));
    const letter = { kind: 'letter_of_authorisation', document_id: await upload(user, 'proof_of_address') };
    expect(await add([letter])).toMatchObject({
      body: { state: 'documents_missing', missing_documents: ['identity'] },
    });
    const identity = { kind: 'identity', document_id: await upload(user, 'passport') };
    expect(await add([identity])).toMatchObject({ body: { state: 'submitted', missing_documents: [] } });
    expect(await add([identity])).toMatchObject(problem('too_late'));
    expect(await decide('complete')).toMatchObject(problem('too_late'));
    const tomorrow = new Date(world.now().getTime() + 86_400_000).toISOString().slice(0, 10);
    expect(await decide('schedule', { scheduled_for: tomorrow })).toMatchObject({
      body: { state: 'scheduled', scheduled_for: tomorrow },
    });
    expect(await decide('complete')).toMatchObject(problem('conflict'));
    expect(await decide('schedule', { scheduled_for: today() })).toMatchObject({ body: { state: 'scheduled' } });
    expect(await works(number)).toBe(false);
    expect(await balanceOf(world, user)).toBe(20n * UNIT);
    expect(await decide('complete')).toMatchObject({ body: { state: 'completed' } });
    expect(await works(number)).toBe(true);
    // 5 for the fee and 2 for the month, with 19 per cent of tax.
    expect(await balanceOf(world, user)).toBe(20n * UNIT - 8_330_000n);
    expect(await client.get(`/v1/numbers/${number}`)).toMatchObject({ body: { monthly_micros: '2000000' } });
    expect(await client.post(`${path}/cancel`)).toMatchObject(problem('too_late'));
    const { body: read } = await client.get<{ timeline: { state: string }[] }>(path);
    expect(read.timeline.map(({ state }) => state)).toEqual([
      ...['requested', 'documents_missing', 'submitted', 'scheduled', 'scheduled', 'completed'],
    ]);
    const audits = await world.pool.query('select from audit_log where subject = $1', [`port_in:${body.port_in_id}`]);
    expect(audits.rows).toHaveLength(3);
  });

  it('is of the country and the type that its digits show, and of those that are said where they show none', async () => {
    const client = await (await makeUser(world)).signIn();
    const ask = (number: string, country: string, number_type: string) =>
      client.post('/v1/port-ins', { number, country, number_type, from_carrier: 'Elsewhere' });
    for (const reply of [
      await ask('+442079460900', 'DE', 'geographic'),
      await ask('+442079460900', 'GB', 'mobile'),
      await ask('+4915123456789', 'DE', 'geographic'),
      await ask('+448001111111', 'GB', 'geographic'),
    ]) {
      expect(reply).toMatchObject({
        body: { ...problem('conflict').body, detail: expect.stringContaining('By its digits') as string },
      });
    }
    expect(await client.get('/v1/port-ins')).toMatchObject({ body: { items: [] } });
    expect(await ask('+448001111111', 'GB', 'toll_free')).toMatchObject({ status: 201 });
    // Of every country that takes part.
    expect(await ask('+80012345678', 'DE', 'toll_free')).toMatchObject({ status: 201 });
  });

  it('takes no document of anybody else’s, nor one that cannot be what it is named', async () => {
    const { user, add } = await asked('GB');
    const other = await makeUser(world);
    const theirs = { kind: 'letter_of_authorisation', document_id: await upload(other, 'passport') };
    expect(await add([theirs])).toMatchObject(problem('conflict'));
    const no_bill = { kind: 'latest_bill', document_id: await upload(user, 'passport') };
    expect(await add([no_bill])).toMatchObject(problem('conflict'));
    const bill = { kind: 'latest_bill', document_id: await upload(user, 'proof_of_address') };
    expect(await add([bill])).toMatchObject({ body: { missing_documents: ['letter_of_authorisation'] } });
  });

  it('asks nobody for an identity that was approved, until an admin does', async () => {
    const { user, client, decide, add, path } = await asked('DE');
    await upload(user, 'passport', true);
    const letter = { kind: 'letter_of_authorisation', document_id: await upload(user, 'proof_of_address') };
    expect(await add([letter])).toMatchObject({ body: { state: 'submitted' } });
    expect(await decide('ask_for_documents')).toMatchObject({ status: 422 });
    const more = await decide('ask_for_documents', { documents: ['identity', 'letter_of_authorisation'] });
    expect(more).toMatchObject({
      body: {
        ...{ state: 'documents_missing', reason: 'a test says so' },
        missing_documents: ['letter_of_authorisation', 'identity'],
      },
    });
    // What was refused does not become good by being named again.
    expect(await add([letter])).toMatchObject({ body: { state: 'documents_missing' } });
    const again = await add([
      { kind: 'letter_of_authorisation', document_id: await upload(user, 'proof_of_address') },
      { kind: 'identity', document_id: await upload(user, 'country_identification') },
    ]);
    expect(again).toMatchObject({ body: { state: 'submitted' } });
    expect(await decide('reject')).toMatchObject({ body: { state: 'rejected' } });
    expect(await client.get(path)).toMatchObject({ body: { state: 'rejected', reason: 'a test says so' } });
    expect(await decide('schedule', { scheduled_for: today() })).toMatchObject(problem('too_late'));
  });

  it('is not completed where its fee cannot be paid, unless an admin waives it', async () => {
    const { number, user, decide, add } = await asked('GB', UNIT);
    await add([
      { kind: 'letter_of_authorisation', document_id: await upload(user, 'proof_of_address') },
      { kind: 'latest_bill', document_id: await upload(user, 'proof_of_address') },
    ]);
    expect(await decide('schedule', { scheduled_for: '2020-01-01' })).toMatchObject(problem('conflict'));
    await decide('schedule', { scheduled_for: today() });
    expect(await decide('complete')).toMatchObject(problem('no_money'));
    expect(await works(number)).toBe(false);
    expect(await balanceOf(world, user)).toBe(UNIT);
    expect(await decide('complete', { waive_fee: true })).toMatchObject({ body: { state: 'completed' } });
    expect(await works(number)).toBe(true);
    expect(await balanceOf(world, user)).toBe(UNIT);
  });

  it('is cancelled by its customer alone, at no cost, and can be asked for anew', async () => {
    const { client, user, path, wish } = await asked('US');
    const other = await (await makeUser(world)).signIn();
    expect(await other.post(`${path}/cancel`)).toMatchObject({ status: 404 });
    expect(await other.get(path)).toMatchObject({ status: 404 });
    expect(await client.post(`${path}/cancel`)).toMatchObject({ body: { state: 'cancelled' } });
    expect(await balanceOf(world, user)).toBe(20n * UNIT);
    expect(await client.post('/v1/port-ins', wish)).toMatchObject({ status: 201 });
  });
});

/** As an admin sets it, on what somebody buys. */
async function restrict({ account_id }: TestUser): Promise<void> {
  await world.pool.query(
    `insert into restriction (id, account_id, scope, reason, starts_at) values ($1, $2, 'purchases', 'a test', now() - interval '1 hour')`,
    [randomUUID(), account_id],
  );
}

describe('who brings numbers along', () => {
  it('may buy when asking and when it is completed, and is told why not', async () => {
    const { number, user, client, wish, decide, add } = await asked('GB');
    const bill = (kind: string) => upload(user, 'proof_of_address').then((document_id) => ({ kind, document_id }));
    await add([await bill('letter_of_authorisation'), await bill('latest_bill')]);
    await decide('schedule', { scheduled_for: today() });
    await restrict(user);
    expect(await client.post('/v1/port-ins', { ...wish, number: '+442079461001' })).toMatchObject(
      problem('restricted'),
    );
    expect(await decide('complete', { waive_fee: true })).toMatchObject({
      body: { type: 'urn:letsdial:problem:conflict', detail: expect.stringContaining('restriction') as string },
    });
    expect(await works(number)).toBe(false);
    await world.pool.query('update restriction set ends_at = now() where account_id = $1', [user.account_id]);
    await world.pool.query(`update account set state = 'suspended' where id = $1`, [user.account_id]);
    expect(await decide('complete')).toMatchObject(problem('conflict'));
    await world.pool.query(`update account set state = 'active' where id = $1`, [user.account_id]);
    expect(await decide('complete')).toMatchObject({ body: { state: 'completed' } });
  });

  it('has so many open at most, however many are asked for at once, and their list is read at once', async () => {
    const { user, client, wish } = await asked('DE');
    await world.pool.query(
      `insert into port_in (id, account_id, wallet_id, number, country, number_type, from_carrier, state, state_since, currency, fee_micros,
                            monthly_micros, requested_at)
       select gen_random_uuid(), account_id, wallet_id, '+49803000' || n, case when n % 2 = 0 then 'GB' else 'FR' end, number_type, from_carrier,
              state, state_since, currency, fee_micros, monthly_micros, requested_at
         from port_in, generate_series(100, 98 + $2) n where account_id = $1`,
      [user.account_id, OPEN_PORT_INS_MAX - 1],
    );
    const numbers = ['+4980299011', '+4980299012', '+4980299013'];
    const replies = await Promise.all(numbers.map((number) => client.post('/v1/port-ins', { ...wish, number })));
    expect(replies.map(({ status }) => status).toSorted()).toEqual([201, 409, 409]);
    expect(replies.find(({ status }) => status === 409)).toMatchObject({
      body: { detail: expect.stringContaining(`At most ${OPEN_PORT_INS_MAX}`) as string },
    });
    const found = await portInsOf(world.pool, user.account_id, 100);
    const queries: string[] = [];
    const counting = {
      query: (words: string, values: unknown[]) => {
        queries.push(words);
        return world.pool.query(words, values);
      },
    } as Queryable;
    const answers = await portInAnswers(counting, found, world.now());
    expect(queries).toHaveLength(2);
    const kinds = new Map(answers.map((one) => [one.country, one.missing_documents]));
    expect(kinds.get('GB')).toEqual(['letter_of_authorisation', 'latest_bill']);
    expect(kinds.get('DE')).toEqual(['letter_of_authorisation', 'identity']);
    // By the rule for everywhere.
    expect(kinds.get('FR')).toEqual(['letter_of_authorisation', 'latest_bill', 'identity']);
    expect(await client.get('/v1/port-ins')).toMatchObject({ body: { items: { length: OPEN_PORT_INS_MAX } } });
  });
});

describe('what a country asks for', () => {
  it('is set by an admin, and holds for requests from then on', async () => {
    const before = await asked('NO');
    expect(before.body.missing_documents).toHaveLength(3);
    const body = { documents: ['latest_bill'], currency: 'EUR', fee_micros: '0', monthly_micros: '1000000' };
    expect(await admin.ask('PUT', '/v1/admin/port-in-rules/NO', { body })).toMatchObject({ status: 200 });
    const after = await asked('NO');
    expect(after.body).toMatchObject({
      missing_documents: ['latest_bill'],
      fee_micros: '0',
      monthly_micros: '1000000',
    });
    expect(await after.client.get('/v1/port-in-requirements/NO')).toMatchObject({
      body: { documents: ['latest_bill'], currency: 'EUR', monthly_micros: '1000000' },
    });
    expect(await before.client.get(before.path)).toMatchObject({ body: { fee_micros: '10000000' } });
    expect(await admin.ask('DELETE', '/v1/admin/port-in-rules/NO')).toMatchObject({ status: 204 });
    expect(await admin.ask('DELETE', '/v1/admin/port-in-rules/NO')).toMatchObject({ status: 404 });
    expect(await after.client.get('/v1/port-in-requirements/NO')).toMatchObject({ body: { fee_micros: '10000000' } });
  });
});

describe('who it is that brings a number along', () => {
  const expire = (user: TestUser) =>
    world.pool.query(
      `update kyc_document set valid_until = current_date - 1 where account_id = $1 and state = 'approved'`,
      [user.account_id],
    );
  const missing = { ...problem('kyc_required').body, missing: ['passport'] };

  it('has to be known first, as of whoever orders such a number', async () => {
    const user = await makeUser(world, { balance_micros: 20n * UNIT });
    const client = await user.signIn();
    const wish = { number: '+4680299001', country: 'SE', number_type: 'geographic', from_carrier: 'Elsewhere' };
    expect(await client.post('/v1/port-ins', wish)).toMatchObject({ status: 409, body: missing });
    expect(await client.get('/v1/port-ins')).toMatchObject({ body: { items: [] } });
    // That it was uploaded is not enough.
    const document_id = await upload(user, 'passport');
    const documents = [{ kind: 'identity', document_id }];
    expect(await client.post('/v1/port-ins', { ...wish, documents })).toMatchObject({ status: 409, body: missing });
    await upload(user, 'passport', true);
    expect(await client.post('/v1/port-ins', wish)).toMatchObject({ status: 201 });
  });

  it('has to be known still when a day is set, and when the number is here', async () => {
    const user = await makeUser(world, { balance_micros: 20n * UNIT });
    await upload(user, 'passport', true);
    const coming = await bring(user, '+4680299002', 'SE');
    const { number, decide } = coming;
    await comeSoFar(coming);
    await expire(user);
    expect(await decide('schedule', { scheduled_for: today() })).toMatchObject({ status: 409, body: missing });
    expect(await decide('complete', { waive_fee: true })).toMatchObject({ status: 409, body: missing });
    expect(await works(number)).toBe(false);
    expect(await balanceOf(world, user)).toBe(20n * UNIT);
    await upload(user, 'passport', true);
    expect(await decide('complete')).toMatchObject({ body: { state: 'completed' } });
    expect(await works(number)).toBe(true);
  });
});

describe('a number that had left us', () => {
  it('comes back with anybody, as one that we never had, and rests when it is given up', async () => {
    const number = '+4722200990';
    await putInStock(world.pool, [number]);
    const { client } = await buyerOf(world, number, { balance_micros: 20n * UNIT });
    const next = await makeUser(world, { balance_micros: 20n * UNIT });
    const theirs = await next.signIn();
    const wish = { number, country: 'NO', number_type: 'geographic', from_carrier: 'Elsewhere' };
    expect(await theirs.post('/v1/port-ins', wish)).toMatchObject(problem('conflict'));
    const { body } = await client.post<{ pin: string }>(`/v1/numbers/${number}/port-pin`);
    const out = await world.client().post<{ port_out_id: string }>('/v1/port-outs', {
      ...{ number, pin: body.pin, to_carrier: 'Elsewhere' },
    });
    for (const decision of ['approve', 'complete']) {
      const path = `/v1/admin/port-outs/${out.body.port_out_id}/decision`;
      expect(await admin.post(path, { decision, reason: 'a test' })).toMatchObject({ status: 200 });
    }
    const lift = `update number_holding set blocked_until = now() where number = $1 and end_reason = 'ported_out'`;
    await expect(world.pool.query(lift, [number])).rejects.toThrow(/kept from everybody/u);

    const coming = await bring(next, number, 'NO');
    await comeSoFar(coming);
    expect(await coming.decide('complete')).toMatchObject({ body: { state: 'completed' } });
    expect(await works(number)).toBe(true);
    expect(await theirs.get(`/v1/numbers/${number}`)).toMatchObject({ body: { state: 'active' } });
    expect(await client.get(`/v1/numbers/${number}`)).toMatchObject({ status: 404 });
    // Who supplied it when it was ours before has nobody to know any more, whatever its rule says.
    const rule = { country: 'NO', number_type: 'geographic', fields: ['party'] };
    expect(await admin.ask('PUT', '/v1/admin/number-providers/stock/rules', { body: rule })).toMatchObject({
      status: 200,
    });
    const { body: offer } = await theirs.post<{ code: string }>(`/v1/numbers/${number}/transfer`);
    const accepted = await client.post('/v1/number-transfers/accept', { code: offer.code, consent: true });
    expect(accepted).toMatchObject({ status: 201, body: { state: 'done' } });
    const told = await world.pool.query('select order_id from number_transfer where number = $1', [number]);
    expect(told.rows).toEqual([{ order_id: null }]);

    expect(await client.post(`/v1/numbers/${number}/cancellation`, { when: 'now' })).toMatchObject({ status: 201 });
    expect(await theirs.post('/v1/port-ins', wish)).toMatchObject(problem('conflict'));
    const didState = async () =>
      (await world.pool.query<{ state: string }>('select state from did where number = $1', [number])).rows[0]?.state;
    world.advance(89 * 86_400_000);
    await carryOut(world, 'look_at_numbers');
    expect(await didState()).toBe('quarantined');
    world.advance(2 * 86_400_000);
    await carryOut(world, 'look_at_numbers');
    expect(await didState()).toBe('free');
  });
});
