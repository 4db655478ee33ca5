import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readPortalSettings } from '../../config/portal_settings.ts';
import { DataKeys } from '../../domain/privacy/data_keys.ts';
import { DocumentFolder } from '../documents/document_folder.ts';
import { DocumentReader } from '../documents/document_reader.ts';
import { whySignatureIsWrong } from '../payments/signature.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { chooseVerifier } from './choose_verifier.ts';
import { httpVerifier } from './http_verifier.ts';
import { kycTasks } from './kyc_tasks.ts';
import { missingDocuments } from './missing_documents.ts';
import { handIn } from './testing/kyc_steps.ts';
import type { Verification } from './verifier.ts';

const SECRET = 'the secret of the verifier';

const needed = {
  ...{ DATABASE_URL: 'postgres://x', REDIS_URL: 'redis://x', KEY_RING_FILE: 'x', DOCUMENTS_FOLDER: 'x' },
  AUDIT_HEADS_FILE: 'x',
};

interface Asked {
  type: string;
  pages: string[];
  claims: { full_name?: string };
}

interface Answer {
  status: number;
  body: string;
}

const PASSED: Answer = { status: 200, body: '{"verdict":"passed","valid_until":"2034-05-06","score":0.9}' };

let server: Server;
let url: string;
let forged = 0;
let asked: Asked[] = [];
let answerTo: (one: Asked, nth: number) => Answer = () => PASSED;

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const signature = String(request.headers['x-letsdial-signature']);
      if (whySignatureIsWrong(SECRET, body, signature, new Date()) !== null) forged += 1;
      const one = JSON.parse(body.toString()) as Asked;
      asked.push(one);
      const answer = answerTo(one, asked.length);
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/verify`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('a verifier that is asked over HTTP', () => {
  let world: PortalWorld;

  beforeAll(async () => {
    world = await PortalWorld.begin({ KYC_VERIFIER: 'http', KYC_VERIFIER_URL: url, KYC_VERIFIER_SECRET: SECRET });
  });

  afterAll(() => world.end());

  beforeEach(() => {
    asked = [];
    answerTo = () => PASSED;
  });

  interface Standing {
    state: string;
    documents: string[];
    verdicts: (string | null)[];
  }
  const standing = async (case_id: string): Promise<Standing | undefined> => {
    const { rows } = await world.pool.query<Standing>(
      `select c.state, array_agg(d.state order by d.type) as documents, array_agg(d.auto_verdict order by d.type) as verdicts
         from kyc_case c join kyc_document d on d.account_id = c.account_id where c.id = $1 group by c.id`,
      [case_id],
    );
    return rows[0];
  };
  const handedIn = async (): Promise<{ case_id: string; account_id: string }> => {
    const user = await makeUser(world);
    const { case_id } = await handIn(await user.signIn());
    return { case_id, account_id: user.account_id };
  };

  it('is sent the pages and the claims, signed; its verdict stands beside the document and decides nothing', async () => {
    answerTo = (_one, nth) => (nth === 1 ? { status: 503, body: '' } : PASSED);
    const { case_id } = await handedIn();
    const expected = { state: 'submitted', documents: ['submitted', 'submitted'], verdicts: ['passed', 'passed'] };
    await expect.poll(() => standing(case_id), { timeout: 15_000 }).toEqual(expected);
    const reviewer = await (await makeAdmin(world, ['kyc'])).signIn();
    const seen = await reviewer.get<{ documents: unknown[] }>(`/v1/admin/kyc/cases/${case_id}?purpose=review`);
    expect(seen.body.documents).toMatchObject([{ auto_verdict: 'passed' }, { auto_verdict: 'passed' }]);
    // Once more than there are documents: whoever was refused asked again.
    expect(asked).toHaveLength(3);
    expect(forged).toBe(0);
    const passport = asked.find(({ type }) => type === 'passport');
    expect(passport?.claims.full_name).toBe('Ada Example');
    expect(
      Buffer.from(passport?.pages[0] ?? '', 'base64')
        .subarray(0, 2)
        .toString('hex'),
    ).toBe('ffd8');
  });

  it('approves a case where the rule allows it, and leaves to a person what it did not pass or knows no last day of', async () => {
    await allowAutomaticApproval(world);
    const { case_id, account_id } = await handedIn();
    await expect
      .poll(() => standing(case_id), { timeout: 10_000 })
      .toMatchObject({
        ...{ state: 'approved', documents: ['approved', 'approved'] },
      });
    const missing = { account_id, country: 'DE', number_type: 'geographic', now: world.now() } as const;
    expect(await missingDocuments(world.pool, missing)).toEqual([]);
    // Of another kind a person has to approve them: it is as if there were none.
    const mobile = { ...missing, number_type: 'mobile' } as const;
    const nobody = { ...mobile, account_id: (await makeUser(world)).account_id };
    const of_nobody = (await missingDocuments(world.pool, nobody)).filter((name) => !name.startsWith('claim:'));
    expect(of_nobody).not.toEqual([]);
    expect(await missingDocuments(world.pool, mobile)).toEqual(of_nobody);
    const { rows } = await world.pool.query<{ actor: string; decided_by: string | null; last_day: string }>(
      `select l.actor_kind || ' ' || l.actor_id as actor, d.decided_by, d.valid_until::text as last_day
         from audit_log l join kyc_document d on d.account_id = l.account_id and d.type = 'passport'
        where l.action = 'kyc_case.pass' and l.account_id = $1`,
      [account_id],
    );
    expect(rows).toEqual([{ actor: 'system http_verifier', decided_by: null, last_day: '2034-05-06' }]);
    for (const body of [
      '{"verdict":"unsure","valid_until":"2034-05-06"}',
      '{"verdict":"failed","valid_until":"2034-05-06"}',
      '{"verdict":"passed"}',
      '{"verdict":"passed","valid_until":"2020-05-06"}',
    ]) {
      answerTo = ({ type }) => (type === 'passport' ? { status: 200, body } : PASSED);
      const other = await handedIn();
      const both = async () => (await standing(other.case_id))?.verdicts.every((verdict) => verdict !== null);
      await expect.poll(both, { timeout: 10_000 }).toBe(true);
      expect(await standing(other.case_id)).toMatchObject({
        state: 'submitted',
        documents: ['submitted', 'submitted'],
      });
    }
  });

  it('that reads no documents approves nothing, whatever it says', async () => {
    answerTo = () => ({ status: 200, body: '{"verdict":"unsure"}' });
    const { case_id, account_id } = await handedIn();
    const verdicts = async () => (await standing(case_id))?.verdicts;
    await expect.poll(verdicts, { timeout: 10_000 }).toEqual(['unsure', 'unsure']);
    const { rows } = await world.pool.query<{ id: string }>('select id from kyc_document where account_id = $1', [
      account_id,
    ]);
    const runsOf = (reads_documents: boolean) => {
      const verify = (): Promise<Verification> => Promise.resolve({ verdict: 'passed', valid_until: '2034-05-06' });
      const tasks = kycTasks({
        ...{ pool: world.pool, keys: new DataKeys(world.ring), reader: new DocumentReader(), now: () => world.now() },
        ...{ folder: new DocumentFolder(join(world.home, 'documents')), log: pino({ level: 'silent' }) },
        settings: readPortalSettings(needed),
        resumeOrders: () => Promise.resolve(),
        verifier: { name: 'test_verifier', reads_documents, verify },
      });
      return tasks.find(({ name }) => name === 'verify_document');
    };
    for (const { id } of rows) await runsOf(false)?.run({ document_id: id });
    expect(await standing(case_id)).toMatchObject({ state: 'submitted', verdicts: ['passed', 'passed'] });
    await runsOf(true)?.run({ document_id: rows[0]?.id });
    expect(await standing(case_id)).toMatchObject({ state: 'approved' });
  });

  it('whose answer is no verdict is believed nothing', async () => {
    const { verify } = httpVerifier({ url, secret: SECRET, now: () => new Date(), timeout_ms: 2_000 });
    const document = { type: 'passport', pages: [Buffer.alloc(10)] } as const;
    for (const body of [
      '',
      'passed',
      '{"verdict":"certainly"}',
      '[]',
      `{"verdict":"passed","why":"${'x'.repeat(20_000)}"}`,
    ]) {
      answerTo = () => ({ status: 200, body });
      await expect(verify(document, {})).rejects.toThrow(/verifier of documents answered/u);
    }
    answerTo = () => ({ status: 302, body: '' });
    await expect(verify(document, {})).rejects.toThrow();
  });
});

/** A new version of what is asked for, in which a verifier may approve what landlines need. */
async function allowAutomaticApproval(world: PortalWorld): Promise<void> {
  const admin = await (await makeAdmin(world, ['kyc', 'owner'])).signIn();
  type RuleSet = { set_id: string; rules: { number_type: string }[]; version: number };
  const { body: draft } = await admin.post<RuleSet>('/v1/admin/requirements', { note: 'Verified by a service.' });
  const path = `/v1/admin/requirements/${draft.set_id}`;
  const rules = draft.rules.map((rule) => ({ ...rule, auto_approval: rule.number_type === 'geographic' }));
  const edit = { body: { note: 'Verified by a service.', rules }, version: draft.version };
  const edited = await admin.ask<RuleSet>('PUT', path, edit);
  expect(edited.status).toBe(200);
  const in_force_at = new Date(world.now().getTime() + 60_000).toISOString();
  const published = await admin.post(`${path}/publish`, { in_force_at }, { version: edited.body.version });
  expect(published.status).toBe(200);
  world.advance(61_000);
}

describe('the setting', () => {
  const chosen = (wishes: Record<string, string>): string | undefined =>
    chooseVerifier({ settings: readPortalSettings({ ...needed, ...wishes }), now: () => new Date() })?.name;

  it('says who verifies: nobody, unless it is said', () => {
    expect(chosen({})).toBeUndefined();
    expect(chosen({ KYC_VERIFIER: 'local' })).toBe('local_verifier');
    const http = { KYC_VERIFIER: 'http', KYC_VERIFIER_URL: 'https://verifier.example', KYC_VERIFIER_SECRET: SECRET };
    expect(chosen(http)).toBe('http_verifier');
    // Pages of passports go there.
    for (const plain of ['http://verifier.example', 'http://10.0.0.1:8080/verify', 'http://localhost.example'])
      expect(() => chosen({ ...http, KYC_VERIFIER_URL: plain })).toThrow(/KYC_VERIFIER_URL: .*https/u);
    for (const near of ['http://127.0.0.1:1/verify', 'http://localhost:1', 'http://[::1]:1'])
      expect(chosen({ ...http, KYC_VERIFIER_URL: near })).toBe('http_verifier');
    expect(() => chosen({ KYC_VERIFIER: 'http', KYC_VERIFIER_SECRET: SECRET })).toThrow(
      /KYC_VERIFIER_URL: KYC_VERIFIER=http needs it/u,
    );
    expect(() => chosen({ KYC_VERIFIER: 'http', KYC_VERIFIER_URL: http.KYC_VERIFIER_URL })).toThrow(
      /KYC_VERIFIER_SECRET/u,
    );
  });
});
