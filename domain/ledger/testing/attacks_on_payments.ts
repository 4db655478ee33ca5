import type { Attacks } from './attacks_on_money.ts';
import { insertInto } from './attacks_on_prices.ts';
import type { Columns } from './attacks_on_prices.ts';
import { ACCOUNT, NOBODY, OTHER_ACCOUNT, TX } from './books.ts';

const idOf = (n: number): string => `00000000-0000-4000-8000-0000000001${String(n).padStart(2, '0')}`;
const KEY = idOf(0);
export const ADMIN = idOf(1);
const METHOD = idOf(2);
const PAID = idOf(3);
const FILLING = idOf(4);
const DUNNING = idOf(5);
const REFUND = idOf(6);
const PART = idOf(7);
const ORDER = idOf(8);
const DISPUTE = idOf(9);
const MONTH = idOf(10);
const RECEIPT = idOf(11);
const OFFER = idOf(12);
const OTHER = idOf(13);
const COVERED = idOf(14);
const NEW = idOf(99);
const AT = '2026-01-01';

const attempt: Columns = {
  ...{ id: NEW, account_id: ACCOUNT, wallet_id: 1, currency: 'EUR', amount_micros: 10, purpose: 'top_up' },
  ...{ provider: 'local', state: 'succeeded', policy_version: '1', created_at: AT, changed_at: AT },
};
const dunningRow: Columns = {
  ...{ id: NEW, account_id: ACCOUNT, wallet_id: 1, first_attempt_id: OTHER, amount_micros: 10 },
  ...{ method_id: METHOD, state: 'recovered', opened_at: AT },
};
const refundRow: Columns = {
  ...{ id: NEW, account_id: ACCOUNT, wallet_id: 1, currency: 'EUR', amount_micros: 1, state: 'waiting' },
  ...{ approvals_needed: 0, requested_by_kind: 'admin', requested_by: ADMIN, reason: 'x', policy_version: '1' },
  requested_at: AT,
};
const part: Columns = { id: NEW, refund_id: REFUND, attempt_id: OTHER, amount_micros: 1 };
const order: Columns = {
  ...{ id: NEW, account_id: ACCOUNT, wallet_id: 1, kind: 'credit', net_micros: 1, tax_micros: 1, reason: 'x' },
  ...{ state: 'waiting', approvals_needed: 1, requested_by: ADMIN, requested_at: AT },
};
const dispute: Columns = {
  ...{ id: NEW, attempt_id: PAID, provider: 'local', provider_dispute: 'd2', amount_micros: 10 },
  ...{ state: 'open', opened_at: AT },
};
const month: Columns = {
  ...{ id: NEW, account_id: ACCOUNT, wallet_id: 1, currency: 'EUR', number: 'INV-2026-000009', kind: 'invoice' },
  ...{ month: '2026-02-01', period_from: AT, period_to: '2026-03-01', issued_at: AT, line_count: 1, net_micros: 1 },
  ...{ tax_micros: 0, rounding_micros: 0, total_micros: 1, buyer_sealed: 'x' },
};
const receipt: Columns = {
  ...month,
  kind: 'receipt',
  month: null,
  period_from: null,
  period_to: null,
  attempt_id: OTHER,
};
const note: Columns = { ...receipt, kind: 'debit_note', attempt_id: null, number: 'DBN-2026-000001' };
const lineRow: Columns = {
  ...{ invoice_id: MONTH, n: 9, tx_id: TX.promo, kind: 'promo', at: AT, item: NEW, what: 'x', quantity: 1 },
  ...{ unit: 'piece', explained: '{}', net_micros: 1, tax_micros: 0 },
};
/** A call that a pack paid for. */
const covered: Columns = { tx_id: null, kind: 'call', net_micros: 0 };
const offer: Columns = {
  ...{
    id: NEW,
    name: 'x',
    prefixes: '{49}',
    seconds: 60,
    valid_days: 1,
    price_micros: 0,
    currency: 'EUR',
    sold_from: AT,
  },
};
const auto: Columns = {
  ...{ account_id: OTHER_ACCOUNT, enabled: 'true', threshold_micros: 0, amount_micros: 1, method_id: METHOD },
  per_day_max: 1,
};

