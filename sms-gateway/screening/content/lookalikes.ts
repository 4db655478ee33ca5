/**
 * Letters of Greek and Cyrillic by the Latin letter that they can be taken for, as capitals where these are alike and as small
 * letters where only those are (after the confusables of Unicode TR 39, the everyday part of them). Each letter stands for one
 * Latin letter whatever its case, so that a rule in Greek or Cyrillic stays one that ignores case: both sides are folded alike.
 */
const BY_LATIN: Readonly<Record<string, string>> = {
  a: 'αа',
  b: 'βв',
  c: 'с',
  d: 'ԁ',
  e: 'εеё',
  g: 'ɡ',
  h: 'ηнһ',
  i: 'ιіıї',
  j: 'ϳј',
  k: 'κк',
  l: 'ӏ',
  m: 'μм',
  n: 'ν',
  o: 'οо',
  p: 'ρр',
  q: 'ԛ',
  s: 'ѕ',
  t: 'τт',
  v: 'ѵ',
  w: 'ԝ',
  x: 'χх',
  y: 'υуү',
  z: 'ζ',
};

/** Two ways of writing one letter, and the full stop of East Asia, which a browser takes for the dot of a host. */
const ALIKE: Readonly<Record<string, string>> = { ß: 'ss', ς: 'σ', '。': '.' };

/** What a character is folded to, after it was made lower-case. */
export const LOOKALIKES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(ALIKE),
  ...Object.entries(BY_LATIN).flatMap(([latin, others]) =>
    others.split('').map((one): [string, string] => [one, latin]),
  ),
]);
