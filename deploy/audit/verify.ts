import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { AuditSigner, parseHeadLines } from '../../domain/audit/audit_head.ts';
import type { AuditHead } from '../../domain/audit/audit_head.ts';
import { verifyAudit } from '../../domain/audit/verify_audit.ts';
import { parseKeyRing } from '../../portal-api/key_ring_file.ts';
import { databaseUrlOf } from '../explain/addresses.ts';
import { errorCode } from '../runtime/outage.ts';

const USAGE = `Say nothing, or --json for programs: npm run -s audit:verify -- [--json] [--no-heads]. DATABASE_URL, KEY_RING_FILE and
AUDIT_HEADS_FILE name what is to be read; without them it is what npm start made. --no-heads: the file of signed heads is known to be lost,
and the rest is verified without it.`;

/** What stands in the way, in words. */
class Hindrance extends Error {}

async function main(args: readonly string[]): Promise<number> {
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({ args: [...args], options: { json: flag, 'no-heads': flag } });
  const home = resolve(process.env['LETSDIAL_HOME'] || '.letsdial');
  const signer = new AuditSigner(
    parseKeyRing(await read(fileOf('KEY_RING_FILE', join(home, 'secrets/key-ring.json')))).audit_seed,
  );
  const heads = values['no-heads'] ? null : await headsOf(fileOf('AUDIT_HEADS_FILE', join(home, 'audit-heads.jsonl')));
  const client = new pg.Client({ connectionString: await databaseUrl(home) });
  await client.connect();
  try {
    const tell = (rows: number): void => {
      if (!values.json) process.stdout.write(`\r${rows} rows read`);
    };
    const { rows, ok, head, findings } = await verifyAudit(client, signer, heads, tell);
    if (!values.json) console.log(told(rows, heads?.length ?? 0, findings));
    console.log(JSON.stringify({ rows, ok, head, ...(ok ? {} : { findings }) }));
    return ok ? 0 : 1;
  } finally {
    await client.end();
  }
}

function told(rows: number, heads: number, findings: readonly string[]): string {
  if (findings.length > 0) return `\n${findings.join('\n')}`;
  return `\nAll ${rows} rows follow from one another as they were written, and agree with ${heads} signed heads kept apart.`;
}

const fileOf = (name: string, otherwise: string): string => process.env[name] || otherwise;

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new Hindrance(`${file} cannot be read (${errorCode(error) ?? 'no reason'}), so nothing was verified.`);
  }
}

/** Where none was ever signed there is no file yet; where the database has some, that it is missing is a finding. */
async function headsOf(file: string): Promise<readonly AuditHead[]> {
  try {
    return parseHeadLines(await readFile(file, 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function databaseUrl(home: string): Promise<string> {
  const url = process.env['DATABASE_URL'] || (await databaseUrlOf(home));
  if (url === null)
    throw new Hindrance(
      'There is no database to verify: start Letsdial with npm start, or name its Postgres in DATABASE_URL.',
    );
  return url;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof Hindrance) console.error(error.message);
  else if (error instanceof TypeError && 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION')
    console.error(USAGE);
  else throw error;
  process.exitCode = 1;
}
