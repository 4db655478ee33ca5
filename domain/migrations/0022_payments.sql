-- What customers pay with, what became of each payment, what is given back of it, and the documents that say so.

-- Payments -----------------------------------------------------------------------------------------------------------

-- Who an account is to a payment provider.
create table payment_customer (
  account_id uuid not null references account,
  provider text not null check (provider in ('local', 'stripe')),
  provider_customer text not null check (length(provider_customer) between 1 and 200),
  primary key (account_id, provider)
);

-- A card by the provider's token for it; the card's own number never comes here.
create table payment_method (
  id uuid primary key,
  account_id uuid not null references account,
  provider text not null check (provider in ('local', 'stripe')),
  provider_token text not null check (length(provider_token) between 1 and 200),
  brand text not null check (length(brand) between 1 and 40),
  last4 text not null check (last4 ~ '^[0-9]{4}$'),
  expires_month smallint not null check (expires_month between 1 and 12),
  expires_year smallint not null check (expires_year between 2000 and 2200),
  created_at timestamptz not null,
  removed_at timestamptz,
  -- Of nobody else's account is it charged.
  unique (id, account_id)
);
create unique index payment_method_token on payment_method (provider, provider_token) where removed_at is null;
create index payment_method_account on payment_method (account_id);

-- One try to take money. Its id is the ledger's ref of the top-up, so that it counts once.
create table payment_attempt (
  id uuid primary key,
  account_id uuid not null references account,
  wallet_id bigint not null,
  currency char(3) not null,
  amount_micros bigint not null check (amount_micros > 0),
  purpose text not null check (purpose in ('top_up', 'auto_top_up', 'retry')),
  provider text not null check (provider in ('local', 'stripe')),
  -- Null until the provider answered or sent an event.
  provider_payment text check (length(provider_payment) between 1 and 200),
  -- Null where it is paid on a page of the provider's.
  method_id uuid,
  checkout_url text check (length(checkout_url) <= 2000),
  save_method boolean not null default false,
  state text not null default 'created'
    check (state in ('created', 'pending', 'succeeded', 'failed', 'cancelled', 'disputed', 'charged_back')),
  failure text check (length(failure) <= 100),
  -- What was given back or is on its way back.
  refunded_micros bigint not null default 0 check (refunded_micros >= 0),
  -- The payment policy that was in force and shown.
  policy_version text not null,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  check (refunded_micros <= amount_micros),
  unique (provider, provider_payment),
  -- A wallet is paid in its own currency.
  foreign key (wallet_id, currency) references wallet (id, currency),
  foreign key (method_id, account_id) references payment_method (id, account_id)
);
create index payment_attempt_account on payment_attempt (account_id, created_at, id);
create index payment_attempt_wallet on payment_attempt (wallet_id) where state = 'succeeded';
-- A wallet that fills itself does so once at a time.
create unique index payment_attempt_one_auto on payment_attempt (wallet_id)
  where purpose <> 'top_up' and state in ('created', 'pending');

-- What an attempt went through.
create table payment_attempt_change (
  attempt_id uuid not null references payment_attempt,
  at timestamptz not null,
  event text not null,
  from_state text not null,
  to_state text not null
);
create index payment_attempt_change_attempt on payment_attempt_change (attempt_id, at);
create trigger append_only before update or delete or truncate on payment_attempt_change for each statement execute function append_only();

-- What providers told, each once.
create table payment_event (
  provider text not null,
  event_id text not null check (length(event_id) between 1 and 200),
  kind text not null,
  -- Null where it is about no payment of ours.
  attempt_id uuid references payment_attempt,
  received_at timestamptz not null,
  primary key (provider, event_id)
);
create index payment_event_attempt on payment_event (attempt_id);
create trigger append_only before update or delete or truncate on payment_event for each statement execute function append_only();

-- A customer's bank takes a payment back. What was free in the wallet is debited, the rest is owed.
create table payment_dispute (
  id uuid primary key,
  attempt_id uuid not null references payment_attempt,
  provider text not null,
  provider_dispute text not null,
  amount_micros bigint not null check (amount_micros > 0),
  state text not null check (state in ('open', 'won', 'lost')),
  debited_micros bigint not null default 0 check (debited_micros >= 0),
  owed_micros bigint not null default 0 check (owed_micros >= 0),
  opened_at timestamptz not null,
  closed_at timestamptz,
  unique (provider, provider_dispute),
  -- A dispute that was told as won before it was told at all took nothing.
  check (debited_micros + owed_micros in (0, amount_micros)),
  check ((state = 'open') = (closed_at is null))
);
create index payment_dispute_attempt on payment_dispute (attempt_id);

-- The restriction that an account's debt put it under, so that paying it ends that one and no other.
create table debt_restriction (
  account_id uuid primary key references account,
  restriction_id uuid not null references restriction
);

