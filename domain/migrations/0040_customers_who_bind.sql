-- How much accounts usually send, so that far more is seen to be sudden after a restart too. Counts that fade: no money is in them, and
-- what a crash loses of the last minute is nothing that matters.
create table text_volume (
  account_id uuid primary key references account,
  -- From when on nothing has faded yet.
  stepped_at timestamptz not null,
  lately double precision not null,
  usual_sum double precision not null,
  usual_weight double precision not null,
  -- In Postgres NaN is above infinity, and neither is a count.
  check (least(lately, usual_sum, usual_weight) >= 0 and greatest(lately, usual_sum, usual_weight) < 'infinity')
);
grant select, insert, update, delete on text_volume to letsdial_gateway;

-- Customers who bind to our SMSC are let in at the desk, and not by SQL any more. Their password is written there and read by nobody who
-- cannot bind them.
alter table esme
  add column version integer not null default 1,
  -- The request that made it: asked once more, as its answer was lost, it finds what it made.
  add column operation_id uuid unique;
grant select (system_id, account_id, enabled, binds_max, window_max, texts_per_second_max, allowed_address, address_range, created_at,
    tls_required, default_class, on_doubt, version, operation_id),
  insert (system_id, account_id, password_scrypt, enabled, binds_max, window_max, texts_per_second_max, allowed_address, address_range,
    created_at, tls_required, default_class, on_doubt, operation_id),
  update (password_scrypt, enabled, binds_max, window_max, texts_per_second_max, allowed_address, address_range, tls_required,
    default_class, on_doubt, version) on esme to letsdial_portal;

-- Who vouches for an account does it at the desk.
grant select, insert, update (trusted_until, decided_by, reason, decided_at), delete on text_trust to letsdial_portal;

-- So does who says where numbers went that changed their network, which the gateway hears of: what it looked up it remembers for an hour.
grant select, insert, update (routing_number, ported_at), delete on ported_number to letsdial_portal;
create function ported_number_notify() returns trigger language plpgsql as $$
begin
  perform pg_notify('ported_number', '');
  return null;
end $$;
create trigger ported_number_notify after insert or update or delete on ported_number
  for each statement execute function ported_number_notify();
revoke execute on function ported_number_notify from public;
