import { createHash } from 'node:crypto';
import type { Queryable } from '../../domain/db/transaction.ts';

/** One line of a rate deck as a test or a demo writes it; what is not said is 0, increments 1. */
export interface DeckRow {
  prefix: string;
  destination: string;
  rate_micros_per_minute: bigint;
  connect_fee_micros?: bigint;
  minimum_seconds?: number;
  initial_increment_seconds?: number;
  subsequent_increment_seconds?: number;
  grace_seconds?: number;
  free_seconds?: number;
}

export interface NewDeck {
  name: string;
  currency: string;
  /** Null: what customers pay. */
  carrier_id: number | null;
  rows: readonly DeckRow[];
}

/** Puts a new version of a deck into force, for a handful of rows; files are imported by domain/rating/import. */
export async function putDeck(db: Queryable, deck: NewDeck): Promise<void> {
  const id = await draftDeck(db, deck, 'calls');
  for (const row of deck.rows) {
    await db.query(
      `insert into rate (deck_id, prefix, destination, rate_micros_per_minute, connect_fee_micros, minimum_seconds,
                         initial_increment_seconds, subsequent_increment_seconds, grace_seconds, free_seconds)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        id,
        row.prefix,
        row.destination,
        row.rate_micros_per_minute.toString(),
        (row.connect_fee_micros ?? 0n).toString(),
        row.minimum_seconds ?? 0,
        row.initial_increment_seconds ?? 1,
        row.subsequent_increment_seconds ?? 1,
        row.grace_seconds ?? 0,
        row.free_seconds ?? 0,
      ],
    );
  }
  await activate(db, deck.name, id);
}

async function draftDeck(
  db: Queryable,
  deck: Omit<NewDeck, 'rows'> & { rows: readonly unknown[] },
  service: 'calls' | 'texts',
): Promise<number> {
  const checksum = createHash('sha256')
    .update(JSON.stringify(deck.rows, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)))
    .digest('hex');
  const { rows } = await db.query<{ id: number }>(
    `insert into rate_deck (name, side, carrier_id, currency, version, checksum, imported_by, service)
     select $1, $2, $3, $4, coalesce(max(version), 0) + 1, $5, 'demo seed', $6 from rate_deck where name = $1 returning id`,
    [deck.name, deck.carrier_id === null ? 'sell' : 'buy', deck.carrier_id, deck.currency, checksum, service],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('the deck was not made');
  return id;
}

async function activate(db: Queryable, name: string, id: number): Promise<void> {
  await db.query(`update rate_deck set state = 'retired' where name = $1 and state = 'active'`, [name]);
  await db.query(`update rate_deck set state = 'active' where id = $1`, [id]);
  await db.query(`select pg_notify('rates', $1)`, [name]);
}

export interface TextDeckRow {
  prefix: string;
  destination: string;
  rate_micros_per_segment: bigint;
}

/** The same for a deck of texts. */
export async function putTextDeck(
  db: Queryable,
  deck: Omit<NewDeck, 'rows'> & { rows: readonly TextDeckRow[] },
): Promise<number> {
  const id = await draftDeck(db, deck, 'texts');
  await db.query(
    `insert into text_rate (deck_id, prefix, destination, rate_micros_per_segment)
     select $1, * from unnest($2::text[], $3::text[], $4::bigint[])`,
    [
      id,
      deck.rows.map((row) => row.prefix),
      deck.rows.map((row) => row.destination),
      deck.rows.map((row) => row.rate_micros_per_segment.toString()),
    ],
  );
  await activate(db, deck.name, id);
  return id;
}
