import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { documentsInForce, insertDraft, scheduleDocument } from './document_rows.ts';
import { beginTelling, legalTasks } from './legal_tasks.ts';
import { seedLegalDocuments } from './seed_legal_documents.ts';

const DAY_MS = 86_400_000;

describe('everybody who agreed', () => {
  const OWNERS = 1_203;
  let database: FreshDatabase;
  let pool: pg.Pool;

  beforeAll(async () => {
    database = await freshDatabase();
    pool = new pg.Pool({ connectionString: database.url, max: 4 });
    await seedLegalDocuments(pool, new Date());
    await pool.query(`insert into data_key (id, wrapped, kek_id) values ($1, '\\x00', 'k')`, [randomUUID()]);
    await pool.query(
      `with u as (insert into portal_user (id, kind, data_key_id, email_sealed, email_index)
                  select gen_random_uuid(), 'customer', (select id from data_key limit 1), '\\x00', sha256(n::text::bytea)
                    from generate_series(1, $1) n returning id),
            a as (insert into account (id, name, home_country, time_zone, tax_ppm, sell_deck, state)
                  select id, 'An account', 'DE', 'UTC', 0, 'retail', 'active' from u returning id)
       insert into membership (account_id, user_id, role) select a.id, a.id, 'owner' from a`,
      [OWNERS],
    );
    // A second account of somebody, one that is closed, and a member who agrees to nothing.
    await pool.query(
      `insert into account (id, name, home_country, time_zone, tax_ppm, sell_deck, state)
       values ('00000000-0000-4000-8000-0000000000aa', 'Another', 'DE', 'UTC', 0, 'retail', 'active'),
              ('00000000-0000-4000-8000-0000000000bb', 'Closed', 'DE', 'UTC', 0, 'retail', 'closed')`,
    );
    await pool.query(
      `insert into membership (account_id, user_id, role)
       select '00000000-0000-4000-8000-0000000000aa', user_id, 'owner' from membership order by user_id limit 1`,
    );
  });

  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const told = async (): Promise<{ notices: number; people: number; at_once: number }> => {
    const { rows } = await pool.query<{ notices: number; people: number; at_once: number }>(
      `select count(*)::integer as notices, count(distinct payload ->> 'user_id')::integer as people,
              (select max(c)::integer from (select count(*) as c from graphile_worker._private_jobs
                 where payload ->> 'template' = 'terms_changed' group by xmin) t) as at_once
         from graphile_worker._private_jobs where payload ->> 'template' = 'terms_changed'`,
    );
    return rows[0] ?? { notices: 0, people: 0, at_once: 0 };
  };

  it('is told once, a page in each transaction, though the process dies in the middle and the task is done again', async () => {
    const now = new Date();
    await inTransaction(pool, async (tx) => {
      const draft = await insertDraft(tx, {
        ...{ id: randomUUID(), kind: 'terms', locale: 'en', title: 'Terms', body: 'words', change_note: 'A new rule.' },
        ...{ is_material: true, translates_version: null, written_by: 'test', now },
      });
      if (draft === null) throw new Error('No draft was made.');
      const in_force_from = new Date(now.getTime() + 30 * DAY_MS);
      const scheduled = await scheduleDocument(tx, draft.id, { in_force_from, published_by: 'test' });
      await beginTelling(tx, scheduled, 'scheduled', now);
      // Of another language, and asked for again.
      await beginTelling(tx, scheduled, 'scheduled', now);
    });
    const queued = await pool.query<{ payload: unknown }>(
      `select payload from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
        where t.identifier = 'tell_terms_changed'`,
    );
    expect(queued.rows).toHaveLength(1);
    const payload = queued.rows[0]?.payload;
    const tell = legalTasks({ pool, now: () => now }).find(({ name }) => name === 'tell_terms_changed');
    // As if the process died within its second page.
    await pool.query(
      `create function dies() returns trigger language plpgsql as $$ begin raise exception 'killed'; end $$;
       create trigger dies before update on terms_telling for each row when (new.told > 500) execute function dies()`,
    );
    await expect(tell?.run(payload)).rejects.toThrow('killed');
    expect(await told()).toEqual({ notices: 500, people: 500, at_once: 500 });
    await pool.query('drop trigger dies on terms_telling');
    await Promise.all([tell?.run(payload), tell?.run(payload)]);
    expect(await told()).toEqual({ notices: OWNERS, people: OWNERS, at_once: 500 });
    await tell?.run(payload);
    expect(await told()).toMatchObject({ notices: OWNERS });
    const { rows } = await pool.query('select told, done_at from terms_telling');
    expect(rows).toEqual([{ told: OWNERS, done_at: now }]);
  });

  it('is told of a first version, too, where they are here before it; where nobody is, nobody is told', async () => {
    const policies = (await documentsInForce(pool, new Date())).filter(({ kind }) => kind === 'payment_policy');
    const [first] = policies;
    if (first === undefined) throw new Error('No payment policy is in force.');
    expect(first.version).toBe(1);
    const tellings = async (): Promise<object[]> => {
      const { rows } = await pool.query<object>(
        `select version, occasion from terms_telling where kind = 'payment_policy'`,
      );
      return rows;
    };
    expect(await tellings()).toEqual([]);
    await inTransaction(pool, (tx) => beginTelling(tx, first, 'in_force', new Date()));
    expect(await tellings()).toEqual([{ version: 1, occasion: 'in_force' }]);
    // In another language, and of what is in force already, it is no news.
    await pool.query(`delete from terms_telling where kind = 'payment_policy'`);
    const translated = { ...first, id: randomUUID(), locale: 'de', in_force_from: new Date() };
    await inTransaction(pool, (tx) => beginTelling(tx, translated, 'in_force', new Date()));
    expect(await tellings()).toEqual([]);
  });
});

