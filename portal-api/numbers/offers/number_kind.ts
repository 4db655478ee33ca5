import type { Queryable } from '../../../domain/db/transaction.ts';
import type { NumberType } from './offer_rows.ts';

/** What decides which documents a number's holder needs; throws for a number that is not in the inventory. */
export async function numberKind(db: Queryable, number: string): Promise<{ country: string; number_type: NumberType }> {
  const { rows } = await db.query<{ country: string; number_type: NumberType }>(
    'select country, number_type from number_offer where number = $1',
    [number],
  );
  if (rows[0] === undefined) throw new Error(`${number} is held or ordered, and is not in the inventory.`);
  return rows[0];
}
