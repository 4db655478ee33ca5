/**
 * Why a mail came back:
 * - `no_mailbox`: nobody is there, or the domain takes no mail at all;
 * - `full`: there is no room;
 * - `policy`: the server takes none of this kind, or none from us: that is about us, and says nothing about who it was for;
 * - `other`: for good, and for none of these reasons.
 */
export const BOUNCE_CLASSES = ['no_mailbox', 'full', 'policy', 'other'] as const;
export type BounceClass = (typeof BOUNCE_CLASSES)[number];

/** At which step: when it was said who it is for, with the mail itself, or in a report that came later. */
export type BouncedAt = 'recipient' | 'content' | 'report';

/** The enhanced code (RFC 3463) at the beginning of a server's answer. */
export function enhancedStatus(answer: string): string | null {
  return /^\d{3}[ -](?<status>[45]\.\d{1,3}\.\d{1,3})\b/u.exec(answer)?.groups?.['status'] ?? null;
}

const POLICY_WORDS = /\b(?:block(?:ed|ing|list(?:ed)?)|black-?list(?:ed)?|spam|policy)\b/iu;

/**
 * By RFC 3463 and RFC 5321, 4.2.3; and by where it was said and in which words, as servers without enhanced codes say 550 for everything.
 * An address in the words may itself look like one of ours.
 */
export function bounceClass(
  smtp_code: number | null,
  status: string | null,
  at: BouncedAt,
  words: string,
): BounceClass {
  const [subject, detail] = (status ?? '').split('.').slice(1).map(Number);
  switch (subject) {
    case 1:
      // 7 and 8 are about the sender's address.
      return detail === 7 || detail === 8 ? 'policy' : 'no_mailbox';
    case 2:
      return detail === 2 ? 'full' : detail === 1 ? 'no_mailbox' : 'other';
    case 4:
      // No host by that name, or none that takes mail for it.
      return detail === 1 || detail === 4 ? 'no_mailbox' : 'other';
    case 6:
    case 7:
      return 'policy';
    case undefined:
      break;
    default:
      return at === 'content' ? 'policy' : 'other';
  }
  if (smtp_code === 552) return 'full';
  if (smtp_code === 554 || at === 'content') return 'policy';
  if (POLICY_WORDS.test(words.replaceAll(/\S*@\S*/gu, ''))) return 'policy';
  return smtp_code === 550 || smtp_code === 551 || smtp_code === 553 ? 'no_mailbox' : 'other';
}
