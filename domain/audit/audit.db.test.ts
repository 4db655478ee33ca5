import { randomBytes, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { appendAudit } from './append_audit.ts';
import type { AuditEntry } from './append_audit.ts';
import { AuditSigner, signHead } from './audit_head.ts';
import type { AuditHead } from './audit_head.ts';
import { verifyAudit } from './verify_audit.ts';

const signer = new AuditSigner(randomBytes(32));
let database: FreshDatabase;
let pool: pg.Pool;

beforeEach(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 8 });
});

afterEach(async () => {
  await pool.end();
  await database.drop();
});

const entry = (wishes: Partial<AuditEntry> = {}): AuditEntry => ({
  at: new Date(),
  actor: { kind: 'admin', id: randomUUID() },
  action: 'customer.view',
  account_id: randomUUID(),
  subject: `customer:${randomUUID()}`,
  purpose: 'ticket 17',
  detail: { fields: ['email'] },
  ...wishes,
});

const nowhere = (): Promise<void> => Promise.resolve();

const verify = (heads: readonly AuditHead[] | null = []) => verifyAudit(pool, signer, heads, () => undefined);

/** As somebody does who may do everything in the database. */
const forge = async (sql: string): Promise<void> => {
  await pool.query(
    `alter table audit_log disable trigger append_only; ${sql}; alter table audit_log enable trigger append_only`,
  );
};

describe('the audit log', () => {
  it('is whole, whatever is written into it and by how many at once', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((s) => s.replaceAll('\0', ''));
    const details = fc.dictionary(text, fc.oneof(text, fc.integer(), fc.constant(null)), { maxKeys: 4 });
    const entries = fc.sample(
      fc.record({ subject: text, purpose: fc.option(text), detail: details, account_id: fc.option(fc.uuid()) }),
      { numRuns: 200, seed: 7 },
    );
    await Promise.all(entries.map((wishes) => appendAudit(pool, entry(wishes))));
    const verdict = await verify();
    expect(verdict).toMatchObject({ rows: 200, ok: true, findings: [] });
    await appendAudit(pool, entry());
    expect(await verify()).toMatchObject({ rows_unsigned: 201 });
    expect((await verify()).head).not.toBe(verdict.head);
  });

  it('is never changed by a program of ours', async () => {
    await appendAudit(pool, entry());
    for (const sql of [
      `update audit_log set purpose = 'none'`,
      'delete from audit_log',
      'truncate audit_log cascade',
    ]) {
      await expect(pool.query(sql)).rejects.toThrow(/append-only/u);
    }
  });

  it.each([
    ['altered', `update audit_log set purpose = 'another' where seq = 3`],
    ['of another moment', `update audit_log set at = at + interval '1 microsecond' where seq = 3`],
    ['of somebody else', `update audit_log set actor_id = 'x' where seq = 3`],
    ['about nobody any more', `update audit_log set account_id = null where seq = 3`],
    ['removed', 'delete from audit_log where seq = 3'],
    [
      'removed, with the others moved up',
      `delete from audit_log where seq = 3; update audit_log set seq = seq - 1 where seq > 3`,
    ],
    [
      'put elsewhere',
      `update audit_log set seq = 100 where seq = 3; update audit_log set seq = 3 where seq = 4; update audit_log set seq = 4 where seq = 100`,
    ],
    [
      'altered, with its own hash made anew',
      `update audit_log set purpose = 'another' where seq = 3; update audit_log l set hash = sha256(l.prev_hash || audit_content(l)) where seq = 3`,
    ],
  ])('shows a row that is %s', async (_, sql) => {
    for (let n = 0; n < 5; n += 1) await appendAudit(pool, entry());
    expect((await verify()).ok).toBe(true);
    await forge(sql);
    expect(await verify()).toMatchObject({ ok: false });
  });

  it('shows that it was cut or written anew, by the heads that were signed', async () => {
    for (let n = 0; n < 4; n += 1) await appendAudit(pool, entry());
    const head = await signHead(pool, signer, new Date(), nowhere);
    expect(head?.seq).toBe(4n);
    expect(await signHead(pool, signer, new Date(), nowhere)).toBeNull();
    if (head === null) throw new Error('nothing was signed');
    expect(await verify([head])).toMatchObject({ ok: true });

    await pool.query('alter table audit_head disable trigger append_only; delete from audit_head');
    await forge('delete from audit_log where seq = 4');
    expect(await verify()).toMatchObject({ ok: true, rows: 3 });
    expect(await verify([head])).toMatchObject({ ok: false });
    await appendAudit(pool, entry({ purpose: 'written instead' }));
    expect(await verify()).toMatchObject({ ok: true, rows: 4 });
    expect(await verify([head])).toMatchObject({ ok: false });
  });

  it('shows that heads are missing, here or where they are kept apart, unless told that there are none', async () => {
    await appendAudit(pool, entry());
    const first = await signHead(pool, signer, new Date(), nowhere);
    await appendAudit(pool, entry());
    const second = await signHead(pool, signer, new Date(), nowhere);
    if (first === null || second === null) throw new Error('nothing was signed');
    await appendAudit(pool, entry());
    expect(await verify([first, second])).toMatchObject({ ok: true, rows_unsigned: 1 });
    expect(await verify([first])).toMatchObject({
      ok: false,
      findings: [expect.stringMatching(/^Of 2 heads that the database has, 1 are not .* that of row 2 first/u)],
    });
    expect(await verify([])).toMatchObject({
      ok: false,
      findings: [expect.stringMatching(/^Of 2 heads .*, 2 are not/u)],
    });
    expect(await verify(null)).toMatchObject({ ok: true, rows_unsigned: 1 });
    // One that was kept apart by a process that ended before the database had it.
    await pool.query('alter table audit_head disable trigger append_only; delete from audit_head where seq = 1');
    expect(await verify([first, second])).toMatchObject({ ok: true });
    await pool.query('delete from audit_head');
    expect(await verify([first, second])).toMatchObject({
      ok: false,
      findings: ['The database has none of the 2 heads that are kept apart from it.'],
    });
  });

  it('is signed again where the head could not be kept apart', async () => {
    await appendAudit(pool, entry());
    const isFull = (): Promise<void> => Promise.reject(new Error('the disk is full'));
    await expect(signHead(pool, signer, new Date(), isFull)).rejects.toThrow('the disk is full');
    const kept: AuditHead[] = [];
    const keep = (head: AuditHead): Promise<void> => Promise.resolve(void kept.push(head));
    await signHead(pool, signer, new Date(), keep);
    expect(kept.map(({ seq }) => seq)).toEqual([1n]);
    expect(await verify(kept)).toMatchObject({ ok: true });
  });

  it('takes no signature but its own', async () => {
    await appendAudit(pool, entry());
    await signHead(pool, new AuditSigner(randomBytes(32)), new Date(), nowhere);
    expect(await verify()).toMatchObject({ ok: false });
  });
});
