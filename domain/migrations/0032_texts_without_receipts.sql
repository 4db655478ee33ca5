-- Texts of which nothing is heard any more. A carrier took them and never says what became of them, or nobody knows whether one took
-- them and nobody decided: they would stand as sent, or in doubt, for ever, and whoever sent them would never be told.

-- Until which id they were looked at; one row.
create table receipts_looked_for (
  is_only boolean primary key default true check (is_only),
  until_id uuid not null
);
insert into receipts_looked_for (until_id) values ('00000000-0000-0000-0000-000000000000');

-- Texts that are valid for so long that they are looked at once more, then.
create table receipt_awaited (
  message_id uuid primary key,
  due_at timestamptz not null
);
create index receipt_awaited_due on receipt_awaited (due_at);

-- Looks at the next texts that were accepted `p_wait` ago, in the order of their ids, and ends as `unknown` what has neither ended nor waits
-- for anything, once it has not been valid for so long. Nobody says that it was not delivered, so its price stays. Says how many were
-- looked at, and how many of each carrier's ended so.
create function end_unheard_texts(p_gateway text, p_epoch integer, p_now timestamptz, p_wait interval, p_rows_max integer)
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
  -- What waits in the queue ends by its validity; what is in doubt and held for a person ends here.
  over := array(
    select m.id from unnest(ids || late) l (id), lateral (
             select x.id, x.direction, coalesce(x.valid_until, x.accepted_at) as valid_until from message x where x.id = l.id offset 0) m
     where m.direction = 'mt'
       and not exists (select 1 from message_event e where e.message_id = m.id and e.kind = 'final' offset 0)
       and not exists (select 1 from message_queue q where q.message_id = m.id and q.state <> 'd' offset 0));
  insert into receipt_awaited (message_id, due_at)
  select m.id, m.valid_until + p_wait from unnest(over) o (id), lateral (
           select x.id, coalesce(x.valid_until, x.accepted_at) as valid_until from message x where x.id = o.id offset 0) m
   where m.valid_until + p_wait > p_now on conflict do nothing;
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
revoke execute on function end_unheard_texts from public;
grant execute on function end_unheard_texts to letsdial_gateway;
