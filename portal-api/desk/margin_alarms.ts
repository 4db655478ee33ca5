import type { Queryable } from '../../domain/db/transaction.ts';
import { selectFxRates } from '../../domain/rating/fx_rates.ts';
import type { DeckRow } from './deck_rows.ts';

/** Of one call of so many seconds, or of one segment, with the carrier that is the cheapest for it. */
export interface Loss {
  /** Null: of a segment. */
  seconds: number | null;
  carrier: string;
  sell_micros: string;
  /** In the currency of the deck that sells. */
  buy_micros: string;
  loss_micros: string;
}

export interface MarginAlarm {
  sell_deck: string;
  prefix: string;
  destination: string;
  losses: Loss[];
}

/** Calls that ring and are hung up on, short ones, and long ones: fees, minimums and steps of seconds weigh on each of these otherwise. */
export const TYPICAL_SECONDS = [6, 30, 60, 180, 600] as const;

const ALARMS_MAX = 1_000;

/**
 * Where, with this deck in force at that moment, we would sell for less than the cheapest carrier takes: typical calls with their fees,
 * minimums and increments, or a segment. At most 1,000 of them. A carrier whose currency has no rate is left out.
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

/**
 * What a call of some seconds costs by a row of `rate`, as SQL: `price()` of domain/rating, which a test holds it against. It is worked out
 * there and not here, as a sell deck and the decks of the carriers have a hundred thousand rows each.
 */
export function callPriceSql(row: string, seconds: string): string {
  const counted = `greatest(${seconds}, ${row}.minimum_seconds)`;
  const beyond = `(${counted} - ${row}.initial_increment_seconds + ${row}.subsequent_increment_seconds - 1) / ${row}.subsequent_increment_seconds`;
  const billed = `case when ${counted} <= ${row}.initial_increment_seconds then ${row}.initial_increment_seconds
    else ${row}.initial_increment_seconds + ${beyond} * ${row}.subsequent_increment_seconds end`;
  const sixtieths = `greatest(0, ${billed} - ${row}.free_seconds)::numeric * ${row}.rate_micros_per_minute`;
  // Whole numbers throughout: a quotient of numeric is rounded, and then nothing is left to round up.
  return `case when ${seconds} <= ${row}.grace_seconds then 0
    else ${row}.connect_fee_micros + div(${sixtieths} + 59, 60) end`;
}

const PRICED = {
  calls: { table: 'rate', price: callPriceSql, seconds: TYPICAL_SECONDS },
  texts: { table: 'text_rate', price: (row: string) => `${row}.rate_micros_per_segment`, seconds: [null] },
} as const;

/** Every beginning of a number that either side has a price for is looked up on both, as a call to it would be. */
async function alarmsOf(
  db: Queryable,
  service: DeckRow['service'],
  sell: MarginDeck,
  buys: readonly (MarginDeck & { numerator: bigint; denominator: bigint })[],
  at: Date,
): Promise<MarginAlarm[]> {
  const { table, price, seconds } = PRICED[service];
  const holds = (row: string): string =>
    `${row}.effective_from <= $6 and (${row}.effective_to is null or ${row}.effective_to > $6)`;
  const longest = (deck_id: string): string =>
    `(select t.* from ${table} t where t.deck_id = ${deck_id} and t.prefix = any(p.all_of) and ${holds('t')}
       order by length(t.prefix) desc limit 1)`;
  const { rows } = await db.query<Omit<MarginAlarm, 'sell_deck'>>(
    `with buy as materialized (select * from unnest($2::integer[], $3::bigint[], $4::bigint[], $5::text[]) as b (deck_id, numerator, denominator, carrier)),
          known as materialized (select r.prefix from ${table} r where r.deck_id = $1 and ${holds('r')}
                    union select r.prefix from buy b join ${table} r on r.deck_id = b.deck_id where ${holds('r')}),
          cheapest as (
            select distinct on (k.prefix, d.seconds) k.prefix, s.destination, d.seconds, b.carrier, ${price('s', 'd.seconds')} as sell_micros,
                   div((${price('x', 'd.seconds')})::numeric * b.numerator + b.denominator - 1, b.denominator) as buy_micros
              from known k
              cross join lateral (select array(select left(k.prefix, n) from generate_series(1, length(k.prefix)) n) as all_of) p
              cross join lateral ${longest('$1')} s
              cross join buy b
              cross join lateral ${longest('b.deck_id')} x
              cross join unnest($7::integer[]) d (seconds)
             order by k.prefix, d.seconds, buy_micros, b.carrier)
     select prefix, destination, json_agg(json_build_object('seconds', seconds, 'carrier', carrier, 'sell_micros', sell_micros::bigint::text,
              'buy_micros', buy_micros::bigint::text, 'loss_micros', (buy_micros - sell_micros)::bigint::text) order by seconds) as losses
       from cheapest where sell_micros < buy_micros group by prefix, destination order by prefix limit ${ALARMS_MAX}`,
    [
      sell.deck_id,
      buys.map(({ deck_id }) => deck_id),
      ...[buys.map(({ numerator }) => numerator), buys.map(({ denominator }) => denominator)],
      ...[buys.map(({ carrier }) => carrier), at, seconds],
    ],
  );
  return rows.map((row) => ({ ...row, sell_deck: sell.name }));
}
