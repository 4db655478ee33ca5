import type { Attacks } from './attacks_on_money.ts';
import { insertInto } from './attacks_on_prices.ts';
import type { Columns } from './attacks_on_prices.ts';
import { ACCOUNT, NOBODY } from './books.ts';

const PORT_IN = '00000000-0000-4000-8000-000000000260';
const NEW = '00000000-0000-4000-8000-000000000261';
const AT = '2026-01-01';

const port_in_row: Columns = {
  ...{ id: NEW, account_id: ACCOUNT, wallet_id: 1, currency: 'EUR', number: '+442071838760', country: 'GB' },
  ...{ number_type: 'geographic', from_carrier: 'Elsewhere', state: 'submitted', state_since: AT, requested_at: AT },
  ...{ fee_micros: 1, monthly_micros: 1 },
};
const rule_row: Columns = {
  ...{ country: 'NZ', documents: '{identity}', currency: 'EUR', fee_micros: 1, monthly_micros: 1 },
};

/** A number that is on its way here, in the books that the rules are attacked in. */
export const booksOfNumberMoves = insertInto('port_in', { ...port_in_row, id: PORT_IN, number: '+442071838761' });

const into = (table: string, row: Columns) => (columns: Columns) => insertInto(table, { ...row, ...columns });
const newPortIn = into('port_in', port_in_row);
const newRule = into('port_in_rule', rule_row);

const port_in: Attacks = {
  port_in_pkey: [newPortIn({ id: PORT_IN })],
  port_in_account_id_fkey: [newPortIn({ account_id: NOBODY })],
  port_in_wallet_id_fkey: [{ sql: newPortIn({ wallet_id: 99 }), without: ['port_in port_in_wallet'] }],
  // Its fee is taken in another currency than was said.
  port_in_wallet: [newPortIn({ currency: 'USD' })],
  port_in_number_check: [newPortIn({ number: '442071838760' }), newPortIn({ number: '+0442071838' })],
  port_in_country_check: [newPortIn({ country: 'gb' })],
  port_in_number_type_check: [newPortIn({ number_type: 'premium' })],
  port_in_from_carrier_check: [newPortIn({ from_carrier: '' }), newPortIn({ from_carrier: 'x'.repeat(101) })],
  port_in_state_check: [newPortIn({ state: 'odd' })],
  port_in_reason_check: [newPortIn({ reason: 'x'.repeat(501) })],
  port_in_documents_asked_check: [newPortIn({ documents_asked: '{horoscope}' })],
  port_in_fee_micros_check: [newPortIn({ fee_micros: -1 })],
  port_in_monthly_micros_check: [newPortIn({ monthly_micros: -1 })],
  // Asked for twice.
  port_in_one: [
    newPortIn({ number: '+442071838761' }),
    newPortIn({ number: '+442071838761', state: 'documents_missing' }),
    newPortIn({ number: '+442071838761', state: 'scheduled', scheduled_for: AT }),
  ],
  // Rejected, and nobody knows why; to come on no day; its fee given up though nothing came.
  port_in_rejected: [newPortIn({ state: 'rejected' })],
  port_in_scheduled: [newPortIn({ state: 'scheduled' })],
  port_in_waived: [newPortIn({ fee_waived: 'true' }), newPortIn({ fee_waived: 'true', state: 'cancelled' })],
};

const port_in_rule: Attacks = {
  port_in_rule_pkey: [newRule({ country: '*' })],
  port_in_rule_country_check: [newRule({ country: 'nz' }), newRule({ country: '**' })],
  port_in_rule_documents_check: [newRule({ documents: '{identity,horoscope}' })],
  port_in_rule_currency_check: [newRule({ currency: 'eur' })],
  port_in_rule_fee_micros_check: [newRule({ fee_micros: -1 })],
  port_in_rule_monthly_micros_check: [newRule({ monthly_micros: -1 })],
};

/** The rules of the tables that have what numbers cost that come from other operators. */
export const attacksOnNumberMoves: Readonly<Record<string, Attacks>> = { port_in, port_in_rule };
