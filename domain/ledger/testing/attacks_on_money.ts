import { ACCOUNT, LEDGER, NOBODY, OPEN_LEG, OTHER_ACCOUNT, TX } from './books.ts';

/**
 * A statement that one rule of the tables refuses and no other; `without` names the rules that refuse it as well and are
 * taken away first. It counts as done when its last part returns or changes a row.
 */
export type Attack = string | { sql: string; without: readonly string[] };

export type Attacks = Readonly<Record<string, readonly Attack[]>>;

const post = (tx: number, ...postings: readonly (readonly [account: number, micros: number, currency?: string])[]) =>
  `insert into posting values ${postings
    .map(([account, micros, currency]) => `(${tx}, ${account}, '${currency ?? 'EUR'}', ${micros})`)
    .join(', ')}`;

const newWallet = (columns: string, values: string) =>
  `insert into wallet (account_id, currency, ${columns}) values ('${OTHER_ACCOUNT}', 'EUR', ${values})`;
export const newAccount = (
  kind: string,
  currency: string,
  wallet: number | null = null,
  carrier: number | null = null,
) =>
  `insert into ledger_account (kind, currency, wallet_id, carrier_id) values ('${kind}', '${currency}', ${wallet}, ${carrier})`;
const newPromo = (account: number, wallet: number, balance = 0) =>
  `insert into promo_credit (ledger_account_id, wallet_id, balance_micros, expires_at) values (${account}, ${wallet}, ${balance}, '2030-01-01')`;
const newPack = (id: number, wallet: number, left: number, held: number) =>
  `insert into minute_pack (id, wallet_id, name, prefixes, seconds_left, seconds_held, expires_at)
   overriding system value values (${id}, ${wallet}, 'pack', '{}', ${left}, ${held}, '2030-01-01')`;
const newTx = (id: number, kind: string, ref: string) =>
  `insert into ledger_tx (id, kind, ref, content) overriding system value values (${id}, '${kind}', '${ref}', '{}')`;

const wallet: Attacks = {
  wallet_pkey: [
    `insert into wallet (id, account_id, currency) overriding system value values (1, '${OTHER_ACCOUNT}', 'GBP')`,
  ],
  wallet_account_id_currency_key: [`insert into wallet (account_id, currency) values ('${ACCOUNT}', 'EUR')`],
  // Only there for the foreign key that holds a wallet's accounts to the wallet's currency, and gone with it.
  wallet_id_currency_key: [newAccount('receivable', 'USD', 1)],
  wallet_account_id_fkey: [`insert into wallet (account_id, currency) values ('${NOBODY}', 'EUR')`],
  wallet_currency_check: [
    {
      sql: `insert into wallet (account_id, currency) values ('${OTHER_ACCOUNT}', 'eur')`,
      without: ['wallet wallet_has_accounts on insert'],
    },
  ],
  wallet_held_micros_check: ['update wallet set held_micros = -1 where id = 2'],
  wallet_promo_micros_check: [post(TX.empty, [LEDGER.promo_without_terms, -121], [LEDGER.promo_cost, 121])],
  wallet_credit_limit_micros_check: ['update wallet set credit_limit_micros = -1 where id = 1'],
  wallet_open_calls_check: ['update wallet set open_calls = -1 where id = 2'],
  wallet_spend_hour_micros_check: ['update wallet set spend_hour_micros = -1 where id = 1'],
  wallet_spend_day_micros_check: ['update wallet set spend_day_micros = -1 where id = 1'],
  wallet_floor: [
    'update wallet set held_micros = 1121 where id = 1',
    post(TX.empty, [LEDGER.cash, -1021], [LEDGER.clearing, 1021]),
  ],
  // A second account of its cash, and of the first wallet's currency for the operator.
  'wallet_has_accounts on insert': [newAccount('wallet_cash', 'CHF', 77), newAccount('revenue', 'CHF')].map(
    (second) =>
      `insert into wallet (id, account_id, currency) overriding system value values (77, '${OTHER_ACCOUNT}', 'CHF'); ${second}`,
  ),
  'balance_moved_by_posting on update': [
    'update wallet set balance_micros = balance_micros + 1 where id = 1',
    'update wallet set promo_micros = promo_micros + 1 where id = 1',
  ],
  'wallet_starts_empty on insert': [
    newWallet('balance_micros', '5'),
    newWallet('promo_micros', '5'),
    newWallet('held_micros, credit_limit_micros', '5, 5'),
    newWallet('open_calls', '1'),
  ],
};

