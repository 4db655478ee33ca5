import type { Attacks } from './attacks_on_money.ts';
import { ADMIN, appendOnly } from './attacks_on_payments.ts';
import { insertInto } from './attacks_on_prices.ts';
import type { Columns } from './attacks_on_prices.ts';
import { ACCOUNT, NOBODY, OTHER_ACCOUNT } from './books.ts';

const idOf = (n: number): string => `00000000-0000-4000-8000-0000000002${String(n).padStart(2, '0')}`;
const ORDER = idOf(0);
const LIVE_ORDER = idOf(1);
export const HOLDING = idOf(2);
const CANCELLATION = idOf(3);
const CANCELLATION_ORDER = idOf(4);
const NEW = idOf(99);
/** One that is sold, one that is ordered, and one that there is not. */
const HELD = '+442071838751';
const ORDERED = '+442071838752';
const NO_NUMBER = '+442071838759';
const AT = '2026-01-01';
const MONTH_LATER = '2026-02-01';

const price: Columns = { number: HELD, valid_from: MONTH_LATER, currency: 'EUR', setup_micros: 1, monthly_micros: 1 };
const order: Columns = {
  ...{
    id: NEW,
    account_id: ACCOUNT,
    number: HELD,
    state: 'cancelled',
    provider: 'stock',
    wallet_id: 1,
    currency: 'EUR',
  },
  ...{
    setup_micros: 1,
    setup_tax_micros: 1,
    monthly_micros: 1,
    monthly_tax_micros: 1,
    ordered_at: AT,
    state_since: AT,
  },
};
const holding: Columns = {
  ...{ id: NEW, number: ORDERED, account_id: ACCOUNT, wallet_id: 1, currency: 'EUR', state: 'active', state_since: AT },
  ...{ held_from: AT, monthly_micros: 1, anchor_day: 1, paid_until: MONTH_LATER },
};
/** It was held for a month, and is in its quarantine. */
const ended: Columns = {
  ...{ state: 'ended', held_from: AT, held_to: MONTH_LATER, blocked_until: '2026-06-01', end_reason: 'cancelled' },
};
const period: Columns = {
  ...{ holding_id: HOLDING, period_no: 2, starts_at: MONTH_LATER, ends_at: '2026-03-01', net_micros: 1, tax_micros: 1 },
  ...{ charge_kind: 'renewal', charge_ref: NEW },
};
const cancellation: Columns = {
  ...{ id: NEW, holding_id: HOLDING, at_once: 'false', requested_at: AT, effective_at: MONTH_LATER, undone_at: AT },
};
const cancellationOrder: Columns = {
  ...{
    id: NEW,
    holding_id: HOLDING,
    at_once: 'true',
    refund: 'full',
    refund_micros: 1,
    reason: 'x',
    state: 'rejected',
  },
  ...{ approvals_needed: 2, requested_by: ADMIN, requested_at: AT, decided_at: AT },
};

const didRow = (number: string) => insertInto('did', { number, account_id: ACCOUNT, state: 'active' });
const offerRow = (number: string) =>
  insertInto('number_offer', {
    ...{ number, country: 'GB', number_type: 'geographic', calls: 'true', texts: 'false', provider: 'stock' },
  });

/** A number that is ordered, and one that is held, paid for a month and cancelled, in the books that the rules are attacked in. */
export const booksOfNumbers = [
  ...[HELD, ORDERED].flatMap((number) => [didRow(number), offerRow(number)]),
  insertInto('number_price', { ...price, valid_from: AT }),
  insertInto('number_order', { ...order, id: ORDER, state: 'active', provisioning_since: AT }),
  insertInto('number_order', { ...order, id: LIVE_ORDER, number: ORDERED, state: 'ordered' }),
  insertInto('number_holding', { ...holding, id: HOLDING, number: HELD, order_id: ORDER }),
  insertInto('number_period', {
    ...period,
    period_no: 1,
    starts_at: AT,
    ends_at: MONTH_LATER,
    charge_kind: 'purchase',
  }),
  insertInto('number_cancellation', { ...cancellation, id: CANCELLATION, undone_at: null }),
  insertInto('cancellation_order', {
    ...cancellationOrder,
    ...{ id: CANCELLATION_ORDER, state: 'waiting', decided_at: null },
  }),
].join(';\n');

