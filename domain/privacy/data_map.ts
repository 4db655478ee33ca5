/**
 * The map of the data: for every column, what it is for, on what legal basis, how long, and who may receive it. Export,
 * erasure, retention and disclosures read this map; a column that is not on it fails the build (data_map.db.test.ts).
 * Terms of retention are named here; their days stand in config.
 */

/** Legal bases of the GDPR, article 6(1). `none`: no personal data. */
export type LegalBasis = 'contract' | 'legal_obligation' | 'legitimate_interest' | 'none';

/**
 * - `account_life`: while the account lives, and after it as long as claims may come;
 * - `bookkeeping`: what tax and commercial law make an operator keep;
 * - `traffic`: records of communications, for billing and disputes;
 * - `replay_window`: until a repeated settlement can no longer come;
 * - `operation`: while the thing it describes exists.
 */
export type Retention = 'account_life' | 'bookkeeping' | 'traffic' | 'replay_window' | 'operation';

export type Category =
  /** Says nothing about a person. */
  | 'not_personal'
  /** Leads to a person only through another table. */
  | 'pseudonym'
  | 'name'
  | 'phone_number'
  | 'location'
  | 'credential'
  | 'money'
  | 'behaviour'
  /** Who called whom, when, for how long. */
  | 'traffic_data';

/** Who may receive a column outside the operator. */
export type Recipient = 'carrier' | 'callee' | 'authority';

export interface TableMap {
  purpose: string;
  basis: LegalBasis;
  retention: Retention;
  /** Whether an export of the customer's data holds it, and what erasure does with it. */
  export: boolean;
  erasure: 'delete' | 'keep_under_law' | 'not_personal';
  columns: Readonly<Record<string, Category | { category: Category; recipients: readonly Recipient[] }>>;
}

const notPersonal = (purpose: string, columns: readonly string[]): TableMap => ({
  purpose,
  basis: 'none',
  retention: 'operation',
  export: false,
  erasure: 'not_personal',
  columns: Object.fromEntries(columns.map((column) => [column, 'not_personal' as const])),
});

