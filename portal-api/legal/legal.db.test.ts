import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTransaction } from '../../domain/db/transaction.ts';
import { makeAdmin, makeMember, makeUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { seedLegalDocuments } from './seed_legal_documents.ts';
import { termsAccepted, termsInForce } from './terms_in_force.ts';

interface Document {
  document_id: string;
  kind: string;
  version: number;
  state: string;
  body: string;
  previous_document_id: string | null;
}
type Listed = { items: Document[]; next_cursor?: string | null };

let world: PortalWorld;
let owner: PortalClient;
let owner_id: string;

beforeAll(async () => {
  world = await PortalWorld.begin({ TERMS_NOTICE_DAYS_MIN: '0' });
  await seedLegalDocuments(world.pool, world.now());
  const admin = await makeAdmin(world, ['owner']);
  owner_id = admin.user_id;
  owner = await admin.signIn();
});

afterAll(() => world.end());

const words = { title: 'Terms', body: '# New\n\nwords', change_note: 'A new rule.', is_material: true };
const versionOf = (headers: Headers): number => Number(headers.get('etag')?.replaceAll('"', ''));
const accepted = (account_id: string): Promise<boolean> =>
  inTransaction(world.pool, (tx) => termsAccepted(tx, account_id, world.now()));

async function draft(wishes: Record<string, unknown> = {}): Promise<{ id: string; version: number }> {
  const reply = await owner.post<Document>('/v1/admin/legal', { kind: 'terms', locale: 'en', ...words, ...wishes });
  expect(reply.status).toBe(201);
  return { id: reply.body.document_id, version: versionOf(reply.headers) };
}

const publish = ({ id, version }: { id: string; version: number }) =>
  owner.post<Document>(`/v1/admin/legal/${id}/publish`, undefined, { version });

describe('the terms', () => {
  it('are read by anybody, agreed to once, and asked for again when they change', async () => {
    const anyone = world.client();
    const { body: listed } = await anyone.get<Listed>('/v1/legal?locale=de');
    expect(listed.items.map(({ kind, version }) => `${kind} ${version}`)).toEqual([
      'terms 1',
      'privacy 1',
      'payment_policy 1',
    ]);
    const user = await makeUser(world);
    const here = await user.signIn();
    expect(await accepted(user.account_id)).toBe(false);
    const ids = (await termsInForce(world.pool, world.now())).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    const key = randomUUID();
    for (const idempotency_key of [key, key]) {
      const reply = await here.post('/v1/legal/acceptances', { document_ids: ids }, { idempotency_key });
      expect(reply).toMatchObject({ status: 200, body: { terms_accepted: true } });
    }
    expect(await here.post('/v1/legal/acceptances', { document_ids: ids })).toMatchObject({ status: 200 });
    const { body: own } = await here.get<Listed>('/v1/legal/acceptances');
    expect(own.items).toHaveLength(2);

    // A correction asks nobody, and what is agreed to then holds.
    expect(await publish(await draft({ is_material: false }))).toMatchObject({ status: 200, body: { version: 2 } });
    expect(await accepted(user.account_id)).toBe(true);
    expect(await publish(await draft())).toMatchObject({ status: 200, body: { version: 3, state: 'in_force' } });
    expect(await accepted(user.account_id)).toBe(false);
    const newest = await anyone.get<Document>('/v1/legal/terms');
    expect(newest.body).toMatchObject({ version: 3, body: words.body });
    expect(await here.post('/v1/legal/acceptances', { document_ids: [newest.body.document_id] })).toMatchObject({
      body: { terms_accepted: true },
    });
    expect(await here.post('/v1/legal/acceptances', { document_ids: ids })).toMatchObject({ status: 409 });
    const history = await anyone.get<Listed>('/v1/legal/terms/history');
    expect(history.body.items.map(({ version, state }) => `${version} ${state}`)).toEqual([
      '3 in_force',
      '2 superseded',
      '1 superseded',
    ]);
    const before = await anyone.get<Document>(`/v1/legal/documents/${newest.body.previous_document_id ?? ''}`);
    expect(before.body.version).toBe(2);
  });

  it('that were published are changed by nobody', async () => {
    const made = await draft();
    const edited = await owner.ask<Document>('PUT', `/v1/admin/legal/${made.id}`, {
      body: { ...words, title: 'Other' },
      version: made.version,
    });
    expect(edited.status).toBe(200);
    const stale = await owner.ask('PUT', `/v1/admin/legal/${made.id}`, { body: words, version: made.version });
    expect(stale).toMatchObject({ status: 412, body: { type: 'urn:letsdial:problem:version_conflict' } });
    const published = await publish({ id: made.id, version: versionOf(edited.headers) });
    expect(published.status).toBe(200);
    const late = { body: words, version: versionOf(published.headers) };
    expect(await owner.ask('PUT', `/v1/admin/legal/${made.id}`, late)).toMatchObject({ status: 409 });
    await expect(world.pool.query(`update legal_document set body = 'x' where id = $1`, [made.id])).rejects.toThrow(
      /write a new version/,
    );
    await expect(world.pool.query('delete from acceptance')).rejects.toThrow(/append-only/);
  });

  it('are written and published by whose work that is, and the log says who', async () => {
    const privacy = await (await makeAdmin(world, ['privacy'])).signIn();
    const support = await (await makeAdmin(world, ['support'])).signIn();
    const asked = { kind: 'privacy', locale: 'en', ...words };
    expect(await support.post('/v1/admin/legal', asked)).toMatchObject({ status: 403 });
    const made = await privacy.post<Document>('/v1/admin/legal', asked);
    const path = `/v1/admin/legal/${made.body.document_id}`;
    expect(await privacy.post(`${path}/publish`, undefined, { version: 1 })).toMatchObject({ status: 403 });
    expect(await owner.post(`${path}/publish`, undefined, { version: 1 })).toMatchObject({ status: 200 });
    expect(await world.client().get(`/v1/legal/documents/${randomUUID()}`)).toMatchObject({ status: 404 });
    const { rows } = await world.pool.query<{ action: string }>(
      'select action from audit_log where subject = $1 and actor_id = $2',
      [`legal_document:${made.body.document_id}`, owner_id],
    );
    expect(rows).toEqual([{ action: 'legal_document.publish' }]);
  });

  it('have a report of who agreed, which asks what it is for', async () => {
    const user = await makeUser(world);
    const member = await (await makeMember(world, user.account_id, 'member')).signIn();
    const { body } = await world.client().get<Document>('/v1/legal/terms');
    const wish = { document_ids: [body.document_id] };
    expect(await member.post('/v1/legal/acceptances', wish)).toMatchObject({ status: 403 });
    await (await user.signIn()).post('/v1/legal/acceptances', wish);
    const path = `/v1/admin/legal/${body.document_id}/acceptances`;
    expect(await owner.get(path)).toMatchObject({ status: 422 });
    const report = await owner.get<{ items: { account_id: string }[] }>(`${path}?purpose=audit+of+the+year`);
    expect(report.body.items.map(({ account_id }) => account_id)).toContain(user.account_id);
    const { rows } = await world.pool.query(`select purpose from audit_log where action = 'acceptance.list'`);
    expect(rows).toEqual([{ purpose: 'audit of the year' }]);
  });

  it('that are scheduled come into force when their time comes, and those they concern are told', async () => {
    const user = await makeUser(world);
    const { id, version } = await draft({ kind: 'payment_policy' });
    const in_force_from = new Date(world.now().getTime() + 3_600_000).toISOString();
    expect(
      await owner.post(`/v1/admin/legal/${id}/schedule`, { in_force_from: '2020-01-01T00:00:00Z' }, { version }),
    ).toMatchObject({ status: 422 });
    const scheduled = await owner.post<Document>(`/v1/admin/legal/${id}/schedule`, { in_force_from }, { version });
    expect(scheduled.body.state).toBe('scheduled');
    expect(await world.client().get<Document>('/v1/legal/payment_policy')).toMatchObject({ body: { version: 1 } });
    world.advance(3_700_000);
    // It counts at once, and is noted when the task comes round.
    expect(await world.client().get<Document>('/v1/legal/payment_policy')).toMatchObject({ body: { version: 2 } });
    expect(await accepted(user.account_id)).toBe(false);
    await world.pool.query(`select graphile_worker.add_job('put_terms_in_force', '{}')`);
    const stateOf = async (): Promise<unknown> => {
      const { rows } = await world.pool.query<{ state: string }>('select state from legal_document where id = $1', [
        id,
      ]);
      return rows[0]?.state;
    };
    await expect.poll(stateOf).toBe('in_force');
  });
});
