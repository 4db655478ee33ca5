/**
 * Books with a little of everything: an account with two wallets, money and promo credit in the first, a call that is open
 * and one that is settled, a number, prices, a text that was delivered and one that waits. The attacks on the rules of the tables name these rows.
 */
export const ACCOUNT = '00000000-0000-4000-8000-00000000000a';
export const OTHER_ACCOUNT = '00000000-0000-4000-8000-00000000000b';
export const OPEN_LEG = '00000000-0000-4000-8000-000000000001';
export const SETTLED_LEG = '00000000-0000-4000-8000-000000000002';
/** Stands for whatever is not there. */
export const NOBODY = '00000000-0000-4000-8000-0000000000ff';
export const CHECKSUM = 'a'.repeat(64);
/** Texts: their ids are of January 2026, for which the books have no partition. */
export const SENT_TEXT = '019bc000-0000-7000-8000-000000000001';
export const WAITING_TEXT = '019bc000-0000-7000-8000-000000000002';

/** Ledger accounts by what they are. Of the three buckets of promo credit, the last has no terms (promo_credit) yet. */
export const LEDGER = {
  cash: 101,
  clearing: 102,
  promo: 103,
  second_promo: 104,
  promo_without_terms: 105,
  revenue_usd: 106,
  tax_usd: 107,
  rounding: 108,
  promo_cost: 109,
} as const;

/** Transactions of the ledger: the last two have no postings yet. */
export const TX = { top_up: 1, promo: 2, empty: 3, also_empty: 4 } as const;

/** The last four are of texts, or hold rates of texts though they should not. */
export const DECK = {
  retail: 1,
  alpha: 2,
  draft: 3,
  overlapping: 4,
  without_rates: 5,
  alpha_texts: 6,
  texts_draft: 7,
  texts_overlapping: 8,
  texts_among_calls: 9,
} as const;

