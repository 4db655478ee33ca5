declare const e164Brand: unique symbol;

/** A number in full international form, `+` and 4 to 15 digits of which the first is not 0 (ITU-T E.164). */
export type E164 = string & { readonly [e164Brand]: true };

const SHAPE = /^\+[1-9]\d{3,14}$/;

/** The text as an E.164 number if it has that exact shape, else null. Says nothing about whether the number exists. */
export function parseE164(text: string): E164 | null {
  return isE164(text) ? text : null;
}

function isE164(text: string): text is E164 {
  return SHAPE.test(text);
}
