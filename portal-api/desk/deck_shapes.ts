import { z } from 'zod';
import { instantOut, microsOut } from '../http/fields.ts';
import type { Difference } from './deck_comparison.ts';
import type { MarginAlarm } from './margin_alarms.ts';
import type { DeckRow } from './deck_rows.ts';

export const deckShape = z
  .object({
    deck_id: z.int(),
    name: z.string(),
    service: z.enum(['calls', 'texts']),
    side: z.enum(['sell', 'buy']),
    carrier_id: z.int().nullable(),
    carrier: z.string().nullable(),
    currency: z.string(),
    deck_version: z.int(),
    /** What is priced by: active. */
    deck_state: z.enum(['draft', 'active', 'retired']),
    /** SHA-256 of the file. */
    checksum: z.string().nullable(),
    imported_at: instantOut,
    imported_by: z.string(),
    /** Its way into force; null for a deck that did not come by the desk. */
    state: z.enum(['draft', 'approved', 'in_force', 'withdrawn']).nullable(),
    rate_count: z.int().nullable(),
    uploaded_by: z.string().nullable(),
    approved_by: z.string().nullable(),
    approved_at: instantOut.nullable(),
    valid_from: instantOut.nullable(),
    margin_alarms: z.int().nullable(),
    in_force_at: instantOut.nullable(),
    version: z.int().nullable(),
  })
  .meta({ id: 'RateDeck' });

export const deckOf = (row: DeckRow): z.input<typeof deckShape> => row;

/** What an upload came to. */
export const notImported = z.object({
  verdict: z.enum(['refused', 'unchanged']),
  /** Every line that is wrong, up to 10,000 of them. */
  problem_count: z.int(),
  problems: z.array(
    z.object({
      /** Counts from 1; 0 is the file as a whole. */
      line: z.int(),
      column: z.string().nullable(),
      value: z.string(),
      wrong: z.string(),
      allowed: z.string(),
    }),
  ),
});

export const difference = z.object({
  kind: z.enum(['added', 'removed', 'changed']),
  prefix: z.string(),
  effective_from: z.string().nullable(),
  destination: z.string(),
  /** A minute or a segment. */
  before_micros: microsOut.nullable(),
  after_micros: microsOut.nullable(),
  change_percent: z.string().nullable(),
});

export function differenceOf(row: Difference): z.input<typeof difference> {
  const { kind, prefix, effective_from, destination, before_micros, after_micros, change_percent } = row;
  return {
    ...{ kind, prefix, effective_from, destination, change_percent },
    before_micros: before_micros === null ? null : BigInt(before_micros),
    after_micros: after_micros === null ? null : BigInt(after_micros),
  };
}

export const marginAlarm = z.object({
  sell_deck: z.string(),
  prefix: z.string(),
  destination: z.string(),
  /** Of each typical call that loses money, net and in the currency of the deck that sells. */
  losses: z.array(
    z.object({
      /** How long the call is; null: one segment of a text. */
      seconds: z.int().nullable(),
      /** The cheapest for it. */
      carrier: z.string(),
      sell_micros: microsOut,
      buy_micros: microsOut,
      loss_micros: microsOut,
    }),
  ),
});

export function marginAlarmOf({ losses, ...rest }: MarginAlarm): z.input<typeof marginAlarm> {
  return {
    ...rest,
    losses: losses.map(({ seconds, carrier, sell_micros, buy_micros, loss_micros }) => ({
      ...{ seconds, carrier, sell_micros: BigInt(sell_micros), buy_micros: BigInt(buy_micros) },
      loss_micros: BigInt(loss_micros),
    })),
  };
}
