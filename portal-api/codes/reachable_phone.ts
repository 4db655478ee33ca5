import type { Queryable } from '../../domain/db/transaction.ts';
import { numberType } from '../../domain/numbers/describe_number.ts';
import { parseDialled } from '../../domain/numbers/dialled.ts';
import type { E164 } from '../../domain/numbers/e164.ts';

/**
 * - `not_a_number`: it cannot be read as a number of that country, nor with a calling code;
 * - `kind`: a number whose calls cost the caller extra, or that belongs to no person;
 * - `ours`: one of our own, which proves nothing about anybody;
 * - `blocked`: one of those that the operator has no codes sent to.
 */
export type PhoneAnswer = { kind: 'reachable'; number: E164 } | { kind: 'refused'; why: PhoneRefusal };

export type PhoneRefusal = 'not_a_number' | 'kind' | 'ours' | 'blocked';

const REFUSED_KINDS: ReadonlySet<string> = new Set(['premium', 'shared_cost', 'toll_free']);

/** Whether codes may be sent to what somebody typed as their number. */
export async function reachablePhone(db: Queryable, typed: string, home_country: string): Promise<PhoneAnswer> {
  const dialled = parseDialled(typed, home_country);
  if (dialled.kind !== 'e164') return { kind: 'refused', why: 'not_a_number' };
  if (REFUSED_KINDS.has(numberType(dialled.number))) return { kind: 'refused', why: 'kind' };
  const { rows } = await db.query<{ is_ours: boolean; is_blocked: boolean }>(
    `select exists (select 1 from did where number = $1) as is_ours,
            exists (select 1 from blocked_phone_prefix where prefix = any(select left($1, n) from generate_series(2, length($1)) n)) as is_blocked`,
    [dialled.number],
  );
  if (rows[0]?.is_ours === true) return { kind: 'refused', why: 'ours' };
  return rows[0]?.is_blocked === true
    ? { kind: 'refused', why: 'blocked' }
    : { kind: 'reachable', number: dialled.number };
}

export const PHONE_WORDS: Readonly<Record<PhoneRefusal, string>> = {
  not_a_number: 'is no phone number; write it with + and the country’s calling code',
  kind: 'is a premium, shared-cost or free number; give one of your own that takes texts',
  ours: 'is one of our own numbers; give one that you have elsewhere',
  blocked: 'is in a range that no codes are sent to; give another one, or write to our support',
};