const ledger_account: Attacks = {
  ledger_account_pkey: [
    `insert into ledger_account (id, kind, currency) overriding system value values (${LEDGER.cash}, 'rounding', 'GBP')`,
  ],
  // Only there for the foreign key that holds postings to their account's currency, and gone with it.
  ledger_account_id_currency_key: [post(TX.empty, [LEDGER.rounding, 5, 'USD'], [LEDGER.revenue_usd, -5, 'USD'])],
  // Only there for the foreign key that holds promo credit to its account's wallet, and gone with it.
  ledger_account_id_wallet_id_key: [newPromo(LEDGER.promo_without_terms, 2)],
  ledger_account_one: [newAccount('wallet_cash', 'EUR', 1), newAccount('revenue', 'USD')],
  ledger_account_kind_check: [newAccount('gift', 'EUR')],
  ledger_account_currency_check: [newAccount('revenue', 'eur')],
  // A customer's account has a wallet, the operator's has none.
  ledger_account_check: [newAccount('receivable', 'EUR'), newAccount('revenue', 'EUR', 1)],
  // A carrier's account has a carrier, nobody else's has one.
  ledger_account_check1: [newAccount('carrier_cost', 'EUR'), newAccount('revenue', 'EUR', null, 1)],
  ledger_account_wallet_id_currency_fkey: [newAccount('receivable', 'USD', 1), newAccount('receivable', 'EUR', 999)],
  ledger_account_carrier_id_fkey: [newAccount('carrier_cost', 'EUR', null, 999)],
};

const promo_credit: Attacks = {
  promo_credit_pkey: [newPromo(LEDGER.promo, 1)],
  promo_credit_ledger_account_id_wallet_id_fkey: [newPromo(999, 1), newPromo(LEDGER.promo_without_terms, 2)],
  promo_credit_balance_micros_check: [post(TX.empty, [LEDGER.promo, -61], [LEDGER.promo_cost, 61])],
  'balance_moved_by_posting on update': [
    `update promo_credit set balance_micros = 61 where ledger_account_id = ${LEDGER.promo}`,
  ],
  'promo_credit_starts_empty on insert': [newPromo(LEDGER.promo_without_terms, 1, 5)],
};

const minute_pack: Attacks = {
  minute_pack_pkey: [newPack(1, 1, 10, 0)],
  minute_pack_wallet_id_fkey: [newPack(9, 999, 10, 0)],
  minute_pack_seconds_held_check: [newPack(9, 1, 10, -1)],
  minute_pack_floor: ['update minute_pack set seconds_held = 101', 'update minute_pack set seconds_left = -1'],
};

const ledger_tx: Attacks = {
  ledger_tx_pkey: [newTx(TX.top_up, 'topup', NOBODY)],
  ledger_tx_ref_kind_key: [newTx(99, 'topup', OPEN_LEG)],
  ledger_tx_kind_check: [newTx(99, 'gift', NOBODY)],
  'append_only on update': [`update ledger_tx set content = '{"other":1}' where id = ${TX.top_up}`],
  'append_only on delete': [`delete from ledger_tx where id = ${TX.empty}`],
  'append_only on truncate': [
    {
      sql: 'truncate ledger_tx; select 1',
      without: ['posting posting_tx_id_fkey', 'invoice_line invoice_line_tx_id_fkey'],
    },
  ],
};

const posting: Attacks = {
  posting_amount_micros_check: [post(TX.empty, [LEDGER.rounding, 0])],
  posting_tx_id_fkey: [post(999, [LEDGER.rounding, 5], [LEDGER.clearing, -5])],
  posting_account_id_currency_fkey: [
    post(TX.empty, [LEDGER.rounding, 5, 'USD'], [LEDGER.revenue_usd, -5, 'USD']),
    post(TX.empty, [LEDGER.rounding, 5], [999, -5]),
  ],
  'posting_balanced on insert': [
    post(TX.empty, [LEDGER.rounding, 5]),
    post(TX.empty, [LEDGER.rounding, 5], [LEDGER.revenue_usd, -5, 'USD']),
    // Two transactions that only together sum to zero.
    `${post(TX.empty, [LEDGER.rounding, 5])}, (${TX.also_empty}, ${LEDGER.clearing}, 'EUR', -5)`,
  ],
  'posting_complete on insert': [post(TX.top_up, [LEDGER.rounding, 5], [LEDGER.clearing, -5])],
  // A posting that would leave the wallet, or the promo credit, as it was.
  'posting_moves_balance on insert': [
    `${post(TX.empty, [LEDGER.cash, 5], [LEDGER.clearing, -5])}; select 1 from wallet where id = 1 and balance_micros = 1120`,
    `${post(TX.empty, [LEDGER.promo, 5], [LEDGER.promo_cost, -5])}; select 1 from wallet where id = 1 and promo_micros = 120`,
    `${post(TX.empty, [LEDGER.promo, 5], [LEDGER.promo_cost, -5])};
     select 1 from promo_credit where ledger_account_id = ${LEDGER.promo} and balance_micros = 60`,
  ],
  'append_only on update': ['update posting set amount_micros = amount_micros * 2'],
  'append_only on delete': [`delete from posting where tx_id = ${TX.top_up}`],
  'append_only on truncate': ['truncate posting; select 1'],
};

/** The rules of the tables that hold money: for each table its rules, for each rule what it refuses. */
export const attacksOnMoney: Readonly<Record<string, Attacks>> = {
  wallet,
  ledger_account,
  promo_credit,
  minute_pack,
  ledger_tx,
  posting,
};
