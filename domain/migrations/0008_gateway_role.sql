-- What the gateway of texts may do. As with the controller, it moves money and changes texts through functions alone, which run
-- with the rights of their owner; 0005_roles.sql says why each is as it is.

do $$
begin
  for turn in 1..20 loop
    begin
      if not exists (select from pg_roles where rolname = 'letsdial_gateway') then
        create role letsdial_gateway nologin;
      end if;
      exit;
    exception
      when duplicate_object or unique_violation or internal_error then
        if turn = 20 then raise; end if;
        perform pg_sleep(0.05);
    end;
  end loop;
end
$$;

-- One more column of what the controller reads.
grant select (service) on rate_deck to letsdial_controller;

revoke execute on function
  gateway_notify, uuid_v7_floor, message_is_written_once, ensure_message_month, why_text_is_refused, charge_texts, accept_messages,
  store_accepted, segments_not_taken, refund_message, end_messages, tell_customers, claim_messages, claim_stranded,
  release_messages, mark_sending, recover_messages, record_outcomes, record_receipts, conclude_messages, receive_receipts,
  count_parked, match_parked, sweep_parked, cancel_message, decide_held_message, expire_messages, receive_messages, receive_part
from public;

alter function accept_messages security definer set search_path = public, pg_temp;
alter function claim_messages security definer set search_path = public, pg_temp;
alter function claim_stranded security definer set search_path = public, pg_temp;
alter function release_messages security definer set search_path = public, pg_temp;
alter function mark_sending security definer set search_path = public, pg_temp;
alter function recover_messages security definer set search_path = public, pg_temp;
alter function record_outcomes security definer set search_path = public, pg_temp;
alter function receive_receipts security definer set search_path = public, pg_temp;
alter function sweep_parked security definer set search_path = public, pg_temp;
alter function cancel_message security definer set search_path = public, pg_temp;
alter function decide_held_message security definer set search_path = public, pg_temp;
alter function expire_messages security definer set search_path = public, pg_temp;
alter function receive_messages security definer set search_path = public, pg_temp;
alter function receive_part security definer set search_path = public, pg_temp;
alter function ensure_message_month security definer;

grant usage on schema public to letsdial_gateway;

grant execute on function
  take_lease, ensure_message_month, accept_messages, claim_messages, claim_stranded, release_messages, mark_sending, recover_messages,
  record_outcomes, receive_receipts, sweep_parked, cancel_message, decide_held_message, expire_messages, receive_messages, receive_part
to letsdial_gateway;

grant select (id, state, home_country, time_zone, tax_ppm, text_deck) on account to letsdial_gateway;
grant select (account_id, blocked_prefixes) on call_limit to letsdial_gateway;
grant select (id, account_id, currency) on wallet to letsdial_gateway;
grant select (id, account_id, secret_sha256, scopes, revoked_at) on api_key to letsdial_gateway;
grant select on esme, carrier_bind, text_rate, fx_rate, message, message_event, message_queue, message_state, mo_part to letsdial_gateway;
grant select (id, code, enabled) on carrier to letsdial_gateway;
grant select (id, name, side, carrier_id, currency, version, state, service) on rate_deck to letsdial_gateway;
grant select (switch_id, epoch, owner) on switch_lease to letsdial_gateway;
-- What a customer was told is taken off the list by the gateway itself.
grant select, update, delete on customer_delivery to letsdial_gateway;
grant select, update (enabled) on webhook_endpoint to letsdial_gateway;
grant select (id, carrier_id, received_at) on parked_receipt to letsdial_gateway;

-- The command explain tells texts, too.
grant select on message, message_event, message_queue, message_state, customer_delivery to letsdial_explain;
-- By which row of which deck they were priced, and on whose clock they are told.
grant select (id, name, currency, version) on rate_deck to letsdial_explain;
grant select on text_rate to letsdial_explain;
grant select (id, time_zone) on account to letsdial_explain;
