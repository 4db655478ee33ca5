import type { Transaction } from '../../domain/db/transaction.ts';

/** How a number is written, of the row `c` of invoice_counter that it is taken from. */
export const NUMBER_SQL = `c.series || '-' || c.year || '-' || lpad(c.last::text, greatest(6, length(c.last::text)), '0')`;

/**
 * The next number of the year. Whoever takes one keeps the others waiting until the document is there, and gives it back where it is not:
 * so it comes as late in a transaction as it can.
 */
export async function nextNumber(tx: Transaction, series: 'INV' | 'RCT' | 'CRN' | 'DBN', now: Date): Promise<string> {
  const year = now.getUTCFullYear();
  const { rows } = await tx.query<{ number: string }>(
    `insert into invoice_counter as c (series, year, last) values ($1, $2, 1)
     on conflict (series, year) do update set last = c.last + 1 returning ${NUMBER_SQL} as number`,
    [series, year],
  );
  if (rows[0] === undefined) throw new Error(`The series ${series} of ${year} gave no number.`);
  return rows[0].number;
}
