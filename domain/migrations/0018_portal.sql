-- What every part of the portal stands on: people who sign in, keys of personal data, requests that are made twice, and the log of
-- who did and saw what.

-- Keys ---------------------------------------------------------------------------------------------------------------

-- The key of one subject's data, wrapped by a key encryption key that is not in this database. A destroyed key leaves what
-- was sealed by it unreadable for ever, in every copy of it.
create table data_key (
  id uuid primary key,
  -- Null once it is destroyed.
  wrapped bytea check (octet_length(wrapped) between 1 and 200),
  -- Which key encryption key wraps it, as a rotation has to know.
  kek_id text not null check (length(kek_id) between 1 and 60),
  created_at timestamptz not null default now(),
  destroyed_at timestamptz,
  check ((wrapped is null) = (destroyed_at is not null))
);
create index data_key_kek on data_key (kek_id) where wrapped is not null;

-- People -------------------------------------------------------------------------------------------------------------

-- Somebody who signs in: a customer's person, or one of the operator's. What is personal is sealed by the key of their own;
-- the index beside it is an HMAC, by which an address is found without being readable.
create table portal_user (
  id uuid primary key,
  kind text not null check (kind in ('customer', 'admin')),
  data_key_id uuid not null references data_key,
  name_sealed bytea,
  email_sealed bytea not null,
  email_index bytea not null check (octet_length(email_index) = 32),
  email_verified_at timestamptz,
  phone_sealed bytea,
  phone_index bytea check (octet_length(phone_index) = 32),
  phone_verified_at timestamptz,
  -- A PHC string of Argon2id; null for who signs in by passkey or by Google alone.
  password_argon2 text check (password_argon2 like '$argon2id$%'),
  -- Of an admin; empty for everybody else.
  admin_roles text[] not null default '{}' check (admin_roles <@ array['support', 'kyc', 'finance', 'privacy', 'operations', 'owner']),
  locale text not null default 'en' check (locale ~ '^[a-z]{2}(-[A-Z]{2})?$'),
  state text not null default 'active' check (state in ('active', 'locked', 'closed')),
  created_at timestamptz not null default now(),
  -- Counts up with each change; the ETag of what is edited.
  version integer not null default 1,
  check ((kind = 'admin') = (cardinality(admin_roles) > 0))
);
-- One sign-in for each address; an admin may be a customer too.
create unique index portal_user_email on portal_user (kind, email_index) where state <> 'closed';

-- Who may act for an account. A person has one of their own; a business has several.
create table membership (
  account_id uuid not null references account,
  user_id uuid not null references portal_user,
  role text not null check (role in ('owner', 'billing', 'member')),
  created_at timestamptz not null default now(),
  primary key (account_id, user_id)
);
create index membership_user on membership (user_id);

-- Whether an account is one person's or a business's: what is asked for, and which terms are agreed to, depends on it.
alter table account add column party text not null default 'person' check (party in ('person', 'business'));
-- The key by which what belongs to the account and to nobody in particular is sealed.
alter table account add column data_key_id uuid references data_key;
alter table account add column version integer not null default 1;

-- Requests that are made twice ---------------------------------------------------------------------------------------

-- What was answered to a request under an idempotency key. The operation's id is made of actor and key, so that what a request
-- did is found by it even if its answer was never written down.
create table idempotent_request (
  actor text not null check (length(actor) <= 100),
  key text not null check (length(key) between 1 and 200),
  route text not null,
  content_sha256 text not null check (content_sha256 ~ '^[0-9a-f]{64}$'),
  begun_at timestamptz not null,
  -- Null while it is under way, and for ever if this process ended in the middle: it may then be asked for again.
  status smallint,
  body jsonb,
  -- What the answer's ETag told.
  version integer,
  primary key (actor, key)
);
create index idempotent_request_age on idempotent_request (begun_at);

-- The log ------------------------------------------------------------------------------------------------------------

