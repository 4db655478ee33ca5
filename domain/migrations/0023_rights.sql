-- What is agreed on, what an account is kept from and may appeal, what the operator's people do at their desk, and how good calls are.

-- Terms ------------------------------------------------------------------------------------------------------------

-- A version of a text that people read and agree to. Versions count within a kind; each language of a version is a row of its own.
create table legal_document (
  id uuid primary key,
  kind text not null check (kind in ('terms', 'privacy', 'payment_policy')),
  version integer not null check (version > 0),
  locale text not null check (locale ~ '^[a-z]{2}(-[A-Z]{2})?$'),
  title text not null check (length(title) between 1 and 200),
  -- In Markdown.
  body text not null check (length(body) between 1 and 150000),
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  -- What is different from the version before, in words for who agreed to that one.
  change_note text not null check (length(change_note) between 1 and 4000),
  -- Whether whoever agreed to the version before is asked again.
  is_material boolean not null,
  state text not null default 'draft' check (state in ('draft', 'scheduled', 'in_force', 'superseded')),
  -- Null while it is a draft.
  in_force_from timestamptz,
  written_by text not null check (length(written_by) between 1 and 100),
  published_by text check (length(published_by) between 1 and 100),
  created_at timestamptz not null,
  -- Counts up with each edit of the draft, and with each step of its state.
  edit integer not null default 1,
  unique (kind, version, locale),
  check ((state = 'draft') = (in_force_from is null)),
  check ((state = 'draft') = (published_by is null))
);
create unique index legal_document_in_force on legal_document (kind, locale) where state = 'in_force';
create index legal_document_due on legal_document (in_force_from) where state = 'scheduled';

-- What somebody agreed to stays what it was.
create function legal_document_is_kept() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    if old.state <> 'draft' then raise exception 'a text that was published is kept'; end if;
    return old;
  end if;
  if old.state <> 'draft' and (new.kind, new.version, new.locale, new.title, new.body, new.sha256, new.change_note, new.is_material)
     is distinct from (old.kind, old.version, old.locale, old.title, old.body, old.sha256, old.change_note, old.is_material) then
    raise exception 'a text that was published is not changed: write a new version';
  end if;
  if array_position(array['draft', 'scheduled', 'in_force', 'superseded'], new.state)
     < array_position(array['draft', 'scheduled', 'in_force', 'superseded'], old.state) then
    raise exception 'a text does not go back from % to %', old.state, new.state;
  end if;
  return new;
end $$;
create trigger legal_document_is_kept before update or delete on legal_document for each row execute function legal_document_is_kept();
create trigger append_only before truncate on legal_document for each statement execute function append_only();

create table acceptance (
  user_id uuid not null references portal_user,
  account_id uuid not null references account,
  document_id uuid not null references legal_document,
  at timestamptz not null,
  -- From where it was agreed to; cut short when its time is over.
  address inet not null,
  primary key (account_id, document_id, user_id)
);
create index acceptance_document on acceptance (document_id, at);
create index acceptance_address_age on acceptance (at) where masklen(address) = case family(address) when 4 then 32 else 128 end;
-- That somebody agreed is history; the address alone may be cut short.
create function acceptance_is_history() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and (new.user_id, new.account_id, new.document_id, new.at) is not distinct from (old.user_id, old.account_id, old.document_id, old.at)
     and old.address <<= new.address then
    return new;
  end if;
  raise exception 'acceptance is append-only: what was agreed to is not taken back by a row';
end $$;
create trigger acceptance_is_history before update or delete on acceptance for each row execute function acceptance_is_history();
create trigger append_only before truncate on acceptance for each statement execute function append_only();

-- Restrictions and appeals -----------------------------------------------------------------------------------------

-- For the operator's own people; the customer is told the reason.
alter table restriction add column evidence text check (length(evidence) <= 4000);
-- An admin, or a rule of ours by its name.
alter table restriction add column set_by text not null default 'system' check (length(set_by) between 1 and 100);
alter table restriction add column ended_by text check (length(ended_by) between 1 and 100);
alter table restriction add column end_reason text check (length(end_reason) <= 1000);
-- When the customer was told that it is over.
alter table restriction add column end_told_at timestamptz;
alter table restriction add column version integer not null default 1;
alter table restriction add constraint restriction_ended check (ended_by is null or ends_at is not null);
-- Who set it is part of what an appeal refers to.
alter table restriction add constraint restriction_setter unique (id, set_by);
create index restriction_end_untold on restriction (ends_at) where end_told_at is null and ends_at is not null;
create index restriction_newest on restriction (starts_at, id);

create table appeal (
  id uuid primary key,
  -- Once for each restriction: it was looked at anew, by somebody else.
  restriction_id uuid not null unique,
  restriction_set_by text not null,
  account_id uuid not null references account,
  opened_by uuid not null references portal_user,
  words text not null check (length(words) between 1 and 4000),
  state text not null default 'open' check (state in ('open', 'upheld', 'lifted')),
  opened_at timestamptz not null,
  decided_by text check (length(decided_by) between 1 and 100),
  decided_at timestamptz,
  decision_words text check (length(decision_words) between 1 and 4000),
  version integer not null default 1,
  foreign key (restriction_id, restriction_set_by) references restriction (id, set_by),
  check ((state = 'open') = (decided_by is null)),
  check ((state = 'open') = (decided_at is null)),
  check ((state = 'open') = (decision_words is null)),
  -- Nobody judges what he did himself.
  constraint appeal_decided_by_another check (decided_by <> restriction_set_by)
);
create index appeal_account on appeal (account_id, opened_at, id);
create index appeal_open on appeal (opened_at, id) where state = 'open';

