-- Numbers that change hands: what their provider is told then, what a number asks for that comes from another operator, and prices in
-- another currency than the wallet's.

-- Prices in another currency --------------------------------------------------------------------------------------------

-- As it stands in the price list, where that is of another currency than the wallet that pays, and by which rate of which day it came to
-- the price that was agreed: rounded up once, to the micro, so that everybody can work it out again.
alter table number_order
  add column list_currency char(3) check (list_currency ~ '^[A-Z]{3}$'),
  add column list_setup_micros bigint check (list_setup_micros >= 0),
  add column list_monthly_micros bigint check (list_monthly_micros >= 0),
  add column fx_numerator bigint check (fx_numerator > 0),
  add column fx_denominator bigint check (fx_denominator > 0),
  add column fx_on_date date,
  add constraint number_order_converted_whole
    check (num_nulls(list_currency, list_setup_micros, list_monthly_micros, fx_numerator, fx_denominator, fx_on_date) in (0, 6)),
  add constraint number_order_converted_setup
    check (fx_on_date is null or setup_micros = div(list_setup_micros::numeric * fx_numerator + fx_denominator - 1, fx_denominator)),
  add constraint number_order_converted_monthly
    check (fx_on_date is null or monthly_micros = div(list_monthly_micros::numeric * fx_numerator + fx_denominator - 1, fx_denominator)),
  add constraint number_order_converted_from_another check (list_currency <> currency);

-- A renewal costs what was agreed when the number was taken on, and is explained by it.
alter table number_holding
  add column list_currency char(3) check (list_currency ~ '^[A-Z]{3}$'),
  add column list_monthly_micros bigint check (list_monthly_micros >= 0),
  add column fx_numerator bigint check (fx_numerator > 0),
  add column fx_denominator bigint check (fx_denominator > 0),
  add column fx_on_date date,
  add constraint number_holding_converted_whole
    check (num_nulls(list_currency, list_monthly_micros, fx_numerator, fx_denominator, fx_on_date) in (0, 5)),
  add constraint number_holding_converted_monthly
    check (fx_on_date is null or monthly_micros = div(list_monthly_micros::numeric * fx_numerator + fx_denominator - 1, fx_denominator)),
  add constraint number_holding_converted_from_another check (list_currency <> currency);

-- A provider that has to know the new holder -----------------------------------------------------------------------------

-- Whether a transfer waits until the provider has agreed to the new holder, or the provider is told of him afterwards.
alter table provider_rule add column on_transfer text not null default 'told' check (on_transfer in ('told', 'asked'));

alter table number_transfer
  -- The holding that the new holder gets; an operation's id, so that it is made once.
  add column new_holding_id uuid,
  add column accepted_at timestamptz,
  -- By which order the provider knows the number. Null: nobody has to be told.
  add column order_id uuid references number_order,
  -- telling: of the new holder; telling_back: that the old one stays.
  add column provider_state text check (provider_state in ('telling', 'told', 'refused', 'telling_back', 'told_back')),
  add column provider_since timestamptz,
  add column failure text check (length(failure) between 1 and 200),
  drop constraint number_transfer_state_check,
  drop constraint number_transfer_check,
  drop constraint number_transfer_check1,
  add constraint number_transfer_state_check check (state in ('offered', 'with_provider', 'done', 'refused', 'withdrawn', 'expired')),
  add constraint number_transfer_accepted check ((state in ('with_provider', 'done', 'refused')) = (to_account_id is not null)),
  add constraint number_transfer_decided check ((state in ('offered', 'with_provider')) = (decided_at is null)),
  add constraint number_transfer_told check (num_nulls(order_id, provider_state, provider_since) in (0, 3)),
  add constraint number_transfer_asked check (state <> 'with_provider' or (provider_state is not null and new_holding_id is not null)),
  add constraint number_transfer_refused check (state <> 'refused' or failure is not null);
drop index number_transfer_one;
create unique index number_transfer_one on number_transfer (holding_id) where state in ('offered', 'with_provider');
create index number_transfer_telling on number_transfer (provider_since) where provider_state in ('telling', 'refused', 'telling_back');

-- One order is told of several holders, one after the other.
alter table provider_submission drop constraint provider_submission_pkey;
alter table provider_submission add column transfer_id uuid references number_transfer;
create unique index provider_submission_once on provider_submission (order_id, provider, account_id, coalesce(transfer_id, order_id));

-- Numbers that come from other operators ---------------------------------------------------------------------------------

