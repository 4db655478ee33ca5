import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { PortalClient, Reply } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

interface SetBody {
  set_id: string;
  number: number;
  state: string;
  version: number;
  rules: { country: string; number_type: string; party: string; documents: unknown[]; claims: unknown[] }[];
}

let world: PortalWorld;
let admin: PortalClient;

beforeAll(async () => {
  world = await PortalWorld.begin();
  admin = await (await makeAdmin(world, ['kyc'])).signIn();
});

afterAll(() => world.end());

const LIST = '/v1/admin/requirements';

const askedIn = async (country: string): Promise<{ set_number: number; documents: unknown[] }> =>
  (
    await world
      .client()
      .get<{ set_number: number; documents: unknown[] }>(`/v1/requirements?country=${country}&number_type=mobile`)
  ).body;

const publish = (set: SetBody, in_force_at: Date): Promise<Reply<SetBody>> =>
  admin.post<SetBody>(
    `${LIST}/${set.set_id}/publish`,
    { in_force_at: in_force_at.toISOString() },
    { version: set.version },
  );

describe('what is asked for', () => {
  it('is told before anybody signs in, by country, type of number and kind of customer, with why', async () => {
    const path = '/v1/requirements?country=FR&number_type=geographic';
    const person = await world.client().get<{ documents: { any_of: { type: string }[]; why: string }[] }>(path);
    expect(person.body.documents.map(({ any_of }) => any_of.map(({ type }) => type))).toEqual([
      ['passport', 'country_identification'],
      ['proof_of_address'],
    ]);
    expect(person.body.documents.every(({ why }) => why.length > 10)).toBe(true);
    const business = await (await makeUser(world, { party: 'business' })).signIn();
    expect(await business.get(path)).toMatchObject({ body: { party: 'business' } });
    expect(await world.client().get(`${path}&party=business`)).toMatchObject({ body: { party: 'business' } });
    expect(await askedIn('US')).toMatchObject({ documents: [expect.anything()] });
    expect(await world.client().get('/v1/requirements?country=US&number_type=geographic')).toMatchObject({
      body: { documents: [], claims: [] },
    });
    expect(await world.client().get('/v1/requirements?country=xx&number_type=fax')).toMatchObject({ status: 422 });
  });

  it('is changed in a draft, and holds from the moment that is said', async () => {
    const { body: draft } = await admin.post<SetBody>(LIST, { note: 'Sweden asks for more.' });
    expect(draft).toMatchObject({ state: 'draft', version: 1 });
    const more = {
      ...{ country: 'SE', number_type: 'mobile', party: 'person', claims: [] },
      documents: ['passport', 'proof_of_address'].map((type) => ({ any_of: [type], why: 'It is the law there.' })),
    };
    const body = { note: 'Sweden asks for both.', rules: [...draft.rules, more] };
    const edit = (version: number) => admin.ask<SetBody>('PUT', `${LIST}/${draft.set_id}`, { body, version });
    expect(await edit(7)).toMatchObject({ status: 412 });
    const { body: edited } = await edit(1);
    expect(edited).toMatchObject({ version: 2, note: 'Sweden asks for both.' });
    const before = await askedIn('SE');
    const tomorrow = new Date(world.now().getTime() + 86_400_000);
    expect(await publish({ ...edited, version: 1 }, tomorrow)).toMatchObject({ status: 412 });
    expect(await publish(edited, new Date(world.now().getTime() - 1_000))).toMatchObject({ status: 422 });
    expect(await publish(edited, tomorrow)).toMatchObject({ status: 200, body: { state: 'published' } });
    expect(await askedIn('SE')).toEqual(before);
    world.advance(86_400_001);
    expect(await askedIn('SE')).toMatchObject({ set_number: draft.number, documents: [{}, {}] });
    expect(await askedIn('NO')).toMatchObject({ set_number: draft.number, documents: [{}] });
    admin = await (await makeAdmin(world, ['kyc'])).signIn();
    expect(await admin.ask('PUT', `${LIST}/${draft.set_id}`, { body, version: 3 })).toMatchObject({
      body: { type: 'urn:letsdial:problem:too_late' },
    });
  });

  it('keeps its history, which not even SQL changes', async () => {
    const { body } = await admin.get<{ items: SetBody[] }>(LIST);
    expect(body.items.map(({ number }) => number)).toEqual(
      body.items.map(({ number }) => number).toSorted((a, b) => b - a),
    );
    const shipped = body.items.at(-1);
    for (const sql of [
      'update document_requirement set documents = $$[]$$ where set_id = $1',
      'delete from document_requirement where set_id = $1',
      'delete from document_requirement_set where id = $1',
      'update document_requirement_set set in_force_at = now() where id = $1',
    ]) {
      await expect(world.pool.query(sql, [shipped?.set_id])).rejects.toThrow('never change');
    }
    const audit = await world.pool.query<{ action: string }>(
      `select action from audit_log where action like 'requirement_set.%' order by seq`,
    );
    expect(audit.rows.map(({ action }) => action)).toEqual(
      ['draft', 'edit', 'publish'].map((what) => `requirement_set.${what}`),
    );
  });

  it('leaves no kind of number without a rule, and a draft can be thrown away', async () => {
    const { body: draft } = await admin.post<SetBody>(LIST, { note: 'A try.' });
    const rules = draft.rules.filter(({ country }) => country !== '*');
    const body = { note: 'A try.', rules };
    expect(await admin.ask('PUT', `${LIST}/${draft.set_id}`, { body, version: 1 })).toMatchObject({ status: 422 });
    expect(await admin.ask('DELETE', `${LIST}/${draft.set_id}`, { version: 1 })).toMatchObject({ status: 204 });
    expect(await admin.get(`${LIST}/${draft.set_id}`)).toMatchObject({ status: 404 });
  });

  it('is decided by KYC and the owner alone', async () => {
    const support = await (await makeAdmin(world, ['support', 'finance'])).signIn();
    expect(await support.post(LIST, { note: 'No.' })).toMatchObject({ status: 403 });
    const customer = await (await makeUser(world)).signIn();
    expect(await customer.get(LIST)).toMatchObject({ status: 403 });
  });
});