-- The desk ---------------------------------------------------------------------------------------------------------

-- An admin may see one thing of one customer for some minutes, and said why.
create table reveal_grant (
  id uuid primary key,
  account_id uuid not null references account,
  admin_id uuid not null references portal_user,
  field text not null check (field in ('email', 'phone', 'name')),
  purpose text not null check (length(purpose) between 1 and 500),
  granted_at timestamptz not null,
  ends_at timestamptz not null,
  check (ends_at > granted_at and ends_at <= granted_at + interval '5 minutes')
);
create index reveal_grant_account on reveal_grant (account_id, granted_at);
create trigger append_only before update or delete or truncate on reveal_grant for each statement execute function append_only();

-- The last owner among the admins stays one, whoever takes whose roles away at the same moment.
create function last_owner_stays() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if old.state = 'active' and 'owner' = any(old.admin_roles) and (new.state <> 'active' or not 'owner' = any(new.admin_roles)) then
    perform pg_advisory_xact_lock(hashtext('admin_owner'));
    if not exists (select 1 from portal_user u where u.id <> old.id and u.state = 'active' and 'owner' = any(u.admin_roles)) then
      raise exception 'somebody has to stay owner' using errcode = 'LD002';
    end if;
  end if;
  return new;
end $$;
create trigger last_owner_stays before update on portal_user for each row when (old.kind = 'admin') execute function last_owner_stays();

-- A version of a rate deck on its way into force.
create table deck_change (
  id uuid primary key,
  deck_id integer not null unique references rate_deck,
  rate_count integer not null check (rate_count > 0),
  state text not null default 'draft' check (state in ('draft', 'approved', 'in_force', 'withdrawn')),
  uploaded_by text not null check (length(uploaded_by) between 1 and 100),
  uploaded_at timestamptz not null,
  approved_by text check (length(approved_by) between 1 and 100),
  approved_at timestamptz,
  valid_from timestamptz,
  -- How many prefixes it would have us sell below what we pay, as the approver saw it.
  margin_alarms integer check (margin_alarms >= 0),
  in_force_at timestamptz,
  version integer not null default 1,
  constraint deck_change_second_admin check (approved_by <> uploaded_by),
  check ((state in ('approved', 'in_force')) <= (approved_by is not null and approved_at is not null and valid_from is not null)),
  check ((state = 'in_force') = (in_force_at is not null))
);
create index deck_change_due on deck_change (valid_from) where state = 'approved';

-- Puts a deck in force that a second admin approved, when its time has come; the deck before it goes. False where it is not to.
create function put_deck_in_force(p_deck integer, p_now timestamptz) returns boolean language plpgsql
security definer set search_path = public, pg_temp as $$
declare
  d rate_deck;
begin
  select * into d from rate_deck where id = p_deck;
  perform pg_advisory_xact_lock(hashtext('rate_deck'), hashtext(d.name));
  update deck_change set state = 'in_force', in_force_at = p_now, version = version + 1
   where deck_id = p_deck and state = 'approved' and valid_from <= p_now;
  if not found then return false; end if;
  update rate_deck set state = 'retired'
   where state = 'active' and service = d.service and (name = d.name or (side = 'buy' and carrier_id = d.carrier_id));
  update rate_deck set state = 'active' where id = p_deck;
  return true;
end $$;

-- Puts the version that was in force before this one back into its place; null where there is none.
create function roll_deck_back(p_deck integer) returns integer language plpgsql security definer set search_path = public, pg_temp as $$
declare
  d rate_deck;
  former integer;
begin
  select * into d from rate_deck where id = p_deck;
  perform pg_advisory_xact_lock(hashtext('rate_deck'), hashtext(d.name));
  perform 1 from rate_deck where id = p_deck and state = 'active' for no key update;
  if not found then return null; end if;
  select r.id into former from rate_deck r
   where r.name = d.name and r.state = 'retired' and r.version < d.version order by r.version desc limit 1;
  if former is null then return null; end if;
  update rate_deck set state = 'retired' where id = p_deck;
  update rate_deck set state = 'active' where id = former;
  return former;
end $$;

-- What is edited at the desk has a version, so that nobody overwrites what he did not see.
alter table carrier add column version integer not null default 1;
alter table trunk add column version integer not null default 1;
alter table carrier_bind add column version integer not null default 1;

-- A call that an admin wants ended. Whichever controller drives its switch obeys, also one that starts later.
create table call_command (
  id uuid primary key,
  leg_id uuid not null,
  call_id uuid not null,
  switch_id text not null,
  account_id uuid not null references account,
  reason text not null check (length(reason) between 1 and 500),
  asked_by text not null check (length(asked_by) between 1 and 100),
  asked_at timestamptz not null,
  done_at timestamptz,
  check (done_at >= asked_at)
);
create index call_command_open on call_command (switch_id, asked_at) where done_at is null;

