import { randomBytes } from 'node:crypto';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPortalSettings } from '../../config/portal_settings.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { DataKeys } from '../../domain/privacy/data_keys.ts';
import { keyRingOf } from '../../domain/privacy/sealing.ts';
import { DocumentFolder } from '../documents/document_folder.ts';
import { DocumentReader } from '../documents/document_reader.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { noticesTo, writeJobsDown } from '../testing/told_notices.ts';
import { approvedDocuments, openClaims, openDocument } from './approved_documents.ts';
import { findDocument } from './document_rows.ts';
import { kycTasks } from './kyc_tasks.ts';
import { missingDocuments } from './missing_documents.ts';
import { approve, becomeKnown, handIn, runTask, submit, upload } from './testing/kyc_steps.ts';
import type { OwnCaseBody } from './testing/kyc_steps.ts';

const DAY_MS = 86_400_000;

let world: PortalWorld;
let admin: { signIn: () => Promise<PortalClient> };

beforeAll(async () => {
  world = await PortalWorld.begin();
  admin = await makeAdmin(world, ['kyc']);
});

afterAll(() => world.end());

const dayIn = (days: number): string => new Date(world.now().getTime() + days * DAY_MS).toISOString().slice(0, 10);

const filesKept = (): Promise<string[]> => readdir(join(world.home, 'documents'));

const missingOf = ({ account_id }: TestUser): Promise<string[]> =>
  missingDocuments(world.pool, { account_id, country: 'DE', number_type: 'geographic', now: world.now() });

const factsTold = async ({ account_id }: TestUser, template: string): Promise<Record<string, string>[]> =>
  (await noticesTo(world.pool, account_id, template)).map(({ facts }) => facts);

describe('documents that run out', () => {
  beforeAll(() => writeJobsDown(world.pool));

  it('are told of 30 and 7 days before, once each, and are asked for again when it is so far', async () => {
    const user = await makeUser(world);
    const customer = await user.signIn();
    await becomeKnown(customer, await admin.signIn(), dayIn(40));
    await runTask(world, 'tell_expiring_documents');
    expect(await factsTold(user, 'kyc_document_expires')).toEqual([]);
    for (const [days, told] of [
      [12, 1],
      [0, 1],
      [22, 2],
      [1, 2],
    ] as const) {
      world.advance(days * DAY_MS);
      await runTask(world, 'tell_expiring_documents');
      expect(await factsTold(user, 'kyc_document_expires')).toHaveLength(told);
    }
    expect(await missingOf(user)).toEqual([]);
    world.advance(6 * DAY_MS);
    // Nobody has to wait for the night: the day is over, and it counts no more.
    expect(await missingOf(user)).toEqual(['passport|country_identification']);
    await runTask(world, 'tell_expiring_documents');
    expect((await factsTold(user, 'kyc_document_expires')).map(({ days_left }) => days_left)).toEqual(['28', '6', '0']);
    const again = await user.signIn();
    expect((await again.get<OwnCaseBody>('/v1/kyc')).body.kyc_case?.state).toBe('needs_more');
    const passport = await upload(again, 'passport');
    const { body } = await submit(again);
    const reviewer = await admin.signIn();
    await reviewer.post(`/v1/admin/kyc/cases/${body.case_id}/take`);
    expect(await approve(reviewer, passport)).toMatchObject({ status: 200 });
    expect(await missingOf(user)).toEqual([]);
  });

  it('are replaced by a newer one, and one of them is asked for anew while the rest stays', async () => {
    const user = await makeUser(world);
    const customer = await user.signIn();
    const reviewer = await admin.signIn();
    const { case_id, documents } = await becomeKnown(customer, reviewer);
    const ask = { type: 'passport', reason: 'check_again' };
    const reply = await reviewer.post(`/v1/admin/kyc/cases/${case_id}/ask-again`, ask);
    expect(reply).toMatchObject({ status: 200, body: { state: 'needs_more' } });
    expect(await missingOf(user)).toEqual(['passport|country_identification']);
    const [newer, proof] = [await upload(customer, 'passport'), await upload(customer, 'proof_of_address')];
    world.advance(1_000);
    await submit(customer);
    await reviewer.post(`/v1/admin/kyc/cases/${case_id}/take`);
    for (const document of [newer, proof]) await approve(reviewer, document);
    const states = (await customer.get<OwnCaseBody>('/v1/kyc')).body.documents;
    const stateOf = (id: string | undefined) => states.find(({ document_id }) => document_id === id)?.state;
    expect(documents.map(({ document_id }) => stateOf(document_id))).toEqual(['asked_again', 'replaced']);
    expect(await missingOf(user)).toEqual([]);
    expect((await factsTold(user, 'kyc_decided'))[1]?.['asked']).toMatch(/^Passport: /u);
  });
});

