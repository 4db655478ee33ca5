-- Customers who bind over TLS only; and a carrier that is away while a hundred thousand texts wait for it.

-- Whether a bind of this customer in the clear is refused: its password and its texts could be read on the way.
alter table esme add column tls_required boolean not null default false;

-- What waits for a carrier that is away and was not looked at for longest, found without reading what was looked at just now.
create index message_queue_looked_at
  on message_queue (coalesce(carrier_id, 0), coalesce(looked_at, '-infinity'), priority, due_at, message_id) where state = 'w';

-- As before, but those come first that nobody has looked at yet, the most urgent of them first, and then those of the longest ago:
-- in the order of urgency alone, all that was looked at within the last minute was read at each look to find the next.
create or replace function claim_stranded(p_gateway text, p_epoch integer, p_carrier integer, p_now timestamptz,
                                          p_looked_before timestamptz, p_rows_max integer)
returns setof message_queue language plpgsql rows 20 security definer
set enable_seqscan = off set enable_bitmapscan = off set search_path = public, pg_temp as $$
declare
  next uuid[];
begin
  if not holds_lease(p_gateway, p_epoch) then return; end if;
  next := array(
    select q.message_id from message_queue q
     where q.state = 'w' and coalesce(q.carrier_id, 0) = coalesce(p_carrier, 0)
       and coalesce(q.looked_at, '-infinity') < p_looked_before and q.due_at <= p_now
     order by coalesce(q.looked_at, '-infinity'), q.priority, q.due_at, q.message_id limit p_rows_max for update skip locked);
  return query
    update message_queue q set state = 'c', epoch = p_epoch, sending = false, looked_at = p_now
     where q.message_id = any(next) returning q.*;
end $$;

-- The whole queue was read for each batch that is given back, as a planner takes the few texts in a gateway's hands for none.
alter function release_messages set enable_seqscan = off;
alter function release_messages set enable_hashjoin = off;
alter function release_messages set enable_mergejoin = off;
