import type { Queryable } from '../../domain/db/transaction.ts';
import { replaceMessage } from '../../domain/texts/replace_message.ts';
import type { Replacement, ReplaceVerdict } from '../../domain/texts/replace_message.ts';
import type { Screening } from './acceptor.ts';
import { judgeText } from './judge_text.ts';
import type { JudgedText, JudgeOptions } from './judge_text.ts';
import type { TextPayer } from './payer.ts';
import type { Refusal } from './refusal.ts';
import type { TextRequest } from './text_request.ts';

export interface ReplaceOptions {
  db: Queryable;
  /** What a new text is judged by: what replaces one gets through no other door. */
  judge: JudgeOptions;
  screen: (text: JudgedText, payer: TextPayer) => Screening;
  /** A text that waits in memory, and of which nothing was sent, goes back to where it can be cancelled or replaced. */
  giveBack: (message_id: string) => Promise<void>;
}

/** A request for the text as it would be afterwards, to be judged like any other, and which of its times are new. */
export interface WishedText {
  request: TextRequest;
  is_due_anew: boolean;
  is_valid_anew: boolean;
}

/** `to_be_seen`: a person would have to look at it first; the rest is what `replaceMessage` says. */
export type Replaced =
  | { kind: ReplaceVerdict | 'to_be_seen' }
  /** As a new text would be, by what can be counted and checked or by what it says. */
  | { kind: 'refused'; by: 'judgement' | 'screening'; refusal: Refusal };

/** Puts another text, or another time, in the place of one that waits: over SMPP and over HTTP by the same rules. */
export async function replaceText(
  { db, judge, screen, giveBack }: ReplaceOptions,
  payer: TextPayer,
  message_id: string,
  { request, is_due_anew, is_valid_anew }: WishedText,
): Promise<Replaced> {
  const now_ms = judge.now();
  const judgement = judgeText(request, payer, judge);
  if (judgement.kind === 'refused') return { ...judgement, by: 'judgement' };
  const screening = screen(judgement.text, payer);
  if (screening.kind === 'refuse') return { kind: 'refused', by: 'screening', refusal: screening.refusal };
  if (screening.kind === 'hold') return { kind: 'to_be_seen' };
  const { body, encoding, segments, due_at, valid_until, wants_receipt } = judgement.text;
  const wished_at = is_due_anew ? (due_at ?? new Date(now_ms)) : null;
  const put_off_to = screening.due_at;
  const replacement: Replacement = {
    ...{ account_id: payer.account_id, message_id, body, encoding, segments, wants_receipt },
    // Where its recipient would mind it at the time that was wished, it is put off like a new one.
    due_at: put_off_to ?? wished_at,
    valid_until: is_valid_anew || put_off_to !== undefined ? validUntil(valid_until, due_at, put_off_to, now_ms) : null,
  };
  const kind = await replaceMessage(db, replacement, new Date(now_ms));
  if (kind !== 'too_late') return { kind };
  await giveBack(message_id);
  return { kind: await replaceMessage(db, replacement, new Date(now_ms)) };
}

/** As valid, and as long, from the later moment on. */
function validUntil(valid_until: Date, due_at: Date | null, put_off_to: Date | undefined, now_ms: number): Date {
  if (put_off_to === undefined) return valid_until;
  return new Date(valid_until.getTime() + put_off_to.getTime() - (due_at?.getTime() ?? now_ms));
}

/** Why a text was not replaced: what happened, what it means and what to do. */
export const NOT_REPLACED: Readonly<Record<'too_late' | 'other_length' | 'to_be_seen', string>> = {
  too_late: 'The text is held, on its way or has ended, so it can no longer be replaced.',
  other_length:
    'The new text has another number of segments than was paid for: cancel this one, and submit the new one.',
  to_be_seen: 'A person would have to look at the new text first: cancel this one, and submit the new one.',
};
