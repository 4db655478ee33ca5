import { foldText } from './fold_text.ts';

/** Digits and letters that a phone's font hardly tells apart; what only separates is left out. */
const ALIKE: Readonly<Record<string, string>> = { '0': 'o', '1': 'l', i: 'l', '5': 's' };

/**
 * What a sender looks like: `PayPaI`, `PAYPA1` and `Pay Pal` are one. A rule for `MALL` finds `MAIL` as well. A number is only
 * its digits.
 */
export function senderSkeleton(sender: string): string {
  const folded = foldText(sender).replace(/[^\p{L}\p{N}]/gu, '');
  return /^[0-9]+$/u.test(folded) ? folded : folded.replace(/[01i5]/gu, (one) => ALIKE[one] ?? one);
}
