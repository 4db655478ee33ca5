-- What the operator's people see of sign-ups, of mail that comes back and of codes that are misused, and how far a telling of many has got.

-- Sign-ups -----------------------------------------------------------------------------------------------------------

-- How many people took a step, by the day on which they had begun and by how long the step took them. Nobody is in here: it stays when
-- registrations are long forgotten. Bucket 0 is less than a second; bucket n holds 2^((n-1)/4) up to 2^(n/4) seconds.
create table sign_up_day (
  day date not null,
  step text not null check (step in (
    'flow_begun', 'terms_accepted', 'email_proven', 'phone_proven', 'account_made', 'first_top_up', 'first_order')),
  wait_bucket smallint not null check (wait_bucket between 0 and 120),
  people bigint not null check (people > 0),
  primary key (day, step, wait_bucket)
);

create function count_sign_up(p_day timestamptz, p_step text, p_wait interval) returns void language sql as $$
  insert into sign_up_day (day, step, wait_bucket, people)
  select (p_day at time zone 'UTC')::date, p_step,
         case when s.seconds < 1 then 0 else least(120, 1 + floor(4 * log(2, s.seconds))) end, 1
    from (select extract(epoch from p_wait)::numeric as seconds) s
  on conflict (day, step, wait_bucket) do update set people = sign_up_day.people + 1
$$;

-- A registration takes its steps. Whoever was invited to somebody else's account is not counted: no account is made, no money asked for.
create function registration_is_counted() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if new.invitation_id is not null then return null; end if;
  if tg_op = 'INSERT' then
    perform count_sign_up(new.created_at, 'flow_begun', '0');
    -- The documents in force are agreed to with the first form, which is refused without.
    perform count_sign_up(new.created_at, 'terms_accepted', '0');
    return null;
  end if;
  if old.email_verified_at is null and new.email_verified_at is not null then
    perform count_sign_up(new.created_at, 'email_proven', new.email_verified_at - new.created_at);
  end if;
  if old.phone_verified_at is null and new.phone_verified_at is not null then
    perform count_sign_up(new.created_at, 'phone_proven', new.phone_verified_at - new.created_at);
  end if;
  if old.state <> 'done' and new.state = 'done' then
    perform count_sign_up(new.created_at, 'account_made', greatest(new.email_verified_at, new.phone_verified_at) - new.created_at);
  end if;
  return null;
end $$;
-- Counted as the last thing of a transaction, so that people who register at the same moment do not wait for one another.
create constraint trigger registration_is_counted after insert or update of email_verified_at, phone_verified_at, state
  on registration_flow deferrable initially deferred for each row execute function registration_is_counted();
create index registration_flow_user on registration_flow (user_id) where user_id is not null;

-- The first of its kind for an account that came by a registration; the second says so by the row of the first.
create table sign_up_first (
  account_id uuid not null references account,
  step text not null check (step in ('first_top_up', 'first_order')),
  at timestamptz not null,
  primary key (account_id, step)
);
create function first_is_counted(p_account uuid, p_step text, p_at timestamptz) returns void language plpgsql as $$
declare
  flow registration_flow;
begin
  insert into sign_up_first (account_id, step, at) values (p_account, p_step, p_at) on conflict do nothing;
  if not found then return; end if;
  select f.* into flow
    from membership m join registration_flow f on f.user_id = m.user_id
   where m.account_id = p_account and m.role = 'owner' and f.invitation_id is null order by f.created_at limit 1;
  if not found then return; end if;
  perform count_sign_up(flow.created_at, p_step, greatest('0', p_at - greatest(flow.email_verified_at, flow.phone_verified_at)));
end $$;

create function top_up_is_counted() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform first_is_counted(new.account_id, 'first_top_up', new.changed_at);
  return null;
end $$;
create constraint trigger top_up_is_counted after update of state on payment_attempt deferrable initially deferred
  for each row when (old.state <> 'succeeded' and new.state = 'succeeded') execute function top_up_is_counted();

create function order_is_counted() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform first_is_counted(new.account_id, 'first_order', new.ordered_at);
  return null;
end $$;
create constraint trigger order_is_counted after insert on number_order deferrable initially deferred
  for each row execute function order_is_counted();

-- Mail that comes back -----------------------------------------------------------------------------------------------

