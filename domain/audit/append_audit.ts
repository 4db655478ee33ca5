import type { Queryable } from '../db/transaction.ts';

export type AuditActor =
  | { kind: 'admin' | 'customer'; id: string }
  | { kind: 'api_key'; id: string }
  /** A job or a rule of ours, by its name. */
  | { kind: 'system'; id: string };

export interface AuditEntry {
  at: Date;
  actor: AuditActor;
  /** In lower case, what it was done to first: `kyc_document.view`, `refund.approve`. */
  action: string;
  /** Whose data it was about; null where it was nobody's. */
  account_id: string | null;
  /** Kind and id of what it was done to: `kyc_document:6f0c…`. */
  subject: string;
  /** Why data was looked at. Null for what was done rather than seen. */
  purpose?: string | null;
  /** Nothing personal: what changed, by names and not by values that the data map calls personal. */
  detail?: Readonly<Record<string, unknown>>;
}

/**
 * Appends to the chained log, in the transaction that does what it tells. Whoever appends waits for who did so before until that one's
 * transaction ends, so it comes last in its own.
 */
export async function appendAudit(tx: Queryable, entry: AuditEntry): Promise<void> {
  await tx.query('select append_audit($1, $2, $3, $4, $5, $6, $7, $8)', [
    ...[entry.at, entry.actor.kind, entry.actor.id, entry.action, entry.account_id, entry.subject],
    entry.purpose ?? null,
    JSON.stringify(entry.detail ?? {}),
  ]);
}
