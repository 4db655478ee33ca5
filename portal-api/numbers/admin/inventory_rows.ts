import type { Queryable } from '../../../domain/db/transaction.ts';
import type { NumberType } from '../offers/offer_rows.ts';

/** A number as whoever keeps the inventory sees it. */
export interface InventoryRow {
  number: string;
  country: string;
  number_type: NumberType;
  provider: string;
  offered: boolean;
  state: 'free' | 'active' | 'suspended' | 'quarantined';
  /** Text, as what has left us is blocked for ever. */
  blocked_until: string | null;
}

export async function listInventory(
  db: Queryable,
  filter: { provider: string | null; state: string | null; after: string | null; rows_max: number },
): Promise<InventoryRow[]> {
  const { rows } = await db.query<InventoryRow>(
    `select o.number, o.country, o.number_type, o.provider, o.offered, d.state,
            (select to_char(max(h.blocked_until) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') from number_holding h
              where h.number = o.number and d.state = 'quarantined') as blocked_until
       from number_offer o join did d on d.number = o.number
      where ($1::text is null or o.provider = $1) and ($2::text is null or d.state = $2) and ($3::text is null or o.number > $3)
      order by o.number limit $4`,
    [filter.provider, filter.state, filter.after, filter.rows_max],
  );
  return rows;
}