-- A mail that was refused for good, or of which a server told later that it could not be delivered. What that server said beside its
-- codes is not kept, as it repeats the address.
create table mail_bounce (
  id uuid primary key,
  address_index bytea not null check (octet_length(address_index) = 32),
  -- no_mailbox: nobody is there; full: there is no room; policy: the server takes none of this kind, or none from us; other.
  class text not null check (class in ('no_mailbox', 'full', 'policy', 'other')),
  -- Of RFC 5321 and RFC 3463; null where the server gave none.
  smtp_code smallint check (smtp_code between 400 and 599),
  status text check (status ~ '^[45]\.\d{1,3}\.\d{1,3}$'),
  source text not null check (source in ('refusal', 'report')),
  -- Of a report: the hash of what was told, so that it is taken once.
  report_sha256 bytea unique check (octet_length(report_sha256) = 32),
  at timestamptz not null,
  check ((source = 'report') = (report_sha256 is not null))
);
create index mail_bounce_address on mail_bounce (address_index, at);
create index mail_bounce_age on mail_bounce (at);

-- To these nothing is mailed but codes that somebody asks for.
create table undeliverable_address (
  id uuid primary key,
  address_index bytea not null unique check (octet_length(address_index) = 32),
  class text not null check (class in ('no_mailbox', 'full', 'policy', 'other')),
  smtp_code smallint,
  status text,
  since timestamptz not null,
  last_at timestamptz not null,
  bounces integer not null default 1 check (bounces > 0),
  -- Notices that were not sent therefore.
  held_back integer not null default 0 check (held_back >= 0)
);
create index undeliverable_address_newest on undeliverable_address (last_at, id);

-- Codes that are asked for -------------------------------------------------------------------------------------------

-- Beginnings of numbers, or whole ones, to which no codes are sent.
create table blocked_phone_prefix (
  id uuid primary key,
  prefix text not null unique check (prefix ~ '^\+[1-9][0-9]{0,14}$'),
  reason text not null check (length(reason) between 1 and 500),
  set_by text not null check (length(set_by) between 1 and 100),
  set_at timestamptz not null,
  version integer not null default 1
);

-- A code that was asked for, by the beginning of its number and the network of whoever asked: enough to see a pattern, too little to see
-- a person.
create table code_request (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  purpose text not null check (length(purpose) between 1 and 40),
  channel text not null check (channel in ('email', 'phone')),
  -- The calling code and up to three digits; null for mail, and for what is no number.
  prefix text check (prefix ~ '^\+[1-9][0-9]{0,5}$'),
  -- A /24 or a /56.
  network cidr check (masklen(network) <= case family(network) when 4 then 24 else 56 end),
  outcome text not null check (outcome in ('sent', 'too_many', 'number_refused')),
  -- Null where none was made.
  code_id uuid unique,
  used_at timestamptz,
  check ((outcome = 'sent') = (code_id is not null)),
  check (used_at is null or outcome = 'sent')
);
create index code_request_age on code_request (at);

-- A code that came back shows that it arrived: the request has come to something, and the address takes mail.
create function code_is_used() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update code_request set used_at = new.used_at where code_id = new.id;
  delete from undeliverable_address
   where address_index = new.target_index and new.purpose in ('registration_email', 'email_change', 'password_reset');
  return null;
end $$;
create trigger code_is_used after update of used_at on verification_code
  for each row when (old.used_at is null and new.used_at is not null) execute function code_is_used();

-- Telling everybody --------------------------------------------------------------------------------------------------

-- How far everybody has been told of a new version: each page and how far it went are one transaction, so that a page that is begun anew
-- after a crash tells nobody twice.
create table terms_telling (
  kind text not null,
  version integer not null,
  occasion text not null check (occasion in ('scheduled', 'in_force')),
  -- Whoever was told last; null: nobody yet.
  told_up_to uuid,
  told integer not null default 0 check (told >= 0),
  begun_at timestamptz not null,
  done_at timestamptz,
  primary key (kind, version, occasion)
);

-- Documents ----------------------------------------------------------------------------------------------------------

-- Whether documents that a verifier passed, all of a case, are approved without a person. Nothing is ever refused so.
alter table document_requirement add column auto_approval boolean not null default false;
-- The last day on which it counts, as a verifier read it.
alter table kyc_document add column auto_valid_until date;

-- Roles --------------------------------------------------------------------------------------------------------------

revoke execute on function count_sign_up, registration_is_counted, first_is_counted, top_up_is_counted, order_is_counted, code_is_used
  from public;
grant select on sign_up_day to letsdial_portal;
-- What is kept of an account is told to whom it is about, and goes with it.
grant select, delete on sign_up_first to letsdial_portal;
grant select, insert, delete on mail_bounce, code_request to letsdial_portal;
grant select, insert, update, delete on undeliverable_address to letsdial_portal;
grant select, insert, update (reason, set_by, set_at, version), delete on blocked_phone_prefix to letsdial_portal;
grant select, insert, update (told_up_to, told, done_at) on terms_telling to letsdial_portal;