const into = (table: string, row: Columns) => (columns: Columns) => insertInto(table, { ...row, ...columns });
const newPrice = into('number_price', price);
const newOrder = into('number_order', order);
const newHolding = into('number_holding', holding);
const newEnded = into('number_holding', { ...holding, ...ended });
const newPeriod = into('number_period', period);
const newCancellation = into('number_cancellation', cancellation);
const newCancellationOrder = into('cancellation_order', cancellationOrder);

/** With what is looked at as a transaction ends. */
const atItsEnd = (sql: string): string => `${sql}; set constraints all immediate; select 1`;

/** A price that was converted, one to one. */
const converted: Columns = {
  ...{ list_currency: 'USD', list_monthly_micros: 1, fx_numerator: 1, fx_denominator: 1, fx_on_date: AT },
};
const convertedOrder = into('number_order', { ...order, ...converted, list_setup_micros: 1 });
const convertedHolding = into('number_holding', { ...holding, ...converted });

/** What an order and a holding have in common. */
const attacksOnConversion = (table: string, row: (columns: Columns) => string): Attacks => ({
  [`${table}_list_currency_check`]: [row({ list_currency: 'usd' })],
  [`${table}_list_monthly_micros_check`]: [
    { sql: row({ list_monthly_micros: -1 }), without: [`${table} ${table}_converted_monthly`] },
  ],
  [`${table}_fx_numerator_check`]: [
    row({ fx_numerator: 0, monthly_micros: 0, ...(table === 'number_order' ? { setup_micros: 0 } : {}) }),
  ],
  // Less than nothing by less than nothing is a price that looks right.
  [`${table}_fx_denominator_check`]: [row({ fx_denominator: -1 })],
  // Converted, and by which rate of which day is not said.
  [`${table}_converted_whole`]: [row({ list_currency: null }), row({ fx_on_date: null }), row({ fx_numerator: null })],
  // Another price than the rate makes of it, and one that was rounded down.
  [`${table}_converted_monthly`]: [row({ monthly_micros: 2 }), row({ list_monthly_micros: 3, fx_denominator: 2 })],
  [`${table}_converted_from_another`]: [row({ list_currency: 'EUR' })],
});

const number_price: Attacks = {
  // The price of a moment is told once.
  number_price_pkey: [newPrice({ valid_from: AT })],
  number_price_number_fkey: [newPrice({ number: NO_NUMBER })],
  number_price_currency_check: [newPrice({ currency: 'eur' })],
  number_price_setup_micros_check: [newPrice({ setup_micros: -1 })],
  number_price_monthly_micros_check: [newPrice({ monthly_micros: -1 })],
  ...appendOnly('number_price', 'monthly_micros = 0', `number = '${HELD}'`),
};

