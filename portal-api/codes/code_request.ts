import type { Queryable } from '../../domain/db/transaction.ts';
import { soleCallingCode } from '../../domain/numbers/calling_codes.ts';
import { parseDialled } from '../../domain/numbers/dialled.ts';
import type { PortalContext } from '../context.ts';
import { inetOf } from './issue_code.ts';

/** Who asks for a code, to where. */
export interface CodeRequest {
  purpose: string;
  /** An address for mail, or +E.164. */
  target: string;
  address: string | null;
}

export type RequestOutcome =
  { outcome: 'sent'; code_id: string } | { outcome: 'too_many' | 'number_refused'; code_id: null };

/** Keeps that a code was asked for, as much of it as shows a pattern: the beginning of the number, the network of whoever asks. */
export async function recordCodeRequest(
  db: Queryable,
  now: Date,
  { purpose, target, address }: CodeRequest,
  { outcome, code_id }: RequestOutcome,
): Promise<void> {
  await db.query(
    `insert into code_request (at, purpose, channel, prefix, network, outcome, code_id)
     values ($1, $2, $3, $4, network(set_masklen($5::inet, case family($5::inet) when 4 then 24 else 56 end)), $6, $7)`,
    [now, purpose, target.includes('@') ? 'email' : 'phone', prefixOf(target), inetOf(address), outcome, code_id],
  );
}

/**
 * The same of one that is refused, beside the transaction that is given up therefore. Nobody waits for it: whoever refuses holds a
 * connection, and a crowd that is refused would wait for another one each.
 */
export function recordRefusedRequest(
  { pool, log }: Pick<PortalContext, 'pool' | 'log'>,
  now: Date,
  request: CodeRequest,
  outcome: 'too_many' | 'number_refused',
): void {
  recordCodeRequest(pool, now, request, { outcome, code_id: null }).catch((error: unknown) =>
    log.warn({ err: error }, 'that a code was asked for was not written down'),
  );
}

/** A number as somebody typed it, as far as it can be read as one; else as it is. */
export function typedNumber(typed: string, home_country: string): string {
  const dialled = parseDialled(typed, home_country);
  return dialled.kind === 'e164' ? dialled.number : typed;
}

const DIGITS_AFTER_CODE = 3;

/** The calling code and three digits: the network of a mobile number, the town of a fixed one. */
function prefixOf(target: string): string | null {
  const [, digits] = /^\+([1-9]\d{5,14})$/u.exec(target) ?? [];
  if (digits === undefined) return null;
  // Codes that several countries share have one digit in America and Russia, else two or more.
  const code = soleCallingCode(digits)?.code ?? digits.slice(0, /^[17]/u.test(digits) ? 1 : 2);
  return `+${digits.slice(0, code.length + DIGITS_AFTER_CODE)}`;
}
