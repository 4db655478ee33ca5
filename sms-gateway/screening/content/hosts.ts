import { isInWord } from './tokens.ts';

/** A host that a text names, and whether a phone would surely make a link of it. */
export interface NamedHost {
  host: string;
  is_link: boolean;
}

const DOT = 46;
const HYPHEN = 45;
const UNDERSCORE = 95;
const NUMERIC = /^[0-9]+$/u;

/**
 * Without a scheme or a path behind it, `sure.thing` may be two sentences, so a bare name is a link by one of these endings
 * alone.
 */
const USUAL_ENDINGS = new Set(
  (
    'com net org info biz io co app dev xyz top shop online site store club link click live vip cc tv ly gl gd gg ' +
    'me eu uk de fr nl es pl pt ch ru ua cn in br mx ca au us page web bid win loan work icu buzz'
  ).split(' '),
);

/** Whether the text has something that is a link whatever its host looks like: numbers of IP, or a name without a dot. */
export function hasScheme(folded: string): boolean {
  return folded.includes('://');
}

/** The hosts that a folded text names, shorteners among them. Of `a@b.example` it is b.example, and no link. */
export function hostsOf(folded: string): NamedHost[] {
  const hosts: NamedHost[] = [];
  let end = 0;
  for (let dot = folded.indexOf('.'); dot >= 0; dot = folded.indexOf('.', end)) {
    let begin = dot;
    while (begin > end && isOfHost(folded.charCodeAt(begin - 1))) begin -= 1;
    end = dot + 1;
    while (end < folded.length && isOfHost(folded.charCodeAt(end))) end += 1;
    const host = trimmed(folded.slice(begin, end));
    if (isHost(host)) hosts.push({ host, is_link: isLink(host, folded, begin, end) });
  }
  return hosts;
}

function isOfHost(unit: number): boolean {
  return unit === DOT || unit === HYPHEN || unit === UNDERSCORE || isInWord(unit);
}

function trimmed(run: string): string {
  let begin = 0;
  let end = run.length;
  while (begin < end && !isInWord(run.charCodeAt(begin))) begin += 1;
  while (end > begin && !isInWord(run.charCodeAt(end - 1))) end -= 1;
  return run.slice(begin, end);
}

/** Two labels or more, none of them empty, and no plain number such as 12.50 or 1.2.3. */
function isHost(host: string): boolean {
  if (!host.includes('.') || host.includes('..') || host.length > 253) return false;
  const labels = host.split('.');
  return !NUMERIC.test(labels.at(-1) ?? '') || (labels.length === 4 && labels.every((label) => NUMERIC.test(label)));
}

function isLink(host: string, folded: string, begin: number, end: number): boolean {
  if (folded.startsWith('://', begin - 3)) return true;
  if (folded[begin - 1] === '@') return false;
  // A dot at the end belongs to the sentence.
  const behind = folded[end - 1] === '.' ? '' : (folded[end] ?? '');
  if (host.startsWith('www.') || behind === '/') return true;
  return USUAL_ENDINGS.has(host.slice(host.lastIndexOf('.') + 1));
}