describe('a new version that has to be agreed to', () => {
  let mail: MailCatcher;
  let world: PortalWorld;
  let owner: PortalClient;

  beforeAll(async () => {
    mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
    world = await PortalWorld.begin({ SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}` });
    await seedLegalDocuments(world.pool, world.now());
    owner = await (await makeAdmin(world, ['owner'])).signIn();
    await makeUser(world, { email: 'ada@example.org' });
    const berta = await makeUser(world, { email: 'berta@example.org' });
    await world.pool.query(`update portal_user set locale = 'de' where id = $1`, [berta.user_id]);
  });

  afterAll(async () => {
    await world.end();
    await mail.end();
  });

  async function draft(wishes: Record<string, unknown> = {}): Promise<string> {
    const words = { title: 'Terms', body: 'words', change_note: 'A new rule.', is_material: true };
    const made = await owner.post<{ document_id: string }>('/v1/admin/legal', {
      ...{ kind: 'terms', locale: 'en', ...words, ...wishes },
    });
    return `/v1/admin/legal/${made.body.document_id}`;
  }
  const inDays = (days: number): { in_force_from: string } => ({
    in_force_from: new Date(world.now().getTime() + days * DAY_MS).toISOString(),
  });
  const subjects = (to: string): string[] => mail.mails(to).map(({ subject }) => subject);

  it('is scheduled some days before, told at once with what is different, and again on the day', async () => {
    const path = await draft();
    const version = 1;
    const late = await owner.post<{ detail: string }>(`${path}/schedule`, inDays(29), { version });
    expect(late.status).toBe(422);
    expect(late.body.detail).toContain(new Date(world.now().getTime() + 30 * DAY_MS).toISOString().slice(0, 10));
    const wish = inDays(31);
    expect(await owner.post(`${path}/schedule`, wish, { version })).toMatchObject({ status: 200 });
    await expect.poll(() => subjects('ada@example.org'), { timeout: 8_000 }).toEqual(['Letsdial: Our terms change']);
    const told = mail.mails('ada@example.org')[0]?.text ?? '';
    const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'Europe/Berlin' });
    const from = day.format(new Date(wish.in_force_from));
    expect(told).toContain(`In force from: ${from}`);
    expect(told).toContain('What is different: A new rule.\n');
    await expect.poll(() => subjects('berta@example.org')).toEqual(['Letsdial: Unsere Bedingungen ändern sich']);
    // Another language of it is no news, and need not wait for as long; whoever reads it is reminded in it.
    const german = await draft({
      locale: 'de',
      translates_version: 2,
      title: 'Bedingungen',
      change_note: 'Eine neue Regel.',
    });
    expect(await owner.post(`${german}/schedule`, inDays(31.01), { version })).toMatchObject({ status: 200 });
    world.advance(32 * DAY_MS);
    await world.pool.query(`select graphile_worker.add_job('put_terms_in_force', '{}')`);
    await expect
      .poll(() => subjects('ada@example.org'), { timeout: 8_000 })
      .toEqual(['Letsdial: Our terms change', 'Letsdial: Our new terms hold from today']);
    await expect
      .poll(() => mail.mails('berta@example.org').at(-1)?.text)
      .toContain('Was anders ist: Eine neue Regel.\n');
    expect(subjects('berta@example.org')).toHaveLength(2);
  });

  it('is put in force at once only by who says why, which the log keeps; a correction by anybody who may', async () => {
    owner = await (await makeAdmin(world, ['owner'])).signIn();
    const path = await draft({ kind: 'payment_policy' });
    const version = 1;
    expect(await owner.post(`${path}/publish`, undefined, { version })).toMatchObject({ status: 409 });
    const why = new URLSearchParams({ without_notice_because: 'a court ordered it' }).toString();
    expect(await owner.post(`${path}/publish?${why}`, undefined, { version })).toMatchObject({ status: 200 });
    const { rows } = await world.pool.query<{ why: string }>(
      `select detail ->> 'without_notice_because' as why from audit_log where action = 'legal_document.publish'`,
    );
    expect(rows).toEqual([{ why: 'a court ordered it' }]);
    const correction = await draft({ kind: 'payment_policy', is_material: false });
    expect(await owner.post(`${correction}/publish`, undefined, { version })).toMatchObject({ status: 200 });
  });
});

describe('the first terms of an operator who has customers', () => {
  let world: PortalWorld;

  beforeAll(async () => {
    world = await PortalWorld.begin();
    await makeUser(world);
  });

  afterAll(() => world.end());

  it('are told before they hold, and hold in no language earlier', async () => {
    const owner = await (await makeAdmin(world, ['owner'])).signIn();
    const at = (days: number): object => ({
      in_force_from: new Date(world.now().getTime() + days * DAY_MS).toISOString(),
    });
    const draft = async (wishes: object): Promise<string> => {
      const words = { kind: 'terms', title: 'Terms', body: 'words', change_note: 'The first.', is_material: true };
      const made = await owner.post<{ document_id: string }>('/v1/admin/legal', { ...words, ...wishes });
      return `/v1/admin/legal/${made.body.document_id}`;
    };
    const version = 1;
    const first = await draft({ locale: 'en' });
    expect(await owner.post(`${first}/publish`, undefined, { version })).toMatchObject({ status: 409 });
    expect(await owner.post(`${first}/schedule`, at(31), { version })).toMatchObject({ status: 200 });
    const german = await draft({ locale: 'de', translates_version: 1 });
    expect(await owner.post(`${german}/publish`, undefined, { version })).toMatchObject({ status: 409 });
    expect(await owner.post(`${german}/schedule`, at(30.9), { version })).toMatchObject({ status: 422 });
    expect(await owner.post(`${german}/schedule`, at(31.1), { version })).toMatchObject({ status: 200 });
  });
});
