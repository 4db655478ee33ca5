import { newAccount as newLedgerAccount } from './attacks_on_money.ts';
import type { Attacks } from './attacks_on_money.ts';
import { insertInto } from './attacks_on_prices.ts';
import type { Columns, Told } from './attacks_on_prices.ts';
import { ACCOUNT, NOBODY, OTHER_ACCOUNT } from './books.ts';

const idOf = (n: number): string => `00000000-0000-4000-8000-0000000004${String(n).padStart(2, '0')}`;
const RESTRICTION = idOf(0);
const DEVICE = idOf(1);
const NEW = idOf(99);
const PHONE = 'acme-phone';
const TRUNK = 'trunk-alpha';
const MD5 = 'a'.repeat(32);
const SHA256 = 'a'.repeat(64);
const NUMBER = '+447700900123';

/** Makes statements that put a row into a table: one that is allowed, but for the columns that are given. */
const rowsOf =
  (table: string, row: Columns) =>
  (columns: Columns = {}): string =>
    insertInto(table, { ...row, ...columns }, 'overriding system value');

const newAccount = rowsOf('account', { id: NEW, name: 'C', home_country: 'DE' });
const newRestriction = rowsOf('restriction', { id: NEW, account_id: ACCOUNT, scope: 'sms', reason: 'because' });
const newCarrier = rowsOf('carrier', { id: 99, code: 'new', name: 'New', currency: 'EUR' });
const newTrunk = rowsOf('trunk', { id: 'trunk-new', carrier_id: 1, host: '127.0.0.1' });
const newAddress = rowsOf('trunk_address', { trunk_id: TRUNK, address: '127.0.0.2/32' });
const newRoute = rowsOf('emergency_route', { country: 'FR', trunk_id: TRUNK });
const newDevice = rowsOf('sip_device', {
  ...{ id: NEW, account_id: ACCOUNT, username: 'new-phone', ha1_md5: MD5, ha1_sha256: SHA256 },
});
const newCaller = rowsOf('verified_caller', { account_id: OTHER_ACCOUNT, number: NUMBER });
const newOutbox = rowsOf('outbox', { id: 99, kind: 'call.settled', payload: '{}' });

/** To be read after `books`: what is watched and attacked here has a row of its own. */
export const booksOfParties = [
  newRestriction({ id: RESTRICTION }),
  newTrunk({ id: TRUNK }),
  newAddress({ address: '127.0.0.1/32' }),
  newRoute({ country: 'DE' }),
  newDevice({ id: DEVICE, username: PHONE }),
  newCaller({ account_id: ACCOUNT }),
  newOutbox({ id: 1 }),
].join(';\n');

const account: Attacks = {
  account_pkey: [newAccount({ id: ACCOUNT })],
  account_data_key_id_fkey: [newAccount({ data_key_id: NOBODY })],
  account_name_check: [newAccount({ name: '' }), newAccount({ name: 'x'.repeat(201) })],
  account_state_check: [newAccount({ state: 'odd' })],
  account_home_country_check: [newAccount({ home_country: 'de' })],
  account_tax_ppm_check: [newAccount({ tax_ppm: -1 }), newAccount({ tax_ppm: 1_000_001 })],
  account_party_check: [newAccount({ party: 'robot' })],
};

const restriction: Attacks = {
  restriction_pkey: [newRestriction({ id: RESTRICTION, set_by: 'somebody else' })],
  // Only there for the foreign key by which an appeal is decided by another.
  restriction_setter: [{ sql: newRestriction({ id: RESTRICTION }), without: ['restriction restriction_pkey'] }],
  restriction_account_id_fkey: [newRestriction({ account_id: NOBODY })],
  restriction_scope_check: [newRestriction({ scope: 'faxes' })],
  // It ends before it begins.
  restriction_check: [newRestriction({ starts_at: '2026-01-01', ends_at: '2026-01-01' })],
  // Who ended it did so at some time.
  restriction_ended: [newRestriction({ ended_by: 'somebody' })],
  restriction_evidence_check: [newRestriction({ evidence: 'x'.repeat(4_001) })],
  restriction_set_by_check: [newRestriction({ set_by: '' }), newRestriction({ set_by: 'x'.repeat(101) })],
  restriction_ended_by_check: ['', 'x'.repeat(101)].map((ended_by) =>
    newRestriction({ starts_at: '2026-01-01', ends_at: '2026-01-02', ended_by }),
  ),
  restriction_end_reason_check: [newRestriction({ end_reason: 'x'.repeat(1_001) })],
};

const carrier: Attacks = {
  carrier_pkey: [newCarrier({ id: 1 })],
  carrier_code_key: [newCarrier({ code: 'alpha' })],
  carrier_code_check: [
    newCarrier({ code: 'Two words' }),
    newCarrier({ code: 'x' }),
    newCarrier({ code: 'x'.repeat(41) }),
  ],
  carrier_currency_check: [
    { sql: newCarrier({ currency: 'eur' }), without: ['carrier carrier_has_accounts on insert'] },
  ],
  'carrier_has_accounts on insert': [
    `${newCarrier({ id: 98, code: 'newer', currency: 'CHF' })}; ${newLedgerAccount('carrier_cost', 'CHF', null, 98)}`,
  ],
  carrier_operation_id_key: [
    `${newCarrier({ operation_id: NEW })}; ${newCarrier({ id: 98, code: 'newer', operation_id: NEW })}`,
  ],
};

