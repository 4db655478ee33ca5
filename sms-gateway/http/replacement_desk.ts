import type { TextPayer } from '../accept/payer.ts';
import { NOT_REPLACED, replaceText } from '../accept/replace_text.ts';
import type { ReplaceOptions } from '../accept/replace_text.ts';
import { selectStoredText } from '../accept/stored_text.ts';
import { messageView } from './message_view.ts';
import { problem, problemOf, retryAfterS } from './problem.ts';
import { readReplacementBody } from './replacement_body.ts';
import { NO_TEXT, replyOf } from './reply.ts';
import type { Reply } from './reply.ts';

/** Texts that wait, and get another content, time or validity: what replace_sm is over SMPP. */
export class ReplacementDesk {
  readonly #options: ReplaceOptions;

  constructor(options: ReplaceOptions) {
    this.#options = options;
  }

  /** Answers with the text as it is then, or why it stays as it was. */
  async replace(payer: TextPayer, message_id: string, octets: Buffer): Promise<Reply> {
    const { db, judge } = this.#options;
    const stored = await selectStoredText(db, payer.account_id, message_id);
    if (stored === null) return replyOf(NO_TEXT);
    const read = readReplacementBody(octets, stored, judge.now());
    if (read.kind === 'invalid') return replyOf(problem(400, 'invalid_request', read.detail));
    if (read.kind === 'erased') return replyOf(problem(409, 'too_late', NOT_REPLACED.too_late));
    const replaced = await replaceText(this.#options, payer, message_id, read.wish);
    switch (replaced.kind) {
      case 'replaced': {
        const view = await messageView(db, payer.account_id, message_id);
        return view === null ? replyOf(NO_TEXT) : { status: 200, body: view };
      }
      case 'not_found':
        return replyOf(NO_TEXT);
      case 'refused': {
        const reply = replyOf(problemOf(replaced.refusal));
        const retry_after_s = retryAfterS(replaced.refusal.code);
        return retry_after_s === null ? reply : { ...reply, retry_after_s };
      }
      case 'too_late':
      case 'other_length':
      case 'to_be_seen':
        return replyOf(problem(409, replaced.kind, NOT_REPLACED[replaced.kind]));
    }
  }
}
