import type { Queryable } from '../../domain/db/transaction.ts';
import { enqueue } from '../jobs/task.ts';
import type { Facts, NoticeTemplate } from './notice_words.ts';

export interface Notice {
  /** Everybody who owns the account, or one person. */
  to: { account_id: string } | { user_id: string };
  template: NoticeTemplate;
  /** Told as a list below its words; nothing secret. */
  facts: Facts;
}

/** Tells somebody something by mail, once the transaction that gave the reason is committed. */
export function queueNotice(tx: Queryable, { to, template, facts }: Notice): Promise<void> {
  return enqueue(tx, { task: 'send_notice', payload: { ...to, template, facts } });
}