/** What was paid with and for, in the books that the rules are attacked in. */
export const booksOfPayments = [
  insertInto('data_key', { id: KEY, wrapped: 'x', kek_id: 'k' }),
  `insert into portal_user (id, kind, data_key_id, email_sealed, email_index, admin_roles)
   values ('${ADMIN}', 'admin', '${KEY}', 'x', sha256('x'), '{finance}')`,
  insertInto('payment_method', {
    ...{ id: METHOD, account_id: ACCOUNT, provider: 'local', provider_token: 't', brand: 'visa', last4: '4242' },
    ...{ expires_month: 1, expires_year: 2030, created_at: AT },
  }),
  insertInto('payment_attempt', { ...attempt, id: PAID, provider_payment: 'p1' }),
  insertInto('payment_attempt', { ...attempt, id: FILLING, purpose: 'auto_top_up', state: 'pending' }),
  insertInto('payment_attempt', { ...attempt, id: OTHER }),
  insertInto('dunning', { ...dunningRow, id: DUNNING, first_attempt_id: PAID, state: 'open', next_at: AT }),
  insertInto('refund', { ...refundRow, id: REFUND }),
  insertInto('refund_part', { ...part, id: PART, attempt_id: PAID }),
  insertInto('finance_order', { ...order, id: ORDER }),
  insertInto('payment_dispute', { ...dispute, id: DISPUTE, provider_dispute: 'd1' }),
  insertInto('invoice', { ...month, id: MONTH, number: 'INV-2026-000001', month: '2026-01-01' }),
  insertInto('invoice', { ...receipt, id: RECEIPT, number: 'RCT-2026-000001', attempt_id: PAID }),
  insertInto('invoice_line', { ...lineRow, n: 1, tx_id: TX.top_up, item: OTHER }),
  insertInto('invoice_line', { ...lineRow, ...covered, n: 3, item: COVERED }),
  insertInto('pack_offer', { ...offer, id: OFFER }),
  insertInto('auto_top_up', { ...auto, account_id: ACCOUNT }),
].join(';\n');

const into = (table: string, row: Columns) => (columns: Columns) => insertInto(table, { ...row, ...columns });
const newAttempt = into('payment_attempt', attempt);
const newDunning = into('dunning', dunningRow);
const newRefund = into('refund', refundRow);
const newPart = into('refund_part', part);
const newOrder = into('finance_order', order);
const newDispute = into('payment_dispute', dispute);
const newMonth = into('invoice', month);
const newReceipt = into('invoice', receipt);
const newNote = into('invoice', note);
const newLine = into('invoice_line', lineRow);
const newOffer = into('pack_offer', offer);
const newAuto = into('auto_top_up', auto);
const long = (length: number): string => 'x'.repeat(length + 1);

const payment_attempt: Attacks = {
  payment_attempt_pkey: [newAttempt({ id: PAID })],
  // The first top-up of an account that no figure of sign-ups knows of.
  'top_up_is_counted on update': [
    `delete from sign_up_first; update payment_attempt set state = 'succeeded' where id = '${FILLING}';
     set constraints all immediate; select 1 where not exists (select from sign_up_first where step = 'first_top_up')`,
  ],
  payment_attempt_account_id_fkey: [newAttempt({ account_id: NOBODY })],
  payment_attempt_amount_micros_check: [newAttempt({ amount_micros: 0 })],
  // More was given back than paid.
  payment_attempt_check: [newAttempt({ refunded_micros: 11 })],
  payment_attempt_refunded_micros_check: [newAttempt({ refunded_micros: -1 })],
  payment_attempt_checkout_url_check: [newAttempt({ checkout_url: long(2000) })],
  payment_attempt_failure_check: [newAttempt({ failure: long(100) })],
  // With somebody else's card.
  payment_attempt_method_id_account_id_fkey: [newAttempt({ account_id: OTHER_ACCOUNT, method_id: METHOD })],
  // Two at once that fill one wallet.
  payment_attempt_one_auto: [newAttempt({ purpose: 'retry', state: 'created' })],
  payment_attempt_provider_check: [newAttempt({ provider: 'odd' })],
  payment_attempt_provider_payment_check: [newAttempt({ provider_payment: '' })],
  payment_attempt_provider_provider_payment_key: [newAttempt({ provider_payment: 'p1' })],
  payment_attempt_purpose_check: [newAttempt({ purpose: 'odd' })],
  payment_attempt_state_check: [newAttempt({ state: 'odd' })],
  payment_attempt_wallet_id_currency_fkey: [newAttempt({ currency: 'USD' })],
};

const payment_dispute: Attacks = {
  payment_dispute_pkey: [newDispute({ id: DISPUTE })],
  payment_dispute_attempt_id_fkey: [newDispute({ attempt_id: NOBODY })],
  payment_dispute_amount_micros_check: [newDispute({ amount_micros: 0 })],
  // Neither nothing nor all of it was taken.
  payment_dispute_check: [newDispute({ debited_micros: 1, owed_micros: 1 })],
  payment_dispute_check1: [newDispute({ closed_at: AT }), newDispute({ state: 'won' })],
  payment_dispute_debited_micros_check: [newDispute({ debited_micros: -1, owed_micros: 11 })],
  payment_dispute_owed_micros_check: [newDispute({ debited_micros: 11, owed_micros: -1 })],
  payment_dispute_provider_provider_dispute_key: [newDispute({ provider_dispute: 'd1' })],
  payment_dispute_state_check: [newDispute({ state: 'odd', closed_at: AT })],
};

