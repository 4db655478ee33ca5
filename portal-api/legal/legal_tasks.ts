import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { enqueue, task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import type { NoticeTemplate } from '../notices/notice_words.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { DOCUMENT_KINDS, lockDueDocuments, putInForce, versionInEachLanguage } from './document_rows.ts';
import type { DocumentRow } from './document_rows.ts';
import { inLanguage } from './in_language.ts';
import { insertTelling, lockTelling, OCCASIONS, ownersAfter, recordTold } from './telling_rows.ts';
import type { Occasion, Telling } from './telling_rows.ts';

/** So many people are told in one transaction. */
const TOLD_AT_ONCE = 500;
const kind = z.enum(DOCUMENT_KINDS);
const occasion = z.enum(OCCASIONS);
/** Addresses are kept whole for this long, and then only their network. */
const FULL_ADDRESS_MS = 90 * 86_400_000;
const SHORTENED_AT_ONCE = 5_000;

export function legalTasks({ pool, now }: Pick<PortalContext, 'pool' | 'now'>): Task[] {
  return [
    task('put_terms_in_force', z.object({}), () => inTransaction(pool, (tx) => bringIntoForce(tx, now())), '* * * * *'),
    task('tell_terms_changed', z.object({ kind, version: z.int(), occasion }), (news) =>
      tellEverybody(pool, news, now),
    ),
    task('shorten_acceptance_addresses', z.object({}), () => shortenAddresses(pool, now()), '23 3 * * *'),
  ];
}

/** What is scheduled and due takes the place of what it follows; whoever has to agree anew is reminded. */
export async function bringIntoForce(tx: Transaction, now: Date): Promise<void> {
  for (const document of await lockDueDocuments(tx, now)) {
    await putInForce(tx, document);
    await beginTelling(tx, document, 'in_force', now);
  }
}

/** A correction is no news; a first version is to those who are here already, as an operator's customers are when he first has terms. */
export async function isNews(
  tx: Transaction,
  { version, is_material }: Pick<DocumentRow, 'version' | 'is_material'>,
): Promise<boolean> {
  return is_material && (version > 1 || (await ownersAfter(tx, null, 1)).length > 0);
}

/** Whether it only tells in another language what is in force before it: who is here by now agreed to that when they came. */
async function isLaterTranslation(
  tx: Transaction,
  { kind: of_kind, version, in_force_from }: DocumentRow,
): Promise<boolean> {
  const all = await versionInEachLanguage(tx, of_kind, version);
  return all.some((one) => one.in_force_from !== null && in_force_from !== null && one.in_force_from < in_force_from);
}

/** In the transaction that gives the reason. */
export async function beginTelling(
  tx: Transaction,
  document: DocumentRow,
  of_occasion: Occasion,
  now: Date,
): Promise<void> {
  if (!(await isNews(tx, document))) return;
  if (document.version === 1 && (await isLaterTranslation(tx, document))) return;
  const news = { kind: document.kind, version: document.version, occasion: of_occasion };
  // What nobody has to agree to is told once.
  if (news.kind === 'privacy' && (await lockTelling(tx, { ...news, occasion: 'scheduled' })) !== undefined) return;
  // Its other languages are the same news.
  if (!(await insertTelling(tx, news, now))) return;
  await enqueue(tx, { task: 'tell_terms_changed', payload: news });
}

/** A page in each transaction, until nobody is left: whoever begins anew after a crash goes on where the last page ended. */
async function tellEverybody(pool: PortalContext['pool'], news: Telling, now: () => Date): Promise<void> {
  while ((await inTransaction(pool, (tx) => tellSome(tx, news, now()))) === TOLD_AT_ONCE);
}

/** Says how many were told. */
async function tellSome(tx: Transaction, news: Telling, now: Date): Promise<number> {
  const telling = await lockTelling(tx, news);
  if (telling?.done_at !== null) return 0;
  const languages = await versionInEachLanguage(tx, news.kind, news.version);
  const owners = await ownersAfter(tx, telling.told_up_to, TOLD_AT_ONCE);
  for (const { user_id, locale } of owners) {
    const document = inLanguage(languages, locale);
    if (document === null) continue;
    await queueNotice(tx, {
      to: { user_id },
      template: templateOf(news),
      facts: {
        document: `${document.title}, ${document.version}`,
        'in force from': document.in_force_from?.toISOString() ?? '',
        'what is different': document.change_note,
      },
    });
  }
  await recordTold(tx, news, {
    told_up_to: owners.at(-1)?.user_id ?? telling.told_up_to,
    told: owners.length,
    done_at: owners.length < TOLD_AT_ONCE ? now : null,
  });
  return owners.length;
}

/** The privacy notice is told, and nobody has to agree to it. */
function templateOf({ kind: of_kind, occasion: of_occasion }: Telling): NoticeTemplate {
  if (of_kind === 'privacy') return 'privacy_changed';
  return of_occasion === 'scheduled' ? 'terms_changed' : 'terms_in_force';
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
