-- Accounts, money, carriers, devices, numbers and calls: what the three services must agree on.
-- Every column stands on the map of the data (domain/privacy/data_map.ts); a test fails for one that does not.

-- Accounts ---------------------------------------------------------------------------------------------------------

create table account (
  id uuid primary key,
  name text not null check (length(name) between 1 and 200),
  state text not null default 'inactive' check (state in ('inactive', 'active', 'suspended', 'closed')),
  -- Decides what a nationally dialled number means, and which numbers are emergencies.
  home_country char(2) not null check (home_country ~ '^[A-Z]{2}$'),
  -- Bills, day limits and quiet hours follow the customer's own clock.
  time_zone text not null default 'UTC',
  -- Parts per million: 190000 is 19 %. Rates are net; a hold and a charge include the tax.
  tax_ppm integer not null default 0 check (tax_ppm between 0 and 1000000),
  -- The name of the rate deck that this customer's calls are priced by.
  sell_deck text not null default 'retail',
  created_at timestamptz not null default now()
);

-- What an account may do at most. A row is made with the account, from the defaults of config.
create table call_limit (
  account_id uuid primary key references account,
  concurrent_calls_max integer not null check (concurrent_calls_max >= 0),
  calls_per_second_max integer not null check (calls_per_second_max >= 0),
  spend_micros_per_hour_max bigint not null check (spend_micros_per_hour_max >= 0),
  spend_micros_per_day_max bigint not null check (spend_micros_per_day_max >= 0),
  rate_micros_per_minute_max bigint not null check (rate_micros_per_minute_max >= 0),
  -- Digits of E.164 without the plus, as in rate decks.
  blocked_prefixes text[] not null default '{}'
);

create table restriction (
  id uuid primary key,
  account_id uuid not null references account,
  scope text not null check (scope in ('calls_out', 'calls_in', 'sms', 'purchases', 'all')),
  reason text not null,
  starts_at timestamptz not null default now(),
  ends_at timestamptz,
  check (ends_at is null or ends_at > starts_at)
);
create index restriction_account on restriction (account_id);

-- Money ------------------------------------------------------------------------------------------------------------