create table auto_top_up (
  account_id uuid primary key references account,
  enabled boolean not null,
  threshold_micros bigint not null check (threshold_micros >= 0),
  amount_micros bigint not null check (amount_micros > 0),
  method_id uuid not null,
  per_day_max smallint not null check (per_day_max between 1 and 20),
  -- Why it was switched off by us.
  stopped_because text check (length(stopped_because) <= 100),
  version integer not null default 1,
  foreign key (method_id, account_id) references payment_method (id, account_id)
);

-- A payment that failed and is tried again on its days.
create table dunning (
  id uuid primary key,
  account_id uuid not null references account,
  wallet_id bigint not null references wallet,
  first_attempt_id uuid not null unique references payment_attempt,
  amount_micros bigint not null check (amount_micros > 0),
  method_id uuid not null,
  tries smallint not null default 0 check (tries >= 0),
  state text not null default 'open' check (state in ('open', 'recovered', 'exhausted')),
  -- Null once it is over.
  next_at timestamptz,
  opened_at timestamptz not null,
  foreign key (method_id, account_id) references payment_method (id, account_id),
  check ((state = 'open') = (next_at is not null))
);
create unique index dunning_one on dunning (wallet_id) where state = 'open';

-- Giving back --------------------------------------------------------------------------------------------------------

-- Unspent cash that goes back to where it came from. The money leaves the wallet when it is asked for, so that what is paid is what was
-- shown; a refund that is rejected or fails puts it back.
create table refund (
  id uuid primary key,
  account_id uuid not null references account,
  wallet_id bigint not null,
  currency char(3) not null,
  amount_micros bigint not null check (amount_micros > 0),
  state text not null check (state in ('waiting', 'sending', 'paid', 'failed', 'rejected')),
  approvals_needed smallint not null check (approvals_needed between 0 and 2),
  requested_by_kind text not null check (requested_by_kind in ('customer', 'admin')),
  requested_by uuid not null,
  reason text not null check (length(reason) between 1 and 500),
  policy_version text not null,
  requested_at timestamptz not null,
  foreign key (wallet_id, currency) references wallet (id, currency)
);
create index refund_account on refund (account_id, requested_at, id);
create index refund_waiting on refund (requested_at, id) where state = 'waiting';

create table refund_part (
  id uuid primary key,
  refund_id uuid not null references refund,
  attempt_id uuid not null references payment_attempt,
  amount_micros bigint not null check (amount_micros > 0),
  state text not null default 'waiting' check (state in ('waiting', 'paid', 'failed')),
  provider_refund text,
  unique (refund_id, attempt_id)
);
create index refund_part_attempt on refund_part (attempt_id);

-- A correction by finance, or promo credit that is given.
create table finance_order (
  id uuid primary key,
  account_id uuid not null references account,
  wallet_id bigint not null references wallet,
  kind text not null check (kind in ('credit', 'debit', 'promo')),
  net_micros bigint not null check (net_micros >= 0),
  tax_micros bigint not null check (tax_micros >= 0),
  expires_at timestamptz,
  reason text not null check (length(reason) between 1 and 500),
  state text not null check (state in ('waiting', 'posted', 'rejected')),
  approvals_needed smallint not null check (approvals_needed between 1 and 2),
  requested_by uuid not null references portal_user,
  requested_at timestamptz not null,
  check (net_micros + tax_micros > 0),
  check ((kind = 'promo') = (expires_at is not null))
);
create index finance_order_waiting on finance_order (requested_at, id) where state = 'waiting';

-- Who said yes to what: to one thing each of them once.
create table money_approval (
  subject_id uuid not null,
  admin_id uuid not null references portal_user,
  at timestamptz not null,
  primary key (subject_id, admin_id)
);
create trigger append_only before update or delete or truncate on money_approval for each statement execute function append_only();

-- Prices -------------------------------------------------------------------------------------------------------------

-- Minute packs that are sold, from when to when. A price is changed by ending one row and adding another.
create table pack_offer (
  id uuid primary key,
  name text not null check (length(name) between 1 and 100),
  prefixes text[] not null check (cardinality(prefixes) > 0),
  seconds integer not null check (seconds between 60 and 36000000),
  valid_days integer not null check (valid_days between 1 and 730),
  price_micros bigint not null check (price_micros >= 0),
  currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
  sold_from timestamptz not null,
  sold_until timestamptz,
  version integer not null default 1,
  check (sold_until > sold_from)
);

-- Which packs were bought by which purchase.
create table pack_purchase (
  id uuid primary key,
  account_id uuid not null references account,
  offer_id uuid not null references pack_offer,
  pack_id bigint not null unique references minute_pack,
  bought_at timestamptz not null
);
create index pack_purchase_account on pack_purchase (account_id);

