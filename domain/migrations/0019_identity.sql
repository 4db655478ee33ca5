-- How people come in and stay the same: registration, codes, what they sign in with, who they signed in as and when, and what they
-- changed about themselves.

-- Codes ------------------------------------------------------------------------------------------------------------

-- A code that was sent to an address or a number, to see whether whoever says so reads there. Only a keyed hash of it is kept.
create table verification_code (
  id uuid primary key,
  purpose text not null check (purpose in ('registration_email', 'registration_phone', 'email_change', 'phone_change', 'password_reset')),
  -- The flow of a registration, or the user.
  subject_id uuid not null,
  data_key_id uuid not null references data_key,
  target_sealed bytea not null,
  target_index bytea not null check (octet_length(target_index) = 32),
  -- Of a code by mail it changes when the mail is made: that code is nowhere else.
  code_hmac bytea not null check (octet_length(code_hmac) = 32),
  tries smallint not null default 0 check (tries between 0 and 5),
  -- Where it was asked for; so that nobody has codes sent all over the world.
  address inet,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- Used, or replaced by a newer one.
  ended_at timestamptz,
  used_at timestamptz,
  check (expires_at > created_at and expires_at <= created_at + interval '10 minutes'),
  check (used_at is null or ended_at = used_at)
);
create unique index verification_code_live on verification_code (purpose, subject_id) where ended_at is null;
create index verification_code_target on verification_code (target_index, created_at);
create index verification_code_address on verification_code (address, created_at) where address is not null;
create index verification_code_age on verification_code (created_at);

-- Registration -----------------------------------------------------------------------------------------------------

-- proving: begun, and codes are awaited; done: somebody has an account; abandoned: nobody came back in time.
create table registration_flow (
  id uuid primary key,
  -- Of the secret that the browser keeps.
  token_sha256 bytea not null unique check (octet_length(token_sha256) = 32),
  state text not null default 'proving' check (state in ('proving', 'done', 'abandoned')),
  -- Becomes the key of the user; is destroyed where none comes of it.
  data_key_id uuid not null references data_key,
  -- What was typed: name, business, email, phone. Null as soon as it stands elsewhere or is not needed.
  wishes_sealed bytea,
  party text not null check (party in ('person', 'business')),
  home_country char(2) not null check (home_country ~ '^[A-Z]{2}$'),
  time_zone text not null check (length(time_zone) between 1 and 60),
  locale text not null check (locale ~ '^[a-z]{2}(-[A-Z]{2})?$'),
  -- The legal documents that were agreed to.
  document_ids uuid[] not null,
  invitation_id uuid,
  email_index bytea not null check (octet_length(email_index) = 32),
  email_verified_at timestamptz,
  phone_verified_at timestamptz,
  user_id uuid references portal_user,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  check ((state = 'proving') = (wishes_sealed is not null)),
  check ((state = 'done') = (user_id is not null)),
  check (state <> 'done' or (email_verified_at is not null and phone_verified_at is not null))
);
create index registration_flow_open on registration_flow (expires_at) where state = 'proving';

-- Under which name an account is held; a person's, or the business's.
create table account_holder (
  account_id uuid primary key references account,
  name_sealed bytea not null
);

-- What people sign in with -----------------------------------------------------------------------------------------

-- Somebody said that a sign-in was not theirs: nobody signs in by any means until the password was set anew by mail, and what was
-- added to sign in with since then goes.
create table reset_due (
  user_id uuid primary key references portal_user,
  since timestamptz not null
);

create table passkey (
  id uuid primary key,
  credential_id text not null unique check (credential_id ~ '^[A-Za-z0-9_-]+$' and length(credential_id) <= 1400),
  user_id uuid not null references portal_user,
  public_key bytea not null check (octet_length(public_key) between 1 and 2000),
  -- As the authenticator counts; 0 for ever where it does not.
  counter bigint not null check (counter >= 0),
  transports text[] not null default '{}',
  backed_up boolean not null,
  name text not null check (length(name) between 1 and 60),
  created_at timestamptz not null,
  used_at timestamptz
);
create index passkey_user on passkey (user_id);

-- Codes that change with time (RFC 6238).
create table totp (
  user_id uuid primary key references portal_user,
  secret_sealed bytea not null,
  -- Null until a code of it was right; it is asked for from then on.
  confirmed_at timestamptz,
  -- The step whose code was used last: that one, and those before, are used up.
  step_last bigint not null default 0 check (step_last >= 0)
);

create table recovery_code (
  user_id uuid not null references portal_user,
  code_hmac bytea not null check (octet_length(code_hmac) = 32),
  used_at timestamptz,
  primary key (user_id, code_hmac)
);

-- A sign-in elsewhere that counts here. Who it is there is known by its hash alone.
create table external_identity (
  issuer text not null check (length(issuer) between 1 and 200),
  subject_index bytea not null check (octet_length(subject_index) = 32),
  user_id uuid not null references portal_user,
  linked_at timestamptz not null,
  primary key (issuer, subject_index),
  unique (user_id, issuer)
);

