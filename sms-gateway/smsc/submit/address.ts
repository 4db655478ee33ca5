import { parseDialled } from '../../../domain/numbers/dialled.ts';
import { TON } from '../../smpp/field_value.ts';

/** A number without a type that is longer than any short code is international: that is how ESMEs write them. */
const SHORT_CODE_DIGITS_MAX = 8;

/**
 * The sender as we write it: +E.164, a short code or a name. What is none of these comes back as it was, to be refused with
 * the rest of what may not send. @param ton SMPP 3.4 section 5.2.5
 */
export function readSender(address: string, ton: number, home_country: string): string {
  const plain = address.trim();
  if (ton === TON.alphanumeric || !/^\+?[0-9]+$/u.test(plain)) return plain;
  if (ton === TON.international || plain.startsWith('+')) return internationalOf(plain);
  if (ton === TON.national) return nationalOf(plain, home_country) ?? plain;
  return plain.length <= SHORT_CODE_DIGITS_MAX ? plain : withoutType(plain, home_country);
}

/** The recipient as +E.164; what is none comes back as it was. */
export function readRecipient(address: string, ton: number, home_country: string): string {
  const plain = address.trim();
  if (ton === TON.alphanumeric || !/^\+?[0-9]+$/u.test(plain)) return plain;
  if (ton === TON.international || plain.startsWith('+')) return internationalOf(plain);
  if (ton === TON.national) return nationalOf(plain, home_country) ?? plain;
  return withoutType(plain, home_country);
}

/** No international number begins with 0, so one that does is dialled as at home. */
function withoutType(digits: string, home_country: string): string {
  if (digits.startsWith('00')) return internationalOf(digits);
  return digits.startsWith('0') ? (nationalOf(digits, home_country) ?? digits) : `+${digits}`;
}

function internationalOf(digits: string): string {
  return `+${digits.replace(/^(?:\+|00)/u, '')}`;
}

function nationalOf(digits: string, home_country: string): string | null {
  const dialled = parseDialled(digits, home_country);
  return dialled.kind === 'e164' ? dialled.number : null;
}
