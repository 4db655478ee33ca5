-- Who takes what is due reads that, and not all that is for later.

-- Was said to be immutable, which what it asks is not: so no index could serve it, and each parked receipt was looked at.
create or replace function may_match_parked(p_received_at timestamptz, p_now timestamptz) returns boolean language sql stable as $$
  select p_received_at > p_now - interval '15 minutes'
$$;

-- As before, and looks at those of the last minutes alone. `offset 0` has them found by their age before anything is ordered.
create or replace function sweep_parked(p_gateway text, p_epoch integer, p_now timestamptz, p_rows_max integer) returns integer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
begin
  if not holds_lease(p_gateway, p_epoch) then return 0; end if;
  return count_parked(array(
    select r.id from (select x.* from parked_receipt x where may_match_parked(x.received_at, p_now) offset 0) r
     where exists (select 1 from message_event e
                    where e.carrier_id = r.carrier_id and e.carrier_message_id = any(r.carrier_message_ids) offset 0)
     order by r.id desc limit p_rows_max), p_now);
end $$;
