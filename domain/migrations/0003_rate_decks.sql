-- Rate decks: what customers pay (sell) and what carriers charge us (buy). A deck is never edited: an import makes a new
-- version beside the old one and then changes places with it, so every charge can be traced to the very rows it came from.

create table rate_deck (
  id integer generated always as identity primary key,
  name text not null check (name ~ '^[a-z0-9][a-z0-9-]{0,59}$'),
  side text not null check (side in ('sell', 'buy')),
  carrier_id integer references carrier,
  currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
  version integer not null check (version > 0),
  state text not null default 'draft' check (state in ('draft', 'active', 'retired')),
  -- SHA-256 of the imported file: the same file again is recognised, and a dispute can show which file was in force.
  -- It is known when the file was read to its end.
  checksum text check (checksum ~ '^[0-9a-f]{64}$'),
  imported_at timestamptz not null default now(),
  imported_by text not null check (imported_by <> ''),
  unique (name, version),
  check (state = 'draft' or checksum is not null),
  -- What we buy, we buy of somebody; what we sell is no carrier's.
  check ((side = 'buy') = (carrier_id is not null))
);
-- Two versions in force at once would make the price a matter of luck.
create unique index rate_deck_active on rate_deck (name) where state = 'active';
-- A carrier has one price for a number, so one buy deck at a time.
create unique index rate_deck_active_carrier on rate_deck (carrier_id) where state = 'active' and side = 'buy';

create table rate (
  deck_id integer not null references rate_deck,
  -- Digits of E.164 without the plus.
  prefix text not null collate "C" check (prefix ~ '^[1-9][0-9]{0,14}$'),
  effective_from timestamptz not null default '-infinity',
  -- The first instant at which the row no longer holds; null has no end.
  effective_to timestamptz,
  destination text not null check (length(destination) between 1 and 200),
  rate_micros_per_minute bigint not null check (rate_micros_per_minute >= 0),
  connect_fee_micros bigint not null default 0 check (connect_fee_micros >= 0),
  -- A day is far above every real billing increment; beyond it a row is a mistake, and sums of seconds stay small.
  minimum_seconds integer not null default 0 check (minimum_seconds between 0 and 86400),
  -- An increment of 0 would divide a call into no steps.
  initial_increment_seconds integer not null default 1 check (initial_increment_seconds between 1 and 86400),
  subsequent_increment_seconds integer not null default 1 check (subsequent_increment_seconds between 1 and 86400),
  grace_seconds integer not null default 0 check (grace_seconds between 0 and 86400),
  free_seconds integer not null default 0 check (free_seconds between 0 and 86400),
  -- One row begins at an instant; that none reaches into the next is checked when the deck goes into force.
  primary key (deck_id, prefix, effective_from),
  check (effective_to > effective_from)
);

create table fx_rate (
  from_currency char(3) not null check (from_currency ~ '^[A-Z]{3}$'),
  to_currency char(3) not null check (to_currency ~ '^[A-Z]{3}$'),
  on_date date not null,
  -- amount_to = amount_from * numerator / denominator, in integers, so a conversion can be repeated to the micro. Twelve
  -- digits hold every quoted rate.
  numerator bigint not null check (numerator between 1 and 1000000000000),
  denominator bigint not null check (denominator between 1 and 1000000000000),
  primary key (from_currency, to_currency, on_date),
  check (from_currency <> to_currency)
);

-- An exclusion constraint would say the same, but its GiST index over four million rates takes minutes to build and is of
-- no other use. A deck in force is never changed, so one check at the moment it goes into force is as strong.
create function rate_deck_changes() returns trigger language plpgsql as $$
declare clash record;
begin
  if (new.id, new.name, new.side, new.carrier_id, new.currency, new.version, new.imported_at, new.imported_by)
     is distinct from
     (old.id, old.name, old.side, old.carrier_id, old.currency, old.version, old.imported_at, old.imported_by)
     or (old.state <> 'draft' and new.checksum is distinct from old.checksum)
  then raise exception 'of a rate deck only the state may change: import a new version instead'; end if;
  if new.state = 'draft' and old.state <> 'draft' then
    raise exception 'a rate deck that was in force cannot become a draft again';
  end if;
  if old.state = 'draft' and new.state = 'active' then
    select r.prefix, r.effective_from into clash
      from (select prefix, effective_from, effective_to, lead(effective_from) over (partition by prefix order by effective_from) as next_from
              from rate where deck_id = new.id) r
     where r.next_from is not null and (r.effective_to is null or r.effective_to > r.next_from)
     limit 1;
    if found then
      raise exception 'rates of prefix % overlap: the one from % still holds when the next begins', clash.prefix, clash.effective_from;
    end if;
  end if;
  return new;
end $$;
create trigger rate_deck_changes before update on rate_deck for each row execute function rate_deck_changes();

-- Services hold the rates in memory; whoever changes what is in force, by whatever tool, wakes them at the commit.
create function rates_notify() returns trigger language plpgsql as $$
begin
  perform pg_notify('rates', tg_table_name);
  return null;
end $$;
create trigger rate_deck_notify after update of state on rate_deck for each statement execute function rates_notify();
create trigger fx_rate_notify after insert on fx_rate for each statement execute function rates_notify();
-- Routes are made of these, too.
create trigger carrier_notify after insert or update or delete on carrier for each statement execute function rates_notify();
create trigger trunk_notify after insert or update or delete on trunk for each statement execute function rates_notify();
create trigger emergency_route_notify after insert or update or delete on emergency_route
  for each statement execute function rates_notify();

create function rate_only_into_draft() returns trigger language plpgsql as $$
begin
  -- The lock keeps the deck a draft until this commits: its check on going into force must see these rows.
  perform 1 from rate_deck d where d.id in (select deck_id from new_rows) for share;
  if exists (select 1 from rate_deck d where d.state <> 'draft' and d.id in (select deck_id from new_rows)) then
    raise exception 'a rate deck that is or was in force takes no further rates: import a new version instead';
  end if;
  return null;
end $$;
create trigger rate_only_into_draft after insert on rate referencing new table as new_rows
  for each statement execute function rate_only_into_draft();

-- Charges were made from these rows.
create trigger append_only before update or delete or truncate on rate
  for each statement execute function append_only();
create trigger append_only before update or delete or truncate on fx_rate
  for each statement execute function append_only();
create trigger append_only before delete or truncate on rate_deck
  for each statement execute function append_only();