const auto_top_up: Attacks = {
  auto_top_up_pkey: [newAuto({ account_id: ACCOUNT })],
  auto_top_up_account_id_fkey: [
    { sql: newAuto({ account_id: NOBODY }), without: ['auto_top_up auto_top_up_method_id_account_id_fkey'] },
  ],
  auto_top_up_method_id_account_id_fkey: [newAuto({})],
  auto_top_up_amount_micros_check: [`update auto_top_up set amount_micros = 0`],
  auto_top_up_threshold_micros_check: [`update auto_top_up set threshold_micros = -1`],
  auto_top_up_per_day_max_check: [`update auto_top_up set per_day_max = 0`, `update auto_top_up set per_day_max = 21`],
  auto_top_up_stopped_because_check: [`update auto_top_up set stopped_because = '${long(100)}'`],
};

const dunning: Attacks = {
  dunning_pkey: [newDunning({ id: DUNNING })],
  dunning_account_id_fkey: [
    { sql: newDunning({ account_id: NOBODY }), without: ['dunning dunning_method_id_account_id_fkey'] },
  ],
  dunning_wallet_id_fkey: [newDunning({ wallet_id: 99 })],
  dunning_first_attempt_id_fkey: [newDunning({ first_attempt_id: NOBODY })],
  dunning_first_attempt_id_key: [newDunning({ first_attempt_id: PAID })],
  dunning_method_id_account_id_fkey: [newDunning({ account_id: OTHER_ACCOUNT })],
  dunning_amount_micros_check: [newDunning({ amount_micros: 0 })],
  // Over and yet due, open and never due.
  dunning_check: [newDunning({ next_at: AT }), newDunning({ state: 'open', wallet_id: 2 })],
  dunning_one: [newDunning({ state: 'open', next_at: AT })],
  dunning_state_check: [newDunning({ state: 'odd' })],
  dunning_tries_check: [newDunning({ tries: -1 })],
};

const refund: Attacks = {
  refund_pkey: [newRefund({ id: REFUND })],
  refund_account_id_fkey: [newRefund({ account_id: NOBODY })],
  refund_wallet_id_currency_fkey: [newRefund({ currency: 'USD' })],
  refund_amount_micros_check: [newRefund({ amount_micros: 0 })],
  refund_approvals_needed_check: [newRefund({ approvals_needed: -1 }), newRefund({ approvals_needed: 3 })],
  refund_reason_check: [newRefund({ reason: '' }), newRefund({ reason: long(500) })],
  refund_requested_by_kind_check: [newRefund({ requested_by_kind: 'odd' })],
  refund_state_check: [newRefund({ state: 'odd' })],
};

const refund_part: Attacks = {
  refund_part_pkey: [newPart({ id: PART })],
  refund_part_refund_id_fkey: [newPart({ refund_id: NOBODY })],
  refund_part_attempt_id_fkey: [newPart({ attempt_id: NOBODY })],
  refund_part_refund_id_attempt_id_key: [newPart({ attempt_id: PAID })],
  refund_part_amount_micros_check: [newPart({ amount_micros: 0 })],
  refund_part_state_check: [newPart({ state: 'odd' })],
};

const finance_order: Attacks = {
  finance_order_pkey: [newOrder({ id: ORDER })],
  finance_order_account_id_fkey: [newOrder({ account_id: NOBODY })],
  finance_order_wallet_id_fkey: [newOrder({ wallet_id: 99 })],
  finance_order_corrects_invoice_id_fkey: [newOrder({ corrects_invoice_id: NOBODY })],
  finance_order_requested_by_fkey: [newOrder({ requested_by: NOBODY })],
  finance_order_approvals_needed_check: [newOrder({ approvals_needed: 0 }), newOrder({ approvals_needed: 3 })],
  finance_order_check: [newOrder({ net_micros: 0, tax_micros: 0 })],
  // Promo credit that never ends, a correction that does.
  finance_order_check1: [newOrder({ kind: 'promo' }), newOrder({ expires_at: AT })],
  finance_order_kind_check: [newOrder({ kind: 'odd' })],
  finance_order_net_micros_check: [newOrder({ net_micros: -1, tax_micros: 5 })],
  finance_order_tax_micros_check: [newOrder({ net_micros: 5, tax_micros: -1 })],
  finance_order_reason_check: [newOrder({ reason: '' })],
  finance_order_state_check: [newOrder({ state: 'odd' })],
};