export const dataMap: Readonly<Record<string, TableMap>> = {
  account: {
    purpose: 'To know whom the service is for, what numbers mean at home, and which tax applies.',
    basis: 'contract',
    retention: 'account_life',
    export: true,
    erasure: 'delete',
    columns: {
      id: 'pseudonym',
      name: 'name',
      state: 'not_personal',
      home_country: 'location',
      time_zone: 'location',
      tax_ppm: 'not_personal',
      sell_deck: 'not_personal',
      created_at: 'behaviour',
    },
  },
  call_limit: {
    purpose: 'To bound what a stolen credential can cost.',
    basis: 'contract',
    retention: 'account_life',
    export: true,
    erasure: 'delete',
    columns: {
      account_id: 'pseudonym',
      concurrent_calls_max: 'not_personal',
      calls_per_second_max: 'not_personal',
      spend_micros_per_hour_max: 'money',
      spend_micros_per_day_max: 'money',
      rate_micros_per_minute_max: 'money',
      blocked_prefixes: 'behaviour',
    },
  },
  restriction: {
    purpose: 'To stop abuse, and to be able to say why.',
    basis: 'legitimate_interest',
    retention: 'account_life',
    export: true,
    erasure: 'keep_under_law',
    columns: {
      id: 'pseudonym',
      account_id: 'pseudonym',
      scope: 'behaviour',
      reason: 'behaviour',
      starts_at: 'behaviour',
      ends_at: 'behaviour',
    },
  },
  wallet: {
    purpose: 'To charge no more than was paid.',
    basis: 'contract',
    retention: 'bookkeeping',
    export: true,
    erasure: 'keep_under_law',
    columns: {
      id: 'pseudonym',
      account_id: 'pseudonym',
      currency: 'not_personal',
      balance_micros: 'money',
      held_micros: 'money',
      credit_limit_micros: 'money',
      open_calls: 'behaviour',
      spend_hour: 'behaviour',
      spend_hour_micros: 'money',
      spend_day: 'behaviour',
      spend_day_micros: 'money',
      cash_spend_order: 'not_personal',
    },
  },
  ledger_account: {
    purpose: 'Double-entry bookkeeping.',
    basis: 'legal_obligation',
    retention: 'bookkeeping',
    export: false,
    erasure: 'keep_under_law',
    columns: {
      id: 'pseudonym',
      kind: 'not_personal',
      currency: 'not_personal',
      wallet_id: 'pseudonym',
      carrier_id: 'not_personal',
    },
  },
  promo_credit: {
    purpose: 'Credit that expires.',
    basis: 'contract',
    retention: 'bookkeeping',
    export: true,
    erasure: 'keep_under_law',
    columns: {
      ledger_account_id: 'pseudonym',
      wallet_id: 'pseudonym',
      balance_micros: 'money',
      spend_order: 'not_personal',
      expires_at: 'not_personal',
    },
  },
  minute_pack: {
    purpose: 'Seconds that were bought ahead.',
    basis: 'contract',
    retention: 'bookkeeping',
    export: true,
    erasure: 'keep_under_law',
    columns: {
      id: 'pseudonym',
      wallet_id: 'pseudonym',
      name: 'not_personal',
      prefixes: 'not_personal',
      seconds_left: 'money',
      seconds_held: 'money',
      spend_order: 'not_personal',
      expires_at: 'not_personal',
    },
  },
  ledger_tx: {
    purpose: 'Every movement of money, once and for ever.',
    basis: 'legal_obligation',
    retention: 'bookkeeping',
    export: true,
    erasure: 'keep_under_law',
    columns: { id: 'pseudonym', kind: 'not_personal', ref: 'pseudonym', content: 'money', created_at: 'behaviour' },
  },
  posting: {
    purpose: 'Every movement of money, once and for ever.',
    basis: 'legal_obligation',
    retention: 'bookkeeping',
    export: true,
    erasure: 'keep_under_law',
    columns: { tx_id: 'pseudonym', account_id: 'pseudonym', currency: 'not_personal', amount_micros: 'money' },
  },
  carrier: notPersonal('Whom we buy minutes from.', ['id', 'code', 'name', 'currency', 'enabled']),
  trunk: notPersonal('How carriers are reached.', [
    'id',
    'carrier_id',
    'host',
    'port',
    'transport',
    'auth_username',
    'auth_secret',
    'from_domain',
    'max_channels',
    'enabled',
  ]),
  trunk_address: notPersonal('From where carriers call us.', ['trunk_id', 'address']),
  emergency_route: notPersonal('Where emergency calls go.', ['country', 'trunk_id']),
  sip_device: {
    purpose: 'To let the customer’s phones in, and nobody else’s.',
    basis: 'contract',
    retention: 'account_life',
    export: true,
    erasure: 'delete',
    columns: {
      id: 'pseudonym',
      account_id: 'pseudonym',
      username: 'credential',
      ha1_md5: 'credential',
      ha1_sha256: 'credential',
      enabled: 'not_personal',
      webrtc: 'not_personal',
      allowed_address: 'location',
      caller_number: { category: 'phone_number', recipients: ['carrier', 'callee'] },
      created_at: 'behaviour',
    },
  },
  did: {
    purpose: 'To find the holder of a number that is called.',
    basis: 'contract',
    retention: 'account_life',
    export: true,
    erasure: 'delete',
    columns: {
      number: { category: 'phone_number', recipients: ['carrier', 'callee', 'authority'] },
      account_id: { category: 'pseudonym', recipients: ['authority'] },
      state: 'not_personal',
      inbound_rate_micros_per_minute: 'not_personal',
      inbound_connect_fee_micros: 'not_personal',
      inbound_initial_increment_seconds: 'not_personal',
      inbound_subsequent_increment_seconds: 'not_personal',
      ring_timeout_seconds: 'not_personal',
    },
  },
  verified_caller: {
    purpose: 'To show only numbers that are the caller’s own.',
    basis: 'contract',
    retention: 'account_life',
    export: true,
    erasure: 'delete',
    columns: {
      account_id: 'pseudonym',
      number: { category: 'phone_number', recipients: ['carrier', 'callee'] },
      verified_at: 'behaviour',
    },
  },
  switch_lease: notPersonal('Which controller drives a switch.', [
    'switch_id',
    'epoch',
    'owner',
    'taken_at',
    'record_position',
  ]),
  call_hold: {
    purpose: 'To hold the money of a call while it lasts.',
    basis: 'contract',
    retention: 'replay_window',
    export: true,
    erasure: 'delete',
    columns: {
      leg_id: 'pseudonym',
      call_id: 'pseudonym',
      wallet_id: 'pseudonym',
      switch_id: 'not_personal',
      channel_id: 'pseudonym',
      state: 'not_personal',
      held_micros: 'money',
      pack_id: 'pseudonym',
      pack_seconds_held: 'money',
      grant_no: 'not_personal',
      seconds_granted: 'not_personal',
      authorized_at: 'traffic_data',
      answered_at: 'traffic_data',
      deadline_at: 'traffic_data',
      snapshot: 'traffic_data',
    },
  },
  call_grant: {
    purpose: 'To explain what was held, and when.',
    basis: 'contract',
    retention: 'replay_window',
    export: true,
    erasure: 'delete',
    columns: {
      leg_id: 'pseudonym',
      grant_no: 'not_personal',
      seconds: 'not_personal',
      micros: 'money',
      pack_seconds: 'money',
      granted_at: 'traffic_data',
    },
  },
  cdr: {
    purpose: 'To bill a call by the second and to explain the bill.',
    basis: 'contract',
    retention: 'traffic',
    export: true,
    erasure: 'keep_under_law',
    columns: {
      leg_id: 'pseudonym',
      call_id: 'pseudonym',
      started_at: { category: 'traffic_data', recipients: ['authority'] },
      account_id: 'pseudonym',
      wallet_id: 'pseudonym',
      direction: 'traffic_data',
      device: 'traffic_data',
      dialled: 'traffic_data',
      caller: { category: 'traffic_data', recipients: ['carrier', 'callee', 'authority'] },
      callee: { category: 'traffic_data', recipients: ['carrier', 'authority'] },
      destination: 'traffic_data',
      answered_at: 'traffic_data',
      ended_at: 'traffic_data',
      duration_ms: { category: 'traffic_data', recipients: ['authority'] },
      duration_source: 'not_personal',
      seconds_charged: 'traffic_data',
      seconds_billed: 'traffic_data',
      net_micros: 'money',
      tax_micros: 'money',
      operator_loss_micros: 'not_personal',
      cost_micros: 'not_personal',
      cost_currency: 'not_personal',
      currency: 'not_personal',
      pack_id: 'pseudonym',
      pack_seconds: 'money',
      result: 'traffic_data',
      refusal: 'traffic_data',
      cause: 'traffic_data',
      blame: 'not_personal',
      pdd_ms: 'not_personal',
      carrier_id: 'not_personal',
      trunk_id: 'not_personal',
      attempts: 'traffic_data',
      grants: 'traffic_data',
      snapshot: 'traffic_data',
    },
  },
  outbox: {
    purpose: 'To tell the other services what happened, without losing any of it.',
    basis: 'contract',
    retention: 'replay_window',
    export: false,
    erasure: 'delete',
    columns: { id: 'not_personal', kind: 'not_personal', payload: 'pseudonym', created_at: 'behaviour' },
  },
  rate_deck: notPersonal('What minutes cost.', [
    'id',
    'name',
    'side',
    'carrier_id',
    'currency',
    'version',
    'state',
    'checksum',
    'imported_at',
    'imported_by',
  ]),
  rate: notPersonal('What minutes cost.', [
    'deck_id',
    'prefix',
    'effective_from',
    'effective_to',
    'destination',
    'rate_micros_per_minute',
    'connect_fee_micros',
    'minimum_seconds',
    'initial_increment_seconds',
    'subsequent_increment_seconds',
    'grace_seconds',
    'free_seconds',
  ]),
  fx_rate: notPersonal('To compare prices in several currencies.', [
    'from_currency',
    'to_currency',
    'on_date',
    'numerator',
    'denominator',
  ]),
};

/** Files that hold personal data, beside the tables. */
export const fileMap: Readonly<
  Record<string, { purpose: string; category: Category; basis: LegalBasis; retention: Retention }>
> = {
  'asterisk/cdr/calls.csv': {
    purpose:
      'The switch’s own record of each call: ids and times, no numbers. Calls are settled from it after a crash.',
    category: 'pseudonym',
    basis: 'contract',
    retention: 'replay_window',
  },
  'log/controller.log': {
    purpose: 'To find faults: call ids, states and figures, no numbers of people.',
    category: 'pseudonym',
    basis: 'legitimate_interest',
    retention: 'operation',
  },
  'asterisk/log/security.log': {
    purpose: 'To see attacks on credentials: names of devices and network addresses.',
    category: 'location',
    basis: 'legitimate_interest',
    retention: 'operation',
  },
};
