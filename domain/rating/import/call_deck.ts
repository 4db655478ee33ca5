import type { Transaction } from '../../db/transaction.ts';
import type { RateRow } from '../rate_deck.ts';
import {
  DESTINATION,
  EFFECTIVE_FROM,
  EFFECTIVE_TO,
  optional,
  parsePrice,
  parseSeconds,
  PREFIX,
  required,
} from './columns.ts';
import type { DeckKind } from './deck_kind.ts';
import { datedArrays } from './deck_rows.ts';

const RATE_PER_MINUTE = required('rate_per_minute', parsePrice, 0n);
const CONNECT_FEE = optional('connect_fee', parsePrice, 0n);
const MINIMUM_SECONDS = seconds('minimum_seconds', 0);
const INITIAL_INCREMENT_SECONDS = seconds('initial_increment_seconds', 1);
const SUBSEQUENT_INCREMENT_SECONDS = seconds('subsequent_increment_seconds', 1);
const GRACE_SECONDS = seconds('grace_seconds', 0);
const FREE_SECONDS = seconds('free_seconds', 0);

/** A deck of calls: what a minute costs, and how its seconds are counted. */
export const CALL_DECK: DeckKind<RateRow> = {
  service: 'calls',
  file: 'a rate file',
  columns: [
    ...[PREFIX, DESTINATION, RATE_PER_MINUTE, CONNECT_FEE, MINIMUM_SECONDS, INITIAL_INCREMENT_SECONDS],
    ...[SUBSEQUENT_INCREMENT_SECONDS, GRACE_SECONDS, FREE_SECONDS, EFFECTIVE_FROM, EFFECTIVE_TO],
  ],
  rowOf: (read) => ({
    prefix: read(PREFIX),
    destination: read(DESTINATION),
    rate_micros_per_minute: read(RATE_PER_MINUTE),
    connect_fee_micros: read(CONNECT_FEE),
    minimum_seconds: read(MINIMUM_SECONDS),
    initial_increment_seconds: read(INITIAL_INCREMENT_SECONDS),
    subsequent_increment_seconds: read(SUBSEQUENT_INCREMENT_SECONDS),
    grace_seconds: read(GRACE_SECONDS),
    free_seconds: read(FREE_SECONDS),
    effective_from_ms: read(EFFECTIVE_FROM),
    effective_to_ms: read(EFFECTIVE_TO),
  }),
  insert: insertRates,
};

/** `least` is also what an empty field means. */
function seconds(name: string, least: number): ReturnType<typeof optional<number>> {
  return optional(name, (text) => parseSeconds(text, least), least);
}

async function insertRates(tx: Transaction, deck_id: number, rows: readonly RateRow[]): Promise<void> {
  await tx.query(
    `insert into rate (deck_id, prefix, destination, effective_from, effective_to, rate_micros_per_minute, connect_fee_micros,
                       minimum_seconds, initial_increment_seconds, subsequent_increment_seconds, grace_seconds, free_seconds)
     select $1, * from unnest($2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::bigint[], $7::bigint[],
                              $8::int[], $9::int[], $10::int[], $11::int[], $12::int[])`,
    [
      deck_id,
      ...datedArrays(rows),
      rows.map((row) => row.rate_micros_per_minute),
      rows.map((row) => row.connect_fee_micros),
      rows.map((row) => row.minimum_seconds),
      rows.map((row) => row.initial_increment_seconds),
      rows.map((row) => row.subsequent_increment_seconds),
      rows.map((row) => row.grace_seconds),
      rows.map((row) => row.free_seconds),
    ],
  );
}
