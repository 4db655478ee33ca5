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
  const checksum = createHash('sha256')
    .update(JSON.stringify(deck.rows, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)))
    .digest('hex');
  const { rows } = await db.query<{ id: number }>(
    `insert into rate_deck (name, side, carrier_id, currency, version, checksum, imported_by)
     select $1, $2, $3, $4, coalesce(max(version), 0) + 1, $5, 'demo seed' from rate_deck where name = $1 returning id`,
    [deck.name, deck.carrier_id === null ? 'sell' : 'buy', deck.carrier_id, deck.currency, checksum],
  );
  const id = rows[0]?.id;
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
  await db.query(`update rate_deck set state = 'retired' where name = $1 and state = 'active'`, [deck.name]);
  await db.query(`update rate_deck set state = 'active' where id = $1`, [id]);
  await db.query(`select pg_notify('rates', $1)`, [deck.name]);
}