const pack_offer: Attacks = {
  pack_offer_pkey: [newOffer({ id: OFFER })],
  pack_offer_name_check: [newOffer({ name: '' })],
  pack_offer_prefixes_check: [newOffer({ prefixes: '{}' })],
  pack_offer_seconds_check: [newOffer({ seconds: 59 }), newOffer({ seconds: 36_000_001 })],
  pack_offer_valid_days_check: [newOffer({ valid_days: 0 }), newOffer({ valid_days: 731 })],
  pack_offer_price_micros_check: [newOffer({ price_micros: -1 })],
  pack_offer_currency_check: [newOffer({ currency: 'eur' })],
  pack_offer_check: [newOffer({ sold_until: AT })],
};

/** Of a table whose rows stay what they are. */
export const appendOnly = (table: string, change: string, one: string, without: readonly string[] = []): Attacks => ({
  'append_only on update': [`update ${table} set ${change}`],
  'append_only on delete': [`delete from ${table} where ${one}`],
  'append_only on truncate': [
    without.length === 0
      ? `truncate ${table}; select 1`
      : { sql: `truncate ${table}; select 1`, without: [...without] },
  ],
});

const invoice: Attacks = {
  invoice_pkey: [newMonth({ id: MONTH })],
  invoice_account_id_fkey: [newMonth({ account_id: NOBODY })],
  invoice_wallet_id_currency_fkey: [newMonth({ currency: 'USD' })],
  invoice_attempt_id_fkey: [newReceipt({ attempt_id: NOBODY })],
  // Two receipts of one payment, two invoices of one month.
  invoice_attempt_id_key: [newReceipt({ attempt_id: PAID })],
  invoice_month: [newMonth({ month: '2026-01-01' })],
  invoice_number_key: [newMonth({ number: 'INV-2026-000001' })],
  invoice_check: [newMonth({ total_micros: 2 })],
  invoice_check1: [
    ...[newMonth({ kind: 'receipt', attempt_id: OTHER }), newMonth({ attempt_id: OTHER })],
    ...[
      newMonth({ kind: 'debit_note' }),
      newNote({ kind: 'invoice', net_micros: -1, total_micros: -1 }),
      newNote({ attempt_id: OTHER }),
    ],
  ],
  invoice_corrects: [
    ...[newMonth({ corrects_invoice_id: RECEIPT }), newReceipt({ attempt_id: OTHER, corrects_invoice_id: MONTH })],
    newNote({ corrects_invoice_id: NEW }),
  ],
  invoice_corrects_invoice_id_fkey: [newNote({ corrects_invoice_id: NOBODY })],
  // A credit that asks for money, a debit that gives some.
  invoice_note_sign: [newNote({ kind: 'credit_note' }), newNote({ net_micros: -1, total_micros: -1 })],
  invoice_check2: [newMonth({ period_from: null }), newMonth({ period_to: null })],
  invoice_kind_check: [newMonth({ kind: 'odd' })],
  invoice_line_count_check: [newMonth({ line_count: 0 })],
  invoice_rounding_micros_check: [newMonth({ rounding_micros: 1, total_micros: 2 })],
  ...appendOnly('invoice', 'total_micros = total_micros', `id = '${RECEIPT}'`, [
    'invoice_line invoice_line_invoice_id_fkey',
    'finance_order finance_order_corrects_invoice_id_fkey',
  ]),
};

const invoice_line: Attacks = {
  invoice_line_pkey: [newLine({ n: 1 })],
  invoice_line_invoice_id_fkey: [newLine({ invoice_id: NOBODY })],
  invoice_line_tx_id_fkey: [newLine({ tx_id: 999 })],
  // Billed twice.
  invoice_line_once: [newLine({ tx_id: TX.top_up, item: OTHER })],
  // A call that a pack paid for, told twice; money that no transaction has; a purchase that cost nothing.
  invoice_line_covered: [newLine({ ...covered, n: 2, item: COVERED })],
  invoice_line_costs: [newLine({ ...covered, net_micros: 1 }), newLine({ ...covered, kind: 'purchase' })],
  invoice_line_n_check: [newLine({ n: 0 })],
  invoice_line_quantity_check: [newLine({ quantity: -1 })],
  invoice_line_unit_check: [newLine({ unit: 'odd' })],
  ...appendOnly('invoice_line', 'what = what', 'n = 1'),
};

/** The rules of the tables that payments, refunds, prices of packs and invoices stand in. */
export const attacksOnPayments: Readonly<Record<string, Attacks>> = {
  ...{ payment_attempt, payment_dispute, auto_top_up, dunning, refund, refund_part, finance_order, pack_offer },
  ...{ invoice, invoice_line },
};