-- Who did what, and who saw whose data and why. Each row's hash covers the row before, so that none is altered, removed or put
-- elsewhere without all that follow saying so.
create table audit_log (
  seq bigint primary key,
  at timestamptz not null,
  actor_kind text not null check (actor_kind in ('admin', 'customer', 'api_key', 'system')),
  actor_id text not null check (length(actor_id) <= 100),
  action text not null check (action ~ '^[a-z_]+(\.[a-z_]+)*$'),
  -- Whose data it was about; null where it was nobody's.
  account_id uuid,
  subject text not null check (length(subject) <= 200),
  -- Why data was looked at; null for what was done rather than seen.
  purpose text check (length(purpose) <= 500),
  detail jsonb not null default '{}',
  prev_hash bytea not null check (octet_length(prev_hash) = 32),
  hash bytea not null check (octet_length(hash) = 32)
);
create index audit_log_account on audit_log (account_id, seq) where account_id is not null;
create index audit_log_actor on audit_log (actor_id, seq);
create trigger append_only before update or delete or truncate on audit_log for each statement execute function append_only();

-- What a row's hash is made of: each part with its length before it, so that no two rows read the same.
create function audit_content(r audit_log) returns bytea language sql stable as $$
  select convert_to(string_agg(octet_length(coalesce(part, '')) || case when part is null then '-' else ':' || part end, '' order by n), 'UTF8')
    from unnest(array[
      r.seq::text, to_char(r.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), r.actor_kind, r.actor_id, r.action,
      r.account_id::text, r.subject, r.purpose, r.detail::text]) with ordinality as p(part, n)
$$;

-- Rows follow one another, so whoever appends waits for whoever does so before; the lock ends with the transaction.
create function append_audit(p_at timestamptz, p_actor_kind text, p_actor_id text, p_action text, p_account uuid, p_subject text,
                             p_purpose text, p_detail jsonb) returns bigint language plpgsql as $$
declare
  r audit_log;
begin
  perform pg_advisory_xact_lock(hashtext('audit_log'));
  select l.seq, l.hash into r.seq, r.prev_hash from audit_log l order by l.seq desc limit 1;
  r.seq := coalesce(r.seq, 0) + 1;
  r.prev_hash := coalesce(r.prev_hash, sha256(''));
  r.at := p_at; r.actor_kind := p_actor_kind; r.actor_id := p_actor_id; r.action := p_action; r.account_id := p_account;
  r.subject := p_subject; r.purpose := p_purpose; r.detail := coalesce(p_detail, '{}');
  r.hash := sha256(r.prev_hash || audit_content(r));
  insert into audit_log select r.*;
  return r.seq;
end $$;

-- The head of the log at some moments, signed outside the database: who rewrites all of it has to forge these as well.
create table audit_head (
  seq bigint primary key references audit_log,
  hash bytea not null check (octet_length(hash) = 32),
  signed_at timestamptz not null,
  key_id text not null,
  signature bytea not null
);
create trigger append_only before update or delete or truncate on audit_head for each statement execute function append_only();

-- Money --------------------------------------------------------------------------------------------------------------

-- What a customer buys and gets back, and what a dispute takes.
alter table ledger_tx drop constraint ledger_tx_kind_check;
alter table ledger_tx add constraint ledger_tx_kind_check check (kind in (
  'call', 'topup', 'promo', 'promo_expiry', 'adjustment', 'reversal', 'refund', 'text', 'text_refund', 'text_cost',
  'purchase', 'renewal', 'credit_note', 'payout', 'chargeback', 'receivable'));

-- The portal's own way to the ledger: what calls and texts are charged by is not among its kinds.
create function post_portal_transaction(p_kind text, p_ref uuid, p_content jsonb, p_accounts bigint[], p_amounts bigint[])
returns text language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if p_kind not in ('topup', 'promo', 'promo_expiry', 'adjustment', 'reversal', 'refund', 'purchase', 'renewal', 'credit_note',
                    'payout', 'chargeback', 'receivable') then
    raise exception 'the portal posts nothing of the kind %', p_kind;
  end if;
  return post_transaction(p_kind, p_ref, p_content, p_accounts, p_amounts);
end $$;

-- As ledger_account_id, which charging runs with the rights of its owner and whoever asks here with his own.
create function ledger_account_of(p_kind text, p_currency char(3), p_wallet bigint) returns bigint language plpgsql
security definer set search_path = public, pg_temp as $$
begin
  return ledger_account_id(p_kind, p_currency, p_wallet, null);
end $$;