const number_order: Attacks = {
  // The first order of an account that no figure of sign-ups knows of.
  'order_is_counted on insert': [
    `delete from sign_up_first; ${newOrder({})}; set constraints all immediate;
     select 1 where not exists (select from sign_up_first where step = 'first_order')`,
  ],
  number_order_pkey: [newOrder({ id: ORDER })],
  number_order_account_id_fkey: [newOrder({ account_id: NOBODY })],
  number_order_number_fkey: [newOrder({ number: NO_NUMBER })],
  number_order_provider_fkey: [newOrder({ provider: 'nobody' })],
  number_order_wallet_id_fkey: [
    { sql: newOrder({ wallet_id: 99 }), without: ['number_order number_order_wallet_id_currency_fkey'] },
  ],
  number_order_wallet_id_currency_fkey: [newOrder({ currency: 'USD' })],
  // Two who order one number.
  number_order_live: [
    newOrder({ number: ORDERED, state: 'pending_kyc' }),
    newOrder({ number: ORDERED, state: 'testing', provisioning_since: AT }),
  ],
  // Failed, and nobody knows why; not failed, and yet for a reason.
  number_order_check: [newOrder({ state: 'failed' }), newOrder({ failure: 'no_money' })],
  // With a provider that nobody asked.
  number_order_check1: [
    newOrder({ state: 'provisioning' }),
    newOrder({ state: 'testing' }),
    newOrder({ state: 'active' }),
  ],
  number_order_failure_check: [
    newOrder({ state: 'failed', failure: '' }),
    newOrder({ state: 'failed', failure: 'x'.repeat(201) }),
  ],
  number_order_setup_micros_check: [newOrder({ setup_micros: -1 })],
  number_order_setup_tax_micros_check: [newOrder({ setup_tax_micros: -1 })],
  number_order_monthly_micros_check: [newOrder({ monthly_micros: -1 })],
  number_order_monthly_tax_micros_check: [newOrder({ monthly_tax_micros: -1 })],
  number_order_state_check: [newOrder({ state: 'odd' })],
  ...attacksOnConversion('number_order', convertedOrder),
  number_order_list_setup_micros_check: [
    { sql: convertedOrder({ list_setup_micros: -1 }), without: ['number_order number_order_converted_setup'] },
  ],
  number_order_converted_setup: [convertedOrder({ setup_micros: 2 })],
};

const number_holding: Attacks = {
  number_holding_pkey: [newHolding({ id: HOLDING, account_id: OTHER_ACCOUNT })],
  // Only there for the foreign key by which nobody claims for what somebody else held.
  number_holding_whose: [{ sql: newHolding({ id: HOLDING }), without: ['number_holding number_holding_pkey'] }],
  number_holding_number_fkey: [newHolding({ number: NO_NUMBER })],
  number_holding_account_id_fkey: [newHolding({ account_id: NOBODY })],
  number_holding_wallet_id_fkey: [
    { sql: newHolding({ wallet_id: 99 }), without: ['number_holding number_holding_wallet_id_currency_fkey'] },
  ],
  number_holding_wallet_id_currency_fkey: [newHolding({ currency: 'USD' })],
  number_holding_order_id_fkey: [newHolding({ order_id: NOBODY })],
  // One order that gives two numbers.
  number_holding_order_id_key: [newHolding({ order_id: ORDER })],
  // It had another holder while it was held, and was given away in the quarantine of another.
  number_holding_alone: [
    newEnded({ number: HELD }),
    newEnded({ number: HELD, held_from: '2025-10-01', held_to: '2025-12-01', blocked_until: '2026-03-01' }),
  ],
  number_holding_open: [{ sql: newHolding({ number: HELD }), without: ['number_holding number_holding_alone'] }],
  number_holding_check: [newHolding({ state: 'ended' }), newEnded({ state: 'suspended' })],
  // Left without a quarantine, or for no reason; in quarantine though it is held.
  number_holding_check1: [
    newEnded({ blocked_until: null }),
    newEnded({ end_reason: null }),
    newHolding({ blocked_until: '2026-06-01' }),
  ],
  // With a PIN by which it leaves whoever does not hold it.
  number_holding_check2: [newEnded({ port_pin_hmac: 'x'.repeat(32) })],
  // A quarantine that is too short, one of who was given it, and one that was over before the number went elsewhere.
  number_holding_check3: [
    newEnded({ blocked_until: '2026-05-01' }),
    newEnded({ end_reason: 'transferred' }),
    newEnded({ end_reason: 'ported_out', blocked_until: '2026-01-15' }),
  ],
  // One that ends though the number is elsewhere, and nobody has brought it back.
  'number_comes_back_to_somebody on insert': [atItsEnd(newEnded({ end_reason: 'ported_out' }))],
  'number_comes_back_to_somebody on update': [
    atItsEnd(
      `update number_holding set state = 'ended', held_to = '${MONTH_LATER}', end_reason = 'ported_out', blocked_until = '2026-06-01'
        where id = '${HOLDING}'`,
    ),
  ],
  number_holding_state_check: [newHolding({ state: 'odd' })],
  number_holding_end_reason_check: [newEnded({ end_reason: 'odd' })],
  number_holding_monthly_micros_check: [newHolding({ monthly_micros: -1 })],
  number_holding_anchor_day_check: [newHolding({ anchor_day: 0 }), newHolding({ anchor_day: 32 })],
  number_holding_periods_check: [newHolding({ periods: -1 })],
  number_holding_port_pin_hmac_check: [newHolding({ port_pin_hmac: '1234' })],
  number_holding_port_pin_tries_left_check: [newHolding({ port_pin_tries_left: -1 })],
  ...attacksOnConversion('number_holding', convertedHolding),
};

