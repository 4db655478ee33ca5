import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentForm, pictureWithPlace, samplePdf, samplePicture } from '../documents/testing/sample_files.ts';
import { makeAdmin, makeMember, makeUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { missingDocuments } from './missing_documents.ts';
import { approve, becomeKnown, handIn, submit, upload, WHO } from './testing/kyc_steps.ts';
import type { CaseBody, OwnCaseBody } from './testing/kyc_steps.ts';

let world: PortalWorld;
let reviewer: PortalClient;

beforeAll(async () => {
  world = await PortalWorld.begin();
  reviewer = await (await makeAdmin(world, ['kyc'])).signIn();
});

afterAll(() => world.end());

const missingOf = (account_id: string): Promise<string[]> =>
  missingDocuments(world.pool, { account_id, country: 'DE', number_type: 'geographic', now: world.now() });

const auditOf = async (account_id: string): Promise<{ action: string; purpose: string | null }[]> =>
  (
    await world.pool.query<{ action: string; purpose: string | null }>(
      'select action, purpose from audit_log where account_id = $1 order by seq',
      [account_id],
    )
  ).rows;

const filesKept = async (): Promise<string[]> => readdir(join(world.home, 'documents')).catch(() => []);

describe('the way of a customer who is asked who he is', () => {
  it('goes from what is asked for, over uploads and a review, to nothing that is missing', async () => {
    const user = await makeUser(world);
    const customer = await user.signIn();
    const asked = await world
      .client()
      .get<{ documents: unknown[] }>('/v1/requirements?country=DE&number_type=geographic');
    expect(asked).toMatchObject({ status: 200, body: { party: 'person' } });
    expect(asked.body.documents).toHaveLength(2);
    const nothing = ['passport|country_identification', 'proof_of_address', 'claim:full_name', 'claim:birth_date'];
    expect(await missingOf(user.account_id)).toEqual([...nothing, 'claim:address']);
    expect(await submit(customer)).toMatchObject({
      status: 409,
      body: { type: 'urn:letsdial:problem:kyc_required', missing: [...nothing, 'claim:address'] },
    });

    const { case_id, documents } = await handIn(customer);
    const queue = await reviewer.get<{ items: { case_id: string; document_types: string[] }[] }>(
      '/v1/admin/kyc/cases?limit=100',
    );
    expect(queue.body.items.find((item) => item.case_id === case_id)?.document_types).toEqual([
      'passport',
      'proof_of_address',
    ]);
    expect(await reviewer.post(`/v1/admin/kyc/cases/${case_id}/take`)).toMatchObject({
      body: { state: 'in_review' },
    });
    const viewed = await reviewer.get(`/v1/admin/kyc/cases/${case_id}?purpose=review`);
    expect(viewed).toMatchObject({ status: 200, body: { claims: WHO, party: 'person' } });
    const [passport] = documents;
    const seen = await reviewer.get<Buffer>(
      `/v1/admin/kyc/documents/${passport?.document_id ?? ''}/pages/1?purpose=review`,
    );
    expect(seen.headers.get('content-type')).toBe('image/jpeg');
    expect(seen.headers.get('cache-control')).toBe('no-store');
    expect(await sharp(seen.body).metadata()).toMatchObject({ format: 'jpeg', width: 400, height: 400 });
    for (const document of documents) expect(await approve(reviewer, document)).toMatchObject({ status: 200 });
    const closed = await reviewer.post(`/v1/admin/kyc/cases/${case_id}/close`, { outcome: 'approved' });
    expect(closed).toMatchObject({ status: 200, body: { state: 'approved' } });

    expect(await missingOf(user.account_id)).toEqual([]);
    const own = await customer.get<OwnCaseBody>('/v1/kyc?country=DE&number_type=geographic');
    expect(own.body).toMatchObject({ kyc_case: { state: 'approved' }, missing: [] });
    expect((await auditOf(user.account_id)).map(({ action, purpose }) => [action, purpose])).toEqual([
      ['kyc_case.take', null],
      ['kyc_case.view', 'review'],
      ['kyc_document.view', 'review'],
      ['kyc_document.approve', null],
      ['kyc_document.approve', null],
      ['kyc_case.close', null],
    ]);
  });

  it('of a business asks for its certificate and who acts for it', async () => {
    const user = await makeUser(world, { party: 'business' });
    const customer = await user.signIn();
    const body = { ...WHO, company_name: 'Example GmbH', registration_number: 'HRB 1' };
    await customer.ask('PUT', '/v1/kyc/claims', { body, version: 0 });
    await upload(customer, 'representative_identity');
    await upload(customer, 'proof_of_address');
    expect(await submit(customer)).toMatchObject({ status: 409, body: { missing: ['company_certificate'] } });
    const certificate = await upload(customer, 'company_certificate', await samplePdf(3));
    expect(certificate.page_count).toBe(3);
    expect(await submit(customer)).toMatchObject({ status: 200 });
  });

  it('asks again for the one document that was not good, and keeps the other', async () => {
    const customer = await (await makeUser(world)).signIn();
    const { case_id, documents } = await handIn(customer);
    const base = `/v1/admin/kyc/cases/${case_id}`;
    await reviewer.post(`${base}/take`);
    const [passport, proof] = documents;
    await approve(reviewer, passport ?? { document_id: '', type: '' });
    const decide = `/v1/admin/kyc/documents/${proof?.document_id ?? ''}/decide`;
    expect(await reviewer.post(decide, { verdict: 'ask_again' })).toMatchObject({ status: 422 });
    expect(await reviewer.post(`${base}/close`, { outcome: 'needs_more' })).toMatchObject({ status: 409 });
    const again = { verdict: 'ask_again', reason: 'unreadable', note: 'The postcode is blurred.' };
    expect(await reviewer.post(decide, again)).toMatchObject({ status: 200 });
    expect(await reviewer.post(`${base}/close`, { outcome: 'approved' })).toMatchObject({
      status: 409,
      body: { missing: ['proof_of_address'] },
    });
    expect(await reviewer.post(`${base}/close`, { outcome: 'needs_more' })).toMatchObject({ status: 200 });
    const told = await customer.get<OwnCaseBody>('/v1/kyc');
    expect(told.body.kyc_case?.state).toBe('needs_more');
    expect(told.body.documents.find(({ type }) => type === 'proof_of_address')).toMatchObject({
      ...{ state: 'asked_again', note: 'The postcode is blurred.' },
      reason: { code: 'unreadable' },
    });
    const renewed = await upload(customer, 'proof_of_address');
    expect(await submit(customer)).toMatchObject({ status: 200 });
    await reviewer.post(`${base}/take`);
    expect(await approve(reviewer, renewed)).toMatchObject({ status: 200 });
    expect(await reviewer.post(`${base}/close`, { outcome: 'approved' })).toMatchObject({ status: 200 });
  });

  it('can be gone again: a document that is not handed in is taken back, and nothing of it stays', async () => {
    const customer = await (await makeUser(world)).signIn();
    const before = await filesKept();
    const { document_id } = await upload(customer, 'passport');
    expect(await filesKept()).toHaveLength(before.length + 1);
    expect(await customer.ask('DELETE', `/v1/kyc/documents/${document_id}`)).toMatchObject({ status: 204 });
    await expect.poll(filesKept, { timeout: 10_000 }).toEqual(before);
    const { documents } = await handIn(customer);
    const handed_in = await customer.ask('DELETE', `/v1/kyc/documents/${documents[0]?.document_id ?? ''}`);
    expect(handed_in).toMatchObject({ status: 409, body: { type: 'urn:letsdial:problem:too_late' } });
  });

  it('begins anew for what was approved, where something else is claimed', async () => {
    const user = await makeUser(world);
    const customer = await user.signIn();
    await becomeKnown(customer, reviewer);
    const body = { ...WHO, address: { ...WHO.address, street: 'Street 2' } };
    expect(await customer.ask('PUT', '/v1/kyc/claims', { body, version: 0 })).toMatchObject({ status: 412 });
    expect(await customer.ask('PUT', '/v1/kyc/claims', { body, version: 1 })).toMatchObject({ status: 200 });
    expect(await missingOf(user.account_id)).toEqual(['proof_of_address']);
    expect(await submit(customer)).toMatchObject({ status: 200 });
  });

  it('ends for whoever is rejected, until he is let in again', async () => {
    const user = await makeUser(world);
    const customer = await user.signIn();
    const { case_id } = await handIn(customer);
    const base = `/v1/admin/kyc/cases/${case_id}`;
    await reviewer.post(`${base}/take`);
    expect(await reviewer.post(`${base}/close`, { outcome: 'rejected', reason: 'altered' })).toMatchObject({
      status: 200,
      body: { state: 'rejected' },
    });
    expect(await submit(customer)).toMatchObject({ status: 409 });
    expect((await missingOf(user.account_id))[0]).toBe('passport|country_identification');
    expect(await reviewer.post(`${base}/reopen`)).toMatchObject({ status: 200, body: { state: 'open' } });
    await upload(customer, 'passport');
  });
});

describe('a document', () => {
  it('is a new picture: where it was taken, and by whom, is not in it', async () => {
    const customer = await (await makeUser(world)).signIn();
    const sent = await pictureWithPlace();
    expect(sent.includes('PhoneMaker')).toBe(true);
    const { document_id } = await upload(customer, 'passport', sent);
    const seen = await reviewer.get<Buffer>(`/v1/admin/kyc/documents/${document_id}/pages/1?purpose=test`);
    expect(seen.body.includes('PhoneMaker')).toBe(false);
    expect((await sharp(seen.body).metadata()).exif).toBeUndefined();
  });

  it('is shown to nobody who gives no purpose, has another role, or is not of the operator', async () => {
    const user = await makeUser(world);
    const customer = await user.signIn();
    const { document_id } = await upload(customer, 'passport');
    const page = `/v1/admin/kyc/documents/${document_id}/pages/1`;
    expect(await reviewer.get(page)).toMatchObject({ status: 422 });
    const support = await (await makeAdmin(world, ['support'])).signIn();
    expect(await support.get(`${page}?purpose=curious`)).toMatchObject({ status: 403 });
    expect(await customer.get(`${page}?purpose=mine`)).toMatchObject({ status: 403 });
    expect(await reviewer.get(page.replace(/1$/u, '2?purpose=test'))).toMatchObject({ status: 404 });
    expect(await auditOf(user.account_id)).toEqual([]);
  });

  it('of another customer is not there', async () => {
    const [ada, eve] = [await makeUser(world), await makeUser(world)];
    const { document_id } = await upload(await ada.signIn(), 'passport');
    const theirs = await eve.signIn();
    expect(await theirs.ask('DELETE', `/v1/kyc/documents/${document_id}`)).toMatchObject({ status: 404 });
    expect((await theirs.get<OwnCaseBody>('/v1/kyc')).body.documents).toEqual([]);
    expect((await (await ada.signIn()).get<OwnCaseBody>('/v1/kyc')).body.documents).toHaveLength(1);
  });

  it('is made once for one key, and is the owner’s to send', async () => {
    const user = await makeUser(world);
    const customer = await user.signIn();
    const bytes = await samplePicture();
    const send = () =>
      customer.post<{ document_id: string }>('/v1/kyc/documents', undefined, {
        form: documentForm('passport', bytes),
        idempotency_key: 'the-same-key',
      });
    const [first, second] = [await send(), await send()];
    expect(second.body).toEqual(first.body);
    const member = await (await makeMember(world, user.account_id, 'member')).signIn();
    const form = documentForm('passport', bytes);
    expect(await member.post('/v1/kyc/documents', undefined, { form })).toMatchObject({ status: 403 });
    expect((await member.get<OwnCaseBody>('/v1/kyc')).body.documents).toHaveLength(1);
  });
});

describe('reviewers', () => {
  it('do not have one case both: of two at one moment, one does', async () => {
    const customer = await (await makeUser(world)).signIn();
    const { case_id, documents } = await handIn(customer);
    const others = await Promise.all([1, 2, 3].map(async () => (await makeAdmin(world, ['kyc'])).signIn()));
    const take = `/v1/admin/kyc/cases/${case_id}/take`;
    const replies = await Promise.all(others.map((one) => one.post<CaseBody>(take)));
    expect(replies.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
    const winner = others[replies.findIndex(({ status }) => status === 200)];
    const loser = others[replies.findIndex(({ status }) => status === 409)];
    const [passport] = documents;
    expect(await approve(loser ?? reviewer, passport ?? { document_id: '', type: '' })).toMatchObject({ status: 409 });
    expect(await approve(winner ?? reviewer, passport ?? { document_id: '', type: '' })).toMatchObject({ status: 200 });
    expect(await approve(winner ?? reviewer, passport ?? { document_id: '', type: '' })).toMatchObject({
      status: 409,
      body: { type: 'urn:letsdial:problem:too_late' },
    });
    const mine = await winner?.get<{ items: unknown[] }>('/v1/admin/kyc/cases?whose=mine');
    expect(mine?.body.items).toHaveLength(1);
  });

  it('see the oldest first, a page at a time', async () => {
    const seen: string[] = [];
    let cursor = '';
    for (let pages = 0; pages < 50; pages += 1) {
      const reply = await reviewer.get<{ items: { submitted_at: string }[]; next_cursor: string | null }>(
        `/v1/admin/kyc/cases?limit=1${cursor}`,
      );
      seen.push(...reply.body.items.map(({ submitted_at }) => submitted_at));
      if (reply.body.next_cursor === null) break;
      cursor = `&cursor=${reply.body.next_cursor}`;
    }
    expect(seen.length).toBeGreaterThan(1);
    expect(seen).toEqual(seen.toSorted());
  });

  it('see what is open, what was decided by whom and when, and all of it', async () => {
    const admin = await makeAdmin(world, ['kyc']);
    const [one, other] = [await admin.signIn(), await (await makeAdmin(world, ['kyc'])).signIn()];
    const [decided, open] = [await makeUser(world), await makeUser(world)];
    const { case_id } = await handIn(await decided.signIn());
    const handed_in = await handIn(await open.signIn());
    for (const id of [case_id, handed_in.case_id]) await one.post(`/v1/admin/kyc/cases/${id}/take`);
    const before = world.now();
    await one.post(`/v1/admin/kyc/cases/${case_id}/close`, { outcome: 'rejected', reason: 'unreadable' });
    const list = async (client: PortalClient, query: string) => {
      const reply = await client.get<{ items: Record<string, unknown>[]; next_cursor: string | null }>(
        `/v1/admin/kyc/cases?${query}`,
      );
      expect(reply.status).toBe(200);
      return reply.body.items;
    };
    const ids = (items: Record<string, unknown>[]) => items.map((item) => item['case_id']);
    // Another’s as well, though he has it now.
    expect(ids(await list(other, 'state=open&limit=100'))).toContain(handed_in.case_id);
    expect(ids(await list(other, 'state=open&limit=100'))).not.toContain(case_id);
    const [latest] = await list(other, 'state=decided');
    expect(latest).toMatchObject({ case_id, state: 'rejected', decided_by: admin.user_id });
    expect(Date.parse(String(latest?.['decided_at']))).toBeGreaterThanOrEqual(before.getTime());
    expect(ids(await list(other, 'state=all')).slice(0, 2)).toEqual([handed_in.case_id, case_id]);
    expect(await list(other, 'state=all&whose=mine')).toEqual([]);
    expect(ids(await list(one, 'state=all&whose=mine'))).toEqual([handed_in.case_id, case_id]);
    expect(ids(await list(one, `state=all&account_id=${open.account_id}`))).toEqual([handed_in.case_id]);
    const soon = new Date(world.now().getTime() + 60_000).toISOString();
    expect(await list(one, `state=decided&from=${soon}`)).toEqual([]);
    const first = await one.get<{ next_cursor: string | null }>('/v1/admin/kyc/cases?state=all&limit=1');
    const second = await list(one, `state=all&limit=1&cursor=${first.body.next_cursor ?? ''}`);
    expect(ids(second)).toEqual([case_id]);
  });

  it('approve nothing that has run out, and say until when it is valid', async () => {
    const customer = await (await makeUser(world)).signIn();
    const { case_id, documents } = await handIn(customer);
    await reviewer.post(`/v1/admin/kyc/cases/${case_id}/take`);
    const decide = `/v1/admin/kyc/documents/${documents[0]?.document_id ?? ''}/decide`;
    for (const body of [{ verdict: 'approve' }, { verdict: 'approve', valid_until: '2020-01-01' }]) {
      const reply = await reviewer.post<{ errors: { path: string }[] }>(decide, body);
      expect(reply.status).toBe(422);
      expect(reply.body.errors[0]?.path).toBe('body.valid_until');
    }
  });
});
