import { headerList, mandatoryHeader } from './message.ts';
import type { SipMessage } from './message.ts';

export interface SipUri {
  scheme: string;
  user: string | undefined;
  host: string;
  port: number | undefined;
  parameters: Map<string, string>;
}

export interface NameAddress {
  display_name: string;
  uri: string;
  parameters: Map<string, string>;
}

export interface Via {
  transport: string;
  host: string;
  port: number | undefined;
  parameters: Map<string, string>;
}

/** `;a=b;c="d"` → a: b, c: d; a parameter without a value maps to the empty text. */
export function parseParameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const match of text.matchAll(/;\s*([^\s;=]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;]*))?/g)) {
    parameters.set((match[1] ?? '').toLowerCase(), unquote((match[2] ?? '').trim()));
  }
  return parameters;
}

export function unquote(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replace(/\\(.)/g, '$1');
}

export function parseUri(text: string): SipUri | undefined {
  const match = /^(sips?|tel):(?:([^@;]*)@)?(\[[^\]]*\]|[^;:?]+)(?::(\d{1,5}))?([^?]*)(?:\?.*)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const scheme = (match[1] ?? '').toLowerCase();
  const host = match[3] ?? '';
  return {
    scheme,
    user: scheme === 'tel' ? host : decodeUser(match[2]),
    host,
    port: match[4] === undefined ? undefined : Number(match[4]),
    parameters: parseParameters(match[5] ?? ''),
  };
}

/** The user part without a password; escapes that are no valid UTF-8 are left as they are. */
function decodeUser(user: string | undefined): string | undefined {
  if (user === undefined) return undefined;
  const name = user.split(':')[0] ?? '';
  try {
    return decodeURIComponent(name);
  } catch (error) {
    if (error instanceof URIError) return name;
    throw error;
  }
}

/** The forms of From, To, Contact and Route: `"Name" <sip:…>;tag=…` and the bare `sip:…;tag=…`. */
export function parseNameAddress(text: string): NameAddress | undefined {
  const bracketed = /^\s*("(?:[^"\\]|\\.)*"|[^<"]*)\s*<([^>]*)>(.*)$/s.exec(text);
  if (bracketed !== null) {
    return {
      display_name: unquote((bracketed[1] ?? '').trim()),
      uri: (bracketed[2] ?? '').trim(),
      parameters: parseParameters(bracketed[3] ?? ''),
    };
  }
  const bare = /^\s*([A-Za-z]+:[^\s;]+)(.*)$/s.exec(text);
  if (bare === null) return undefined;
  return { display_name: '', uri: bare[1] ?? '', parameters: parseParameters(bare[2] ?? '') };
}

export function parseVia(text: string): Via | undefined {
  const match = /^SIP\s*\/\s*2\.0\s*\/\s*(\S+)\s+(\[[^\]]*\]|[^\s;:]+)\s*(?::\s*(\d{1,5}))?\s*(;.*)?$/i.exec(text);
  if (match === null) return undefined;
  return {
    transport: (match[1] ?? '').toUpperCase(),
    host: match[2] ?? '',
    port: match[3] === undefined ? undefined : Number(match[3]),
    parameters: parseParameters(match[4] ?? ''),
  };
}

export function topVia(message: SipMessage): Via | undefined {
  const first = headerList(message, 'via')[0];
  return first === undefined ? undefined : parseVia(first);
}

/** The tag of From or To, empty where there is none. */
export function tagOf(message: SipMessage, header: 'from' | 'to'): string {
  return parseNameAddress(mandatoryHeader(message, header))?.parameters.get('tag') ?? '';
}

export interface Reason {
  protocol: string;
  cause: number | undefined;
  text: string;
}

/** The Reason header of RFC 3326; the Q.850 one where several are given. */
export function reasonOf(message: SipMessage): Reason | undefined {
  const reasons = headerList(message, 'reason').map((value) => {
    const parameters = parseParameters(value.slice(Math.max(value.indexOf(';'), 0)));
    const cause = Number(parameters.get('cause') ?? Number.NaN);
    const protocol = (value.split(';')[0] ?? '').trim();
    return { protocol, cause: Number.isInteger(cause) ? cause : undefined, text: parameters.get('text') ?? '' };
  });
  return reasons.find((reason) => reason.protocol.toUpperCase() === 'Q.850') ?? reasons[0];
}
