-- Carriers, their trunks and binds, the trunks for help and the rules of texts are administered at the desk, and not by SQL any more.

-- The request that made a row, where one did: asked once more, as its answer was lost, it finds what it made.
alter table carrier add column operation_id uuid unique;
alter table trunk add column operation_id uuid unique;
alter table carrier_bind
  add column operation_id uuid unique,
  -- Whoever may not read the password sees that there is one.
  add column has_password boolean not null generated always as (password <> '') stored;
alter table content_rule
  add column operation_id uuid unique,
  add column version integer not null default 1;

-- What is edited at the desk has a version, so that nobody overwrites what he did not see.
alter table emergency_route add column version integer not null default 1;
alter table country_text_rule add column version integer not null default 1;

-- The switch takes a semicolon in what it reads for the end of the value, and ^ with two digits for another character: a carrier's
-- secret with either in it was never the right one. Written so, it reads them as they are.
create or replace view ps_auths as
select username as id,
       'digest' as auth_type,
       username,
       'letsdial' as realm,
       null::text as password,
       concat_ws(',', 'MD5:' || ha1_md5, 'SHA-256:' || ha1_sha256) as password_digest,
       'SHA-256,MD5' as supported_algorithms_uas,
       'SHA-256,MD5' as supported_algorithms_uac
  from sip_device
 where enabled
union all
select id, 'userpass', replace(replace(auth_username, '^', '^5E'), ';', '^3B'), null,
       replace(replace(auth_secret, '^', '^5E'), ';', '^3B'), null, 'SHA-256,MD5', 'SHA-256,MD5'
  from trunk
 where enabled and auth_username is not null;

-- From where a trunk may call is part of what the switch remembers of it.
create function notify_trunk_address() returns trigger language plpgsql as $$
begin
  perform pg_notify('device', case when tg_op = 'DELETE' then old.trunk_id else new.trunk_id end);
  return null;
end $$;
create trigger notify_trunk_address after insert or update or delete on trunk_address
  for each row execute function notify_trunk_address();
revoke execute on function notify_trunk_address from public;

-- Whoever sends texts knew of a carrier that was switched off only when it looked at the binds again, seconds later.
create trigger carrier_told_to_gateway after update of code, enabled on carrier for each statement execute function gateway_notify();

-- Rights -----------------------------------------------------------------------------------------------------------

grant insert (code, name, currency, enabled, operation_id), update (code, name) on carrier to letsdial_portal;
-- The secret of a trunk and the password of a bind are written here, and read by who calls and texts alone.
grant select (from_domain, operation_id),
  insert (id, carrier_id, host, port, transport, auth_username, auth_secret, from_domain, max_channels, enabled, operation_id),
  update (host, port, transport, from_domain) on trunk to letsdial_portal;
grant select, insert, delete on trunk_address to letsdial_portal;
grant select (system_id, system_type, interface_version, alphanumeric_sender, default_alphabet, receipt_id_form,
    receipt_utc_offset_minutes, unflagged_receipts, countries, opens_at, closes_at, time_zone, home_country, number_ton, number_npi,
    short_code_ton, short_code_npi, name_ton, name_npi, recipient_ton, recipient_npi, plus_sign, sends_validity, tls_authorities,
    tls_name, operation_id, has_password),
  insert (id, carrier_id, host, port, tls, system_id, password, system_type, kind, interface_version, window_max, texts_per_second_max,
    alphanumeric_sender, default_alphabet, receipt_id_form, receipt_utc_offset_minutes, unflagged_receipts, countries, opens_at,
    closes_at, time_zone, enabled, home_country, number_ton, number_npi, short_code_ton, short_code_npi, name_ton, name_npi,
    recipient_ton, recipient_npi, plus_sign, sends_validity, tls_authorities, tls_name, operation_id),
  update (host, port, tls, system_id, system_type, kind, interface_version, alphanumeric_sender, default_alphabet, receipt_id_form,
    receipt_utc_offset_minutes, unflagged_receipts, countries, opens_at, closes_at, time_zone, home_country, number_ton, number_npi,
    short_code_ton, short_code_npi, name_ton, name_npi, recipient_ton, recipient_npi, plus_sign, sends_validity, tls_authorities,
    tls_name) on carrier_bind to letsdial_portal;
grant select, insert, update (trunk_id, version), delete on emergency_route to letsdial_portal;
grant select, insert (country, kind, pattern, action, reason, enabled, created_at, operation_id),
  update (country, kind, pattern, action, reason, enabled, version), delete on content_rule to letsdial_portal;
grant select, insert, update (alphanumeric_sender, bulk_from, bulk_until, time_zones, version), delete
  on country_text_rule to letsdial_portal;
grant delete on text_sender to letsdial_portal;
