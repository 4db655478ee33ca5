import { newAccount } from './attacks_on_money.ts';
import type { Attacks } from './attacks_on_money.ts';
import { CHECKSUM, DECK } from './books.ts';

export type Columns = Readonly<Record<string, string | number | null>>;

/** A value of a column as SQL writes it. */
export const literal = (value: string | number | null) => (typeof value === 'string' ? `'${value}'` : String(value));
export const insertInto = (table: string, row: Columns, overriding = '') =>
  `insert into ${table} (${Object.keys(row).join(', ')}) ${overriding} values (${Object.values(row).map(literal).join(', ')})`;

const newDeck = (columns: Columns) => {
  const row = { name: 'new', side: 'sell', currency: 'EUR', version: 1, checksum: CHECKSUM, imported_by: 'test' };
  return insertInto('rate_deck', { ...row, ...columns }, 'overriding system value');
};
const deck = (id: number, change: string) => `update rate_deck set ${change} where id = ${id}`;
const newRate = (columns: Columns) =>
  insertInto('rate', {
    ...{ deck_id: DECK.draft, prefix: '49', effective_from: '2026-01-01', destination: 'x', rate_micros_per_minute: 1 },
    ...columns,
  });
const newFxRate = (columns: Columns) => {
  const row = { from_currency: 'EUR', to_currency: 'GBP', on_date: '2026-01-01', numerator: 1, denominator: 1 };
  return insertInto('fx_rate', { ...row, ...columns });
};

const rate_deck: Attacks = {
  rate_deck_pkey: [newDeck({ id: DECK.retail })],
  rate_deck_name_version_key: [newDeck({ name: 'retail' })],
  'deck_has_accounts on insert': [
    `${newDeck({ side: 'buy', carrier_id: 1, currency: 'CHF' })}; ${newAccount('carrier_payable', 'CHF', null, 1)}`,
  ],
  rate_deck_carrier_id_fkey: [
    { sql: newDeck({ side: 'buy', carrier_id: 999 }), without: ['rate_deck deck_has_accounts on insert'] },
  ],
  // Two decks of one name in force, two decks of one carrier in force.
  rate_deck_active: [newDeck({ name: 'retail', version: 9, state: 'active' })],
  rate_deck_active_carrier: [
    newDeck({ side: 'buy', carrier_id: 1, state: 'active' }),
    newDeck({ side: 'buy', carrier_id: 1, state: 'active', service: 'texts' }),
  ],
  rate_deck_service_check: [newDeck({ service: 'faxes' })],
  rate_deck_name_check: [newDeck({ name: 'Two words' })],
  rate_deck_side_check: [newDeck({ side: 'odd' })],
  rate_deck_currency_check: [newDeck({ currency: 'eur' })],
  rate_deck_version_check: [newDeck({ version: 0 })],
  rate_deck_state_check: [newDeck({ state: 'odd' })],
  rate_deck_checksum_check: [newDeck({ checksum: 'short' })],
  rate_deck_imported_by_check: [newDeck({ imported_by: '' })],
  // What was in force is known by its file.
  rate_deck_check: [newDeck({ state: 'retired', checksum: null })],
  // What we buy we buy of a carrier, what we sell is nobody's.
  rate_deck_check1: [newDeck({ side: 'buy' }), newDeck({ carrier_id: 1 })],
  'rate_deck_changes on update': [
    deck(DECK.retail, `currency = 'USD'`),
    deck(DECK.draft, `imported_by = 'somebody else'`),
    deck(DECK.retail, `checksum = '${'b'.repeat(64)}'`),
    deck(DECK.retail, `state = 'draft'`),
    deck(DECK.overlapping, `state = 'active'`),
    deck(DECK.texts_overlapping, `state = 'active'`),
    deck(DECK.texts_among_calls, `state = 'active'`),
    `${deck(DECK.alpha_texts, `state = 'retired'`)}; ${deck(DECK.alpha_texts, `service = 'calls'`)}`,
    deck(DECK.draft, `service = 'texts'`),
  ],
  'append_only on delete': [`delete from rate_deck where id = ${DECK.without_rates}`],
  'append_only on truncate': [
    {
      sql: 'truncate rate_deck, deck_change; select 1',
      without: ['rate rate_deck_id_fkey', 'text_rate text_rate_deck_id_fkey'],
    },
  ],
};

