/** What the words of a notice are made for. */
export interface Wording {
  brand: string;
  /** Where the portal's pages come from. */
  origin: string;
}

interface Words {
  subject: string;
  /** Whole sentences, without what is particular: that follows as a list of facts. */
  text: string;
}

/**
 * What people are told by mail. `{brand}` and `{origin}` are filled in; the facts of each follow the text, a line each, so that whoever
 * queues a notice says what there is to say and nothing is left unfilled.
 */
const NOTICES = {
  kyc_decided: {
    subject: 'Your documents were looked at',
    text: 'We have decided on the documents that you sent us. What was decided and what to do next stands below and at {origin}.',
  },
  kyc_document_expires: {
    subject: 'A document of yours expires soon',
    text: 'A document that your service rests on expires soon. Upload its successor at {origin} in time, so that nothing is interrupted.',
  },
  order_state: {
    subject: 'Your order has moved on',
    text: 'There is news of your order. Its whole timeline is at {origin}.',
  },
  renewal_due: {
    subject: 'A number of yours is renewed soon',
    text: 'One of your numbers is renewed soon, and its price is then taken from your wallet. See that there is enough in it, or cancel the number at {origin} before that day.',
  },
  renewal_failed: {
    subject: 'A number of yours could not be renewed',
    text: 'Your wallet held too little to renew a number. Top it up at {origin}; until the day below you keep the number.',
  },
  number_suspended: {
    subject: 'A number of yours is suspended',
    text: 'A number of yours takes no calls and no texts at the moment, as it was not paid for. Top your wallet up at {origin} to have it back at once.',
  },
  number_released: {
    subject: 'A number is yours no longer',
    text: 'You do not hold the number below any more, and are not charged for it.',
  },
  transfer_offered: {
    subject: 'A number is offered to you',
    text: 'Another customer wants to hand a number over to you. Look at it at {origin}, and accept or decline it there.',
  },
  transfer_done: {
    subject: 'A number has changed its holder',
    text: 'A number was handed over as both sides agreed. What it did before stays with its former holder.',
  },
  port_out_requested: {
    subject: 'Somebody asks to take your number to another operator',
    text: 'We were asked to hand your number over to another operator. If that was not you, object at {origin} at once and change your PIN.',
  },
  payment_failed: {
    subject: 'A payment did not go through',
    text: 'We could not collect a payment. We try it again by ourselves; you can also pay otherwise at {origin}.',
  },
  payment_received: {
    subject: 'We have received your payment',
    text: 'Thank you. The amount is in your wallet, and the receipt is at {origin}.',
  },
  refund_done: {
    subject: 'Your refund is on its way',
    text: 'We have paid an amount back to you. Depending on your bank it takes some days until it arrives.',
  },
  invoice_ready: {
    subject: 'Your invoice is ready',
    text: 'The invoice of your last month is at {origin}. It is paid from your wallet already.',
  },
  chargeback: {
    subject: 'A payment of yours was disputed',
    text: 'Your bank has taken a payment back, and we have taken the amount out of your wallet. You cannot buy anything until this is settled; see {origin}.',
  },
  restriction_set: {
    subject: 'Your account is restricted',
    text: 'We have restricted what can be done with your account. Why, how far and until when stands below. You can appeal at {origin}; somebody else of us then decides.',
  },
  restriction_ended: {
    subject: 'A restriction has ended',
    text: 'A restriction of your account is over. Everything that it kept from you works again.',
  },
  appeal_decided: {
    subject: 'Your appeal was decided',
    text: 'Somebody who had nothing to do with the first decision has decided on your appeal.',
  },
  terms_changed: {
    subject: 'Our terms change',
    text: 'There is a new version of what we agree on. What is different, and from when, stands at {origin}.',
  },
  new_sign_in: {
    subject: 'You signed in from somewhere new',
    text: 'Somebody signed in to your account from a device or a network that we have not seen there before. If it was you, there is nothing to do. If not, say so at {origin} under “sign-ins”: everybody is then signed out and you choose a new password.',
  },
  email_changed: {
    subject: 'The address of your account was changed',
    text: 'Your account now has another address for mail, and this one is not used any more. If that was not you, write to our support at once.',
  },
  phone_changed: {
    subject: 'The phone number of your account was changed',
    text: 'Your account now has another phone number. If that was not you, sign in at {origin}, say so under “sign-ins”, and write to our support.',
  },
  credential_changed: {
    subject: 'How you sign in was changed',
    text: 'Something that you sign in with was added, changed or removed. If that was not you, say so at {origin} under “sign-ins” at once.',
  },
  already_registered: {
    subject: 'You already have an account',
    text: 'Somebody, probably you, has just asked for an account with this address, which already has one. Sign in at {origin}; if you have forgotten your password, ask there for a new one. If it was not you, there is nothing to do.',
  },
  invited: {
    subject: 'You are invited to an account',
    text: 'Somebody wants you to use their account at {brand} together with them. Follow the link below within seven days. If you do not know them, there is nothing to do.',
  },
  password_reset: {
    subject: 'A new password',
    text: 'Somebody, probably you, has asked for a new password. Enter the code below where you asked for it. It is valid for ten minutes. If it was not you, there is nothing to do, and nothing was changed.',
  },
  confirm_code: {
    subject: 'Your code',
    text: 'Enter the code below where you were asked for it. It is valid for ten minutes and works once. Nobody of {brand} ever asks you for it.',
  },
} as const satisfies Record<string, Words>;

export type NoticeTemplate = keyof typeof NOTICES;

/** The names of all there are. */
export const noticeTemplates = Object.keys(NOTICES) as readonly NoticeTemplate[];

export function isNoticeTemplate(name: string): name is NoticeTemplate {
  return Object.hasOwn(NOTICES, name);
}

/** The mail that a notice is. */
export function wordNotice(
  template: NoticeTemplate,
  facts: Readonly<Record<string, string>>,
  { brand, origin }: Wording,
): { subject: string; text: string } {
  const filled = (words: string): string => words.replaceAll('{brand}', brand).replaceAll('{origin}', origin);
  const { subject, text } = NOTICES[template];
  const lines = Object.entries(facts).map(([name, fact]) => `${labelOf(name)}: ${oneLine(fact)}`);
  const paragraphs = [filled(text), ...(lines.length > 0 ? [lines.join('\n')] : []), brand];
  return { subject: `${brand}: ${filled(subject)}`, text: `${paragraphs.join('\n\n')}\n` };
}

/** `valid_until` as “Valid until”. */
function labelOf(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A fact may come from a person; it cannot look like a further line of ours. */
function oneLine(fact: string): string {
  return fact.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
