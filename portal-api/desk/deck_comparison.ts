import type { Queryable } from '../../domain/db/transaction.ts';
import { selectFxRates } from '../../domain/rating/fx_rates.ts';
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

export interface MarginAlarm {
  sell_deck: string;
  prefix: string;
  destination: string;
  sell_micros: string;
  /** What the cheapest carrier takes, in the currency of the deck that sells. */
  buy_micros: string;
  carrier: string;
}

const ALARMS_MAX = 1_000;

/**
 * Where, with this deck in force at that moment, we would sell for less than the cheapest carrier takes: by the minute or the segment,
 * without fees and increments. At most 1,000 of them. A carrier whose currency has no rate is left out.
 */
export async function marginAlarms(db: Queryable, deck: DeckRow, at: Date): Promise<MarginAlarm[]> {
  const { rows: decks } = await db.query<MarginDeck>(
    `select d.id as deck_id, d.name, d.side, d.carrier_id, d.currency, c.code as carrier
       from rate_deck d left join carrier c on c.id = d.carrier_id
      where d.service = $1 and (d.state = 'active' or d.id = $2)`,
    [deck.service, deck.deck_id],
  );
  const takes_place = (one: MarginDeck): boolean =>
    one.deck_id !== deck.deck_id &&
    (one.name === deck.name || (deck.carrier_id !== null && one.carrier_id === deck.carrier_id));
  const left = decks.filter((one) => !takes_place(one));
  const sells = left.filter(
    ({ side, deck_id }) => side === 'sell' && (deck.side === 'buy' || deck_id === deck.deck_id),
  );
  const buys = left.filter(({ side }) => side === 'buy');
  const fx = await selectFxRates(db, at);
  const alarms: MarginAlarm[] = [];
  for (const sell of sells) {
    const factors = buys.flatMap((buy) => {
      const rate = fx.get(buy.currency + sell.currency);
      if (buy.currency === sell.currency) return [{ ...buy, numerator: 1n, denominator: 1n }];
      return rate === undefined ? [] : [{ ...buy, numerator: rate.numerator, denominator: rate.denominator }];
    });
    alarms.push(...(await alarmsOf(db, deck.service, sell, factors, at)));
    if (alarms.length >= ALARMS_MAX) break;
  }
  return alarms.slice(0, ALARMS_MAX);
}

interface MarginDeck {
  deck_id: number;
  name: string;
  side: 'sell' | 'buy';
  carrier_id: number | null;
  currency: string;
  carrier: string | null;
}

/** Every beginning of a number that either side has a price for is looked up on both, as a call to it would be. */
async function alarmsOf(
  db: Queryable,
  service: DeckRow['service'],
  sell: MarginDeck,
  buys: readonly (MarginDeck & { numerator: bigint; denominator: bigint })[],
  at: Date,
): Promise<MarginAlarm[]> {
  const { table, price } = TABLES[service];
  const holds = (row: string): string =>
    `${row}.effective_from <= $6 and (${row}.effective_to is null or ${row}.effective_to > $6)`;
  const { rows } = await db.query<Omit<MarginAlarm, 'sell_deck'>>(
    `with buy as materialized (select * from unnest($2::integer[], $3::bigint[], $4::bigint[], $5::text[]) as b (deck_id, numerator, denominator, carrier)),
          known as materialized (select r.prefix from ${table} r where r.deck_id = $1 and ${holds('r')}
                    union select r.prefix from buy b join ${table} r on r.deck_id = b.deck_id where ${holds('r')})
     select k.prefix, s.destination, s.price as sell_micros, c.price as buy_micros, c.carrier
       from known k
       cross join lateral (select array(select left(k.prefix, n) from generate_series(1, length(k.prefix)) n) as all_of) p
       cross join lateral (select t.destination, t.${price} as price from ${table} t
                            where t.deck_id = $1 and t.prefix = any(p.all_of) and ${holds('t')} order by length(t.prefix) desc limit 1) s
       cross join lateral (select x.price, b.carrier from buy b
                             cross join lateral (select ceil(t.${price}::numeric * b.numerator / b.denominator) as price from ${table} t
                                                  where t.deck_id = b.deck_id and t.prefix = any(p.all_of) and ${holds('t')}
                                                  order by length(t.prefix) desc limit 1) x
                            order by x.price limit 1) c
      where s.price < c.price order by k.prefix limit ${ALARMS_MAX}`,
    [
      sell.deck_id,
      buys.map(({ deck_id }) => deck_id),
      ...[buys.map(({ numerator }) => numerator), buys.map(({ denominator }) => denominator)],
      ...[buys.map(({ carrier }) => carrier), at],
    ],
  );
  return rows.map((row) => ({ ...row, sell_deck: sell.name }));
}
