import type { Attacks } from './attacks_on_money.ts';
import { insertInto } from './attacks_on_prices.ts';
import type { Columns, Told } from './attacks_on_prices.ts';
import { ACCOUNT, CHECKSUM, DECK, NOBODY, OTHER_ACCOUNT, SENT_TEXT, WAITING_TEXT } from './books.ts';

/** Makes statements that put a row into a table: one that is allowed, but for the columns that are given. */
const rowsOf =
  (table: string, row: Columns) =>
  (columns: Columns): string =>
    insertInto(table, { ...row, ...columns }, 'overriding system value');

const newTextRate = rowsOf('text_rate', {
  ...{ deck_id: DECK.texts_draft, prefix: '49', effective_from: '2026-01-01', destination: 'x' },
  rate_micros_per_segment: 1,
});
const newSender = rowsOf('text_sender', { account_id: OTHER_ACCOUNT, sender: 'Other' });
const newKey = rowsOf('message_key', {
  ...{ account_id: OTHER_ACCOUNT, idempotency_key: 'order-8', content_sha256: CHECKSUM, message_id: WAITING_TEXT },
  created_at: '2026-01-15',
});
const newMessage = rowsOf('message', {
  ...{ id: NOBODY, account_id: ACCOUNT, direction: 'mt', accepted_at: '2026-01-15', sender: 'ACME' },
  ...{ recipient: '+447700900123', body: 'Hello', encoding: 'gsm7', segments: 1, source: 'http' },
});
const charged: Columns = {
  charge_ref: NOBODY,
  wallet_id: 1,
  currency: 'EUR',
  deck_id: DECK.alpha_texts,
  net_micros: 5,
};
const newEvent = rowsOf('message_event', { message_id: WAITING_TEXT, n: 9, at: '2026-01-15', kind: 'throttled' });
const place = (change: string) => `update message_queue set ${change} where message_id = '${WAITING_TEXT}'`;
const bind = (change: string) => `update carrier_bind set ${change}`;
const OPERATION = '00000000-0000-4000-8000-000000000298';
const newBind = rowsOf('carrier_bind', {
  ...{ id: 'alpha-9', carrier_id: 1, host: '127.0.0.1', port: 2775, system_id: 'us', password: 'secret' },
});
const outbind = (name: string, password: string) =>
  bind(`outbind_system_id = ${name}, outbind_password = ${password}, outbind_address = '10.0.0.0/8'`);
const esmeWith = (change: string) => `update esme set ${change}`;

const text_rate: Attacks = {
  text_rate_pkey: [newTextRate({ prefix: '44' })],
  text_rate_deck_id_fkey: [newTextRate({ deck_id: 999 })],
  text_rate_prefix_check: [newTextRate({ prefix: '049' }), newTextRate({ prefix: '' })],
  text_rate_destination_check: [newTextRate({ destination: '' })],
  text_rate_rate_micros_per_segment_check: [newTextRate({ rate_micros_per_segment: -1 })],
  // A row that ends before it begins.
  text_rate_check: [newTextRate({ effective_to: '2026-01-01' })],
  'rate_only_into_draft on insert': [newTextRate({ deck_id: DECK.alpha_texts })],
  'append_only on update': ['update text_rate set rate_micros_per_segment = 2'],
  'append_only on delete': ['delete from text_rate'],
  'append_only on truncate': ['truncate text_rate; select 1'],
};

const message: Attacks = {
  message_pkey: [newMessage({ id: SENT_TEXT })],
  // Only what comes from outside may be nobody's.
  message_check: [newMessage({ account_id: null })],
  // What is charged is charged to a wallet, in its currency, by a row of a deck and with a transaction.
  message_check1: ['charge_ref', 'wallet_id', 'currency', 'deck_id'].map((column) =>
    newMessage({ ...charged, [column]: null }),
  ),
  message_direction_check: [newMessage({ direction: 'up' })],
  message_sender_check: [newMessage({ sender: '' }), newMessage({ sender: 'x'.repeat(22) })],
  message_recipient_check: [newMessage({ recipient: '' }), newMessage({ recipient: 'x'.repeat(22) })],
  message_encoding_check: [newMessage({ encoding: 'morse' })],
  message_segments_check: [newMessage({ segments: 0 }), newMessage({ segments: 256 })],
  message_class_check: [newMessage({ class: 'odd' })],
  message_on_doubt_check: [newMessage({ on_doubt: 'forget' })],
  message_net_micros_check: [newMessage({ net_micros: -1, tax_micros: 1 })],
  message_tax_micros_check: [newMessage({ net_micros: 1, tax_micros: -1 })],
  message_source_check: [newMessage({ source: 'pigeon' })],
  message_client_ref_check: [newMessage({ client_ref: 'x'.repeat(101) })],
  message_keyword_check: [newMessage({ keyword: 'go' })],
  'message_is_written_once on update': [
    'update message set segments = 2',
    `update message set body = 'Other words'`,
    'update message set body = null, segments = 2',
    'update message_default set segments = 2',
  ],
  'message_is_written_once on delete': ['delete from message', 'delete from message_default'],
  'append_only on truncate': ['truncate message; select 1'],
};