export const books = `
insert into account (id, name, home_country) values ('${ACCOUNT}', 'A', 'DE'), ('${OTHER_ACCOUNT}', 'B', 'DE');
insert into call_limit values ('${ACCOUNT}', 5, 5, 1000, 1000, 1000);
insert into carrier (id, code, name, currency) values (1, 'alpha', 'Alpha', 'EUR'), (2, 'beta', 'Beta', 'EUR');
insert into did (number, account_id, state) values ('+442071838750', '${ACCOUNT}', 'active');

insert into wallet (id, account_id, currency) overriding system value
values (1, '${ACCOUNT}', 'EUR'), (2, '${ACCOUNT}', 'USD');
-- Instead of those that came with the wallets, as these have ids that are known here.
delete from ledger_account where carrier_id is null;
insert into ledger_account (id, kind, currency, wallet_id) overriding system value values
  (${LEDGER.cash}, 'wallet_cash', 'EUR', 1), (${LEDGER.clearing}, 'payment_clearing', 'EUR', null),
  (${LEDGER.promo}, 'wallet_promo', 'EUR', 1), (${LEDGER.second_promo}, 'wallet_promo', 'EUR', 1),
  (${LEDGER.promo_without_terms}, 'wallet_promo', 'EUR', 1), (${LEDGER.revenue_usd}, 'revenue', 'USD', null),
  (${LEDGER.tax_usd}, 'tax_payable', 'USD', null), (${LEDGER.rounding}, 'rounding', 'EUR', null),
  (${LEDGER.promo_cost}, 'promo_cost', 'EUR', null);
insert into promo_credit (ledger_account_id, wallet_id, expires_at)
values (${LEDGER.promo}, 1, '2030-01-01'), (${LEDGER.second_promo}, 1, '2030-01-01');
insert into ledger_tx (id, kind, ref, content) overriding system value values
  (${TX.top_up}, 'topup', '${OPEN_LEG}', '{}'), (${TX.promo}, 'promo', '${OPEN_LEG}', '{}'),
  (${TX.empty}, 'adjustment', '${OPEN_LEG}', '{}'), (${TX.also_empty}, 'refund', '${OPEN_LEG}', '{}');
insert into posting values (${TX.top_up}, ${LEDGER.cash}, 'EUR', 1000), (${TX.top_up}, ${LEDGER.clearing}, 'EUR', -1000);
insert into posting values (${TX.promo}, ${LEDGER.promo}, 'EUR', 60), (${TX.promo}, ${LEDGER.second_promo}, 'EUR', 60),
  (${TX.promo}, ${LEDGER.promo_cost}, 'EUR', -120);
insert into minute_pack (id, wallet_id, name, prefixes, seconds_left, expires_at) overriding system value
values (1, 1, 'pack', '{}', 100, '2030-01-01');

insert into switch_lease (switch_id) values ('switch');
insert into call_hold (leg_id, call_id, wallet_id, switch_id, channel_id, held_micros, seconds_granted, authorized_at, deadline_at, snapshot)
values ('${OPEN_LEG}', '${OPEN_LEG}', 1, 'switch', 'channel', 100, 30, '2026-01-15', '2026-01-15', '{}');
insert into call_grant values ('${OPEN_LEG}', 1, 30, 100, 0, '2026-01-15');
update wallet set held_micros = 100, open_calls = 1 where id = 1;
insert into cdr (leg_id, call_id, started_at, account_id, wallet_id, direction, dialled, answered_at, ended_at, duration_ms,
                 duration_source, seconds_charged, seconds_billed, net_micros, tax_micros, currency, result, cause, blame, snapshot)
values ('${SETTLED_LEG}', '${SETTLED_LEG}', '2026-01-15', '${ACCOUNT}', 1, 'outbound', '+4420', '2026-01-15', '2026-01-15', 1000,
        'record', 1, 1, 0, 0, 'EUR', 'answered', 16, 'nobody', '{}');

insert into rate_deck (id, name, side, carrier_id, currency, version, checksum, imported_by) overriding system value values
  (${DECK.retail}, 'retail', 'sell', null, 'EUR', 1, '${CHECKSUM}', 'test'), (${DECK.alpha}, 'alpha', 'buy', 1, 'EUR', 1, '${CHECKSUM}', 'test'),
  (${DECK.draft}, 'retail', 'sell', null, 'EUR', 2, null, 'test'), (${DECK.overlapping}, 'overlapping', 'sell', null, 'EUR', 1, '${CHECKSUM}', 'test'),
  (${DECK.without_rates}, 'without-rates', 'sell', null, 'EUR', 1, null, 'test');
insert into rate (deck_id, prefix, effective_from, effective_to, destination, rate_micros_per_minute) values
  (${DECK.retail}, '44', '2026-01-01', null, 'x', 1), (${DECK.draft}, '44', '2026-01-01', null, 'x', 1),
  (${DECK.overlapping}, '44', '2026-01-01', null, 'x', 1), (${DECK.overlapping}, '44', '2026-02-01', null, 'x', 1);
update rate_deck set state = 'active' where id in (${DECK.retail}, ${DECK.alpha});
insert into fx_rate values ('EUR', 'USD', '2026-01-01', 11, 10);

insert into rate_deck (id, name, side, carrier_id, currency, version, checksum, imported_by, service) overriding system value values
  (${DECK.alpha_texts}, 'alpha-texts', 'buy', 1, 'EUR', 1, '${CHECKSUM}', 'test', 'texts'),
  (${DECK.texts_draft}, 'alpha-texts', 'buy', 1, 'EUR', 2, '${CHECKSUM}', 'test', 'texts'),
  (${DECK.texts_overlapping}, 'texts-overlapping', 'sell', null, 'EUR', 1, '${CHECKSUM}', 'test', 'texts'),
  (${DECK.texts_among_calls}, 'texts-among-calls', 'sell', null, 'EUR', 1, '${CHECKSUM}', 'test', 'calls');
insert into text_rate (deck_id, prefix, effective_from, destination, rate_micros_per_segment) values
  (${DECK.alpha_texts}, '44', '2026-01-01', 'x', 1), (${DECK.texts_draft}, '44', '2026-01-01', 'x', 1),
  (${DECK.texts_overlapping}, '44', '2026-01-01', 'x', 1), (${DECK.texts_overlapping}, '44', '2026-02-01', 'x', 1),
  (${DECK.texts_among_calls}, '44', '2026-01-01', 'x', 1);
update rate_deck set state = 'active' where id = ${DECK.alpha_texts};
insert into text_sender (account_id, sender) values ('${ACCOUNT}', 'ACME');
insert into opt_out (account_id, recipient, sender) values ('${ACCOUNT}', '+447700900123', '*');
insert into api_key (id, account_id, name, secret_sha256) values ('${ACCOUNT}', '${ACCOUNT}', 'shop', '${CHECKSUM}');
insert into esme (system_id, account_id, password_scrypt) values ('acme', '${ACCOUNT}', '${CHECKSUM}');
insert into webhook_endpoint (id, account_id, url, secret) values ('${ACCOUNT}', '${ACCOUNT}', 'https://127.0.0.1/', 'whsec_${CHECKSUM}');
insert into carrier_bind (id, carrier_id, host, port, system_id, password) values ('alpha-1', 1, '127.0.0.1', 2775, 'us', 'secret');
insert into message (id, account_id, direction, accepted_at, sender, recipient, body, encoding, segments, source) values
  ('${SENT_TEXT}', '${ACCOUNT}', 'mt', '2026-01-15', 'ACME', '+447700900123', 'Hello', 'gsm7', 1, 'http'),
  ('${WAITING_TEXT}', '${ACCOUNT}', 'mt', '2026-01-15', 'ACME', '+447700900123', 'Hello', 'gsm7', 1, 'http');
insert into message_event (message_id, n, at, kind, part_no, state) overriding system value values
  ('${SENT_TEXT}', 1, '2026-01-15', 'submitted', 1, null), ('${SENT_TEXT}', 2, '2026-01-15', 'receipt', 1, 'delivered'),
  ('${SENT_TEXT}', 3, '2026-01-15', 'final', 0, 'delivered');
insert into message_queue (message_id, state, priority, due_at, valid_until)
values ('${WAITING_TEXT}', 'w', 1, '2026-01-15', '2026-01-16');
insert into message_key values ('${ACCOUNT}', 'order-7', '${CHECKSUM}', '${SENT_TEXT}', '2026-01-15');
insert into parked_receipt (id, carrier_id, carrier_message_ids, state, received_at) overriding system value
values (1, 1, '{4711}', 'delivered', '2026-01-15');
insert into unreadable_receipt (id, carrier_id, bind_id, why, pdu, received_at) overriding system value
values (1, 1, 'alpha-1', 'It names no message.', decode(repeat('00', 16), 'hex'), '2026-01-15');
insert into body_erasure (erased_until) values ('2026-01-15');
insert into body_kept values ('${WAITING_TEXT}');
insert into mo_part values (1, '+447700900123', '+442071838750', 9, 2, 1, 0, 'a', '2026-01-15');
insert into customer_delivery (id, account_id, kind, message_id, channel, target, due_at) overriding system value
values (1, '${ACCOUNT}', 'receipt', '${SENT_TEXT}', 'webhook', '${ACCOUNT}', '2026-01-15');

select setval(pg_get_serial_sequence(t, 'id'), 1000)
  from unnest('{wallet,ledger_account,minute_pack,ledger_tx,rate_deck}'::text[]) t;
`;
