import type { AcceptVerdict } from '../../domain/texts/accept_messages.ts';

/** Why a text is not accepted. Nothing of it was charged or stored. */
export type RefusalCode =
  | Exclude<AcceptVerdict, 'accepted' | 'replay'>
  | 'invalid_sender'
  | 'invalid_recipient'
  | 'empty_text'
  | 'text_too_long'
  | 'invalid_encoding'
  | 'invalid_time'
  | 'destination_unknown'
  | 'destination_blocked'
  | 'content_blocked'
  | 'too_fast'
  | 'queue_full'
  | 'account_queue_full'
  | 'unavailable';

export interface Refusal {
  code: RefusalCode;
  /** What happened, what it means and what to do. */
  message: string;
}

const WORDS: Readonly<Record<RefusalCode, string>> = {
  key_conflict:
    'This idempotency key was used for another text, so this one was not sent: use a new key for a new text.',
  no_wallet: 'The account has no wallet in this currency, so nothing can be charged: ask the support to open one.',
  no_money: 'The wallet cannot pay for this text, so it was not sent: top it up and send the text again.',
  spend_hour:
    "The account's limit of spending for this hour is reached, so the text was not sent: wait, or have the limit raised.",
  spend_day:
    "The account's limit of spending for this day is reached, so the text was not sent: wait, or have the limit raised.",
  account_inactive: 'The account is not active, so nothing is sent in its name: see its state in the portal.',
  terms_required:
    'Nobody has agreed for the account to the terms in force, so nothing is sent in its name: its owner reads and accepts them in the portal.',
  restricted: 'The account may not send texts at the moment: the restriction and its reason stand in the portal.',
  sender_not_yours:
    'The sender is neither a number that the account holds nor a name that was approved for it: send from one of these.',
  opted_out:
    'The recipient asked this sender to stop, so the text was not sent: only START from the recipient changes that.',
  invalid_sender: 'The sender is no number in international form, no short code and no name of 3 to 11 characters.',
  invalid_recipient: 'The recipient is no phone number in international form: write it as +441632960123.',
  empty_text: 'The text is empty, so there is nothing to send: give it at least one character.',
  text_too_long: 'The text takes more segments than are allowed: shorten it, or send it as several texts.',
  invalid_encoding:
    'The payload cannot be read as its data coding and its header say: correct these, or send a plain text.',
  invalid_time: 'The time of delivery or the validity lies in the past or too far ahead: choose another.',
  destination_unknown: 'There is no price for this destination, so texts to it are not sent: see the price list.',
  destination_blocked: 'Texts to this destination are blocked for the account: the list stands in the portal.',
  content_blocked: 'The rules of the destination forbid what the text contains, so it was not sent.',
  too_fast: 'Texts come faster than the account may send, so this one was not taken: send it again more slowly.',
  queue_full:
    'Too many texts wait here already, so this one was neither taken nor charged: send it again in a while, with the same key.',
  account_queue_full:
    'As many of the account’s texts wait here as may, so this one was neither taken nor charged: send it again when some of them are on their way, or take back some that are scheduled.',
  unavailable:
    'Texts cannot be stored at the moment, so it is not known that this one was: send it again with the same key.',
};

export function refusal(code: RefusalCode, detail?: string): Refusal {
  return { code, message: detail === undefined ? WORDS[code] : `${WORDS[code]} (${detail})` };
}