const rate: Attacks = {
  rate_pkey: [newRate({ prefix: '44' })],
  rate_deck_id_fkey: [newRate({ deck_id: 999 })],
  rate_prefix_check: [newRate({ prefix: '049' }), newRate({ prefix: '' })],
  rate_destination_check: [newRate({ destination: '' })],
  rate_rate_micros_per_minute_check: [newRate({ rate_micros_per_minute: -1 })],
  rate_connect_fee_micros_check: [newRate({ connect_fee_micros: -1 })],
  rate_minimum_seconds_check: [newRate({ minimum_seconds: -1 }), newRate({ minimum_seconds: 86_401 })],
  rate_initial_increment_seconds_check: [
    newRate({ initial_increment_seconds: 0 }),
    newRate({ initial_increment_seconds: 86_401 }),
  ],
  rate_subsequent_increment_seconds_check: [
    newRate({ subsequent_increment_seconds: 0 }),
    newRate({ subsequent_increment_seconds: 86_401 }),
  ],
  rate_grace_seconds_check: [newRate({ grace_seconds: -1 }), newRate({ grace_seconds: 86_401 })],
  rate_free_seconds_check: [newRate({ free_seconds: -1 }), newRate({ free_seconds: 86_401 })],
  // A row that ends before it begins.
  rate_check: [newRate({ effective_to: '2026-01-01' })],
  'rate_only_into_draft on insert': [newRate({ deck_id: DECK.retail })],
  'append_only on update': ['update rate set rate_micros_per_minute = 2'],
  'append_only on delete': ['delete from rate'],
  'append_only on truncate': ['truncate rate; select 1'],
};

const fx_rate: Attacks = {
  fx_rate_pkey: [newFxRate({ to_currency: 'USD' })],
  fx_rate_from_currency_check: [newFxRate({ from_currency: 'eur' })],
  fx_rate_to_currency_check: [newFxRate({ to_currency: 'gbp' })],
  fx_rate_numerator_check: [newFxRate({ numerator: 0 }), newFxRate({ numerator: 1_000_000_000_001 })],
  fx_rate_denominator_check: [newFxRate({ denominator: 0 }), newFxRate({ denominator: 1_000_000_000_001 })],
  // A currency in itself.
  fx_rate_check: [newFxRate({ to_currency: 'EUR' })],
  'append_only on update': ['update fx_rate set numerator = 2'],
  'append_only on delete': ['delete from fx_rate'],
  'append_only on truncate': ['truncate fx_rate; select 1'],
};

/** The rules of the tables that prices stand in. */
export const attacksOnPrices: Readonly<Record<string, Attacks>> = { rate_deck, rate, fx_rate };

/** A channel on which the services hear of a change, and a change of that kind that can be made again. */
export interface Told {
  channel: 'rates' | 'gateway' | 'device';
  change: string;
  /** What is said on the channel; the name of the table where it is left out. */
  heard?: readonly string[];
}

/** Triggers that refuse nothing but tell the services of a change. */
export const toldOfPrices: Readonly<Record<string, Told>> = {
  'rate_deck rate_deck_notify on update': { channel: 'rates', change: deck(DECK.alpha, 'state = state') },
  'fx_rate fx_rate_notify on insert': {
    channel: 'rates',
    change: 'insert into fx_rate select from_currency, to_currency, max(on_date) + 1, 1, 1 from fx_rate group by 1, 2',
  },
};