-- Charges a wallet for what is bought: all of it or nothing. `posted`, `replay` and `conflict` as of the ledger, `no_money` where
-- less than that is free, `no_wallet` where there is none.
create function charge_wallet(p_kind text, p_ref uuid, p_wallet bigint, p_net bigint, p_tax bigint, p_content jsonb, p_now timestamptz)
returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
  w wallet;
  accounts bigint[];
  amounts bigint[];
  content jsonb := p_content || jsonb_build_object('wallet_id', p_wallet, 'net_micros', p_net, 'tax_micros', p_tax);
  old_content jsonb;
begin
  if p_net < 0 or p_tax < 0 then raise exception 'a charge is not less than nothing'; end if;
  select * into w from wallet where id = p_wallet for no key update;
  if not found then return 'no_wallet'; end if;
  select t.content into old_content from ledger_tx t where t.ref = p_ref and t.kind = p_kind;
  if found then return case when old_content = content then 'replay' else 'conflict' end; end if;
  -- Promo credit that has expired is not there any more, though nobody has booked it back yet.
  if w.balance_micros + w.credit_limit_micros - w.held_micros - expired_promo_micros(p_wallet, p_now) < p_net + p_tax then
    return 'no_money';
  end if;
  if p_net + p_tax = 0 then return post_portal_transaction(p_kind, p_ref, content, '{}', '{}'); end if;
  select array_agg(b.account_id), array_agg(-b.amount) into accounts, amounts
    from wallet_payers(p_wallet, w.currency, p_net + p_tax, p_now) b;
  accounts := accounts || ledger_account_id('revenue', w.currency, null, null) || ledger_account_id('tax_payable', w.currency, null, null);
  amounts := amounts || p_net || p_tax;
  return post_portal_transaction(p_kind, p_ref, content, accounts, amounts);
end $$;

-- What was given back of a charge.
create index ledger_tx_credit_note on ledger_tx ((content ->> 'charge_ref')) where kind = 'credit_note';

-- Gives back some or all of what a purchase or a renewal took, to the buckets that paid it: cash first, as far as cash paid. Never more
-- than was paid and not given back before: `too_much`. `no_charge` where nothing was charged under that kind and ref.
create function give_back(p_ref uuid, p_charge_kind text, p_charge_ref uuid, p_net bigint, p_tax bigint, p_content jsonb)
returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
  charge ledger_tx;
  charged_wallet bigint;
  wallet_currency char(3);
  given_net bigint;
  given_tax bigint;
  left_to_give bigint := p_net + p_tax;
  part bigint;
  b record;
  accounts bigint[] := '{}';
  amounts bigint[] := '{}';
  content jsonb := p_content || jsonb_build_object('charge_kind', p_charge_kind, 'charge_ref', p_charge_ref, 'net_micros', p_net, 'tax_micros', p_tax);
  old_content jsonb;
begin
  if p_net < 0 or p_tax < 0 then raise exception 'what is given back is not less than nothing'; end if;
  if p_charge_kind not in ('purchase', 'renewal') then raise exception 'nothing is given back of the kind %', p_charge_kind; end if;
  select * into charge from ledger_tx t where t.kind = p_charge_kind and t.ref = p_charge_ref;
  if not found then return 'no_charge'; end if;
  charged_wallet := (charge.content ->> 'wallet_id')::bigint;
  -- Whoever gives back of the same charge at the same moment waits here, and then sees what was given.
  select w.currency into wallet_currency from wallet w where w.id = charged_wallet for no key update;
  select t.content into old_content from ledger_tx t where t.ref = p_ref and t.kind = 'credit_note';
  if found then return case when old_content = content then 'replay' else 'conflict' end; end if;
  select coalesce(sum((t.content ->> 'net_micros')::bigint), 0), coalesce(sum((t.content ->> 'tax_micros')::bigint), 0)
    into given_net, given_tax
    from ledger_tx t
   where t.kind = 'credit_note' and t.content ->> 'charge_ref' = p_charge_ref::text and t.content ->> 'charge_kind' = p_charge_kind;
  if given_net + p_net > (charge.content ->> 'net_micros')::bigint or given_tax + p_tax > (charge.content ->> 'tax_micros')::bigint then
    return 'too_much';
  end if;
  for b in
    select p.account_id, -sum(p.amount_micros)::bigint as paid
      from ledger_tx t join posting p on p.tx_id = t.id join ledger_account a on a.id = p.account_id
     where a.wallet_id = charged_wallet
       and (t.id = charge.id or (t.kind = 'credit_note' and t.content ->> 'charge_ref' = p_charge_ref::text
                                 and t.content ->> 'charge_kind' = p_charge_kind))
     group by p.account_id, a.kind having sum(p.amount_micros) < 0
     order by a.kind <> 'wallet_cash', p.account_id
  loop
    part := least(b.paid, left_to_give);
    exit when part = 0;
    left_to_give := left_to_give - part;
    accounts := accounts || b.account_id;
    amounts := amounts || part;
  end loop;
  if left_to_give <> 0 then raise exception 'the buckets of charge % paid less than was charged', p_charge_ref; end if;
  accounts := accounts || ledger_account_id('revenue', wallet_currency, null, null) || ledger_account_id('tax_payable', wallet_currency, null, null);
  amounts := amounts || -p_net || -p_tax;
  return post_portal_transaction('credit_note', p_ref, content, accounts, amounts);
