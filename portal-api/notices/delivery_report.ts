/** What became of a mail to one address, as a server told it later (RFC 3464). */
export interface FailedRecipient {
  /** As the report names it, and as the mail did where it was forwarded. */
  addresses: string[];
  status: string | null;
  smtp_code: number | null;
  /** What the server said; empty where the report does not tell. */
  words: string;
}

/** More are in no report about mails that each go to one address. */
const RECIPIENTS_MAX = 20;

/**
 * The recipients of a delivery report to whom the mail was not delivered for good. Of the report only the fields are read that stand in
 * groups with an empty line between them, wherever they are: what else a server writes around them differs from one to the next.
 */
export function failedRecipients(report: string): FailedRecipient[] {
  const groups = report.replaceAll('\r\n', '\n').split(/\n[ \t]*\n/u);
  return groups
    .map(fieldsOf)
    .filter((fields) => fields.get('action')?.toLowerCase() === 'failed')
    .flatMap((fields) => failedOf(fields) ?? [])
    .slice(0, RECIPIENTS_MAX);
}

function fieldsOf(group: string): Map<string, string> {
  const fields = new Map<string, string>();
  // A line that begins with white space goes on with the one before.
  for (const line of group.replaceAll(/\n[ \t]+/gu, ' ').split('\n')) {
    const [, name, value] = /^([A-Za-z-]{1,60}):[ \t]*(\S.{0,1000})$/u.exec(line) ?? [];
    if (name !== undefined && value !== undefined) fields.set(name.toLowerCase(), value.trim());
  }
  return fields;
}

function failedOf(fields: ReadonlyMap<string, string>): FailedRecipient | null {
  const addresses = ['original-recipient', 'final-recipient'].flatMap((name) => addressOf(fields.get(name)) ?? []);
  if (addresses.length === 0) return null;
  const [, status = null] = /^([45]\.\d{1,3}\.\d{1,3})(?:\s|$)/u.exec(fields.get('status') ?? '') ?? [];
  const words = fields.get('diagnostic-code') ?? '';
  const [, code] = /^smtp\s*;\s*([45]\d\d)\b/iu.exec(words) ?? [];
  return { addresses: [...new Set(addresses)], status, smtp_code: code === undefined ? null : Number(code), words };
}

/** `rfc822; ada@example.org` */
function addressOf(field: string | undefined): string | null {
  const [, address] = /^(?:rfc822|utf-8)\s*;\s*<?([^\s<>]{3,254})>?$/iu.exec(field ?? '') ?? [];
  return address === undefined || !address.includes('@') ? null : address;
}