create function call_command_notify() returns trigger language plpgsql as $$
begin
  perform pg_notify('call_command', new.switch_id);
  return null;
end $$;
create trigger call_command_notify after insert on call_command for each row execute function call_command_notify();

-- Quality ----------------------------------------------------------------------------------------------------------

-- Outgoing calls of an hour: of those that were sent out, how many were answered, how long they were, how long until it rang.
create table account_quality_hour (
  account_id uuid not null references account,
  hour timestamptz not null,
  -- ISO 3166-1; ZZ where the number says none.
  country char(2) not null check (country ~ '^[A-Z]{2}$'),
  calls integer not null check (calls > 0),
  answered integer not null check (answered between 0 and calls),
  talk_ms bigint not null check (talk_ms >= 0),
  pdd_calls integer not null check (pdd_calls between 0 and calls),
  pdd_ms_total bigint not null check (pdd_ms_total >= 0),
  primary key (account_id, hour, country)
);
-- The same by the trunk that each attempt went over, whoever called.
create table route_quality_hour (
  trunk_id text not null references trunk,
  hour timestamptz not null,
  country char(2) not null check (country ~ '^[A-Z]{2}$'),
  attempts integer not null check (attempts > 0),
  answered integer not null check (answered between 0 and attempts),
  -- Those that the carrier itself failed.
  carrier_failures integer not null check (carrier_failures between 0 and attempts),
  talk_ms bigint not null check (talk_ms >= 0),
  ringing_attempts integer not null check (ringing_attempts between 0 and attempts),
  pdd_ms_total bigint not null check (pdd_ms_total >= 0),
  primary key (trunk_id, hour, country)
);
create index account_quality_hour_hour on account_quality_hour (hour);
create index route_quality_hour_hour on route_quality_hour (hour);
-- Records come in the order of their time, nearly: an hour of them is found without an index of each.
create index cdr_started on cdr using brin (started_at) with (pages_per_range = 16);

create table route_threshold (
  trunk_id text primary key references trunk,
  -- Of an hour with fewer attempts nothing is said.
  attempts_min integer not null check (attempts_min between 1 and 1000000),
  -- Null: no matter.
  asr_ppm_min integer check (asr_ppm_min between 0 and 1000000),
  acd_seconds_min integer check (acd_seconds_min between 0 and 86400),
  pdd_ms_max integer check (pdd_ms_max between 0 and 300000),
  version integer not null default 1
);

create table route_alarm (
  id uuid primary key,
  trunk_id text not null references trunk,
  figure text not null check (figure in ('asr', 'acd', 'pdd')),
  -- What was measured when it was raised, in the unit of its threshold.
  measured integer not null,
  allowed integer not null,
  raised_at timestamptz not null,
  ended_at timestamptz check (ended_at >= raised_at)
);
create unique index route_alarm_open on route_alarm (trunk_id, figure) where ended_at is null;
create index route_alarm_newest on route_alarm (raised_at, id);

-- Lists of the desk ------------------------------------------------------------------------------------------------

create index call_hold_live on call_hold (authorized_at, leg_id) where state = 'o';
create index audit_log_action on audit_log (action, seq);
create index portal_user_phone_index on portal_user (phone_index) where phone_index is not null;

-- Rights -----------------------------------------------------------------------------------------------------------

revoke execute on function legal_document_is_kept, acceptance_is_history, last_owner_stays, put_deck_in_force, roll_deck_back, call_command_notify
  from public;

grant select (id, call_id, switch_id, asked_at, done_at) on call_command to letsdial_controller;
grant update (done_at) on call_command to letsdial_controller;

grant select, insert, update on legal_document to letsdial_portal;
grant select, insert on acceptance, reveal_grant, call_command to letsdial_portal;
grant update (address) on acceptance to letsdial_portal;
grant select, insert, update on route_threshold, route_alarm to letsdial_portal;
grant select, insert, update (words, state, decided_by, decided_at, decision_words, version) on appeal to letsdial_portal;
grant update (ends_at, ended_by, end_reason, end_told_at, version) on restriction to letsdial_portal;
grant select, insert, delete on account_quality_hour, route_quality_hour to letsdial_portal;
grant select, insert, update (state, approved_by, approved_at, valid_from, margin_alarms, version) on deck_change to letsdial_portal;
grant insert (name, side, service, carrier_id, currency, version, imported_by), update (checksum) on rate_deck to letsdial_portal;
grant insert on rate, text_rate to letsdial_portal;
grant execute on function put_deck_in_force, roll_deck_back to letsdial_portal;
grant delete on text_limit to letsdial_portal;
grant update (enabled, version) on carrier to letsdial_portal;
grant select (version), update (enabled, max_channels, auth_username, auth_secret, version) on trunk to letsdial_portal;
grant select (version), update (enabled, window_max, texts_per_second_max, password, version) on carrier_bind to letsdial_portal;
