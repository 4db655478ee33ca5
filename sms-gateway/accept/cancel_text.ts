import { cancelMessage } from '../../domain/texts/decisions.ts';
import type { CancelVerdict } from '../../domain/texts/decisions.ts';
import type { ReplaceOptions } from './replace_text.ts';

/** Takes a text back that was not sent, whether it waits in the database or in memory, and gives its price back. */
export async function cancelText(
  { db, giveBack }: Pick<ReplaceOptions, 'db' | 'giveBack'>,
  account_id: string,
  message_id: string,
  now: Date,
): Promise<CancelVerdict> {
  const verdict = await cancelMessage(db, account_id, message_id, now);
  if (verdict !== 'too_late') return verdict;
  await giveBack(message_id);
  return cancelMessage(db, account_id, message_id, now);
}