const message_event: Attacks = {
  message_event_pkey: [newEvent({ message_id: SENT_TEXT, n: 1 })],
  // An end, and a receipt, say how it is.
  message_event_check: [newEvent({ kind: 'final' }), newEvent({ kind: 'receipt' })],
  // A carrier is owed in a currency.
  message_event_check1: [
    newEvent({ cost_micros: 5, carrier_id: 1 }),
    newEvent({ cost_micros: 5, cost_currency: 'EUR' }),
  ],
  // Only what a carrier took has its id: receipts are matched by it.
  message_event_carrier_names_submitted: [newEvent({ kind: 'refused', carrier_message_id: '4711' })],
  message_event_kind_check: [newEvent({ kind: 'odd' })],
  message_event_state_check: [newEvent({ state: 'odd' })],
  message_event_cost_micros_check: [newEvent({ cost_micros: -1, carrier_id: 1, cost_currency: 'EUR' })],
  message_event_submitted: [newEvent({ message_id: SENT_TEXT, kind: 'submitted', part_no: 1 })],
  message_event_receipt: [newEvent({ message_id: SENT_TEXT, kind: 'receipt', part_no: 1, state: 'delivered' })],
  message_event_final: [newEvent({ message_id: SENT_TEXT, kind: 'final', state: 'expired' })],
  'message_event_append_only on update': [
    `update message_event set at = '2026-01-16'`,
    'update message_event_default set part_no = 7',
  ],
  'message_event_append_only on delete': ['delete from message_event', 'delete from message_event_default'],
  'append_only on truncate': ['truncate message_event; select 1'],
};

const message_queue: Attacks = {
  message_queue_pkey: ['insert into message_queue select * from message_queue'],
  message_queue_state_check: [place(`state = 'x'`)],
  message_queue_priority_check: [place('priority = -1'), place('priority = 10')],
  // What is claimed is claimed by somebody, and nothing else is.
  message_queue_check: [place(`state = 'c'`), place('epoch = 1')],
};

const message_key: Attacks = {
  message_key_pkey: [newKey({ account_id: ACCOUNT, idempotency_key: 'order-7' })],
  message_key_account_id_fkey: [newKey({ account_id: NOBODY })],
  message_key_idempotency_key_check: [newKey({ idempotency_key: '' }), newKey({ idempotency_key: 'x'.repeat(201) })],
};

const opt_out: Attacks = {
  opt_out_pkey: ['insert into opt_out select * from opt_out'],
  opt_out_account_id_fkey: [`update opt_out set account_id = '${NOBODY}'`],
};

const text_sender: Attacks = {
  text_sender_pkey: ['insert into text_sender select * from text_sender'],
  text_sender_account_id_fkey: [newSender({ account_id: NOBODY })],
  text_sender_sender_check: ['AB', 'TwelveOctets', 'Löwe', '12', '123456789', '+4930123456'].map((sender) =>
    newSender({ sender }),
  ),
};

const api_key: Attacks = {
  api_key_pkey: [`insert into api_key select id, account_id, name, repeat('b', 64) from api_key`],
  api_key_secret_sha256_key: [`insert into api_key select '${NOBODY}', account_id, name, secret_sha256 from api_key`],
  api_key_account_id_fkey: [`update api_key set account_id = '${NOBODY}'`],
  api_key_name_check: [`update api_key set name = ''`],
  api_key_secret_sha256_check: [`update api_key set secret_sha256 = 'in the clear'`],
};