const number_period: Attacks = {
  // Paid twice for one period.
  number_period_pkey: [newPeriod({ period_no: 1 })],
  number_period_holding_id_fkey: [newPeriod({ holding_id: NOBODY })],
  number_period_period_no_check: [newPeriod({ period_no: 0 })],
  number_period_check: [newPeriod({ ends_at: MONTH_LATER }), newPeriod({ ends_at: AT })],
  number_period_net_micros_check: [newPeriod({ net_micros: -1 })],
  number_period_tax_micros_check: [newPeriod({ tax_micros: -1 })],
  number_period_charge_kind_check: [newPeriod({ charge_kind: 'call' })],
  ...appendOnly('number_period', 'net_micros = 0', 'period_no = 1'),
};

const number_cancellation: Attacks = {
  number_cancellation_pkey: [newCancellation({ id: CANCELLATION })],
  number_cancellation_holding_id_fkey: [newCancellation({ holding_id: NOBODY })],
  // Cancelled, and paid back, twice.
  number_cancellation_one: [newCancellation({ undone_at: null })],
  number_cancellation_check: [newCancellation({ done_at: AT })],
  number_cancellation_refund_net_micros_check: [newCancellation({ refund_net_micros: -1 })],
  number_cancellation_refund_tax_micros_check: [newCancellation({ refund_tax_micros: -1 })],
};

const cancellation_order: Attacks = {
  cancellation_order_pkey: [newCancellationOrder({ id: CANCELLATION_ORDER })],
  cancellation_order_holding_id_fkey: [newCancellationOrder({ holding_id: NOBODY })],
  cancellation_order_requested_by_fkey: [newCancellationOrder({ requested_by: NOBODY })],
  // Two that wait would each give back what the other did.
  cancellation_order_one: [newCancellationOrder({ state: 'waiting', decided_at: null })],
  // Decided, and nobody knows when.
  cancellation_order_decided: [
    newCancellationOrder({ decided_at: null }),
    newCancellationOrder({ state: 'done', decided_at: null }),
  ],
  // Nothing, and yet something.
  cancellation_order_nothing: [newCancellationOrder({ refund: 'none' })],
  cancellation_order_refund_check: [newCancellationOrder({ refund: 'twice' })],
  cancellation_order_refund_micros_check: [newCancellationOrder({ refund_micros: -1 })],
  cancellation_order_reason_check: [newCancellationOrder({ reason: '' })],
  cancellation_order_state_check: [newCancellationOrder({ state: 'odd' })],
  cancellation_order_approvals_needed_check: [
    newCancellationOrder({ approvals_needed: 0 }),
    newCancellationOrder({ approvals_needed: 3 }),
  ],
};

/** The rules of the tables that have what numbers cost, who ordered and who holds one, and what was paid for it. */
export const attacksOnNumbers: Readonly<Record<string, Attacks>> = {
  ...{ number_price, number_order, number_holding, number_period, number_cancellation, cancellation_order },
};
