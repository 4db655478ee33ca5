import type { Queryable } from '../../db/transaction.ts';
import { parseE164 } from '../../numbers/e164.ts';
import type { E164 } from '../../numbers/e164.ts';

/** What routing goes by for each of these numbers, in their order; null for one that was not ported. */
export async function selectRoutingNumbers(db: Queryable, numbers: readonly E164[]): Promise<(E164 | null)[]> {
  const { rows } = await db.query<{ number: string; routing_number: string }>({
    name: 'routing_numbers',
    text: 'select number, routing_number from ported_number where number = any($1::text[])',
    values: [numbers],
  });
  const ported = new Map(rows.map(({ number, routing_number }) => [number, routing_number]));
  return numbers.map((number) => {
    const routing_number = ported.get(number);
    return routing_number === undefined ? null : parseE164(routing_number);
  });
}

export async function anyNumberIsPorted(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ is_any: boolean }>({
    name: 'any_number_is_ported',
    text: 'select exists (select 1 from ported_number) as is_any',
  });
  return rows[0]?.is_any === true;
}
