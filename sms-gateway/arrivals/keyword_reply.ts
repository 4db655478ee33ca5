import { createHash } from 'node:crypto';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { Arrival } from '../../domain/texts/arrivals.ts';
import { keywordReply } from '../../domain/texts/keywords/replies.ts';
import type { KeywordLanguage } from '../../domain/texts/keywords/words.ts';

/** What a text that is a keyword is answered with, and by which key the same answer is known again. */
export interface KeywordReply {
  sender: string;
  recipient: string;
  text: string;
  idempotency: { key: string; content_sha256: string };
}

/** The language that most people of a country read; where it is not said, English is answered. */
const LANGUAGES: Readonly<Record<string, KeywordLanguage>> = {
  ...{ DE: 'de', AT: 'de', LI: 'de', FR: 'fr', LU: 'fr', MC: 'fr', ES: 'es', MX: 'es', AR: 'es', CO: 'es', CL: 'es' },
  ...{ PE: 'es', PT: 'pt', BR: 'pt', IT: 'it', NL: 'nl', BE: 'nl', PL: 'pl', SE: 'sv', DK: 'da', NO: 'no', FI: 'fi' },
  ...{ CZ: 'cs', TR: 'tr', GR: 'el', CY: 'el', RU: 'ru', UA: 'uk', SA: 'ar', AE: 'ar', EG: 'ar', MA: 'ar', IL: 'he' },
  ...{ IN: 'hi', JP: 'ja', KR: 'ko', CN: 'zh', TW: 'zh', RO: 'ro', MD: 'ro', HU: 'hu' },
};

const HOUR_MS = 3_600_000;

/**
 * Null for a text that is no keyword, or whose sender is nobody who could be answered. Whoever sends the same word again
 * within the hour is not answered again: two machines would answer each other for ever.
 */
export function replyToKeyword(
  { sender, recipient, keyword }: Pick<Arrival, 'sender' | 'recipient' | 'keyword'>,
  brand: string,
  now_ms: number,
): KeywordReply | null {
  if (keyword === null || !sender.startsWith('+')) return null;
  const country = parsePhoneNumberFromString(sender, { extract: false })?.country;
  const text = keywordReply(keyword, LANGUAGES[country ?? ''] ?? 'en', brand);
  return {
    sender: recipient,
    recipient: sender,
    text,
    idempotency: {
      key: `keyword ${keyword} ${sender} ${recipient} ${Math.floor(now_ms / HOUR_MS)}`,
      content_sha256: createHash('sha256').update(text).digest('hex'),
    },
  };
}