describe('what decides nothing any more', () => {
  it('is destroyed after 30 days, its file too; what is approved stays', async () => {
    const user = await makeUser(world);
    const customer = await user.signIn();
    const { case_id, documents } = await handIn(customer);
    const reviewer = await admin.signIn();
    await reviewer.post(`/v1/admin/kyc/cases/${case_id}/take`);
    const [passport, proof] = documents;
    await approve(reviewer, passport ?? { document_id: '', type: '' });
    const body = { verdict: 'reject', reason: 'altered', note: 'See the date.' };
    await reviewer.post(`/v1/admin/kyc/documents/${proof?.document_id ?? ''}/decide`, body);
    await reviewer.post(`/v1/admin/kyc/cases/${case_id}/close`, { outcome: 'needs_more' });
    const abandoned = await upload(customer, 'proof_of_address');
    world.advance(29 * DAY_MS);
    await runTask(world, 'destroy_refused_documents');
    const before = await world.pool.query<{ file_id: string }>(
      `select file_id from kyc_document where id = any($1) and key_sealed is not null`,
      [[proof?.document_id, abandoned.document_id]],
    );
    expect(before.rows).toHaveLength(2);
    world.advance(2 * DAY_MS);
    await runTask(world, 'destroy_refused_documents');
    const gone = before.rows.map(({ file_id }) => `${file_id}.sealed`);
    await expect.poll(async () => (await filesKept()).filter((name) => gone.includes(name))).toEqual([]);
    const { body: own } = await (await user.signIn()).get<OwnCaseBody>('/v1/kyc');
    const told = own.documents.map(({ type, state, is_kept, note }) => ({ type, state, is_kept, note }));
    expect(told).toHaveLength(2);
    expect(told).toContainEqual({ type: 'passport', state: 'approved', is_kept: true, note: null });
    expect(told).toContainEqual({ type: 'proof_of_address', state: 'rejected', is_kept: false, note: null });
    const page = `/v1/admin/kyc/documents/${proof?.document_id ?? ''}/pages/1?purpose=late`;
    expect(await (await admin.signIn()).get(page)).toMatchObject({ status: 404 });
  });

  it('is swept where a process died before it was written down', async () => {
    const folder = join(world.home, 'documents');
    const [orphan, half, fresh] = [
      '0b8f8f6e-1111-4111-8111-111111111111.sealed',
      'x.unfinished',
      '0b8f8f6e-2222-4222-8222-222222222222.sealed',
    ];
    for (const name of [orphan, half, fresh]) await writeFile(join(folder, name), 'x');
    const old = new Date(world.now().getTime() - 2 * DAY_MS);
    for (const name of [orphan, half]) await utimes(join(folder, name), old, old);
    await utimes(join(folder, fresh), world.now(), world.now());
    await runTask(world, 'sweep_document_files');
    const names = await filesKept();
    expect([names.includes(orphan), names.includes(half), names.includes(fresh)]).toEqual([false, false, true]);
  });
});

