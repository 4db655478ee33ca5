-- Texts: what they cost, who sends them, which carriers take them, and what became of each.

-- Prices -----------------------------------------------------------------------------------------------------------

-- A deck is of calls or of texts; versions, activation and import are the same for both.
alter table rate_deck add column service text not null default 'calls' check (service in ('calls', 'texts'));
drop index rate_deck_active_carrier;
create unique index rate_deck_active_carrier on rate_deck (carrier_id, service) where state = 'active' and side = 'buy';

create table text_rate (
  deck_id integer not null references rate_deck,
  -- Digits of E.164 without the plus.
  prefix text not null collate "C" check (prefix ~ '^[1-9][0-9]{0,14}$'),
  effective_from timestamptz not null default '-infinity',
  -- The first instant at which the row no longer holds; null has no end.
  effective_to timestamptz,
  destination text not null check (length(destination) between 1 and 200),
  rate_micros_per_segment bigint not null check (rate_micros_per_segment >= 0),
  primary key (deck_id, prefix, effective_from),
  check (effective_to > effective_from)
);
create trigger rate_only_into_draft after insert on text_rate referencing new table as new_rows
  for each statement execute function rate_only_into_draft();
create trigger append_only before update or delete or truncate on text_rate
  for each statement execute function append_only();

create or replace function rate_deck_changes() returns trigger language plpgsql as $$
declare clash record;
begin
  if (new.id, new.name, new.side, new.service, new.carrier_id, new.currency, new.version, new.imported_at, new.imported_by)
     is distinct from
     (old.id, old.name, old.side, old.service, old.carrier_id, old.currency, old.version, old.imported_at, old.imported_by)
     or (old.state <> 'draft' and new.checksum is distinct from old.checksum)
  then raise exception 'of a rate deck only the state may change: import a new version instead'; end if;
  if new.state = 'draft' and old.state <> 'draft' then
    raise exception 'a rate deck that was in force cannot become a draft again';
  end if;
  if old.state = 'draft' and new.state = 'active' then
    select r.prefix, r.effective_from into clash
      from (select prefix, effective_from, effective_to, lead(effective_from) over (partition by prefix order by effective_from) as next_from
              from (select prefix, effective_from, effective_to from rate where deck_id = new.id
                    union all select prefix, effective_from, effective_to from text_rate where deck_id = new.id) both_kinds) r
     where r.next_from is not null and (r.effective_to is null or r.effective_to > r.next_from)
     limit 1;
    if found then
      raise exception 'rates of prefix % overlap: the one from % still holds when the next begins', clash.prefix, clash.effective_from;
    end if;
    if exists (select 1 from rate where deck_id = new.id) and new.service <> 'calls'
       or exists (select 1 from text_rate where deck_id = new.id) and new.service <> 'texts' then
      raise exception 'the rates of deck % are not of its service, %', new.name, new.service;
    end if;
  end if;
  return new;
end $$;

-- Who sends --------------------------------------------------------------------------------------------------------

-- The name of the rate deck that this customer's texts are priced by.
alter table account add column text_deck text not null default 'retail-texts';

-- Senders that are no number of ours: names and short codes, each allowed to an account by a person.
create table text_sender (
  account_id uuid not null references account,
  -- A name has a letter, so that none can be taken for somebody's number.
  sender text not null check (sender ~ '^((?=.*[A-Za-z])[A-Za-z0-9 &+._-]{3,11}|[0-9]{3,8})$'),
  approved_at timestamptz not null default now(),
  primary key (account_id, sender)
);

