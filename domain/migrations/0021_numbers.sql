-- Numbers: what is for sale and at which price, who orders one, who holds it and until when it is paid, and how it leaves. What the
-- controller and the gateway obey stays in did alone; all here that changes who holds a number changes did in the same transaction,
-- and locks its row first.

-- What is for sale ---------------------------------------------------------------------------------------------------

create table number_provider (
  code text primary key check (code ~ '^[a-z][a-z0-9_]{1,39}$'),
  name text not null check (length(name) between 1 and 100),
  -- Switched off, none of its numbers is shown or sold; those that are held stay.
  enabled boolean not null default true,
  version integer not null default 1
);
insert into number_provider (code, name) values ('stock', 'Our own stock'), ('partner', 'The partner that is asked over HTTP');

-- Which fields of its holder a provider has to be given, and no others are. A pair without a row: none.
create table provider_rule (
  provider text not null references number_provider,
  country char(2) not null check (country ~ '^[A-Z]{2}$'),
  number_type text not null check (number_type in ('geographic', 'mobile', 'toll_free')),
  fields text[] not null check (fields <@ array['holder_name', 'party', 'home_country'] and cardinality(fields) > 0),
  version integer not null default 1,
  primary key (provider, country, number_type)
);

create table number_offer (
  number text primary key references did,
  country char(2) not null check (country ~ '^[A-Z]{2}$'),
  number_type text not null check (number_type in ('geographic', 'mobile', 'toll_free')),
  calls boolean not null,
  texts boolean not null,
  provider text not null references number_provider,
  -- False once an import no longer has it, or it left for another operator.
  offered boolean not null default true,
  check (calls or texts)
);
create index number_offer_search on number_offer (country, number_type, number) where offered;

-- The price in force is the newest one whose time has come.
create table number_price (
  number text not null references number_offer,
  valid_from timestamptz not null,
  currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
  setup_micros bigint not null check (setup_micros >= 0),
  monthly_micros bigint not null check (monthly_micros >= 0),
  primary key (number, valid_from)
);
create trigger append_only before update or delete or truncate on number_price for each statement execute function append_only();

create table number_hold (
  number text primary key references number_offer,
  account_id uuid not null references account,
  expires_at timestamptz not null
);
create index number_hold_account on number_hold (account_id);

-- Orders -------------------------------------------------------------------------------------------------------------

create table number_order (
  id uuid primary key,
  account_id uuid not null references account,
  number text not null references number_offer,
  state text not null check (state in ('ordered', 'pending_kyc', 'provisioning', 'testing', 'active', 'failed', 'cancelled')),
  provider text not null references number_provider,
  wallet_id bigint not null references wallet,
  -- As it was when it was ordered.
  currency char(3) not null,
  setup_micros bigint not null check (setup_micros >= 0),
  setup_tax_micros bigint not null check (setup_tax_micros >= 0),
  monthly_micros bigint not null check (monthly_micros >= 0),
  monthly_tax_micros bigint not null check (monthly_tax_micros >= 0),
  ordered_at timestamptz not null,
  state_since timestamptz not null,
  -- Since when the provider has been asked; after too long it has failed.
  provisioning_since timestamptz,
  -- A word of order_state.ts, or the provider's.
  failure text check (length(failure) between 1 and 200),
  check ((state = 'failed') = (failure is not null)),
  check (state not in ('provisioning', 'testing', 'active') or provisioning_since is not null),
  foreign key (wallet_id, currency) references wallet (id, currency)
);
-- A number is sold to one at a time.
create unique index number_order_live on number_order (number) where state in ('ordered', 'pending_kyc', 'provisioning', 'testing');
create index number_order_account on number_order (account_id, ordered_at desc, id);
create index number_order_open on number_order (state, state_since) where state in ('pending_kyc', 'provisioning', 'testing');

create table number_order_event (
  order_id uuid not null references number_order,
  at timestamptz not null,
  state text not null,
  note text check (length(note) <= 200),
  primary key (order_id, state)
);
create trigger append_only before update or delete or truncate on number_order_event for each statement execute function append_only();

-- What a provider was given of a holder: the names of the fields and a hash of what they held, so that it can be proven and is not
-- kept a second time.
create table provider_submission (
  order_id uuid not null references number_order,
  provider text not null references number_provider,
  account_id uuid not null references account,
  fields text[] not null,
  content_sha256 text not null check (content_sha256 ~ '^[0-9a-f]{64}$'),
  submitted_at timestamptz not null,
  -- When the number was given back and the provider was asked to forget its holder.
  deletion_asked_at timestamptz,
  primary key (order_id, provider)
);
create index provider_submission_account on provider_submission (account_id);

