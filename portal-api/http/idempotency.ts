import { createHash } from 'node:crypto';
import type { Queryable } from '../../domain/db/transaction.ts';
import { jsonText } from './json_text.ts';
import { Problem } from './problem.ts';

export interface KeyedRequest {
  actor: string;
  key: string;
  route: string;
  /** Of everything that the request says. */
  content_sha256: string;
}

export type Claim =
  | { kind: 'ours' }
  | { kind: 'answered'; status: number; body: unknown; version: number | null }
  | { kind: 'in_progress' }
  | { kind: 'conflict' };

interface KeptRow {
  route: string;
  content_sha256: string;
  status: number | null;
  body: unknown;
  version: number | null;
}

/** A request that was begun this long ago and never answered ended with its process, and may be carried out again. */
const ABANDONED_MS = 60_000;

/** Takes a request for ours, or says what became of it when it was asked before. */
export async function claimRequest(db: Queryable, request: KeyedRequest, now: Date): Promise<Claim> {
  const { actor, key, route, content_sha256 } = request;
  const { rows } = await db.query({
    name: 'claim_request',
    text: `insert into idempotent_request as r (actor, key, route, content_sha256, begun_at) values ($1, $2, $3, $4, $5)
           on conflict (actor, key) do update set begun_at = excluded.begun_at
            where r.status is null and r.begun_at < $6 and r.route = excluded.route and r.content_sha256 = excluded.content_sha256
           returning 1`,
    values: [actor, key, route, content_sha256, now, new Date(now.getTime() - ABANDONED_MS)],
  });
  if (rows.length > 0) return { kind: 'ours' };
  const before = await db.query<KeptRow>(
    'select route, content_sha256, status, body, version from idempotent_request where actor = $1 and key = $2',
    [actor, key],
  );
  const row = before.rows[0];
  if (row === undefined) return { kind: 'in_progress' };
  if (row.route !== route || row.content_sha256 !== content_sha256) return { kind: 'conflict' };
  if (row.status === null) return { kind: 'in_progress' };
  return { kind: 'answered', status: row.status, body: row.body, version: row.version };
}

export async function rememberAnswer(
  db: Queryable,
  { actor, key }: KeyedRequest,
  { status, body, version }: { status: number; body: unknown; version: number | null },
): Promise<void> {
  await db.query({
    name: 'remember_answer',
    text: 'update idempotent_request set status = $3, body = $4, version = $5 where actor = $1 and key = $2',
    values: [actor, key, status, body === undefined ? null : jsonText(body), version],
  });
}

/** Nothing was done: the same key may be used for another try. A claim that somebody made meanwhile, as ours was abandoned, stays. */
export async function forgetRequest(db: Queryable, { actor, key }: KeyedRequest, begun_at: Date): Promise<void> {
  await db.query('delete from idempotent_request where actor = $1 and key = $2 and begun_at = $3 and status is null', [
    actor,
    key,
    begun_at,
  ]);
}

/** A UUID that is the same for the same actor and key (RFC 9562, version 8: its bits are ours to choose). */
export function operationIdOf(actor: string, key: string): string {
  const bytes = createHash('sha256').update(`${actor}\0${key}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/**
 * A key is a person's, who may act for several accounts: what they made by it for one of them is neither shown nor changed for another.
 * Throws where what was found under the id of an operation is of another account than the one that they act for.
 */
export function mustBeOfAccount(found_account_id: string, account_id: string): void {
  if (found_account_id !== account_id) throw keyOfAnotherAccount();
}

export function keyOfAnotherAccount(): Problem {
  return new Problem('key_conflict', 'You used this key for another of your accounts. Use another key for this one.');
}
