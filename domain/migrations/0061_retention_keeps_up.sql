-- What is kept too long goes as fast as it comes.

-- The moment of an id, to the millisecond: its first 48 bits.
create function uuid_v7_at(p_id uuid) returns timestamptz language sql immutable strict as $$
  select to_timestamp(('x' || lpad(replace(left(p_id::text, 13), '-', ''), 16, '0'))::bit(64)::bigint / 1000.0)
$$;
revoke execute on function uuid_v7_at from public;

-- Erases what texts said that are older than that, an hour of texts at a time, and of a busy hour no more than one statement has time for.
-- Says until when is erased by now; null where there was nothing to do but with what waited before.
create or replace function erase_bodies(p_gateway text, p_epoch integer, p_before timestamptz) returns timestamptz
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
declare
  rows_max constant integer := 5000;
  from_at timestamptz;
  to_at timestamptz;
  first_left uuid;
begin
  if not holds_lease(p_gateway, p_epoch) then return null; end if;
  with sent as (
    delete from body_kept k where k.message_id = any(array(
      select o.message_id from body_kept o
       where not exists (select 1 from message_queue q where q.message_id = o.message_id offset 0) limit rows_max))
    returning k.message_id)
  update message m set body = null where m.id = any(array(select sent.message_id from sent)) and m.body is not null;
  select e.erased_until into from_at from body_erasure e for update;
  if not found then
    select uuid_v7_at(m.id) into from_at from message m order by m.id limit 1;
    if not found then return null; end if;
    from_at := date_trunc('hour', from_at);
    insert into body_erasure (erased_until) values (from_at);
  end if;
  to_at := least(from_at + interval '1 hour', p_before);
  if to_at <= from_at then return null; end if;
  select m.id into first_left from message m
   where m.id >= uuid_v7_floor(from_at) and m.id < uuid_v7_floor(to_at) order by m.id offset rows_max limit 1;
  if found then to_at := greatest(uuid_v7_at(first_left), from_at + interval '1 millisecond'); end if;
  insert into body_kept (message_id)
  select q.message_id from message_queue q where q.message_id >= uuid_v7_floor(from_at) and q.message_id < uuid_v7_floor(to_at)
  on conflict do nothing;
  update message m set body = null
   where m.id >= uuid_v7_floor(from_at) and m.id < uuid_v7_floor(to_at) and m.body is not null
     and not exists (select 1 from body_kept k where k.message_id = m.id);
  update body_erasure set erased_until = to_at;
  return to_at;
end $$;