-- What the operators of a country want to see before they let a number go, and what it costs here. An asterisk: wherever no country has
-- a row of its own.
create table port_in_rule (
  country text primary key check (country ~ '^([A-Z]{2}|\*)$'),
  documents text[] not null check (documents <@ array['letter_of_authorisation', 'latest_bill', 'identity']),
  currency char(3) not null check (currency ~ '^[A-Z]{3}$'),
  fee_micros bigint not null check (fee_micros >= 0),
  monthly_micros bigint not null check (monthly_micros >= 0)
);
insert into port_in_rule (country, documents, currency, fee_micros, monthly_micros) values
  ('*', '{letter_of_authorisation,latest_bill,identity}', 'EUR', 10000000, 3000000),
  ('DE', '{letter_of_authorisation,identity}', 'EUR', 5000000, 2000000),
  ('GB', '{letter_of_authorisation,latest_bill}', 'EUR', 5000000, 2000000),
  ('US', '{letter_of_authorisation,latest_bill}', 'EUR', 5000000, 2000000);

alter table port_in drop constraint port_in_state_check, drop constraint port_in_check;
drop index port_in_one;
drop index port_in_open;
update port_in set state = case state when 'accepted' then 'submitted' when 'refused' then 'rejected' when 'withdrawn' then 'cancelled'
                                      when 'done' then 'completed' else state end;
alter table port_in
  add column state_since timestamptz,
  -- What it costs in the wallet's currency, as it was when it was asked for; taken once the number is here.
  add column wallet_id bigint references wallet,
  add column currency char(3),
  add column fee_micros bigint check (fee_micros >= 0),
  add column monthly_micros bigint check (monthly_micros >= 0),
  -- What an admin asked for, whatever the rule says: as what was there is not good enough, or was not asked for.
  add column documents_asked text[] not null default '{}'
    check (documents_asked <@ array['letter_of_authorisation', 'latest_bill', 'identity']),
  -- The day on which the other operator lets it go.
  add column scheduled_for date,
  -- Its fee was not taken, and an admin said why.
  add column fee_waived boolean not null default false,
  drop column decided_at;
update port_in p set state_since = p.requested_at, wallet_id = w.id, currency = w.currency, fee_micros = 0, monthly_micros = 0,
                     reason = case when state = 'rejected' then coalesce(reason, 'Refused.') else reason end
  from wallet w where w.id = (select min(id) from wallet where account_id = p.account_id);
alter table port_in
  alter column state_since set not null,
  alter column wallet_id set not null,
  alter column currency set not null,
  alter column fee_micros set not null,
  alter column monthly_micros set not null,
  add constraint port_in_state_check
    check (state in ('requested', 'documents_missing', 'submitted', 'rejected', 'scheduled', 'completed', 'cancelled')),
  add constraint port_in_rejected check (state <> 'rejected' or reason is not null),
  add constraint port_in_scheduled check (state <> 'scheduled' or scheduled_for is not null),
  add constraint port_in_waived check (not fee_waived or state = 'completed'),
  add constraint port_in_wallet foreign key (wallet_id, currency) references wallet (id, currency);
create unique index port_in_one on port_in (account_id, number) where state in ('requested', 'documents_missing', 'submitted', 'scheduled');
create index port_in_open on port_in (requested_at) where state in ('requested', 'documents_missing', 'submitted', 'scheduled');

-- Which document is there for what. Of kyc_document, whose pages may be destroyed while that it was shown is still known.
create table port_in_document (
  port_in_id uuid not null references port_in,
  kind text not null check (kind in ('letter_of_authorisation', 'latest_bill', 'identity')),
  document_id uuid not null,
  added_at timestamptz not null,
  -- Looked at, and not good enough.
  refused_at timestamptz,
  primary key (port_in_id, kind, document_id)
);
insert into port_in_document (port_in_id, kind, document_id, added_at)
  select id, 'letter_of_authorisation', d, requested_at from port_in, unnest(document_ids) d;
alter table port_in drop column document_ids;

create table port_in_event (
  port_in_id uuid not null references port_in,
  at timestamptz not null,
  state text not null,
  reason text check (length(reason) <= 500)
);
create index port_in_event_port_in on port_in_event (port_in_id, at);
create trigger append_only before update or delete or truncate on port_in_event for each statement execute function append_only();

-- Roles ------------------------------------------------------------------------------------------------------------------

grant update (new_holding_id, accepted_at, order_id, provider_state, provider_since, failure) on number_transfer to letsdial_portal;
grant select on port_in_rule, port_in_document, port_in_event to letsdial_portal;
grant insert, update, delete on port_in_rule to letsdial_portal;
grant insert on port_in_document, port_in_event to letsdial_portal;
grant update (refused_at) on port_in_document to letsdial_portal;
grant update (state_since, documents_asked, scheduled_for, fee_waived) on port_in to letsdial_portal;
