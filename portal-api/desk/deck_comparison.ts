import type { Queryable } from '../../domain/db/transaction.ts';
import type { DeckRow } from './deck_rows.ts';

/** What the two kinds of decks are compared by. Names out of here stand in the text of statements. */
const TABLES = {
  calls: {
    table: 'rate',
    price: 'rate_micros_per_minute',
    terms: [
      ...['connect_fee_micros', 'minimum_seconds', 'initial_increment_seconds', 'subsequent_increment_seconds'],
      ...['grace_seconds', 'free_seconds'],
    ],
  },
  texts: { table: 'text_rate', price: 'rate_micros_per_segment', terms: [] },
} as const;

export interface Difference {
  kind: 'added' | 'removed' | 'changed';
  prefix: string;
  /** Null: since ever. */
  effective_from: string | null;
  destination: string;
  before_micros: string | null;
  after_micros: string | null;
  /** With two decimals; null where there was no price to be a part of. */
  change_percent: string | null;
  sort_from: string;
}

/** Rows of `new_id` that are not alike in `old_id`, and the other way round. */
function differing({ service }: Pick<DeckRow, 'service'>): string {
  const { table, price, terms } = TABLES[service];
  const alike = ['destination', 'effective_to', price, ...terms];
  const of = (side: string): string => alike.map((column) => `${side}.${column}`).join(', ');
  return `(select * from ${table} where deck_id = $1) n full join (select * from ${table} where deck_id = $2) o
            on n.prefix = o.prefix and n.effective_from = o.effective_from
          where (n.prefix is null or o.prefix is null or (${of('n')}) is distinct from (${of('o')}))`;
}

export async function countDifferences(
  db: Queryable,
  deck: DeckRow,
  old_id: number | null,
): Promise<{ added: number; removed: number; changed: number }> {
  const { rows } = await db.query<{ added: number; removed: number; changed: number }>(
    `select count(*) filter (where o.prefix is null)::integer as added, count(*) filter (where n.prefix is null)::integer as removed,
            count(*) filter (where n.prefix = o.prefix)::integer as changed from ${differing(deck)}`,
    [deck.deck_id, old_id],
  );
  return rows[0] ?? { added: 0, removed: 0, changed: 0 };
}

export async function listDifferences(
  db: Queryable,
  deck: DeckRow,
  old_id: number | null,
  { after, limit }: { after: readonly [string, string] | null; limit: number },
): Promise<Difference[]> {
  const { price } = TABLES[deck.service];
  const { rows } = await db.query<Difference>(
    `select case when o.prefix is null then 'added' when n.prefix is null then 'removed' else 'changed' end as kind,
            coalesce(n.prefix, o.prefix) as prefix, coalesce(n.destination, o.destination) as destination,
            coalesce(n.effective_from, o.effective_from)::text as sort_from,
            case when coalesce(n.effective_from, o.effective_from) > '-infinity'
                 then to_char(coalesce(n.effective_from, o.effective_from) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') end as effective_from,
            o.${price} as before_micros, n.${price} as after_micros,
            case when o.${price} > 0 then round((n.${price} - o.${price}) * 100.0 / o.${price}, 2)::text end as change_percent
       from ${differing(deck)}
        and ($3::text is null or (coalesce(n.prefix, o.prefix), coalesce(n.effective_from, o.effective_from)) > ($3 collate "C", $4::timestamptz))
      order by coalesce(n.prefix, o.prefix) collate "C", coalesce(n.effective_from, o.effective_from) limit $5`,
    [deck.deck_id, old_id, after?.[0] ?? null, after?.[1] ?? null, limit],
  );
  return rows;
}