const esme: Attacks = {
  esme_pkey: ['insert into esme select * from esme'],
  esme_account_id_fkey: [esmeWith(`account_id = '${NOBODY}'`)],
  esme_system_id_check: ['ab', 'sixteen-octets-x', 'two words'].map((name) => esmeWith(`system_id = '${name}'`)),
  esme_password_scrypt_check: [esmeWith(`password_scrypt = 'in the clear'`)],
  esme_binds_max_check: [esmeWith('binds_max = 0'), esmeWith('binds_max = 101')],
  esme_window_max_check: [esmeWith('window_max = 0'), esmeWith('window_max = 1001')],
  esme_texts_per_second_max_check: [esmeWith('texts_per_second_max = 0')],
  esme_address_range_check: [esmeWith(`address_range = '+49'`), esmeWith(`address_range = ''`)],
  esme_default_class_check: [esmeWith(`default_class = 'odd'`)],
  esme_on_doubt_check: [esmeWith(`on_doubt = 'forget'`)],
  esme_operation_id_key: [
    `update esme set operation_id = '${NOBODY}';
     insert into esme (system_id, account_id, password_scrypt, operation_id)
     select 'other', account_id, password_scrypt, operation_id from esme`,
  ],
};

const newVolume = (figures: string) =>
  `insert into text_volume (account_id, stepped_at, lately, usual_sum, usual_weight) values ('${ACCOUNT}', '2026-01-15', ${figures})`;

const text_volume: Attacks = {
  text_volume_pkey: [`${newVolume('1, 1, 1')}; ${newVolume('1, 1, 1')}`],
  text_volume_account_id_fkey: [newVolume('1, 1, 1').replace(ACCOUNT, NOBODY)],
  text_volume_check: ['-1, 1, 1', '1, -1, 1', '1, 1, -1', `'NaN', 1, 1`, `1, 'NaN', 1`, `1, 1, 'infinity'`].map(
    newVolume,
  ),
};

const webhook_endpoint: Attacks = {
  webhook_endpoint_pkey: ['insert into webhook_endpoint select * from webhook_endpoint'],
  webhook_endpoint_account_id_fkey: [`update webhook_endpoint set account_id = '${NOBODY}'`],
  webhook_endpoint_url_check: [`update webhook_endpoint set url = 'file:///etc/passwd'`],
  webhook_endpoint_secret_check: [`update webhook_endpoint set secret = 'whsec_short'`],
  webhook_endpoint_kinds_check: [`update webhook_endpoint set kinds = '{receipt,everything}'`],
  // The attack is that nothing is left of the old secret.
  'webhook_secret_stays_a_while on update': [
    `update webhook_endpoint set secret = 'whsec_${'b'.repeat(40)}'; update webhook_endpoint set enabled = enabled where old_secret is null`,
  ],
};

const carrier_bind: Attacks = {
  carrier_bind_pkey: [newBind({ id: 'alpha-1' })],
  carrier_bind_operation_id_key: [
    `${newBind({ id: 'alpha-8', operation_id: OPERATION })}; ${newBind({ operation_id: OPERATION })}`,
  ],
  carrier_bind_carrier_id_fkey: [bind('carrier_id = 999')],
  carrier_bind_id_check: [bind(`id = 'Alpha 1'`)],
  carrier_bind_host_check: [bind(`host = ''`)],
  carrier_bind_port_check: [bind('port = 0'), bind('port = 65536')],
  // What SMPP 3.4 has room for (4.1.1), without the octet that ends it.
  carrier_bind_system_id_check: [bind(`system_id = 'sixteen octets  '`)],
  carrier_bind_password_check: [bind(`password = 'nine octe'`)],
  carrier_bind_system_type_check: [bind(`system_type = 'thirteen octe'`)],
  carrier_bind_kind_check: [bind(`kind = 'odd'`)],
  carrier_bind_interface_version_check: [bind('interface_version = 53')],
  carrier_bind_window_max_check: [bind('window_max = 0'), bind('window_max = 2001')],
  carrier_bind_texts_per_second_max_check: [bind('texts_per_second_max = 0')],
  carrier_bind_default_alphabet_check: [bind(`default_alphabet = 'runes'`)],
  carrier_bind_national_languages_check: [bind(`national_languages = '{klingon}'`)],
  carrier_bind_national_septets_check: [bind(`national_languages = '{turkish}', default_alphabet = 'latin1'`)],
  carrier_bind_receipt_id_form_check: [bind(`receipt_id_form = 'odd'`)],
  carrier_bind_receipt_utc_offset_minutes_check: [-841, 841].map((n) => bind(`receipt_utc_offset_minutes = ${n}`)),
  // Opening hours have two ends.
  carrier_bind_check: [bind(`opens_at = '08:00'`), bind(`closes_at = '20:00'`)],
  carrier_bind_home_country_check: [bind(`home_country = 'de'`)],
  // What SMPP 3.4 knows (5.2.5 and 5.2.6).
  carrier_bind_number_ton_check: [bind('number_ton = -1'), bind('number_ton = 8')],
  carrier_bind_number_npi_check: [bind('number_npi = -1'), bind('number_npi = 19')],
  carrier_bind_short_code_ton_check: [bind('short_code_ton = -1'), bind('short_code_ton = 8')],
  carrier_bind_short_code_npi_check: [bind('short_code_npi = -1'), bind('short_code_npi = 19')],
  carrier_bind_name_ton_check: [bind('name_ton = -1'), bind('name_ton = 8')],
  carrier_bind_name_npi_check: [bind('name_npi = -1'), bind('name_npi = 19')],
  carrier_bind_recipient_ton_check: [bind('recipient_ton = -1'), bind('recipient_ton = 8')],
  carrier_bind_recipient_npi_check: [bind('recipient_npi = -1'), bind('recipient_npi = 19')],
  carrier_bind_outbind_system_id_check: [outbind(`''`, `'secret'`), outbind(`'sixteen octets  '`, `'secret'`)],
  carrier_bind_outbind_password_check: [outbind(`'them'`, `'nine octe'`)],
  // All of it, as whoever comes is told our own password.
  carrier_bind_outbind_check: [
    bind(`outbind_system_id = 'them', outbind_password = 'secret'`),
    bind(`outbind_system_id = 'them', outbind_address = '10.0.0.0/8'`),
    bind(`outbind_password = 'secret', outbind_address = '10.0.0.0/8'`),
  ],
  carrier_bind_tls_authorities_check: [bind(`tls_authorities = '${'x'.repeat(100_001)}'`)],
  carrier_bind_tls_name_check: [bind(`tls_name = ''`), bind(`tls_name = '${'x'.repeat(254)}'`)],
};

