import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { Queryable } from '../db/transaction.ts';

/** How far the log had come at a moment, and what its last row's hash was. */
export interface AuditHead {
  seq: bigint;
  hash: Buffer;
  signed_at: Date;
  key_id: string;
  signature: Buffer;
}

/** RFC 8410: the DER of an Ed25519 private key is this and its 32 bytes. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

export class AuditSigner {
  readonly #key: KeyObject;
  readonly #public_key: KeyObject;
  readonly key_id: string;

  /** @param seed of the key ring. */
  constructor(seed: Buffer) {
    this.#key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
    this.#public_key = createPublicKey(this.#key);
    const der = this.#public_key.export({ format: 'der', type: 'spki' });
    this.key_id = createHash('sha256').update(der).digest('hex').slice(0, 16);
  }

  sign({ seq, hash, signed_at }: Pick<AuditHead, 'seq' | 'hash' | 'signed_at'>): Buffer {
    return sign(null, signed({ seq, hash, signed_at }), this.#key);
  }

  isOurs(head: AuditHead): boolean {
    return head.key_id === this.key_id && verify(null, signed(head), this.#public_key, head.signature);
  }
}

const signed = ({ seq, hash, signed_at }: Pick<AuditHead, 'seq' | 'hash' | 'signed_at'>): Buffer =>
  Buffer.from(`letsdial audit head ${seq} ${hash.toString('hex')} ${signed_at.toISOString()}`);

/**
 * Signs where the log stands; null where nothing came since it was signed last. `keepApart` is called before the database has the head: one
 * that could not be kept apart is signed again by the next call, and one that is there twice does no harm.
 */
export async function signHead(
  db: Queryable,
  signer: AuditSigner,
  now: Date,
  keepApart: (head: AuditHead) => Promise<void>,
): Promise<AuditHead | null> {
  const { rows } = await db.query<{ seq: string; hash: Buffer }>(
    `select l.seq, l.hash from audit_log l where not exists (select 1 from audit_head h where h.seq = l.seq)
      and l.seq = (select max(seq) from audit_log)`,
  );
  const last = rows[0];
  if (last === undefined) return null;
  const unsigned = { seq: BigInt(last.seq), hash: last.hash, signed_at: now };
  const head = { ...unsigned, key_id: signer.key_id, signature: signer.sign(unsigned) };
  await keepApart(head);
  await db.query(
    `insert into audit_head (seq, hash, signed_at, key_id, signature) values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [last.seq, last.hash, now, head.key_id, head.signature],
  );
  return head;
}

/** As a line of the file that is kept apart from the database. */
export function headLine({ seq, hash, signed_at, key_id, signature }: AuditHead): string {
  return JSON.stringify({
    ...{ seq: seq.toString(), hash: hash.toString('hex'), signed_at: signed_at.toISOString(), key_id },
    signature: signature.toString('base64'),
  });
}

const headSchema = z.object({
  seq: z.string().regex(/^\d+$/u).transform(BigInt),
  hash: z.hex().transform((text) => Buffer.from(text, 'hex')),
  signed_at: z.iso.datetime().transform((text) => new Date(text)),
  key_id: z.string(),
  signature: z.base64().transform((text) => Buffer.from(text, 'base64')),
});

/** Reads such a file. Throws for a line that is none. */
export function parseHeadLines(text: string): AuditHead[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => headSchema.parse(JSON.parse(line)));
}
