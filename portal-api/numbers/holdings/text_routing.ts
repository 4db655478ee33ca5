import { appendAudit } from '../../../domain/audit/append_audit.ts';
import type { AuditActor } from '../../../domain/audit/append_audit.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { lockNumber } from '../lock_number.ts';
import { ownHolding } from './holding_rows.ts';

/** Which of its holder's webhooks are told of the texts that come to a number. */
export interface TextRouting {
  /** These and no others, so that an empty list is none of them. Null: every one of the account, those that are yet to be made included. */
  webhook_ids: string[] | null;
  /** Of the number's routing as a whole, of calls and of texts. */
  version: number;
}

export async function selectTextRouting(
  db: Queryable,
  number: string,
  account_id: string,
): Promise<TextRouting | null> {
  const { rows } = await db.query<TextRouting>(
    `select h.version,
            case when d.texts_to_chosen then
              coalesce((select array_agg(w.endpoint_id order by w.endpoint_id) from number_webhook w where w.number = d.number), '{}')
            end as webhook_ids
       from did d join number_holding h on h.number = d.number and h.held_to is null
      where d.number = $1 and h.account_id = $2`,
    [number, account_id],
  );
  return rows[0] ?? null;
}

export type TextsRouted =
  { kind: 'routed'; routing: TextRouting } | { kind: 'not_found' | 'changed' | 'no_such_webhook' };

/** The next text is told so; what came before is told as it was meant to be. */
export async function setTextRouting(
  tx: Transaction,
  number: string,
  { webhook_ids, version }: TextRouting,
  { account_id, actor, now }: { account_id: string; actor: AuditActor; now: Date },
): Promise<TextsRouted> {
  await lockNumber(tx, number);
  const holding = await ownHolding(tx, number, account_id);
  const before = await selectTextRouting(tx, number, account_id);
  if (holding === null || before === null) return { kind: 'not_found' };
  if (holding.version !== version) return { kind: 'changed' };
  const chosen = webhook_ids === null ? null : [...new Set(webhook_ids)].sort();
  if (chosen !== null && !(await areTheirs(tx, account_id, chosen))) return { kind: 'no_such_webhook' };
  await tx.query('delete from number_webhook where number = $1', [number]);
  await tx.query('insert into number_webhook (number, endpoint_id) select $1, unnest($2::uuid[])', [
    number,
    chosen ?? [],
  ]);
  await tx.query('update did set texts_to_chosen = $2 where number = $1', [number, chosen !== null]);
  await tx.query('update number_holding set version = version + 1 where id = $1', [holding.id]);
  // Texts hold codes and secrets, so that it is on record who had them sent where.
  await appendAudit(tx, {
    ...{ at: now, actor, action: 'number.route_texts', account_id, subject: `number_holding:${holding.id}` },
    detail: { before: before.webhook_ids ?? 'all', after: chosen ?? 'all' },
  });
  return { kind: 'routed', routing: { webhook_ids: chosen, version: version + 1 } };
}

/** Whoever deletes one of them at this moment waits, and then takes it out of the choice. */
async function areTheirs(tx: Transaction, account_id: string, webhook_ids: readonly string[]): Promise<boolean> {
  const { rowCount } = await tx.query(
    'select from webhook_endpoint where account_id = $1 and id = any ($2::uuid[]) order by id for key share',
    [account_id, webhook_ids],
  );
  return rowCount === webhook_ids.length;
}