const trunk: Attacks = {
  trunk_pkey: [newTrunk({ id: TRUNK })],
  trunk_carrier_id_fkey: [newTrunk({ carrier_id: 999 })],
  trunk_id_check: [newTrunk({ id: 'alpha' }), newTrunk({ id: 'trunk-' }), newTrunk({ id: `trunk-${'x'.repeat(35)}` })],
  trunk_host_check: [newTrunk({ host: '' }), newTrunk({ host: 'x'.repeat(254) })],
  trunk_port_check: [newTrunk({ port: 0 }), newTrunk({ port: 65_536 })],
  trunk_transport_check: [newTrunk({ transport: 'pigeon' })],
  trunk_max_channels_check: [newTrunk({ max_channels: 0 })],
  // A name and its secret come together.
  trunk_check: [newTrunk({ auth_username: 'us' }), newTrunk({ auth_secret: 'secret' })],
  trunk_operation_id_key: [`${newTrunk({ operation_id: NEW })}; ${newTrunk({ id: 'trunk-newer', operation_id: NEW })}`],
};

const trunk_address: Attacks = {
  trunk_address_pkey: [newAddress({ address: '127.0.0.1/32' })],
  trunk_address_trunk_id_fkey: [newAddress({ trunk_id: 'trunk-nobody' })],
};

const emergency_route: Attacks = {
  emergency_route_pkey: [newRoute({ country: 'DE' })],
  emergency_route_country_check: [newRoute({ country: 'fr' })],
  emergency_route_trunk_id_fkey: [newRoute({ trunk_id: 'trunk-nobody' })],
};

const sip_device: Attacks = {
  sip_device_pkey: [newDevice({ id: DEVICE })],
  sip_device_account_id_fkey: [newDevice({ account_id: NOBODY })],
  sip_device_username_key: [newDevice({ username: PHONE })],
  // A name that could be a trunk's, or more than a name in a dial string.
  sip_device_username_check: ['trunk-alpha', 'Phone', 'a&b', 'ab', 'x'.repeat(41)].map((username) =>
    newDevice({ username }),
  ),
  sip_device_ha1_md5_check: [newDevice({ ha1_md5: 'secret' }), newDevice({ ha1_md5: 'A'.repeat(32) })],
  sip_device_ha1_sha256_check: [newDevice({ ha1_sha256: 'secret' }), newDevice({ ha1_sha256: 'A'.repeat(64) })],
  sip_device_label_check: [newDevice({ label: '' }), newDevice({ label: 'x'.repeat(61) })],
};

const verified_caller: Attacks = {
  verified_caller_pkey: [newCaller({ account_id: ACCOUNT })],
  verified_caller_account_id_fkey: [newCaller({ account_id: NOBODY })],
  verified_caller_number_check: [newCaller({ number: '447700900123' }), newCaller({ number: '+0447700900123' })],
};

const outbox: Attacks = { outbox_pkey: [newOutbox({ id: 1 })] };

/** The rules of the tables of who calls, from what and by whom, and of what is to be told. */
export const attacksOnParties: Readonly<Record<string, Attacks>> = {
  account,
  restriction,
  carrier,
  trunk,
  trunk_address,
  emergency_route,
  sip_device,
  verified_caller,
  outbox,
};

/** Of these, rates and routes are made; a trigger for each statement tells of one that changed nothing, too. */
const routed = { carrier: 'enabled', trunk: 'enabled', emergency_route: 'trunk_id' };

const toldOfRoutes = Object.entries(routed).flatMap(([table, column]) =>
  Object.entries({
    insert: `insert into ${table} select * from ${table} where false`,
    update: `update ${table} set ${column} = ${column} where false`,
    delete: `delete from ${table} where false`,
  }).map(([event, change]): [string, Told] => [`${table} ${table}_notify on ${event}`, { channel: 'rates', change }]),
);

export const toldOfParties: Readonly<Record<string, Told>> = {
  ...Object.fromEntries(toldOfRoutes),
  'carrier carrier_told_to_gateway on update': {
    channel: 'gateway',
    change: 'update carrier set code = code, enabled = enabled where false',
  },
  // From where a trunk may call is part of what the switch knows of it.
  'trunk_address notify_trunk_address on insert': {
    channel: 'device',
    change: `${newAddress()}; delete from trunk_address where address = '127.0.0.2/32'`,
    heard: [TRUNK],
  },
  'trunk_address notify_trunk_address on update': {
    channel: 'device',
    change: 'update trunk_address set address = address',
    heard: [TRUNK],
  },
  'trunk_address notify_trunk_address on delete': {
    channel: 'device',
    change: `${newAddress()}; delete from trunk_address where address = '127.0.0.2/32'`,
    heard: [TRUNK],
  },
  'account account_notify on update': {
    channel: 'gateway',
    change: 'update account set state = state, tax_ppm = tax_ppm, text_deck = text_deck where false',
  },
  // The switch forgets a device or a trunk by its name, and by the one that it had before.
  'sip_device notify_device on update': {
    channel: 'device',
    change: `update sip_device set username = case username when '${PHONE}' then 'acme-fax' else '${PHONE}' end`,
    heard: ['acme-fax', PHONE],
  },
  'sip_device notify_device on delete': {
    channel: 'device',
    change: `${newDevice()}; delete from sip_device where username = 'new-phone'`,
    heard: ['new-phone'],
  },
  'trunk notify_device on update': {
    channel: 'device',
    change: `update trunk set enabled = enabled where id = '${TRUNK}'`,
    heard: [TRUNK],
  },
  'trunk notify_device on delete': {
    channel: 'device',
    change: `${newTrunk()}; delete from trunk where id = 'trunk-new'`,
    heard: ['trunk-new'],
  },
};
