-- What is heard of texts, and what is not: a failure of one attempt is no word on another one, and no text is forgotten that still waited
-- when it was looked at.

-- A carrier took a text and gave no answer in time, so it went again: each of the two attempts has receipts of its own. Were they counted
-- by their state alone, a second failure would be taken for the first one come twice.
drop index message_event_receipt;
create unique index message_event_receipt on message_event (message_id, part_no, attempt, state) where kind = 'receipt';

-- Whether a carrier took that part in an attempt of which no receipt says that it failed.
create function may_still_arrive(p_message uuid, p_part integer) returns boolean language plpgsql stable as $$
begin
  return exists (
    select 1 from message_event s
     where s.message_id = p_message and s.part_no = p_part and s.kind = 'submitted'
       and not exists (
         select 1 from message_event r
          where r.message_id = p_message and r.part_no = p_part and r.attempt = s.attempt and r.kind = 'receipt'
            and r.state not in ('enroute', 'accepted', 'delivered') offset 0));
end $$;
revoke execute on function may_still_arrive from public;

-- As before, but for what a receipt is counted by.
create or replace function record_receipts(p_now timestamptz, p_items receipt_item[])
returns table (n integer, verdict text, message_id uuid, state text, error text)
-- In a month's first minutes the tables are small, and what is planned then is kept.
language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
begin
  return query
    with found as (
      -- Carriers use their ids again after some time: the newest part is meant. `offset 0` has the parts of the id found before they
      -- are ordered, or the planner goes back through all texts from the newest on until one has that id.
      select i.*, e.message_id, e.part_no, e.attempt from unnest(p_items) i left join lateral (
        select x.message_id, x.part_no, x.attempt from (
          select s.message_id, s.part_no, s.attempt from message_event s
           where s.carrier_message_id = any(i.carrier_message_ids) and s.carrier_id = i.carrier_id offset 0) x
         order by x.message_id desc limit 1) e on true
    ), parked as (
      insert into parked_receipt (carrier_id, carrier_message_ids, state, error, done_at, received_at)
      select f.carrier_id, f.carrier_message_ids, f.state, f.error, f.done_at, p_now from found f where f.message_id is null returning 1
    ), counted as (
      insert into message_event as e (message_id, at, kind, part_no, attempt, carrier_id, state, error)
      select f.message_id, coalesce(f.done_at, p_now), 'receipt', f.part_no, f.attempt, f.carrier_id, f.state, f.error
        from found f where f.message_id is not null
       -- In one order, so that two batches that bring the same receipts wait for each other and not in a circle.
       order by f.message_id, f.part_no, f.attempt, f.n
      on conflict (message_id, part_no, attempt, state) where kind = 'receipt' do nothing
      returning e.message_id, e.part_no, e.attempt, e.state)
    select f.n, case when f.message_id is null then 'parked' when c.message_id is null then 'repeated' else 'matched' end,
           f.message_id, f.state, f.error
      from found f
      left join counted c on c.message_id = f.message_id and c.part_no = f.part_no and c.attempt = f.attempt and c.state = f.state
     order by f.n;
  return;
end $$;

-- Ends those of the texts of which receipts were just counted, in the order in which they came, that these end. A text of one
-- segment ends with the last word on it; of the others all parts are looked at.
create or replace function conclude_counted(p_ids uuid[], p_states text[], p_errors text[], p_now timestamptz) returns void
language plpgsql as $$
declare
  whole uuid[];
  states text[];
  errors text[];
  in_parts uuid[];
begin
  with texts as materialized (
    select m.id, m.segments from message m where m.id = any(p_ids)
  ), last_words as (
    -- Of two that contradict each other the first one counts. That an attempt failed is no last word while another one may arrive.
    select distinct on (q.id) q.id, q.state, q.error, t.segments
      from unnest(p_ids, p_states, p_errors) with ordinality as q(id, state, error, n) join texts t on t.id = q.id
     where q.state not in ('enroute', 'accepted')
       and case when t.segments > 1 or q.state = 'delivered' then true else not may_still_arrive(q.id, 1) end
     order by q.id, q.n)
  select array_agg(w.id) filter (where w.segments = 1), array_agg(w.state) filter (where w.segments = 1),
         array_agg(w.error) filter (where w.segments = 1), array_agg(w.id) filter (where w.segments > 1)
    into whole, states, errors, in_parts from last_words w;
  if whole is not null then perform end_messages(whole, states, errors, p_now); end if;
  if in_parts is not null then perform conclude_messages(in_parts, p_now); end if;
