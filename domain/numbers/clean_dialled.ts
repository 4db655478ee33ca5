/** Far above any number with its separators; what is longer is not a number and is not looked at. */
const LENGTH_MAX = 80;
const SEPARATORS = /[\s\-./()\u2010-\u2015\u2212\u00a0]/g;
/** As a service (RFC 5031), and as the name at which phones call for help where a number has to stand. */
const SOS = /^(?:sips?:)?(?:urn:service:)?sos(?:[.@;]|$)/i;
const URI = /^(?:tel|sips?):/i;

/** An optional `+` and digits, of what a phone sent as the number dialled; null where it is something else. */
export type Cleaned =
  | { kind: 'digits'; digits: string }
  | { kind: 'sos' }
  | { kind: 'invalid'; reason: 'empty' | 'too_long' | 'not_a_number' };

/**
 * Strips from a dialled number what phones and people put around it: separators, `tel:` and `sip:` URIs with their
 * parameters (RFC 3966, RFC 3261), a `phone-context`, percent escapes, digits of other scripts. `urn:service:sos` and
 * `sos` are calls for help.
 */
export function cleanDialled(dialled: string): Cleaned {
  if (dialled.length > LENGTH_MAX) return { kind: 'invalid', reason: 'too_long' };
  const text = dialled.trim();
  if (SOS.test(text)) return { kind: 'sos' };
  const digits = asciiDigits(URI.test(text) ? userPart(text) : text).replace(SEPARATORS, '');
  if (digits === '' || digits === '+') return { kind: 'invalid', reason: 'empty' };
  return /^\+?\d+$/.test(digits) ? { kind: 'digits', digits } : { kind: 'invalid', reason: 'not_a_number' };
}

/** The number in a URI. A `phone-context=+44` in it is the beginning of a number that is given without it. */
function userPart(uri: string): string {
  const [user = ''] = uri.replace(URI, '').split('@');
  const [number = '', ...parameters] = percentDecoded(user).split(';');
  const context = parameters.map((parameter) => /^phone-context=(\+[\d\-.]+)$/i.exec(parameter)?.[1]).find(Boolean);
  return context !== undefined && !number.startsWith('+') ? context + number : number;
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Arabic-Indic, Persian and fullwidth digits, and the fullwidth plus, as some keyboards type them. */
function asciiDigits(text: string): string {
  return text
    .replace(/[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]/g, (digit) => String(digit.charCodeAt(0) % 16))
    .replace('\uff0b', '+');
}
