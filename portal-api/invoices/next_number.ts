import type { Transaction } from '../../domain/db/transaction.ts';

/**
 * The next number of the year. Whoever takes one keeps the others waiting until the document is there, and gives it back where it is not:
 * so it comes as late in a transaction as it can.
 */
export async function nextNumber(tx: Transaction, series: 'INV' | 'RCT' | 'CRN' | 'DBN', now: Date): Promise<string> {
  const year = now.getUTCFullYear();
  const { rows } = await tx.query<{ last: number }>(
    `insert into invoice_counter as c (series, year, last) values ($1, $2, 1)
     on conflict (series, year) do update set last = c.last + 1 returning last`,
    [series, year],
  );
  return `${series}-${year}-${String(rows[0]?.last).padStart(6, '0')}`;
}