end $$;

-- Ends the texts of which every part has a receipt that is its last word. Delivered is what was delivered in whole.
create or replace function conclude_messages(p_ids uuid[], p_now timestamptz) returns void language plpgsql as $$
declare
  ids uuid[];
  states text[];
  errors text[];
begin
  select array_agg(t.message_id), array_agg(t.state), array_agg(t.error) into ids, states, errors from (
    select p.message_id,
           case when bool_and(p.state = 'delivered') then 'delivered'
                else (array_agg(p.state order by p.part_no) filter (where p.state <> 'delivered'))[1] end as state,
           (array_agg(p.error order by p.part_no) filter (where p.state <> 'delivered'))[1] as error
      from (select distinct on (e.message_id, e.part_no) e.message_id, e.part_no, e.state, e.error
              from message_event e
             where e.message_id = any(p_ids) and e.kind = 'receipt' and e.state not in ('enroute', 'accepted')
               and case when e.state = 'delivered' then true else not may_still_arrive(e.message_id, e.part_no) end
             order by e.message_id, e.part_no, e.n) p
      join message m on m.id = p.message_id
     group by p.message_id, m.segments having count(*) = m.segments) t;
  if ids is not null then perform end_messages(ids, states, errors, p_now); end if;
end $$;

-- What waited when it was passed is looked at once more as well. Its wait is added then.
insert into receipt_awaited (message_id, due_at)
select q.message_id, q.valid_until from message_queue q, receipts_looked_for r where q.message_id <= r.until_id and q.state <> 'd'
on conflict do nothing;

-- As before, and what waits in the queue, for its time, a carrier or a person, is looked at again: it may be sent after that.
create or replace function end_unheard_texts(p_gateway text, p_epoch integer, p_now timestamptz, p_wait interval, p_rows_max integer)
returns table (looked_at integer, carrier_id integer, texts integer)
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  after_id uuid;
  ids uuid[];
  late uuid[];
  over uuid[];
  ended uuid[];
begin
  if not holds_lease(p_gateway, p_epoch) then return; end if;
  select until_id into after_id from receipts_looked_for for update;
  ids := array(select m.id from message m
                where m.id > after_id and m.id < uuid_v7_floor(p_now - p_wait) order by m.id limit p_rows_max);
  if ids <> '{}' then update receipts_looked_for set until_id = ids[cardinality(ids)]; end if;
  late := array(select a.message_id from receipt_awaited a where a.due_at <= p_now order by a.due_at limit p_rows_max);
  delete from receipt_awaited a where a.message_id = any(late);
  over := array(
    select m.id from unnest(ids || late) l (id), lateral (
             select x.id, x.direction from message x where x.id = l.id offset 0) m
     where m.direction = 'mt'
       and not exists (select 1 from message_event e where e.message_id = m.id and e.kind = 'final' offset 0));
  -- What waits ends by its validity, or is with a carrier by then; what is in doubt and held for a person ends here.
  insert into receipt_awaited (message_id, due_at)
  select m.id, case when q.waits then greatest(m.valid_until, p_now) else m.valid_until end + p_wait
    from unnest(over) o (id), lateral (
           select x.id, coalesce(x.valid_until, x.accepted_at) as valid_until from message x where x.id = o.id offset 0) m,
         lateral (
           select exists (select 1 from message_queue x where x.message_id = o.id and x.state <> 'd' offset 0) as waits offset 0) q
   where q.waits or m.valid_until + p_wait > p_now on conflict do nothing;
  over := array(select o.id from unnest(over) o (id)
                 where not exists (select 1 from receipt_awaited a where a.message_id = o.id offset 0));
  if over <> '{}' then
    ended := array(select end_messages(over, array_fill('unknown'::text, array[cardinality(over)]),
                     array_fill('no receipt came'::text, array[cardinality(over)]), p_now));
  end if;
  return query
    select cardinality(ids) + cardinality(late), null::integer, coalesce(cardinality(ended), 0)
    union all
    select 0, c.carrier_id, count(*)::integer
      from unnest(ended) t (id), lateral (
             select e.carrier_id from message_event e where e.message_id = t.id and e.kind = 'submitted' order by e.n desc limit 1) c
    group by c.carrier_id;
end $$;