create table api_key (
  id uuid primary key,
  account_id uuid not null references account,
  name text not null check (length(name) between 1 and 100),
  -- SHA-256 of the secret, which is 256 random bits: nothing slower would add anything. The secret is shown once.
  secret_sha256 text not null unique check (secret_sha256 ~ '^[0-9a-f]{64}$'),
  scopes text[] not null default '{texts}',
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index api_key_account on api_key (account_id);

-- A customer who binds to our SMSC. The protocol has passwords of eight octets, so guesses are bounded by address too.
create table esme (
  system_id text primary key check (system_id ~ '^[A-Za-z0-9_-]{3,15}$'),
  account_id uuid not null references account,
  password_scrypt text not null check (length(password_scrypt) between 20 and 300),
  enabled boolean not null default true,
  binds_max smallint not null default 4 check (binds_max between 1 and 100),
  window_max smallint not null default 100 check (window_max between 1 and 1000),
  texts_per_second_max integer not null default 100 check (texts_per_second_max between 1 and 100000),
  allowed_address cidr[],
  -- Recipients of MO texts that these binds take, as digits of E.164; null: all of the account's numbers.
  address_range text check (address_range ~ '^[0-9]{1,15}$'),
  created_at timestamptz not null default now()
);
create index esme_account on esme (account_id);

-- STOP to a number of ours. `*` stands for every sender of the account.
create table opt_out (
  account_id uuid not null references account,
  recipient text not null,
  sender text not null,
  opted_out_at timestamptz not null default now(),
  -- The text that said so; null where a person asked by another way.
  message_id uuid,
  primary key (account_id, recipient, sender)
);

-- Where an account wants to hear of its texts. Signed as Standard Webhooks says, by a secret that is shown once.
create table webhook_endpoint (
  id uuid primary key,
  account_id uuid not null references account,
  url text not null check (url ~ '^https?://' and length(url) <= 2000),
  -- The service signs with it, so it cannot be a hash.
  secret text not null check (secret ~ '^whsec_[A-Za-z0-9+/=]{32,}$'),
  kinds text[] not null default '{receipt,text}' check (kinds <@ array['receipt', 'text']),
  enabled boolean not null default true,
  created_at timestamptz not null default now()
);
create index webhook_endpoint_account on webhook_endpoint (account_id) where enabled;

-- Carriers ---------------------------------------------------------------------------------------------------------

-- One connection to a carrier's SMSC. Changed while running: a notification makes the gateway look again.
create table carrier_bind (
  id text primary key check (id ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  carrier_id integer not null references carrier,
  host text not null check (length(host) between 1 and 253),
  port integer not null check (port between 1 and 65535),
  tls boolean not null default false,
  system_id text not null check (length(system_id) between 0 and 15),
  -- The gateway has to send it, so it cannot be a hash.
  password text not null check (length(password) <= 8),
  system_type text not null default '' check (length(system_type) <= 12),
  kind text not null default 'transceiver' check (kind in ('transmitter', 'receiver', 'transceiver')),
  interface_version smallint not null default 52 check (interface_version in (51, 52, 80)),
  window_max smallint not null default 50 check (window_max between 1 and 2000),
  texts_per_second_max integer not null default 100 check (texts_per_second_max between 1 and 100000),
  -- Whether a name may stand as the sender; a message with one goes to another carrier where it may not.
  alphanumeric_sender boolean not null default true,
  -- What data_coding 0 means there.
  default_alphabet text not null default 'gsm7' check (default_alphabet in ('gsm7', 'gsm7_packed', 'latin1', 'ascii')),
  -- How the message id of a receipt is written, compared with the one of the submit_sm_resp.
  receipt_id_form text not null default 'same' check (receipt_id_form in ('same', 'hex_then_decimal', 'decimal_then_hex', 'any')),
  -- Of the zone in which its receipts write dates, positive to the east.
  receipt_utc_offset_minutes smallint not null default 0 check (receipt_utc_offset_minutes between -840 and 840),
  -- Whether a text that looks like a receipt is one although nothing marks it so: else people could forge receipts.
  unflagged_receipts boolean not null default false,
  -- ISO 3166-1; null: whatever its rates reach.
  countries char(2)[],
  -- Hours at which it takes texts, in its own zone; null: always.
  opens_at time,
  closes_at time,
  time_zone text not null default 'UTC',
  enabled boolean not null default true,
  check ((opens_at is null) = (closes_at is null))
);
create index carrier_bind_carrier on carrier_bind (carrier_id);

create function gateway_notify() returns trigger language plpgsql as $$
begin
  perform pg_notify('gateway', tg_table_name);
  return null;
end $$;
create trigger carrier_bind_notify after insert or update or delete on carrier_bind for each statement execute function gateway_notify();
create trigger esme_notify after insert or update or delete on esme for each statement execute function gateway_notify();
create trigger api_key_notify after insert or update or delete on api_key for each statement execute function gateway_notify();
create trigger webhook_endpoint_notify after insert or update or delete on webhook_endpoint for each statement execute function gateway_notify();
create trigger account_notify after update of state, tax_ppm, text_deck on account for each statement execute function gateway_notify();
-- Text prices wake whoever holds rates in memory by the same channel as those of calls: rate_deck_notify.

-- Texts ------------------------------------------------------------------------------------------------------------

-- Ids are UUIDs of version 7 (RFC 9562), which begin with the milliseconds: a month of texts is a range of ids, so partitions
-- need no second column in the key, and an id alone finds its month.
create function uuid_v7_floor(p_at timestamptz) returns uuid language sql immutable strict as $$
  select (lpad(to_hex(floor(extract(epoch from p_at) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

-- Written once, at acceptance or arrival. What became of it is in message_event.
create table message (
  id uuid primary key,
  account_id uuid,
  direction text not null check (direction in ('mt', 'mo')),
  accepted_at timestamptz not null,
  sender text not null check (length(sender) between 1 and 21),
  recipient text not null check (length(recipient) between 1 and 21),
  -- Null once it was erased: after its days, or on the customer's wish.
  body text,
  encoding text not null check (encoding in ('gsm7', 'ucs2', 'binary')),
  segments smallint not null check (segments between 1 and 255),
  -- code: somebody waits for it at a login; bulk: nobody does.
  class text not null default 'normal' check (class in ('code', 'normal', 'bulk')),
  -- When it is not known whether a carrier took it: sent again and flagged, or held for a person.
  on_doubt text not null default 'resend' check (on_doubt in ('resend', 'hold')),
  -- What was charged, and by which row of which deck. The ledger transaction is that of kind `text` with this ref, which the
  -- texts of one batch share.
  charge_ref uuid,
  wallet_id bigint,
  currency char(3),
  net_micros bigint not null default 0 check (net_micros >= 0),
  tax_micros bigint not null default 0 check (tax_micros >= 0),
  deck_id integer,
  prefix text,
  destination text,
  rate_micros_per_segment bigint,
  source text not null check (source in ('http', 'smpp', 'portal', 'system', 'carrier')),
  -- Of the customer's bind that sent it and shall hear of it, or of the carrier that brought it.
  system_id text,
  carrier_id integer,
  -- The customer's own name for it.
  client_ref text check (length(client_ref) <= 100),
  wants_receipt boolean not null default false,
  due_at timestamptz,
  valid_until timestamptz,
  keyword text check (keyword in ('stop', 'start', 'help')),
  check (direction = 'mo' or account_id is not null),
  -- Nothing is charged without saying to whom and in what.
  check (net_micros + tax_micros = 0 or (charge_ref is not null and wallet_id is not null and currency is not null and deck_id is not null))
) partition by range (id);
create table message_default partition of message default;
create index message_account on message (account_id, id);
create index message_charge on message (charge_ref) where charge_ref is not null;

-- What was accepted stays as it was; only the body can be erased.
create function message_is_written_once() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if new.body is null then
      old.body := null;
      if new is not distinct from old then return new; end if;
    end if;
  end if;
  raise exception 'a text is written once: what becomes of it is an event, and only its body can be erased';
end $$;
-- For each row, here and for the events: a trigger for each statement would not see what is done to a partition by its own name.
create trigger message_is_written_once before update or delete on message for each row execute function message_is_written_once();
create trigger append_only before truncate on message for each statement execute function append_only();

create table message_event (
  message_id uuid not null,
  n bigint generated always as identity,
  at timestamptz not null,
  kind text not null check (kind in (
    -- by a carrier: it took a part; refused it; asked us to slow down; never answered
    'submitted', 'refused', 'throttled', 'in_doubt',
    -- by the gateway or a person: sent once more after a doubt; another body or time; held, and let go
    'resent', 'replaced', 'held', 'released',
    -- a receipt of a part, and how the whole ended
    'receipt', 'final',
    'refunded')),
  -- 1 to segments; 0 is the whole.
  part_no smallint not null default 0,
  attempt smallint not null default 1,
  carrier_id integer,
  bind_id text,
  carrier_message_id text,
  -- command_status of SMPP, or what a receipt gives as its error.
  status integer,
  error text,
  state text check (state in ('enroute', 'accepted', 'delivered', 'undeliverable', 'expired', 'rejected', 'deleted', 'cancelled', 'unknown')),
  cost_micros bigint not null default 0 check (cost_micros >= 0),
  cost_currency char(3),
  -- In words: which routes there were and why this one, who decided and why.
  detail text,
  primary key (message_id, n),
  check ((kind in ('final', 'receipt')) <= (state is not null)),
  -- What is owed is owed to somebody and in a currency.
  check (cost_micros = 0 or (carrier_id is not null and cost_currency is not null))
) partition by range (message_id);
create table message_event_default partition of message_event default;
-- A receipt names the part by these two.
create index message_event_carrier on message_event (carrier_message_id, carrier_id) where kind = 'submitted';
-- A carrier takes a part once in an attempt, a receipt counts once, a text ends once.
create unique index message_event_submitted on message_event (message_id, part_no, attempt) where kind = 'submitted';
create unique index message_event_receipt on message_event (message_id, part_no, state) where kind = 'receipt';
create unique index message_event_final on message_event (message_id) where kind = 'final';
create trigger message_event_append_only before update or delete on message_event for each row execute function append_only();
create trigger append_only before truncate on message_event for each statement execute function append_only();

create function ensure_message_month(p_month date) returns void language plpgsql set search_path = public, pg_temp as $$
declare
  month_start timestamptz := date_trunc('month', p_month::timestamp) at time zone 'UTC';
  month_end timestamptz := (date_trunc('month', p_month::timestamp) + interval '1 month') at time zone 'UTC';
  parent text;
begin
  foreach parent in array array['message', 'message_event'] loop
    if to_regclass(parent || to_char(p_month, '"_"YYYY_MM')) is null then
      begin
        execute format('create table %I partition of %I for values from (%L) to (%L)',
                       parent || to_char(p_month, '"_"YYYY_MM'), parent, uuid_v7_floor(month_start), uuid_v7_floor(month_end));
      exception
        -- Texts of that month came before their table, so they and the rest of it stay where nothing is lost; or somebody else
        -- made it at the same moment.
        when check_violation or duplicate_table then null;
      end;
    end if;
  end loop;
end $$;

-- MT texts that a carrier still has to take. A row goes when every part was answered or the text has ended otherwise.
create table message_queue (
  message_id uuid primary key,
  -- waiting; claimed by a gateway, which may have sent it; held for a person's decision; in doubt and not to be sent again
  state char(1) not null check (state in ('w', 'c', 'h', 'd')),
  -- Waiting texts stand in the lane of the carrier that is to take them.
  carrier_id integer,
  -- 0 before 1 before 2.
  priority smallint not null check (priority between 0 and 9),
  due_at timestamptz not null,
  valid_until timestamptz not null,
  -- Of the gateway that claimed it.
  epoch integer,
  attempt smallint not null default 1,
  -- A claimed text whose next step is the wire: only these may have been sent where doubt means hold.
  sending boolean not null default false,
  -- When a gateway last looked whether another carrier can take what waits for one that is away.
  looked_at timestamptz,
  check ((state = 'c') = (epoch is not null))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
-- An index cannot be asked for what is null or not alike; no carrier is number 0.
create index message_queue_waiting on message_queue (coalesce(carrier_id, 0), priority, due_at, message_id) where state = 'w';
create index message_queue_validity on message_queue (valid_until) where state in ('w', 'h');
create index message_queue_apart on message_queue (state) where state in ('h', 'd');

-- The same request again finds the text that it made; other content under the same key is refused.
create table message_key (
  account_id uuid not null references account,
  idempotency_key text not null check (length(idempotency_key) between 1 and 200),
  content_sha256 text not null,
  message_id uuid not null,
  created_at timestamptz not null,
  primary key (account_id, idempotency_key)
);
create index message_key_age on message_key (created_at);

-- A receipt that names no part that we know of: it came before the submit_sm_resp was stored, or it is nobody's.
create table parked_receipt (
  id bigint generated always as identity primary key,
  carrier_id integer not null,
  carrier_message_ids text[] not null,
  state text not null,
  error text,
  done_at timestamptz,
  received_at timestamptz not null
);
-- Without a list of what is to be sorted in later, which every search would have to read.
create index parked_receipt_ids on parked_receipt using gin (carrier_message_ids) with (fastupdate = off);

-- Parts of a long MO text until the last one is there.
create table mo_part (
  carrier_id integer not null,
  sender text not null,
  recipient text not null,
  reference integer not null,
  part_count smallint not null check (part_count between 2 and 255),
  part_no smallint not null check (part_no between 1 and 255),
  data_coding smallint not null,
  payload bytea not null,
  received_at timestamptz not null,
  -- The same reference may come again for another text once the first is complete.
  primary key (carrier_id, sender, recipient, reference, part_count, part_no),
  check (part_no <= part_count)
);
create index mo_part_age on mo_part (received_at);

-- What a customer is still to be told.
create table customer_delivery (
  id bigint generated always as identity primary key,
  account_id uuid not null references account,
  kind text not null check (kind in ('receipt', 'text')),
  message_id uuid not null,
  channel text not null check (channel in ('webhook', 'smpp')),
  -- The endpoint or the system_id.
  target text not null,
  due_at timestamptz not null,
  attempts smallint not null default 0,
  last_error text,
  -- A dead letter is kept until somebody asks for it again.
  dead_at timestamptz
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
create index customer_delivery_due on customer_delivery (channel, due_at) where dead_at is null;
-- Webhooks are taken endpoint by endpoint, so that the backlog of one costs the others nothing; dead letters are asked for again.
create index customer_delivery_webhook on customer_delivery (target, due_at, id) where channel = 'webhook' and dead_at is null;
create index customer_delivery_dead on customer_delivery (target) where channel = 'webhook' and dead_at is not null;
create index customer_delivery_target on customer_delivery (target, id) where dead_at is null and channel = 'smpp';

-- Money ------------------------------------------------------------------------------------------------------------

alter table ledger_tx drop constraint ledger_tx_kind_check;
alter table ledger_tx add constraint ledger_tx_kind_check check (kind in (
  'call', 'topup', 'promo', 'promo_expiry', 'adjustment', 'reversal', 'refund', 'text', 'text_refund', 'text_cost'));
-- What was given back of the texts that one transaction charged.
create index ledger_tx_text_refund on ledger_tx ((content ->> 'charge_ref')) where kind = 'text_refund';
