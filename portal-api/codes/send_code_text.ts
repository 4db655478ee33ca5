import type { Transaction } from '../../domain/db/transaction.ts';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import { MessageIds } from '../../domain/texts/message_id.ts';
import { codeWords } from './code_words.ts';
import { CODE_LIFE_MS } from './issue_code.ts';
import { ensureOperatorAccount, senderName } from './operator_account.ts';

export interface CodeText {
  recipient: string;
  code: string;
  brand: string;
  currency: string;
  /** Of whoever asked for it. */
  locale: string;
}

/**
 * Has a code sent by SMS: a text of the operator's own that nobody pays for, which waits in the queue for whichever carrier reaches the
 * number. The gateway sends it when the transaction is committed; a code that is too old by then is not sent.
 */
export async function sendCodeText(
  tx: Transaction,
  now: Date,
  { recipient, code, brand, currency, locale }: CodeText,
): Promise<void> {
  const { account_id, wallet_id } = await ensureOperatorAccount(tx, { brand, currency });
  const id = new MessageIds(() => now.getTime()).next();
  const [answer] = await acceptMessages(tx, now, [
    {
      ...{ id, account_id, wallet_id, recipient, sender: senderName(brand) },
      body: codeWords(locale, code, senderName(brand)),
      ...{
        encoding: 'gsm7',
        segments: 1,
        class: 'code',
        on_doubt: 'resend',
        net_micros: 0n,
        tax_micros: 0n,
        rate: null,
      },
      ...{ source: 'system', system_id: null, client_ref: null, wants_receipt: false, idempotency: null, due_at: null },
      valid_until: new Date(now.getTime() + CODE_LIFE_MS),
      ...{ carrier_id: null, epoch: null, hold_reason: null },
    },
  ]);
  if (answer?.verdict !== 'accepted')
    throw new Error(`A text with a code was refused: ${answer?.verdict ?? 'nothing'}.`);
}
