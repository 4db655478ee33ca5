import type { Queryable } from '../../../domain/db/transaction.ts';
import type { Micros } from '../../../domain/money/micros.ts';
import type { ChargedPeriod } from './holding_rows.ts';

export interface RefundDue {
  net_micros: Micros;
  tax_micros: Micros;
}

export const NOTHING: RefundDue = { net_micros: 0n, tax_micros: 0n };

const least = (one: Micros, other: Micros): Micros => (one < other ? one : other);

export const lesser = (one: RefundDue, other: RefundDue): RefundDue => ({
  net_micros: least(one.net_micros, other.net_micros),
  tax_micros: least(one.tax_micros, other.tax_micros),
});

/** What of a charge was not given back yet. */
export async function leftOfCharge(db: Queryable, { charge_kind, charge_ref }: ChargedPeriod): Promise<RefundDue> {
  const { rows } = await db.query<{ net_micros: string; tax_micros: string }>(
    `select (c.content ->> 'net_micros')::bigint - coalesce(sum((g.content ->> 'net_micros')::bigint), 0) as net_micros,
            (c.content ->> 'tax_micros')::bigint - coalesce(sum((g.content ->> 'tax_micros')::bigint), 0) as tax_micros
       from ledger_tx c
       left join ledger_tx g on g.kind = 'credit_note' and g.content ->> 'charge_ref' = c.ref::text and g.content ->> 'charge_kind' = c.kind
      where c.kind = $1 and c.ref = $2 group by c.id`,
    [charge_kind, charge_ref],
  );
  const [row] = rows;
  return row === undefined ? NOTHING : { net_micros: BigInt(row.net_micros), tax_micros: BigInt(row.tax_micros) };
}
