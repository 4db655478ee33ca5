-- The accounts that charges are booked to were made by the first charge that needed them. Two transactions that each made some, in
-- another order, waited for one another, and one of them was refused as a deadlock: the first calls and texts of a currency, or over a
-- carrier. So they are made with what they belong to, always in this order, and a charge finds them there.

-- Those of the operator in a currency, in which somebody has a wallet.
create function make_operator_accounts(p_currency char(3)) returns void language sql security definer set search_path = public, pg_temp as $$
  insert into ledger_account (kind, currency)
  select k.kind, p_currency
    from unnest(array['operator_loss', 'payment_clearing', 'promo_cost', 'revenue', 'rounding', 'tax_payable']) k (kind)
   where not exists (select 1 from ledger_account a where a.kind = k.kind and a.currency = p_currency)
   order by k.kind
  on conflict do nothing
$$;

-- Those of a carrier in a currency, in which it is paid.
create function make_carrier_accounts(p_carrier integer, p_currency char(3)) returns void language sql
security definer set search_path = public, pg_temp as $$
  insert into ledger_account (kind, currency, carrier_id)
  select k.kind, p_currency, p_carrier from unnest(array['carrier_cost', 'carrier_payable']) k (kind)
   where not exists (select 1 from ledger_account a where a.kind = k.kind and a.currency = p_currency and a.carrier_id = p_carrier)
   order by k.kind
  on conflict do nothing
$$;

create function wallet_has_accounts() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform make_operator_accounts(new.currency);
  insert into ledger_account (kind, currency, wallet_id) values ('wallet_cash', new.currency, new.id) on conflict do nothing;
  return null;
end $$;
create trigger wallet_has_accounts after insert on wallet for each row execute function wallet_has_accounts();

create function carrier_has_accounts() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform make_carrier_accounts(new.id, new.currency);
  return null;
end $$;
create trigger carrier_has_accounts after insert on carrier for each row execute function carrier_has_accounts();

-- A carrier may be paid in another currency than its own.
create function deck_has_accounts() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  perform make_carrier_accounts(new.carrier_id, new.currency);
  return null;
end $$;
create trigger deck_has_accounts after insert on rate_deck for each row when (new.carrier_id is not null)
  execute function deck_has_accounts();

select make_operator_accounts(w.currency) from (select distinct currency from wallet) w;
insert into ledger_account (kind, currency, wallet_id) select 'wallet_cash', currency, id from wallet on conflict do nothing;
select make_carrier_accounts(c.id, c.currency) from (
  select id, currency from carrier union select carrier_id, currency from rate_deck where carrier_id is not null) c;

revoke execute on function make_operator_accounts, make_carrier_accounts, wallet_has_accounts, carrier_has_accounts, deck_has_accounts from public;