create table wallet (
  id bigint generated always as identity primary key,
  account_id uuid not null references account,
  currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
  -- The sum of the postings on this wallet's ledger accounts; only the trigger posting_moves_balance changes it.
  balance_micros bigint not null default 0,
  -- How much of the balance is promo credit, expired or not. Where it is 0, a hold need not look whether any has expired.
  promo_micros bigint not null default 0 check (promo_micros >= 0),
  -- The sum of the open holds.
  held_micros bigint not null default 0 check (held_micros >= 0),
  credit_limit_micros bigint not null default 0 check (credit_limit_micros >= 0),
  -- The number of open holds. A counter under the row lock, because counting rows would race.
  open_calls integer not null default 0 check (open_calls >= 0),
  -- What was charged in the hour and the day (of the account's own zone) that are named beside it; another hour counts from 0.
  spend_hour timestamptz not null default '-infinity',
  spend_hour_micros bigint not null default 0 check (spend_hour_micros >= 0),
  spend_day date not null default '-infinity',
  spend_day_micros bigint not null default 0 check (spend_day_micros >= 0),
  -- Where cash stands in the order in which buckets are spent; promo credit and packs have their own number.
  cash_spend_order smallint not null default 100,
  unique (account_id, currency),
  unique (id, currency),
  -- The last line of defence: no path, however wrong, spends or holds money that is not there.
  constraint wallet_floor check (balance_micros + credit_limit_micros - held_micros >= 0)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- A positive amount on a wallet's account is the customer's money; on revenue what we earned; on a payable what we owe.
create table ledger_account (
  id bigint generated always as identity primary key,
  kind text not null check (kind in (
    'wallet_cash', 'wallet_promo', 'receivable', 'revenue', 'tax_payable', 'operator_loss',
    'carrier_cost', 'carrier_payable', 'payment_clearing', 'promo_cost', 'rounding')),
  currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
  wallet_id bigint,
  carrier_id integer,
  unique (id, currency),
  unique (id, wallet_id),
  -- A wallet's money never changes its currency.
  foreign key (wallet_id, currency) references wallet (id, currency),
  check ((kind in ('wallet_cash', 'wallet_promo', 'receivable')) = (wallet_id is not null)),
  check ((kind in ('carrier_cost', 'carrier_payable')) = (carrier_id is not null))
);
-- One account of each kind; only promo credit has several, one for each grant of it.
create unique index ledger_account_one on ledger_account (kind, currency, coalesce(wallet_id, 0), coalesce(carrier_id, 0))
  where kind <> 'wallet_promo';
create index ledger_account_wallet on ledger_account (wallet_id) where wallet_id is not null;

create table promo_credit (
  ledger_account_id bigint primary key,
  wallet_id bigint not null,
  -- Kept by the trigger posting_moves_balance, like the wallet's.
  balance_micros bigint not null default 0 check (balance_micros >= 0),
  spend_order smallint not null default 50,
  expires_at timestamptz not null,
  -- Nobody's call is paid from another's credit.
  foreign key (ledger_account_id, wallet_id) references ledger_account (id, wallet_id)
);
create index promo_credit_wallet on promo_credit (wallet_id, spend_order, expires_at) where balance_micros > 0;

-- Seconds bought ahead. They take the place of the charge by the minute, for the prefixes of the pack.
create table minute_pack (
  id bigint generated always as identity primary key,
  wallet_id bigint not null references wallet,
  name text not null,
  prefixes text[] not null,
  seconds_left integer not null,
  seconds_held integer not null default 0 check (seconds_held >= 0),
  spend_order smallint not null default 10,
  expires_at timestamptz not null,
  constraint minute_pack_floor check (seconds_left >= seconds_held)
) with (fillfactor = 50);
create index minute_pack_wallet on minute_pack (wallet_id, spend_order, expires_at) where seconds_left > 0;

create table ledger_tx (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('call', 'topup', 'promo', 'promo_expiry', 'adjustment', 'reversal', 'refund')),
  -- With the kind, the idempotency key: the same key with other content is refused.
  ref uuid not null,
  content jsonb not null,
  created_at timestamptz not null default now(),
  unique (ref, kind)
);

create table posting (
  tx_id bigint not null references ledger_tx,
  account_id bigint not null,
  currency char(3) not null,
  amount_micros bigint not null check (amount_micros <> 0),
  -- An amount is always in the currency of its account.
  foreign key (account_id, currency) references ledger_account (id, currency)
);
create index posting_tx on posting (tx_id);
create index posting_account on posting (account_id, tx_id);

-- All postings of a transaction go in with one INSERT, so a statement sees them all.
create function posting_balanced() returns trigger language plpgsql as $$
begin
  if exists (select 1 from new_rows group by tx_id, currency having sum(amount_micros) <> 0) then
    raise exception 'the postings of a transaction do not sum to zero in each currency';
  end if;
  return null;
end $$;
create trigger posting_balanced after insert on posting
  referencing new table as new_rows for each statement execute function posting_balanced();

-- A second INSERT for the same transaction would balance by itself and still falsify what was agreed.
create function posting_complete() returns trigger language plpgsql as $$
begin
  if exists (select 1 from (select distinct tx_id from new_rows) n
             where (select count(*) from posting p where p.tx_id = n.tx_id)
                <> (select count(*) from new_rows r where r.tx_id = n.tx_id)) then
    raise exception 'a transaction that is written is never added to: reverse it instead';
  end if;
  return null;
end $$;
create trigger posting_complete after insert on posting
  referencing new table as new_rows for each statement execute function posting_complete();

-- Balances follow the postings and nothing else, so that they cannot drift from them.
create function posting_moves_balance() returns trigger language plpgsql as $$
begin
  update wallet w set balance_micros = w.balance_micros + m.amount, promo_micros = w.promo_micros + m.promo
    from (select a.wallet_id, sum(r.amount_micros)::bigint as amount,
                 coalesce(sum(r.amount_micros) filter (where a.kind = 'wallet_promo'), 0)::bigint as promo
            from new_rows r join ledger_account a on a.id = r.account_id
           where a.kind in ('wallet_cash', 'wallet_promo') group by a.wallet_id) m
   where w.id = m.wallet_id;
  update promo_credit p set balance_micros = p.balance_micros + m.amount
    from (select r.account_id, sum(r.amount_micros)::bigint as amount
            from new_rows r join ledger_account a on a.id = r.account_id
           where a.kind = 'wallet_promo' group by r.account_id) m
   where p.ledger_account_id = m.account_id;
  return null;
end $$;
create trigger posting_moves_balance after insert on posting
  referencing new table as new_rows for each statement execute function posting_moves_balance();

create function balance_moved_by_posting() returns trigger language plpgsql as $$
begin
  if pg_trigger_depth() < 2 then
    raise exception 'a balance moves by postings only';
  end if;
  return new;
end $$;
create trigger balance_moved_by_posting before update on wallet for each row
  when ((old.balance_micros, old.promo_micros) is distinct from (new.balance_micros, new.promo_micros))
  execute function balance_moved_by_posting();
create trigger balance_moved_by_posting before update on promo_credit for each row
  when (old.balance_micros is distinct from new.balance_micros) execute function balance_moved_by_posting();

create function wallet_starts_empty() returns trigger language plpgsql as $$
begin
  if new.balance_micros <> 0 or new.promo_micros <> 0 or new.held_micros <> 0 or new.open_calls <> 0 then
    raise exception 'a wallet starts empty: post money to it';
  end if;
  return new;
end $$;
create trigger wallet_starts_empty before insert on wallet for each row execute function wallet_starts_empty();

create function promo_credit_starts_empty() returns trigger language plpgsql as $$
begin
  if new.balance_micros <> 0 then raise exception 'promo credit starts empty: post money to it'; end if;
  return new;
end $$;
create trigger promo_credit_starts_empty before insert on promo_credit for each row execute function promo_credit_starts_empty();

create function append_only() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: a mistake is reversed by a new row', tg_table_name;
end $$;
create trigger append_only before update or delete or truncate on posting for each statement execute function append_only();
create trigger append_only before update or delete or truncate on ledger_tx for each statement execute function append_only();

-- Carriers and trunks ----------------------------------------------------------------------------------------------

create table carrier (
  id integer generated by default as identity primary key,
  code text not null unique check (code ~ '^[a-z0-9][a-z0-9-]{1,39}$'),
  name text not null,
  currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
  enabled boolean not null default true
);
alter table ledger_account add foreign key (carrier_id) references carrier;

create table trunk (
  id text primary key check (id ~ '^trunk-[a-z0-9-]{1,34}$'),
  carrier_id integer not null references carrier,
  host text not null check (length(host) between 1 and 253),
  port integer not null default 5060 check (port between 1 and 65535),
  transport text not null default 'udp' check (transport in ('udp', 'tcp', 'tls')),
  -- For a carrier that challenges our INVITE. The switch has to read the secret, so it cannot be a hash.
  auth_username text,
  auth_secret text,
  from_domain text,
  max_channels integer not null default 1000 check (max_channels > 0),
  enabled boolean not null default true,
  check ((auth_username is null) = (auth_secret is null))
);

create table trunk_address (
  trunk_id text not null references trunk on delete cascade,
  address cidr not null,
  primary key (trunk_id, address)
);

-- Where an emergency call goes. A country without a row: the caller hears that it cannot be reached here.
create table emergency_route (
  country char(2) primary key check (country ~ '^[A-Z]{2}$'),
  trunk_id text not null references trunk
);

-- Devices and numbers ----------------------------------------------------------------------------------------------

create table sip_device (
  id uuid primary key,
  account_id uuid not null references account,
  -- The switch tells devices and trunks apart by this name, and names end up in dial strings: letters, digits, hyphen.
  username text not null unique check (username ~ '^[a-z0-9][a-z0-9-]{2,39}$' and username not like 'trunk-%'),
  -- H(username:letsdial:password), RFC 8760. The password itself is shown once and never stored.
  ha1_md5 text not null check (ha1_md5 ~ '^[0-9a-f]{32}$'),
  ha1_sha256 text not null check (ha1_sha256 ~ '^[0-9a-f]{64}$'),
  enabled boolean not null default true,
  webrtc boolean not null default false,
  allowed_address cidr[],
  -- Shown to callees unless the device asks for another number that the account holds.
  caller_number text,
  created_at timestamptz not null default now()
);
create index sip_device_account on sip_device (account_id);

create table did (
  number text primary key check (number ~ '^\+[1-9][0-9]{5,14}$'),
  account_id uuid references account,
  state text not null default 'free' check (state in ('free', 'active', 'suspended', 'quarantined')),
  -- What the holder pays for an incoming call, in the currency of the wallet.
  inbound_rate_micros_per_minute bigint not null default 0 check (inbound_rate_micros_per_minute >= 0),
  inbound_connect_fee_micros bigint not null default 0 check (inbound_connect_fee_micros >= 0),
  inbound_initial_increment_seconds integer not null default 1 check (inbound_initial_increment_seconds between 1 and 3600),
  inbound_subsequent_increment_seconds integer not null default 1 check (inbound_subsequent_increment_seconds between 1 and 3600),
  ring_timeout_seconds integer not null default 30 check (ring_timeout_seconds between 5 and 120),
  check ((state = 'active') <= (account_id is not null))
);
create index did_account on did (account_id) where account_id is not null;

-- Numbers of the customer's own, proven by a code, that may be shown as CLI.
create table verified_caller (
  account_id uuid not null references account,
  number text not null check (number ~ '^\+[1-9][0-9]{5,14}$'),
  verified_at timestamptz not null default now(),
  primary key (account_id, number)
);

-- Calls ------------------------------------------------------------------------------------------------------------

-- Who drives a switch. Each takeover counts the epoch up, and what an older epoch says is refused.
create table switch_lease (
  switch_id text primary key,
  epoch integer not null default 0,
  owner uuid,
  taken_at timestamptz,
  -- How far the switch's own records are settled.
  record_position text
);

create table call_hold (
  -- A leg is one side of a call that somebody pays for.
  leg_id uuid primary key,
  call_id uuid not null,
  wallet_id bigint not null references wallet,
  switch_id text not null references switch_lease,
  channel_id text not null,
  state char(1) not null default 'o' check (state in ('o', 's')),
  held_micros bigint not null check (held_micros >= 0),
  pack_id bigint references minute_pack,
  pack_seconds_held integer not null default 0 check (pack_seconds_held >= 0),
  grant_no integer not null default 1,
  seconds_granted integer not null check (seconds_granted > 0),
  authorized_at timestamptz not null,
  answered_at timestamptz,
  -- When what is held is used up; the switch ends the call by itself. Never index it: that would end HOT updates.
  deadline_at timestamptz not null,
  -- Rates, route and parties as they were when the call was authorised: what it is charged and explained by.
  snapshot jsonb not null,
  check (pack_seconds_held = 0 or pack_id is not null)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
create index call_hold_open on call_hold (wallet_id) where state = 'o';

-- Every grant is a row of its own: a renewal whose answer was lost is repeated by its number and found here.
create table call_grant (
  leg_id uuid not null references call_hold on delete cascade,
  grant_no integer not null,
  seconds integer not null check (seconds > 0),
  micros bigint not null check (micros >= 0),
  pack_seconds integer not null default 0 check (pack_seconds >= 0),
  granted_at timestamptz not null,
  primary key (leg_id, grant_no)
);

-- Not unique on the leg alone, which a partitioned table cannot be: the state of the hold and ledger_tx are the gate.
create table cdr (
  leg_id uuid not null,
  call_id uuid not null,
  started_at timestamptz not null,
  account_id uuid,
  wallet_id bigint,
  direction text not null check (direction in ('outbound', 'inbound', 'emergency')),
  device text,
  dialled text not null,
  caller text,
  callee text,
  destination text,
  answered_at timestamptz,
  ended_at timestamptz not null,
  -- The switch's own measure, answer to hang-up.
  duration_ms bigint not null check (duration_ms >= 0),
  duration_source text not null check (duration_source in ('record', 'events', 'monotonic', 'proof_of_life', 'none')),
  -- The duration, rounded up to whole seconds: what the price is asked for.
  seconds_charged integer not null check (seconds_charged >= 0),
  -- After minimum and increments: what the bill shows.
  seconds_billed integer not null check (seconds_billed >= 0),
  net_micros bigint not null check (net_micros >= 0),
  tax_micros bigint not null check (tax_micros >= 0),
  -- What a late hang-up cost beyond the hold; booked to the operator, never to the customer.
  operator_loss_micros bigint not null default 0 check (operator_loss_micros >= 0),
  cost_micros bigint not null default 0 check (cost_micros >= 0),
  cost_currency char(3),
  currency char(3),
  pack_id bigint,
  pack_seconds integer not null default 0,
  result text not null check (result in ('answered', 'no_answer', 'busy', 'cancelled', 'failed', 'refused')),
  refusal text,
  cause integer not null,
  blame text not null check (blame in ('nobody', 'caller', 'callee', 'carrier', 'us')),
  pdd_ms integer,
  carrier_id integer,
  trunk_id text,
  attempts jsonb not null default '[]',
  grants jsonb not null default '[]',
  snapshot jsonb not null,
  check (result = 'refused' or wallet_id is not null or direction = 'emergency'),
  check ((result = 'refused') = (refusal is not null)),
  primary key (leg_id, started_at)
) partition by range (started_at);
-- Nothing is ever lost for want of a month; the controller makes the months ahead of time.
create table cdr_default partition of cdr default;
create index cdr_account on cdr (account_id, started_at);
create index cdr_call on cdr (call_id);

create function ensure_cdr_month(p_month date) returns void language plpgsql as $$
declare
  month_start date := date_trunc('month', p_month)::date;
  name text := 'cdr_' || to_char(p_month, 'YYYY_MM');
begin
  if to_regclass(name) is null then
    execute format('create table %I partition of cdr for values from (%L) to (%L)',
                   name, month_start || ' 00:00:00+00', (month_start + interval '1 month')::date || ' 00:00:00+00');
  end if;
end $$;

create table outbox (
  id bigint generated always as identity primary key,
  kind text not null,
  payload jsonb not null,
  created_at timestamptz not null default now()
);