-- The first half of what takes two requests; whoever holds the secret may send the second, once.
create table identity_challenge (
  token_sha256 bytea primary key check (octet_length(token_sha256) = 32),
  kind text not null check (kind in ('passkey_registration', 'passkey_sign_in', 'passkey_proof', 'second_factor', 'google_sign_in', 'google_link')),
  user_id uuid references portal_user,
  content jsonb not null default '{}',
  tries smallint not null default 0 check (tries between 0 and 5),
  expires_at timestamptz not null
);
create index identity_challenge_age on identity_challenge (expires_at);

-- Guesses at secrets, counted alike whether there is somebody to guess at or not.
create table guess_count (
  -- A hash of whose secret it is.
  target bytea primary key check (octet_length(target) = 32),
  window_began_at timestamptz not null,
  guesses integer not null check (guesses > 0)
);
create index guess_count_age on guess_count (window_began_at);

-- When somebody signed in, and who was refused. The address is cut to its network when it is old.
create table login_event (
  id uuid primary key,
  user_id uuid not null references portal_user,
  at timestamptz not null,
  method text not null check (method in ('registration', 'password', 'passkey', 'google', 'totp', 'recovery_code')),
  result text not null check (result in ('signed_in', 'refused')),
  address inet,
  user_agent text not null check (length(user_agent) <= 300),
  is_new_device boolean not null default false,
  disowned_at timestamptz
);
create index login_event_user on login_event (user_id, at desc, id);
create index login_event_age on login_event (at);

-- It tells of the past, so nothing but that may change: an address becomes its network, and a sign-in is disowned once.
create function login_event_is_history() returns trigger language plpgsql as $$
begin
  if (new.id, new.user_id, new.at, new.method, new.result, new.user_agent, new.is_new_device)
     is distinct from (old.id, old.user_id, old.at, old.method, old.result, old.user_agent, old.is_new_device)
     or (new.address is distinct from old.address and (new.address is null or not new.address >>= old.address))
     or (old.disowned_at is not null and new.disowned_at is distinct from old.disowned_at) then
    raise exception 'login_event tells of the past, which does not change';
  end if;
  return new;
end $$;
create trigger login_event_is_history before update on login_event for each row execute function login_event_is_history();

-- What people changed about themselves ----------------------------------------------------------------------------

create table profile_change (
  id uuid primary key,
  user_id uuid not null references portal_user,
  at timestamptz not null,
  field text not null check (field in ('name', 'locale', 'email', 'phone', 'password', 'passkey', 'totp', 'recovery_codes', 'google')),
  -- Sealed by the user's key. Null where there was nothing, and for credentials, of which only that they changed is told.
  before_sealed bytea,
  after_sealed bytea,
  address inet
);
create index profile_change_user on profile_change (user_id, at desc, id);
create trigger append_only before update or delete or truncate on profile_change for each statement execute function append_only();

-- Who may act for an account ---------------------------------------------------------------------------------------

create table invitation (
  id uuid primary key,
  account_id uuid not null references account,
  role text not null check (role in ('owner', 'billing', 'member')),
  email_sealed bytea not null,
  email_index bytea not null check (octet_length(email_index) = 32),
  -- Null until the mail with the secret goes out.
  token_sha256 bytea unique check (octet_length(token_sha256) = 32),
  invited_by uuid not null references portal_user,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  accepted_at timestamptz,
  revoked_at timestamptz,
  check (accepted_at is null or revoked_at is null)
);
create index invitation_account on invitation (account_id, created_at desc);
alter table registration_flow add foreign key (invitation_id) references invitation;

-- An account that lives has an owner, whoever removes whom at the same moment: they take turns at the account's row.
create function account_keeps_owner() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
  account_state text;
begin
  select a.state into account_state from account a where a.id = old.account_id for no key update;
  if account_state <> 'closed' and old.role = 'owner'
     and not exists (select 1 from membership m where m.account_id = old.account_id and m.role = 'owner') then
    raise exception 'an account keeps an owner' using errcode = 'LD001';
  end if;
  return null;
end $$;
create trigger account_keeps_owner after update or delete on membership for each row execute function account_keeps_owner();

-- Rights -----------------------------------------------------------------------------------------------------------

grant select, insert, update, delete on verification_code, reset_due, passkey, totp, recovery_code, identity_challenge, guess_count to letsdial_portal;
grant select, insert, delete on external_identity to letsdial_portal;
grant select, insert, update on registration_flow to letsdial_portal;
grant select, insert on account_holder to letsdial_portal;
grant select, insert, update (token_sha256, accepted_at, revoked_at) on invitation to letsdial_portal;
grant select, insert, delete on login_event to letsdial_portal;
grant update (address, disowned_at) on login_event to letsdial_portal;
grant select, insert on profile_change to letsdial_portal;
grant select, insert on text_sender to letsdial_portal;
revoke execute on function account_keeps_owner, login_event_is_history from public;