-- What providers told by webhook, by their own ids: what comes twice is known.
create table provider_event (
  provider text not null references number_provider,
  event_id text not null check (length(event_id) between 1 and 100),
  order_id uuid not null,
  received_at timestamptz not null,
  primary key (provider, event_id)
);

-- Holding ------------------------------------------------------------------------------------------------------------

create table number_holding (
  id uuid primary key,
  number text not null references did,
  account_id uuid not null references account,
  wallet_id bigint not null references wallet,
  -- Null for a number that was brought along or taken over from another holder.
  order_id uuid unique references number_order,
  state text not null check (state in ('active', 'grace', 'suspended', 'ended')),
  state_since timestamptz not null,
  held_from timestamptz not null,
  held_to timestamptz,
  -- Nobody holds it before then.
  blocked_until timestamptz,
  end_reason text check (end_reason in ('cancelled', 'unpaid', 'transferred', 'ported_out', 'forced')),
  currency char(3) not null,
  monthly_micros bigint not null check (monthly_micros >= 0),
  -- The day of the month on which periods begin, where the month has it.
  anchor_day smallint not null check (anchor_day between 1 and 31),
  paid_until timestamptz not null,
  -- How many periods were paid.
  periods integer not null default 0 check (periods >= 0),
  -- HMAC of the PIN with which the number may leave, by a key that is not in this database.
  port_pin_hmac bytea check (octet_length(port_pin_hmac) = 32),
  port_pin_tries_left smallint not null default 0 check (port_pin_tries_left >= 0),
  version integer not null default 1,
  check ((state = 'ended') = (held_to is not null)),
  check ((held_to is null) = (blocked_until is null) and (held_to is null) = (end_reason is null)),
  check (held_to is null or port_pin_hmac is null),
  -- Quarantine. It ends at once only for whom the holder himself gave the number to, and never for what left us. In hours, as a day
  -- of the session's zone may have 23 of them.
  check (case end_reason when 'transferred' then blocked_until = held_to
                         when 'ported_out' then blocked_until = 'infinity'
                         else held_to is null or blocked_until >= held_to + interval '2160 hours' end),
  foreign key (wallet_id, currency) references wallet (id, currency),
  -- No number has two holders at one moment, nor one in its quarantine. The digits of a number as a range of one, as the index knows
  -- ranges and no texts.
  constraint number_holding_alone exclude using gist (
    int8range(substr(number, 2)::bigint, substr(number, 2)::bigint, '[]') with &&, tstzrange(held_from, blocked_until) with &&)
);
create unique index number_holding_open on number_holding (number) where held_to is null;
create index number_holding_account on number_holding (account_id, number) where held_to is null;
create index number_holding_number on number_holding (number, held_from);
create index number_holding_due on number_holding (paid_until) where held_to is null;
create index number_holding_blocked on number_holding (blocked_until) where held_to is not null;

-- What was paid for which time; a refund is a part of one.
create table number_period (
  holding_id uuid not null references number_holding,
  period_no integer not null check (period_no > 0),
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  net_micros bigint not null check (net_micros >= 0),
  tax_micros bigint not null check (tax_micros >= 0),
  -- The transaction of the ledger that paid it; that of a purchase paid the setup as well.
  charge_kind text not null check (charge_kind in ('purchase', 'renewal')),
  charge_ref uuid not null,
  primary key (holding_id, period_no),
  check (ends_at > starts_at)
);
create trigger append_only before update or delete or truncate on number_period for each statement execute function append_only();

create table number_cancellation (
  id uuid primary key,
  holding_id uuid not null references number_holding,
  at_once boolean not null,
  requested_at timestamptz not null,
  effective_at timestamptz not null,
  undone_at timestamptz,
  done_at timestamptz,
  refund_net_micros bigint not null default 0 check (refund_net_micros >= 0),
  refund_tax_micros bigint not null default 0 check (refund_tax_micros >= 0),
  check (undone_at is null or done_at is null)
);
create unique index number_cancellation_one on number_cancellation (holding_id) where undone_at is null;

-- What a holder was told of a period, so that it is told once.
create table number_notice (
  holding_id uuid not null references number_holding,
  periods integer not null,
  kind text not null check (kind in ('renewal_week', 'renewal_day', 'grace', 'suspended')),
  told_at timestamptz not null,
  primary key (holding_id, periods, kind)
);

