-- What the programs that run may do. The role that migrates owns everything; the controller and the command `explain` log in
-- as members of these two groups, and a mistake in either of them, or a thief of its password, can do no more than is
-- written here. Money moves through the functions of charging alone, which run with the rights of their owner.

-- As for the role of the switch: roles belong to the whole cluster, and databases of one may be migrated at the same moment.
do $$
declare
  name text;
begin
  for turn in 1..20 loop
    begin
      foreach name in array array['letsdial_controller', 'letsdial_explain'] loop
        if not exists (select from pg_roles where rolname = name) then
          -- Nobody logs in by a group: a deployment makes a login of its own and puts it in.
          execute format('create role %I nologin', name);
        end if;
      end loop;
      exit;
    exception
      when duplicate_object or unique_violation or internal_error then
        if turn = 20 then raise; end if;
        perform pg_sleep(0.05);
    end;
  end loop;
end
$$;

-- Functions --------------------------------------------------------------------------------------------------------

-- Remembers how far the switch's records are settled; false when the lease was lost.
create function save_record_position(p_switch text, p_epoch integer, p_position text) returns boolean language plpgsql as $$
begin
  update switch_lease set record_position = p_position where switch_id = p_switch and epoch = p_epoch;
  return found;
end $$;

-- Deletes settled holds, and only settled ones, with their grants; their records stay. Says how many they were.
create function purge_settled_holds(p_older_than timestamptz, p_rows_max integer) returns integer language plpgsql as $$
declare
  purged integer;
begin
  delete from call_hold where leg_id in (
    select leg_id from call_hold where state = 's' and authorized_at < p_older_than limit p_rows_max);
  get diagnostics purged = row_count;
  return purged;
end $$;

-- Whoever may write the record of a call that nothing was held for must not be able to forge a charge by it.
create or replace function record_unheld_one(i unheld_item) returns hold_answer language plpgsql as $$
declare
  r cdr := jsonb_populate_record(null::cdr, i.cdr);
begin
  if r.wallet_id is not null or r.net_micros + r.tax_micros + r.operator_loss_micros + r.pack_seconds <> 0 or r.grants <> '[]' then
    raise exception 'leg % was never paid for, so its record charges nobody', r.leg_id;
  end if;
  if exists (select 1 from call_hold where leg_id = r.leg_id) then return (i.n, 'held', 0, 0, 0, 0)::hold_answer; end if;
  insert into cdr select r.* on conflict do nothing;
  return (i.n, case when found then 'settled' else 'replay' end, 0, 0, 0, 0)::hold_answer;
end $$;

-- Before Postgres 15 everybody could put a function of their own on that path.
revoke create on schema public from public;

-- By default everybody may execute a function.
revoke execute on function
  posting_balanced, posting_complete, posting_moves_balance, balance_moved_by_posting, wallet_starts_empty,
  promo_credit_starts_empty, append_only, notify_device, rate_deck_changes, rates_notify, rate_only_into_draft,
  ledger_account_id, post_transaction, wallet_payers, holds_lease, take_lease, expired_promo_micros, why_not_held,
  authorize_one, hold_pack, renew_one, answer_one, settle_one, record_unheld_one,
  authorize_batch, renew_batch, answer_batch, settle_batch, record_unheld_batch,
  ensure_cdr_month, save_record_position, purge_settled_holds
from public;

-- What these call runs with the same rights and the same path. pg_catalog comes first without being named; named first, it
-- would be where a new month is made. Temporary tables come last: they would come first otherwise, and everybody can make
-- one that has the name of a table of ours. A function that is replaced later on loses both attributes and has to be given
-- them again.
alter function authorize_batch security definer set search_path = public, pg_temp;
alter function renew_batch security definer set search_path = public, pg_temp;
alter function answer_batch security definer set search_path = public, pg_temp;
alter function settle_batch security definer set search_path = public, pg_temp;
alter function record_unheld_batch security definer set search_path = public, pg_temp;
alter function take_lease security definer set search_path = public, pg_temp;
alter function save_record_position security definer set search_path = public, pg_temp;
alter function purge_settled_holds security definer set search_path = public, pg_temp;
alter function ensure_cdr_month security definer set search_path = public, pg_temp;

-- The controller ---------------------------------------------------------------------------------------------------

grant usage on schema public to letsdial_controller, letsdial_explain;

grant execute on function
  authorize_batch, renew_batch, answer_batch, settle_batch, record_unheld_batch,
  take_lease, save_record_position, purge_settled_holds, ensure_cdr_month
to letsdial_controller;

-- Columns are named where a table holds a secret, a person's data or an amount that the controller has no use for.
grant select (id, state, home_country, time_zone, tax_ppm, sell_deck) on account to letsdial_controller;
grant select on call_limit to letsdial_controller;
grant select (account_id, scope, starts_at, ends_at) on restriction to letsdial_controller;
grant select (id, account_id, currency) on wallet to letsdial_controller;
grant select (id, wallet_id, prefixes, seconds_left, seconds_held, spend_order, expires_at) on minute_pack to letsdial_controller;
grant select (id, account_id, username, enabled, caller_number, created_at) on sip_device to letsdial_controller;
grant select on did to letsdial_controller;
grant select (account_id, number) on verified_caller to letsdial_controller;
grant select (id, code, enabled) on carrier to letsdial_controller;
grant select (id, carrier_id, max_channels, enabled) on trunk to letsdial_controller;
grant select on trunk_address, emergency_route to letsdial_controller;
grant select (id, name, side, carrier_id, currency, version, state) on rate_deck to letsdial_controller;
grant select on rate, fx_rate to letsdial_controller;
grant select (switch_id, epoch, owner) on switch_lease to letsdial_controller;
grant select (
  leg_id, call_id, switch_id, channel_id, state, held_micros, pack_seconds_held, grant_no, seconds_granted, answered_at,
  deadline_at, snapshot) on call_hold to letsdial_controller;
grant select (leg_id, granted_at) on call_grant to letsdial_controller;

-- The command explain ----------------------------------------------------------------------------------------------

grant select (
  leg_id, call_id, started_at, direction, device, dialled, caller, callee, destination, answered_at, ended_at, duration_ms,
  duration_source, seconds_charged, seconds_billed, net_micros, tax_micros, operator_loss_micros, cost_micros, cost_currency,
  currency, pack_seconds, result, refusal, cause, blame, pdd_ms, trunk_id, attempts, grants, snapshot) on cdr to letsdial_explain;
grant select (
  leg_id, call_id, state, held_micros, pack_seconds_held, seconds_granted, authorized_at, answered_at, deadline_at, snapshot)
  on call_hold to letsdial_explain;
grant select on call_grant, posting to letsdial_explain;
grant select (id, kind, ref) on ledger_tx to letsdial_explain;
grant select (id, kind, wallet_id, carrier_id) on ledger_account to letsdial_explain;
grant select (id, code) on carrier to letsdial_explain;
