-- What texts are screened by before they are charged: how fast an account may send, what a country forbids, whom a person vouched
-- for. And where numbers went that kept their digits when they changed their network.

-- How many texts an account may send. Without a row the gateway's defaults hold. The day is one of the account's own zone.
create table text_limit (
  account_id uuid primary key references account,
  texts_per_second_max integer not null check (texts_per_second_max between 0 and 100000),
  texts_per_day_max integer not null check (texts_per_day_max >= 0)
);

-- What a text or its sender may not be. Patterns are literal: one that the database could turn into a program would let a slip of
-- the pen stop the gateway. Case, look-alikes and what is invisible make no difference.
create table content_rule (
  id integer generated always as identity primary key,
  -- ISO 3166-1, of the recipient; null: everywhere.
  country char(2) check (country ~ '^[A-Z]{2}$'),
  -- word: a word, or several in a row; link: a host with all below it, or * for any link; sender: a sender's name or number
  kind text not null check (kind in ('word', 'link', 'sender')),
  pattern text not null check (length(pattern) <= 253 and pattern ~ '\S'),
  action text not null check (action in ('hold', 'refuse')),
  -- The customer reads it where the text is refused, and a person where it is held.
  reason text not null check (length(reason) between 1 and 300),
  enabled boolean not null default true,
  created_at timestamptz not null default now()
);
create unique index content_rule_once on content_rule (coalesce(country, '--'), kind, lower(pattern));

-- What a country asks of every text to it. Without a row: nothing.
create table country_text_rule (
  country char(2) primary key check (country ~ '^[A-Z]{2}$'),
  -- Whether a name may stand as the sender.
  alphanumeric_sender boolean not null default true,
  -- The hours at which texts of class bulk may arrive: from the first to before the second, in every zone of the country at once.
  -- Null: at all hours. In steps of a quarter of an hour, as zones are.
  bulk_from time check (extract(second from bulk_from) = 0 and extract(minute from bulk_from)::integer % 15 = 0),
  bulk_until time check (extract(second from bulk_until) = 0 and extract(minute from bulk_until)::integer % 15 = 0),
  -- Names of the IANA's time zone database.
  time_zones text[] not null default '{UTC}' check (cardinality(time_zones) between 1 and 20),
  check ((bulk_from is null) = (bulk_until is null)),
  check (bulk_from < bulk_until)
);

-- A person looked at an account's login codes to a country and vouched for them: they are not searched for pumping.
create table text_trust (
  account_id uuid not null references account,
  country char(2) not null check (country ~ '^[A-Z]{2}$'),
  -- Null: for good.
  trusted_until timestamptz,
  decided_by text not null check (length(decided_by) between 1 and 200),
  reason text not null check (length(reason) between 1 and 300),
  decided_at timestamptz not null default now(),
  primary key (account_id, country)
);

-- Numbers that routing must not judge by their own digits, as the porting database of their country gives them.
create table ported_number (
  number text primary key collate "C" check (number ~ '^\+[1-9][0-9]{3,14}$'),
  -- What routing goes by instead: a number that begins as those of the network do.
  routing_number text not null check (routing_number ~ '^\+[1-9][0-9]{3,14}$'),
  ported_at timestamptz not null default now()
);

create trigger text_limit_notify after insert or update or delete on text_limit for each statement execute function gateway_notify();
create trigger content_rule_notify after insert or update or delete on content_rule for each statement execute function gateway_notify();
create trigger country_text_rule_notify after insert or update or delete on country_text_rule for each statement execute function gateway_notify();
create trigger text_trust_notify after insert or update or delete on text_trust for each statement execute function gateway_notify();

-- What a person has to decide on is read page by page, the oldest first.
create index message_queue_held on message_queue (message_id) where state in ('h', 'd');

grant select on text_limit, country_text_rule to letsdial_gateway;
grant select (id, country, kind, pattern, action, reason, enabled) on content_rule to letsdial_gateway;
grant select (account_id, country, trusted_until) on text_trust to letsdial_gateway;
grant select (number, routing_number) on ported_number to letsdial_gateway;