create table number_transfer (
  id uuid primary key,
  holding_id uuid not null references number_holding,
  number text not null references did,
  from_account_id uuid not null references account,
  -- Null until somebody accepts.
  to_account_id uuid references account,
  state text not null check (state in ('offered', 'done', 'withdrawn', 'expired')),
  -- Of the code that the holder gives to whom the number is to go; 256 bits, so its hash gives nothing away.
  code_sha256 text not null unique check (code_sha256 ~ '^[0-9a-f]{64}$'),
  offered_at timestamptz not null,
  expires_at timestamptz not null,
  decided_at timestamptz,
  check ((state = 'done') = (to_account_id is not null)),
  check ((state = 'offered') = (decided_at is null)),
  check (to_account_id <> from_account_id)
);
create unique index number_transfer_one on number_transfer (holding_id) where state = 'offered';
create index number_transfer_from on number_transfer (from_account_id, offered_at desc);
create index number_transfer_to on number_transfer (to_account_id) where to_account_id is not null;

-- Porting ------------------------------------------------------------------------------------------------------------

create table port_out (
  id uuid primary key,
  holding_id uuid not null references number_holding,
  number text not null references did,
  account_id uuid not null references account,
  to_carrier text not null check (length(to_carrier) between 1 and 100),
  state text not null check (state in ('requested', 'approved', 'refused', 'objected', 'done')),
  reason text check (length(reason) <= 500),
  requested_at timestamptz not null,
  decided_at timestamptz,
  check ((state = 'requested') = (decided_at is null))
);
create unique index port_out_one on port_out (holding_id) where state in ('requested', 'approved');
create index port_out_account on port_out (account_id, requested_at desc);
create index port_out_open on port_out (requested_at) where state in ('requested', 'approved');

create table port_in (
  id uuid primary key,
  account_id uuid not null references account,
  number text not null check (number ~ '^\+[1-9][0-9]{5,14}$'),
  country char(2) not null check (country ~ '^[A-Z]{2}$'),
  number_type text not null check (number_type in ('geographic', 'mobile', 'toll_free')),
  from_carrier text not null check (length(from_carrier) between 1 and 100),
  -- Of kyc_document.
  document_ids uuid[] not null check (cardinality(document_ids) <= 10),
  state text not null check (state in ('requested', 'accepted', 'refused', 'withdrawn', 'done')),
  reason text check (length(reason) <= 500),
  requested_at timestamptz not null,
  decided_at timestamptz,
  check ((state = 'requested') = (decided_at is null))
);
create unique index port_in_one on port_in (account_id, number) where state in ('requested', 'accepted');
create index port_in_account on port_in (account_id, requested_at desc);
create index port_in_open on port_in (requested_at) where state in ('requested', 'accepted');

-- What rings ---------------------------------------------------------------------------------------------------------

-- Where a number has rows, these devices ring for it and no others; where it has none, all of its holder's do.
create table number_device (
  number text not null references did,
  device_id uuid not null references sip_device on delete cascade,
  primary key (number, device_id)
);
create index number_device_device on number_device (device_id);

-- What the customer calls it.
alter table sip_device add column label text check (length(label) between 1 and 60);
alter table sip_device add column version integer not null default 1;

-- Roles --------------------------------------------------------------------------------------------------------------

grant select on number_device to letsdial_controller;

grant insert (number) on did to letsdial_portal;
grant update (account_id, state, ring_timeout_seconds) on did to letsdial_portal;
grant select on number_provider, provider_rule, number_offer, number_price, number_hold, number_order, number_order_event,
  provider_submission, provider_event, number_holding, number_period, number_cancellation, number_notice, number_transfer, port_out,
  port_in, number_device to letsdial_portal;
grant update (enabled, version) on number_provider to letsdial_portal;
grant insert, delete on provider_rule to letsdial_portal;
grant insert, update on number_offer to letsdial_portal;
grant insert on number_price, number_order_event, provider_event, number_period, number_notice to letsdial_portal;
grant insert, update, delete on number_hold to letsdial_portal;
grant insert on number_order, number_holding, number_cancellation, number_transfer, port_out, port_in, provider_submission to letsdial_portal;
grant update (state, state_since, provisioning_since, failure) on number_order to letsdial_portal;
grant update (deletion_asked_at) on provider_submission to letsdial_portal;
grant update (state, state_since, held_to, blocked_until, end_reason, anchor_day, paid_until, periods, port_pin_hmac, port_pin_tries_left, version)
  on number_holding to letsdial_portal;
grant update (undone_at, done_at) on number_cancellation to letsdial_portal;
grant update (state, to_account_id, decided_at) on number_transfer to letsdial_portal;
grant update (state, reason, decided_at) on port_out to letsdial_portal;
grant update (state, reason, decided_at) on port_in to letsdial_portal;
grant insert, delete on number_device to letsdial_portal;
grant select (label, version), update (label, version) on sip_device to letsdial_portal;
