const HIDDEN = '•';
const MAIL = /[^\s@<>"']{1,64}@[^\s@<>"']{0,190}[\p{L}\p{N}]/gu;
const DIGIT = /\p{Nd}/gu;

/**
 * What a text says, as far as whoever decides about it has to read: its words and links. Digits are hidden, as codes, amounts and
 * numbers are told by them, and so are addresses of mail.
 */
export function maskText(text: string): string {
  return text.replaceAll(MAIL, `${HIDDEN.repeat(3)}@${HIDDEN.repeat(3)}`).replaceAll(DIGIT, HIDDEN);
}
