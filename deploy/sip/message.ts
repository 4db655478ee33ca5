export interface Header {
  /** The canonical lower-case long name: compact forms are expanded by the parser. */
  name: string;
  value: string;
}

export interface SipRequest {
  kind: 'request';
  method: string;
  uri: string;
  headers: Header[];
  body: string;
}

export interface SipResponse {
  kind: 'response';
  status: number;
  reason: string;
  headers: Header[];
  body: string;
}

export type SipMessage = SipRequest | SipResponse;

/** `keep_alive` is the bare CRLF of RFC 5626 4.4.1. */
export type Parsed =
  { kind: 'message'; message: SipMessage } | { kind: 'keep_alive' } | { kind: 'malformed'; reason: string };

/** The compact forms of RFC 3261 7.3.3 and the registry that followed it. */
const LONG_NAMES: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/i;
const REQUEST_LINE = /^([A-Za-z0-9\-.!%*_+`'~]+) (\S+) SIP\/2\.0$/i;
const MANDATORY = ['via', 'from', 'to', 'call-id', 'cseq'];
const HEADERS_MAX = 500;

type HeaderSection = { kind: 'headers'; headers: Header[] } | { kind: 'malformed'; reason: string };

/** Reads one datagram. Never throws: garbage is a value. */
export function parseMessage(bytes: Buffer): Parsed {
  if (/^[\r\n\0]*$/.test(bytes.subarray(0, 16).toString('latin1')) && bytes.length <= 16) return { kind: 'keep_alive' };
  const text = bytes.toString('utf8').replace(/^[\r\n]+/, '');
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) return { kind: 'malformed', reason: 'no empty line ends the headers' };
  const lines = text.slice(0, end.index).split(/\r?\n/);
  const section = parseHeaders(lines.slice(1));
  if (section.kind === 'malformed') return section;
  const { headers } = section;
  const missing = MANDATORY.find((name) => !headers.some((header) => header.name === name));
  if (missing !== undefined) return { kind: 'malformed', reason: `the ${missing} header is missing` };
  const body = cutBody(headers, text.slice(end.index + end[0].length));
  if (body === undefined) return { kind: 'malformed', reason: 'Content-Length does not fit the body' };
  return withStartLine(lines[0] ?? '', headers, body);
}

function withStartLine(line: string, headers: Header[], body: string): Parsed {
  const cseq = /^(\d{1,10})\s+(\S+)$/.exec(headers.find((header) => header.name === 'cseq')?.value ?? '');
  if (cseq === null || Number(cseq[1]) >= 2 ** 31)
    return { kind: 'malformed', reason: 'CSeq is not a number and a method' };
  const status = STATUS_LINE.exec(line);
  if (status !== null) {
    const message: SipResponse = {
      kind: 'response',
      status: Number(status[1]),
      reason: status[2] ?? '',
      headers,
      body,
    };
    return { kind: 'message', message };
  }
  const request = REQUEST_LINE.exec(line);
  if (request === null) return { kind: 'malformed', reason: 'the first line is neither a request nor a status line' };
  const [, method = '', uri = ''] = request;
  if (cseq[2] !== method) return { kind: 'malformed', reason: 'the method of CSeq is not that of the request' };
  return { kind: 'message', message: { kind: 'request', method, uri, headers, body } };
}

function parseHeaders(lines: string[]): HeaderSection {
  const headers: Header[] = [];
  for (const line of lines) {
    const previous = headers.at(-1);
    if (/^[ \t]/.test(line)) {
      if (previous === undefined) return { kind: 'malformed', reason: 'a folded line follows no header' };
      previous.value = `${previous.value} ${line.trim()}`.trim();
      continue;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    if (!TOKEN.test(name)) return { kind: 'malformed', reason: 'a header line has no name' };
    headers.push({ name: LONG_NAMES[name] ?? name, value: line.slice(colon + 1).trim() });
    if (headers.length > HEADERS_MAX) return { kind: 'malformed', reason: 'there are too many headers' };
  }
  return { kind: 'headers', headers };
}

/** Bytes beyond Content-Length are dropped (RFC 3261 18.3); a body shorter than announced was truncated. */
function cutBody(headers: Header[], rest: string): string | undefined {
  const announced = headers.find((header) => header.name === 'content-length')?.value;
  if (announced === undefined) return rest;
  if (!/^\d{1,7}$/.test(announced)) return undefined;
  const bytes = Buffer.from(rest, 'utf8');
  if (Number(announced) > bytes.length) return undefined;
  return bytes.subarray(0, Number(announced)).toString('utf8');
}

const DISPLAY_NAMES: Readonly<Record<string, string>> = {
  'call-id': 'Call-ID',
  cseq: 'CSeq',
  'www-authenticate': 'WWW-Authenticate',
};

function displayName(name: string): string {
  return (
    DISPLAY_NAMES[name] ??
    name.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase())
  );
}

/** Writes a message; Content-Length is always computed from the body. */
export function formatMessage(message: SipMessage): Buffer {
  const first =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`;
  const headers = message.headers.filter((header) => header.name !== 'content-length');
  const lines = headers.map((header) => `${displayName(header.name)}: ${header.value}`);
  const length = `Content-Length: ${Buffer.byteLength(message.body)}`;
  return Buffer.from([first, ...lines, length, '', message.body].join('\r\n'));
}

/** The first value of a header, or undefined. `name` in lower case. */
export function headerOf(message: SipMessage, name: string): string | undefined {
  return message.headers.find((header) => header.name === name)?.value;
}

/** A header the parser guarantees (Via, From, To, Call-ID, CSeq). */
export function mandatoryHeader(message: SipMessage, name: string): string {
  const value = headerOf(message, name);
  if (value === undefined) throw new Error(`A message without ${name} passed the parser or was built by us.`);
  return value;
}

/** All values of a header, lines and comma-separated lists alike, in their order on the wire. */
export function headerList(message: SipMessage, name: string): string[] {
  return message.headers.filter((header) => header.name === name).flatMap((header) => splitList(header.value));
}

/** Splits at the commas outside of quotes and angle brackets. */
export function splitList(value: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  let bracketed = false;
  for (let at = 0; at < value.length; at += 1) {
    const letter = value.charAt(at);
    if (quoted && letter === '\\') {
      part += letter + value.charAt(at + 1);
      at += 1;
      continue;
    }
    if (letter === '"') quoted = !quoted;
    else if (!quoted && letter === '<') bracketed = true;
    else if (!quoted && letter === '>') bracketed = false;
    if (letter === ',' && !quoted && !bracketed) {
      parts.push(part.trim());
      part = '';
    } else part += letter;
  }
  parts.push(part.trim());
  return parts.filter((each) => each !== '');
}

export interface CSeq {
  number: number;
  method: string;
}

export function cseqOf(message: SipMessage): CSeq {
  const [number = '', method = ''] = mandatoryHeader(message, 'cseq').split(/\s+/);
  return { number: Number(number), method };
}