end $$;

-- Roles --------------------------------------------------------------------------------------------------------------

do $$
begin
  for turn in 1..20 loop
    begin
      if not exists (select from pg_roles where rolname = 'letsdial_portal') then create role letsdial_portal nologin; end if;
      exit;
    exception
      when duplicate_object or unique_violation or internal_error then
        if turn = 20 then raise; end if;
        perform pg_sleep(0.05);
    end;
  end loop;
end
$$;

grant usage on schema public to letsdial_portal;
revoke execute on function audit_content, append_audit, post_portal_transaction, ledger_account_of, charge_wallet, give_back from public;
alter function append_audit security definer set search_path = public, pg_temp;
grant execute on function append_audit to letsdial_portal;
grant select, insert, update on portal_user, idempotent_request to letsdial_portal;
grant select, insert, update (wrapped, kek_id, destroyed_at) on data_key to letsdial_portal;
grant delete on idempotent_request to letsdial_portal;
grant select, insert, update (role), delete on membership to letsdial_portal;
grant select on audit_log, audit_head to letsdial_portal;
-- The command that verifies the log logs in as the other that only reads.
grant select on audit_log, audit_head to letsdial_explain;
grant insert on audit_head to letsdial_portal;
grant select, insert on account, call_limit, restriction, text_limit, verified_caller, api_key to letsdial_portal;
grant update (state, party, data_key_id, tax_ppm, version) on account to letsdial_portal;
grant update (concurrent_calls_max, calls_per_second_max, spend_micros_per_hour_max, spend_micros_per_day_max, rate_micros_per_minute_max,
  blocked_prefixes) on call_limit to letsdial_portal;
grant update (texts_per_second_max, texts_per_day_max) on text_limit to letsdial_portal;
grant update (revoked_at) on api_key to letsdial_portal;
-- The digests of a device's password are written here, and read by the switch alone.
grant select (id, account_id, username, enabled, caller_number, created_at), insert, update (ha1_md5, ha1_sha256, enabled, caller_number), delete
  on sip_device to letsdial_portal;
-- What webhooks are signed with is written here, and read by the gateway alone.
grant select (id, account_id, url, kinds, enabled, created_at), insert (id, account_id, url, secret, kinds, created_at),
  update (url, secret, kinds, enabled), delete on webhook_endpoint to letsdial_portal;
grant delete on verified_caller to letsdial_portal;
grant select, insert (account_id, currency) on wallet to letsdial_portal;
grant select on ledger_account, ledger_tx, posting, promo_credit, minute_pack, cdr, call_hold, did, message, message_event, message_state,
  message_queue, carrier, rate_deck, rate, text_rate, fx_rate to letsdial_portal;
-- By what a carrier knows us is written here, and read by who calls and texts alone.
grant select (id, carrier_id, host, port, transport, auth_username, max_channels, enabled) on trunk to letsdial_portal;
grant select (id, carrier_id, host, port, tls, kind, window_max, texts_per_second_max, enabled) on carrier_bind to letsdial_portal;
grant execute on function post_portal_transaction, charge_wallet, give_back, ledger_account_of, accept_messages, uuid_v7_floor to letsdial_portal;
