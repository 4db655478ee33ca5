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

-- As before, one urgency after the other: with the urgency left open, an index whose next column is the time gives all that waits in the
-- lane, and each claim that found less than it had room for read every text that is for later.
create or replace function claim_messages(p_gateway text, p_epoch integer, p_carrier integer, p_now timestamptz, p_rows_max integer)
returns setof message_queue language plpgsql rows 20 security definer
set enable_seqscan = off set enable_bitmapscan = off set search_path = public, pg_temp as $$
declare
  next uuid[] := '{}';
begin
  if not holds_lease(p_gateway, p_epoch) then return; end if;
  for urgency in 0..9 loop
    next := next || array(
      select q.message_id from message_queue q
       where q.state = 'w' and coalesce(q.carrier_id, 0) = coalesce(p_carrier, 0) and q.priority = urgency and q.due_at <= p_now
       order by q.due_at, q.message_id limit p_rows_max - cardinality(next) for update skip locked);
    exit when cardinality(next) >= p_rows_max;
  end loop;
  return query
    update message_queue q set state = 'c', epoch = p_epoch, sending = false where q.message_id = any(next) returning q.*;
end $$;

-- As before, and so what nobody has looked at yet, which all is that is for later. What was looked at has been due.
create or replace function claim_stranded(p_gateway text, p_epoch integer, p_carrier integer, p_now timestamptz,
                                          p_looked_before timestamptz, p_rows_max integer)
returns setof message_queue language plpgsql rows 20 security definer
set enable_seqscan = off set enable_bitmapscan = off set search_path = public, pg_temp as $$
declare
  next uuid[] := '{}';
begin
  if not holds_lease(p_gateway, p_epoch) then return; end if;
  for urgency in 0..9 loop
    next := next || array(
      select q.message_id from message_queue q
       where q.state = 'w' and coalesce(q.carrier_id, 0) = coalesce(p_carrier, 0) and coalesce(q.looked_at, '-infinity') = '-infinity'
         and q.priority = urgency and q.due_at <= p_now
       order by q.due_at, q.message_id limit p_rows_max - cardinality(next) for update skip locked);
    exit when cardinality(next) >= p_rows_max;
  end loop;
  if cardinality(next) < p_rows_max then
    next := next || array(
      select q.message_id from message_queue q
       where q.state = 'w' and coalesce(q.carrier_id, 0) = coalesce(p_carrier, 0)
         and coalesce(q.looked_at, '-infinity') > '-infinity' and coalesce(q.looked_at, '-infinity') < p_looked_before and q.due_at <= p_now
       order by coalesce(q.looked_at, '-infinity'), q.priority, q.due_at, q.message_id limit p_rows_max - cardinality(next)
         for update skip locked);
  end if;
  return query
    update message_queue q set state = 'c', epoch = p_epoch, sending = false, looked_at = p_now
     where q.message_id = any(next) returning q.*;
end $$;