const parked_receipt: Attacks = {
  parked_receipt_pkey: ['insert into parked_receipt overriding system value select * from parked_receipt'],
};

const unreadable_receipt: Attacks = {
  unreadable_receipt_pkey: ['insert into unreadable_receipt overriding system value select * from unreadable_receipt'],
  unreadable_receipt_why_check: [
    `update unreadable_receipt set why = ''`,
    `update unreadable_receipt set why = '${'x'.repeat(501)}'`,
  ],
  // Shorter than the header of a PDU.
  unreadable_receipt_pdu_check: [`update unreadable_receipt set pdu = '\\x${'00'.repeat(15)}'`],
};

const body_erasure: Attacks = {
  body_erasure_pkey: [`insert into body_erasure (erased_until) values ('2026-01-16')`],
  body_erasure_one_check: ['update body_erasure set one = false'],
};

const body_kept: Attacks = {
  body_kept_pkey: ['insert into body_kept select * from body_kept'],
};

const mo_part: Attacks = {
  mo_part_pkey: ['insert into mo_part select * from mo_part'],
  mo_part_part_no_check: ['update mo_part set part_no = 0'],
  mo_part_part_count_check: ['update mo_part set part_count = 1', 'update mo_part set part_count = 256'],
  mo_part_check: ['update mo_part set part_no = 3'],
};

const customer_delivery: Attacks = {
  customer_delivery_pkey: ['insert into customer_delivery overriding system value select * from customer_delivery'],
  customer_delivery_account_id_fkey: [`update customer_delivery set account_id = '${NOBODY}'`],
  customer_delivery_kind_check: [`update customer_delivery set kind = 'odd'`],
  customer_delivery_channel_check: [`update customer_delivery set channel = 'pigeon'`],
};

/** The rules of the tables that texts are priced, sent and told by. */
export const attacksOnTexts: Readonly<Record<string, Attacks>> = {
  text_rate,
  message,
  message_event,
  message_queue,
  message_key,
  opt_out,
  text_sender,
  text_volume,
  api_key,
  esme,
  webhook_endpoint,
  carrier_bind,
  parked_receipt,
  unreadable_receipt,
  body_erasure,
  body_kept,
  mo_part,
  customer_delivery,
};

/** Their columns that a change may name. A trigger for each statement tells of one that changed nothing, too. */
const watched = { carrier_bind: 'enabled', esme: 'enabled', webhook_endpoint: 'enabled', api_key: 'name' };

export const toldOfTexts: Readonly<Record<string, Told>> = Object.fromEntries(
  Object.entries(watched).flatMap(([table, column]) =>
    Object.entries({
      insert: `insert into ${table} (${column}) select ${column} from ${table} where false`,
      update: `update ${table} set ${column} = ${column} where false`,
      delete: `delete from ${table} where false`,
    }).map(([event, change]): [string, Told] => [
      `${table} ${table}_notify on ${event}`,
      { channel: 'gateway', change },
    ]),
  ),
);