describe('an automatic verifier', () => {
  it('gives the reviewer a hint, of a document that is handed in, and is in the log', async () => {
    const user = await makeUser(world);
    const { case_id, documents } = await handIn(await user.signIn());
    const seen: unknown[] = [];
    const tasks = kycTasks({
      ...{ pool: world.pool, keys: new DataKeys(world.ring), reader: new DocumentReader(), now: () => world.now() },
      ...{ folder: new DocumentFolder(join(world.home, 'documents')), log: pino({ level: 'silent' }) },
      settings: readPortalSettings({
        ...{ DATABASE_URL: 'postgres://x', REDIS_URL: 'redis://x', KEY_RING_FILE: 'x', DOCUMENTS_FOLDER: 'x' },
        AUDIT_HEADS_FILE: 'x',
      }),
      resumeOrders: () => Promise.reject(new Error('A verifier approves nothing.')),
      verifier: {
        name: 'test_verifier',
        reads_documents: true,
        verify: ({ type, pages }, { full_name }) => {
          seen.push([type, pages.length, full_name]);
          return Promise.resolve({ verdict: 'unsure', valid_until: null });
        },
      },
    });
    const verify = tasks.find(({ name }) => name === 'verify_document');
    await verify?.run({ document_id: documents[0]?.document_id });
    expect(seen).toEqual([['passport', 1, 'Ada Example']]);
    const reviewer = await admin.signIn();
    const { body } = await reviewer.get<{ documents: { type: string; state: string; auto_verdict: string | null }[] }>(
      `/v1/admin/kyc/cases/${case_id}?purpose=review`,
    );
    const passport = body.documents.find(({ type }) => type === 'passport');
    expect(passport).toMatchObject({ state: 'submitted', auto_verdict: 'unsure' });
    const { rows } = await world.pool.query(
      `select 1 from audit_log where actor_id = 'test_verifier' and account_id = $1`,
      [user.account_id],
    );
    expect(rows).toHaveLength(1);
  });
});

describe('the keys of documents', () => {
  const open = async (keys: DataKeys, document_id: string): Promise<readonly Buffer[] | null> =>
    inTransaction(world.pool, async (tx) => {
      const document = await findDocument(tx, document_id);
      if (document === null) throw new Error('It is not there.');
      const folder = new DocumentFolder(join(world.home, 'documents'));
      return openDocument(tx, { keys, folder }, document, world.now());
    });

  it('are wrapped anew by a newer key encryption key, and the older one can go', async () => {
    const customer = await (await makeUser(world)).signIn();
    const { document_id } = await upload(customer, 'passport');
    const newer = { id: 'test-2', secret: randomBytes(32) };
    const both = { ...keyRingOf([newer], randomBytes(32)), index_key: world.ring.index_key };
    const rotating = new DataKeys({ ...both, keks: [...both.keks, ...world.ring.keks] });
    const pages = await open(rotating, document_id);
    await expect(open(new DataKeys(both), document_id)).rejects.toThrow('is not on the ring');
    for (let count = 1; count > 0;) count = await inTransaction(world.pool, (tx) => rotating.rotate(tx, 3));
    expect(await open(new DataKeys(both), document_id)).toEqual(pages);
    // And back, by the task, as the portal of this test has the older one alone.
    const back = new DataKeys({ ...both, keks: [...world.ring.keks, ...both.keks] });
    for (let count = 1; count > 0;) count = await inTransaction(world.pool, (tx) => back.rotate(tx, 50));
    await runTask(world, 'rotate_data_keys');
    expect(await open(new DataKeys(world.ring), document_id)).toEqual(pages);
  });

  it('leave files that nobody can read when the key of the account is destroyed', async () => {
    const user = await makeUser(world);
    const { document_id } = await upload(await user.signIn(), 'passport');
    const keys = new DataKeys(world.ring);
    const { rows } = await world.pool.query<{ data_key_id: string }>('select data_key_id from account where id = $1', [
      user.account_id,
    ]);
    await keys.destroy(world.pool, rows[0]?.data_key_id ?? '', world.now());
    await expect(open(keys, document_id)).rejects.toThrow('was destroyed');
  });

  it('open, for a provider, what the rule asks for and nothing else', async () => {
    const user = await makeUser(world);
    await becomeKnown(await user.signIn(), await admin.signIn());
    const found = await approvedDocuments(world.pool, user.account_id, ['passport'], world.now());
    expect(found.map(({ type, page_count }) => ({ type, page_count }))).toEqual([{ type: 'passport', page_count: 1 }]);
    const [passport] = found;
    expect(await open(new DataKeys(world.ring), passport?.document_id ?? '')).toHaveLength(1);
    const wish = { account_id: user.account_id, names: ['full_name'] as const, now: world.now() };
    const claims = await inTransaction(world.pool, (tx) => openClaims(tx, new DataKeys(world.ring), wish));
    expect(claims).toEqual({ full_name: 'Ada Example' });
  });
});
