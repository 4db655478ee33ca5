import { createHash } from 'node:crypto';
import type { Queryable } from '../db/transaction.ts';
import type { AuditHead, AuditSigner } from './audit_head.ts';

interface AuditRow {
  seq: string;
  at: string;
  actor_kind: string;
  actor_id: string;
  action: string;
  account_id: string | null;
  subject: string;
  purpose: string | null;
  detail: string;
  prev_hash: Buffer;
  hash: Buffer;
}

export interface AuditVerdict {
  rows: number;
  ok: boolean;
  /** The hash of the last row, in hex; of no row where there is none. */
  head: string;
  /** The last ones, which came after the newest head was signed: whether some of these were cut off, nobody can tell. */
  rows_unsigned: number;
  /** In words, what is not as it was written; at most twenty. */
  findings: readonly string[];
}

const ROWS_AT_ONCE = 2_000;
const FINDINGS_MAX = 20;
const FIRST_PREV = createHash('sha256').digest();

/**
 * Reads the whole log and works every hash out again, by code of its own and not by the function that wrote them. What was altered,
 * removed or moved is found; the signed heads, those of the database and those that are kept apart from it, tell of a log that was cut
 * or written anew as a whole. A head is kept apart before the database has it, so those of the database are all to be there too: where they
 * are not, somebody has taken away what would show that the log was cut. What remains: rows that are newer than the newest head can be cut
 * off at their end, which is up to ten minutes of them, and whoever has the database, the file and the key of the signer can do anything.
 *
 * @param heads_elsewhere Those that are kept apart; null where whoever asks knows that there are none, and wants the rest verified.
 */
export async function verifyAudit(
  db: Queryable,
  signer: AuditSigner,
  heads_elsewhere: readonly AuditHead[] | null,
  onProgress: (rows: number) => void,
): Promise<AuditVerdict> {
  const findings: string[] = [];
  const find = (words: string): void => {
    if (findings.length < FINDINGS_MAX) findings.push(words);
  };
  const heads_here = await selectHeads(db);
  if (heads_elsewhere !== null) compareHeads(heads_here, heads_elsewhere, find);
  const heads = headsBySeq([...heads_here, ...(heads_elsewhere ?? [])]);
  let [rows, rows_unsigned] = [0, 0];
  let last_seq = 0n;
  let last_hash: Buffer = FIRST_PREV;
  for (;;) {
    const page = await selectRows(db, last_seq);
    for (const row of page) {
      const seq = BigInt(row.seq);
      if (seq !== last_seq + 1n) find(`Between row ${last_seq} and row ${seq} some are missing.`);
      if (!row.prev_hash.equals(last_hash)) find(`Row ${seq} does not follow from the row before it.`);
      if (!hashOf(row).equals(row.hash)) find(`Row ${seq} is not as it was written.`);
      rows_unsigned = heads.has(seq) ? 0 : rows_unsigned + 1;
      for (const head of heads.get(seq) ?? []) checkHead(head, row.hash, signer, find);
      heads.delete(seq);
      last_seq = seq;
      last_hash = row.hash;
    }
    rows += page.length;
    onProgress(rows);
    if (page.length < ROWS_AT_ONCE) break;
  }
  for (const seq of heads.keys()) find(`A head of row ${seq} was signed, and there is no such row.`);
  return { rows, ok: findings.length === 0, head: last_hash.toString('hex'), rows_unsigned, findings };
}

/**
 * The file may have one that the database lacks, as where a process ended between the two; never the other way round, and not all of them.
 */
function compareHeads(
  here: readonly AuditHead[],
  elsewhere: readonly AuditHead[],
  find: (words: string) => void,
): void {
  const kept_apart = new Set(elsewhere.map(({ seq }) => seq));
  const missing = here.filter(({ seq }) => !kept_apart.has(seq));
  if (missing.length > 0) {
    find(
      `Of ${here.length} heads that the database has, ${missing.length} are not among those that are kept apart from it, that of row ` +
        `${missing[0]?.seq ?? 0n} first: their file is missing or was shortened. Where several portals sign, put their files together.`,
    );
  }
  if (here.length === 0 && elsewhere.length > 0) {
    find(`The database has none of the ${elsewhere.length} heads that are kept apart from it.`);
  }
}

function checkHead(head: AuditHead, hash: Buffer, signer: AuditSigner, find: (words: string) => void): void {
  if (!signer.isOurs(head)) find(`The signature of the head of row ${head.seq} is not ours.`);
  else if (!head.hash.equals(hash)) find(`Row ${head.seq} is another than when its head was signed.`);
}

function headsBySeq(heads: readonly AuditHead[]): Map<bigint, AuditHead[]> {
  const by_seq = new Map<bigint, AuditHead[]>();
  for (const head of heads) by_seq.set(head.seq, [...(by_seq.get(head.seq) ?? []), head]);
  return by_seq;
}

/** As audit_content of the migration has it: each part behind its length in bytes, and a sign of its own for one that is missing. */
function hashOf(row: AuditRow): Buffer {
  const parts = [
    ...[row.seq, row.at, row.actor_kind, row.actor_id, row.action, row.account_id, row.subject, row.purpose],
    row.detail,
  ];
  const content = parts.map((part) => (part === null ? '0-' : `${Buffer.byteLength(part)}:${part}`)).join('');
  return createHash('sha256').update(row.prev_hash).update(content).digest();
}

async function selectRows(db: Queryable, after: bigint): Promise<AuditRow[]> {
  const { rows } = await db.query<AuditRow>({
    name: 'audit_rows',
    text: `select seq, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') as at, actor_kind, actor_id, action, account_id,
                  subject, purpose, detail::text as detail, prev_hash, hash
             from audit_log where seq > $1 order by seq limit $2`,
    values: [after.toString(), ROWS_AT_ONCE],
  });
  return rows;
}

async function selectHeads(db: Queryable): Promise<AuditHead[]> {
  const { rows } = await db.query<Omit<AuditHead, 'seq'> & { seq: string }>(
    'select seq, hash, signed_at, key_id, signature from audit_head order by seq',
  );
  return rows.map((row) => ({ ...row, seq: BigInt(row.seq) }));
}
