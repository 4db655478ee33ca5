/** The fields of a receipt's text, as they stand there; null where one is missing or empty. */
export interface ReceiptText {
  id: string | null;
  stat: string | null;
  err: string | null;
  done_date: string | null;
  /** Whether it begins with a field and tells a date: what a text that a person wrote hardly does. */
  looks_like_one: boolean;
}

const FIELD =
  /(?:^|[\s,;|"'])(id|sub|dlvrd|submit[\s_-]{0,2}date|done[\s_-]{0,2}date|stat(?:us)?|err(?:or)?|text)\s*[:=]/giu;

/**
 * Reads `id:I sub:S dlvrd:D submit date:D done date:D stat:S err:E text:...` (SMPP 3.4 appendix B), whose fields may come in
 * any order, any case, and be missing. Of a field that stands twice the first counts. What follows `text:` was written by
 * the sender of the message and is never read: it may well contain `id:` or `stat:`.
 */
export function readReceiptText(text: string): ReceiptText {
  const fields = new Map<string, string>();
  let open: { name: string; from: number } | null = null;
  let begins_with_field = false;
  const close = (to: number): void => {
    if (open !== null && !fields.has(open.name)) fields.set(open.name, text.slice(open.from, to));
    open = null;
  };
  for (const match of text.matchAll(FIELD)) {
    close(match.index);
    const name = fieldName(match[1] ?? '');
    if (fields.size === 0) begins_with_field = text.slice(0, match.index).trim() === '';
    if (name === 'text') break;
    open = { name, from: match.index + match[0].length };
  }
  close(text.length);
  const id = token(fields.get('id'));
  return {
    id,
    stat: token(fields.get('stat')),
    err: token(fields.get('err')),
    done_date: fields.get('donedate')?.trim() ?? null,
    looks_like_one: begins_with_field && id !== null && (fields.has('donedate') || fields.has('submitdate')),
  };
}

function fieldName(written: string): string {
  const name = written.toLowerCase().replace(/[\s_-]/gu, '');
  if (name === 'status') return 'stat';
  return name === 'error' ? 'err' : name;
}

/** No id or word is longer, and a packet full of quotes shall not keep us busy. */
const TOKEN_CHARACTERS_MAX = 300;

/** The first word of a value, without quotes. Only printable ASCII is one: an id of anything else was never given. */
function token(value: string | undefined): string | null {
  const beginning = (value ?? '').trimStart().slice(0, TOKEN_CHARACTERS_MAX);
  const word = /^[\s"'[(]*([\x21-\x7e]+)/u.exec(beginning)?.[1]?.replace(/["',;|\])]+$/u, '') ?? '';
  return word === '' ? null : word;
}