create table tax_rate (
  country char(2) not null check (country ~ '^[A-Z]{2}$'),
  party text not null check (party in ('person', 'business')),
  valid_from date not null,
  tax_ppm integer not null check (tax_ppm between 0 and 1000000),
  primary key (country, party, valid_from)
);
create trigger append_only before update or delete or truncate on tax_rate for each statement execute function append_only();

-- Documents ----------------------------------------------------------------------------------------------------------

-- Whom an invoice is made out to. Sealed by a key of its own, which outlives the erasure of the rest, as the law wants invoices kept.
create table billing_profile (
  account_id uuid primary key references account,
  data_key_id uuid not null references data_key,
  profile_sealed bytea not null,
  version integer not null default 1
);

-- The last number that was given out in a year. Locked until the document that has it is there, so that none is missing.
create table invoice_counter (
  series text not null check (series in ('INV', 'RCT', 'CRN')),
  year smallint not null,
  last integer not null check (last >= 0),
  primary key (series, year)
);

create table invoice (
  id uuid primary key,
  account_id uuid not null references account,
  wallet_id bigint not null,
  currency char(3) not null,
  number text not null unique,
  kind text not null check (kind in ('invoice', 'receipt', 'credit_note')),
  -- The first day of the month that it is of, in the account's zone; null for a receipt.
  month date,
  period_from timestamptz,
  period_to timestamptz,
  -- The payment that a receipt is for.
  attempt_id uuid unique references payment_attempt,
  issued_at timestamptz not null,
  line_count integer not null check (line_count > 0),
  net_micros bigint not null,
  tax_micros bigint not null,
  -- To whole cents, in the customer's favour; booked as the ledger's transaction of kind adjustment with the invoice's id.
  rounding_micros bigint not null check (rounding_micros <= 0),
  total_micros bigint not null,
  buyer_sealed bytea not null,
  foreign key (wallet_id, currency) references wallet (id, currency),
  check (total_micros = net_micros + tax_micros + rounding_micros),
  check ((kind = 'receipt') = (month is null) and (kind = 'receipt') = (attempt_id is not null)),
  check ((month is null) = (period_from is null) and (month is null) = (period_to is null))
);
create unique index invoice_month on invoice (wallet_id, month) where month is not null;
create index invoice_account on invoice (account_id, issued_at, id);
create trigger append_only before update or delete or truncate on invoice for each statement execute function append_only();

create table invoice_line (
  invoice_id uuid not null references invoice,
  n integer not null check (n > 0),
  tx_id bigint not null references ledger_tx,
  kind text not null,
  at timestamptz not null,
  -- The call's leg, the text, or what the charge is known by.
  item uuid not null,
  what text not null,
  -- Seconds, segments or pieces.
  quantity integer not null check (quantity >= 0),
  unit text not null check (unit in ('second', 'segment', 'piece')),
  -- How the amount came about: the row of the rate deck with its version, increments, seconds of packs.
  explained jsonb not null,
  net_micros bigint not null,
  tax_micros bigint not null,
  primary key (invoice_id, n)
);
-- What was invoiced is never invoiced again.
create unique index invoice_line_once on invoice_line (tx_id, item);
create trigger append_only before update or delete or truncate on invoice_line for each statement execute function append_only();

-- What moved a wallet's buckets, is something that is billed, and stands on no invoice yet. The rounding of an invoice is on it already.
create function billable(p_wallet bigint, p_before timestamptz)
returns table (tx_id bigint, kind text, ref uuid, created_at timestamptz, content jsonb, moved_micros bigint) language sql stable as $$
  select t.id, t.kind, t.ref, t.created_at, t.content, m.moved
    from (select p.tx_id, sum(p.amount_micros)::bigint as moved
            from ledger_account a join posting p on p.account_id = a.id
           where a.wallet_id = p_wallet and a.kind in ('wallet_cash', 'wallet_promo') group by p.tx_id) m
         join ledger_tx t on t.id = m.tx_id
   where t.kind in ('call', 'text', 'text_refund', 'purchase', 'renewal', 'credit_note', 'adjustment')
     and not t.content ? 'invoice_id' and t.created_at < p_before
     and not exists (select 1 from invoice_line l where l.tx_id = t.id)
$$;

-- Reconciliation -----------------------------------------------------------------------------------------------------

create table reconciliation_run (
  id uuid primary key,
  began_at timestamptz not null,
  -- Null for the one of the night.
  asked_by uuid references portal_user,
  since timestamptz not null,
  payments_seen integer not null check (payments_seen >= 0),
  findings integer not null check (findings >= 0)
);
create index reconciliation_run_began on reconciliation_run (began_at, id);
create trigger append_only before update or delete or truncate on reconciliation_run for each statement execute function append_only();

