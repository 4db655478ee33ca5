import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { AuditSigner, headLine, signHead } from '../../domain/audit/audit_head.ts';
import { parseKeyRing } from '../../portal-api/key_ring_file.ts';
import { databaseLogin } from '../parts/database_login.ts';
import { keptKeyRing } from '../parts/key_ring.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';

const MAIN = fileURLToPath(new URL('./verify.ts', import.meta.url));
const ROWS = 2_500;

let database: FreshDatabase;
let pool: pg.Pool;
let home: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
  home = await mkdtemp(join(tmpdir(), 'letsdial-audit-'));
  const { password } = new URL(database.url);
  const login = { database_url: database.url, group: 'letsdial_explain', password } as const;
  env = {
    ...{ PATH: process.env['PATH'], DATABASE_URL: await databaseLogin(login) },
    KEY_RING_FILE: await keptKeyRing(join(home, 'key-ring.json')),
    AUDIT_HEADS_FILE: join(home, 'heads.jsonl'),
  };
  for (let n = 0; n < ROWS; n += 1) await append();
});

afterAll(async () => {
  await pool.end();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

const append = () =>
  appendAudit(pool, {
    ...{ at: new Date(), actor: { kind: 'system', id: 'a test' }, action: 'customer.view', account_id: randomUUID() },
    ...{ subject: 'customer:1', purpose: 'to see' },
  });

function run(...args: string[]): Promise<{ code: number; out: string; complaint: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', MAIN, ...args], { env }, (error, out, complaint) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, complaint });
    });
  });
}

const verdictOf = (out: string): unknown => JSON.parse(out.trimEnd().split('\n').at(-1) ?? '');

it('tells machines in its last line what it found, and by its exit code', async () => {
  const whole = await run('--json');
  expect(whole.code).toBe(0);
  const { rows } = await pool.query<{ head: string }>(
    `select encode(hash, 'hex') as head from audit_log order by seq desc limit 1`,
  );
  expect(verdictOf(whole.out)).toEqual({ rows: ROWS, ok: true, head: rows[0]?.head });

  const signer = new AuditSigner(parseKeyRing(await readFile(env['KEY_RING_FILE'] ?? '', 'utf8')).audit_seed);
  const head = await signHead(pool, signer, new Date(), () => Promise.resolve());
  if (head === null) throw new Error('nothing was signed');
  await writeFile(env['AUDIT_HEADS_FILE'] ?? '', `${headLine(head)}\n`);
  await pool.query(
    `alter table audit_head disable trigger append_only; delete from audit_head;
     alter table audit_log disable trigger append_only; delete from audit_log where seq > ${ROWS - 5}`,
  );
  const cut = await run();
  expect(cut.code).toBe(1);
  expect(verdictOf(cut.out)).toMatchObject({ rows: ROWS - 5, ok: false });
  expect(cut.out).toContain(`A head of row ${ROWS} was signed, and there is no such row.`);
});
