import type pg from 'pg';
import type { Transaction } from '../../db/transaction.ts';
import {
  DESTINATION,
  EFFECTIVE_FROM,
  EFFECTIVE_TO,
  parsePrice,
  PREFIX,
  required,
} from '../../rating/import/columns.ts';
import type { DeckKind } from '../../rating/import/deck_kind.ts';
import { datedArrays } from '../../rating/import/deck_rows.ts';
import {
  draftDeckOf,
  importDeckOf,
  type DeckFile,
  type DraftedDeck,
  type Imported,
} from '../../rating/import/import_deck.ts';
import type { DatedPrefix } from '../../rating/rate_deck.ts';

type TextRateRow = DatedPrefix & { readonly rate_micros_per_segment: bigint };

const RATE_PER_SEGMENT = required('rate_per_segment', parsePrice, 0n);

/** A deck of texts: what a segment costs. */
const TEXT_DECK: DeckKind<TextRateRow> = {
  service: 'texts',
  file: 'a rate file of texts',
  columns: [PREFIX, DESTINATION, RATE_PER_SEGMENT, EFFECTIVE_FROM, EFFECTIVE_TO],
  rowOf: (read) => ({
    prefix: read(PREFIX),
    destination: read(DESTINATION),
    rate_micros_per_segment: read(RATE_PER_SEGMENT),
    effective_from_ms: read(EFFECTIVE_FROM),
    effective_to_ms: read(EFFECTIVE_TO),
  }),
  insert: insertTextRates,
};

/**
 * Imports a rate file of texts (CSV with the columns prefix, destination and rate_per_segment, and effective_from and
 * effective_to where rates have dates) as a new version of its deck, on the terms of `importDeckOf`. Prices are decimals in
 * units of the deck's currency.
 */
export function importTextDeck(pool: pg.Pool, file: DeckFile, source: AsyncIterable<Uint8Array>): Promise<Imported> {
  return importDeckOf(TEXT_DECK, pool, file, source);
}

/** Drafts a rate file of texts; see `draftDeckOf`. */
export function draftTextDeck(
  pool: pg.Pool,
  file: DeckFile,
  source: AsyncIterable<Uint8Array>,
  noted: (tx: Transaction, deck: DraftedDeck) => Promise<void>,
): Promise<Imported> {
  return draftDeckOf(TEXT_DECK, pool, file, source, noted);
}

async function insertTextRates(tx: Transaction, deck_id: number, rows: readonly TextRateRow[]): Promise<void> {
  await tx.query(
    `insert into text_rate (deck_id, prefix, destination, effective_from, effective_to, rate_micros_per_segment)
     select $1, * from unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])`,
    [deck_id, ...datedArrays(rows), rows.map((row) => row.rate_micros_per_segment)],
  );
}
