/** What is left to be seen of personal data, so that a person knows which it is without knowing it. */

const HIDDEN = '•••';

/** `a•••@e•••.org` */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  const dot = email.lastIndexOf('.');
  if (at < 1 || dot < at) return HIDDEN;
  return `${firstOf(email)}${HIDDEN}@${firstOf(email.slice(at + 1))}${HIDDEN}${email.slice(dot)}`;
}

/** `+4930•••67`: its country and network, and two digits to tell it from another. */
export function maskPhone(number: string): string {
  return number.length < 9 ? HIDDEN : `${number.slice(0, 5)}${HIDDEN}${number.slice(-2)}`;
}

/** `A••• E•••` */
export function maskName(name: string): string {
  return name
    .split(/\s+/u)
    .filter((word) => word !== '')
    .slice(0, 4)
    .map((word) => `${firstOf(word)}${HIDDEN}`)
    .join(' ');
}

/** A pair of surrogates is one letter. */
const firstOf = (text: string): string => /^./su.exec(text)?.[0] ?? '';
