import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { enqueue, task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { lockDueDocuments, putInForce, readDocument } from './document_rows.ts';

/** So many accounts are told in one transaction. */
const TOLD_AT_ONCE = 500;
/** Addresses are kept whole for this long, and then only their network. */
const FULL_ADDRESS_MS = 90 * 86_400_000;
const SHORTENED_AT_ONCE = 5_000;

export function legalTasks({ pool, now }: PortalContext): Task[] {
  return [
    task('put_terms_in_force', z.object({}), () => inTransaction(pool, (tx) => bringIntoForce(tx, now())), '* * * * *'),
    task('tell_terms_changed', z.object({ document_id: z.uuid(), after: z.uuid().nullable() }), (payload) =>
      inTransaction(pool, (tx) => tellSome(tx, payload)),
    ),
    task('shorten_acceptance_addresses', z.object({}), () => shortenAddresses(pool, now()), '23 3 * * *'),
  ];
}

/** What is scheduled and due takes the place of what it follows; whoever has to agree anew is told. */
export async function bringIntoForce(tx: Transaction, now: Date): Promise<void> {
  for (const document of await lockDueDocuments(tx, now)) {
    await putInForce(tx, document);
    if (!document.is_material || document.version === 1) continue;
    await enqueue(tx, {
      task: 'tell_terms_changed',
      payload: { document_id: document.id, after: null },
      // Its other languages are the same news.
      key: `terms_changed:${document.kind}:${document.version}`,
    });
  }
}

async function tellSome(
  tx: Transaction,
  { document_id, after }: { document_id: string; after: string | null },
): Promise<void> {
  const document = await readDocument(tx, document_id);
  if (document === null) return;
  const { rows } = await tx.query<{ id: string }>(
    `select id from account where state in ('active', 'suspended') and ($1::uuid is null or id > $1) order by id limit $2`,
    [after, TOLD_AT_ONCE],
  );
  const facts = {
    document: `${document.title}, version ${document.version}`,
    'in force from': document.in_force_from?.toISOString() ?? '',
    'what is different': document.change_note,
  };
  for (const { id } of rows) await queueNotice(tx, { to: { account_id: id }, template: 'terms_changed', facts });
  const last = rows.at(-1);
  if (rows.length < TOLD_AT_ONCE || last === undefined) return;
  await enqueue(tx, { task: 'tell_terms_changed', payload: { document_id, after: last.id } });
}

async function shortenAddresses(pool: PortalContext['pool'], now: Date): Promise<void> {
  const before = new Date(now.getTime() - FULL_ADDRESS_MS);
  for (;;) {
    const { rowCount } = await pool.query(
      `update acceptance set address = network(set_masklen(address, case family(address) when 4 then 24 else 48 end))
        where (account_id, document_id, user_id) in (
          select account_id, document_id, user_id from acceptance
           where at < $1 and masklen(address) = case family(address) when 4 then 32 else 128 end limit $2)`,
      [before, SHORTENED_AT_ONCE],
    );
    if ((rowCount ?? 0) < SHORTENED_AT_ONCE) return;
  }
}