create table reconciliation_finding (
  run_id uuid not null references reconciliation_run,
  n integer not null,
  kind text not null,
  subject text not null,
  expected text not null,
  found text not null,
  primary key (run_id, n)
);
create trigger append_only before update or delete or truncate on reconciliation_finding for each statement execute function append_only();

-- Promo credit -------------------------------------------------------------------------------------------------------

-- Gives promo credit: a bucket of its own that ends. As of the ledger: `posted`, `replay`, `conflict`.
create function grant_promo(p_ref uuid, p_wallet bigint, p_amount bigint, p_expires timestamptz, p_content jsonb)
returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
  w wallet;
  bucket bigint;
  content jsonb := p_content || jsonb_build_object('wallet_id', p_wallet, 'amount_micros', p_amount, 'expires_at', p_expires);
  old_content jsonb;
begin
  if p_amount <= 0 then raise exception 'promo credit is more than nothing'; end if;
  select * into w from wallet where id = p_wallet for no key update;
  if not found then return 'no_wallet'; end if;
  select t.content into old_content from ledger_tx t where t.ref = p_ref and t.kind = 'promo';
  if found then return case when old_content = content then 'replay' else 'conflict' end; end if;
  insert into ledger_account (kind, currency, wallet_id) values ('wallet_promo', w.currency, p_wallet) returning id into bucket;
  insert into promo_credit (ledger_account_id, wallet_id, expires_at) values (bucket, p_wallet, p_expires);
  return post_portal_transaction('promo', p_ref, content,
    array[bucket, ledger_account_id('promo_cost', w.currency, null, null)], array[p_amount, -p_amount]);
end $$;

-- Books back what expired of promo credit, at most so many buckets. Calls that began while it was valid may still be paid by it, so what
-- is held stays until they have ended.
create function expire_promo(p_now timestamptz, p_rows_max integer) returns integer language plpgsql
security definer set search_path = public, pg_temp as $$
declare
  b record;
  w wallet;
  bucket promo_credit;
  taken bigint;
  expired integer := 0;
begin
  for b in select p.ledger_account_id, p.wallet_id from promo_credit p
            where p.balance_micros > 0 and p.expires_at <= p_now order by p.wallet_id, p.expires_at limit p_rows_max
  loop
    select * into w from wallet where id = b.wallet_id for no key update;
    select * into bucket from promo_credit where ledger_account_id = b.ledger_account_id;
    continue when w.open_calls > 0 or w.held_micros > 0;
    taken := bucket.balance_micros;
    continue when taken <= 0;
    perform post_portal_transaction('promo_expiry', gen_random_uuid(),
      jsonb_build_object('wallet_id', w.id, 'bucket', bucket.ledger_account_id, 'amount_micros', taken, 'expired_at', bucket.expires_at),
      array[bucket.ledger_account_id, ledger_account_id('promo_cost', w.currency, null, null)], array[-taken, taken]);
    expired := expired + 1;
  end loop;
  return expired;
end $$;

-- Roles --------------------------------------------------------------------------------------------------------------

revoke execute on function grant_promo, expire_promo, billable from public;
grant execute on function grant_promo, expire_promo, billable to letsdial_portal;
-- A row of a wallet is locked by who may update something of it; its money moves by postings alone.
grant update (cash_spend_order) on wallet to letsdial_portal;
grant select on ledger_invariant, message_invariant to letsdial_portal;
grant insert (wallet_id, name, prefixes, seconds_left, expires_at) on minute_pack to letsdial_portal;
grant select, insert on payment_customer, payment_attempt_change, payment_event, refund_part, money_approval, pack_purchase, tax_rate,
  invoice, invoice_line, reconciliation_run, reconciliation_finding to letsdial_portal;
grant select, insert on payment_method, payment_attempt, payment_dispute, debt_restriction, auto_top_up, dunning, refund, finance_order,
  pack_offer, billing_profile, invoice_counter to letsdial_portal;
-- How much, of whom and by whose wish stays what it was.
grant update (removed_at) on payment_method to letsdial_portal;
grant update (provider_payment, checkout_url, state, failure, refunded_micros, changed_at) on payment_attempt to letsdial_portal;
grant update (state, closed_at) on payment_dispute to letsdial_portal;
grant update on auto_top_up to letsdial_portal;
grant update (tries, state, next_at) on dunning to letsdial_portal;
grant update (state) on refund, finance_order to letsdial_portal;
grant update (sold_until, version) on pack_offer to letsdial_portal;
grant update (profile_sealed, version) on billing_profile to letsdial_portal;
grant update (last) on invoice_counter to letsdial_portal;
grant update (state, provider_refund) on refund_part to letsdial_portal;
grant delete on debt_restriction to letsdial_portal;
