-- What is left behind: texts in the hands of a gateway that does not know of them, and what is kept longer than anybody needs it.

-- Claimed in the name of the gateway that asks, which does not have them in its hands: the answer to a claim was lost with its
-- connection, or what became of them could not be written. As after a gateway's end it is not known whether they were sent.
create function recover_strays(p_gateway text, p_epoch integer, p_now timestamptz, p_ids uuid[]) returns integer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
declare
  strays uuid[];
begin
  if not holds_lease(p_gateway, p_epoch) then return 0; end if;
  with doubtful as (
    update message_queue q
       set state = case when m.on_doubt = 'hold' and q.sending then 'd' else 'w' end, epoch = null, attempt = q.attempt + 1
      from message m
     where q.message_id = any(p_ids) and m.id = q.message_id and q.state = 'c' and q.epoch = p_epoch
    returning q.message_id, q.state, q.attempt, m.on_doubt
  ), flagged as (
    insert into message_event (message_id, at, kind, attempt, detail)
    select d.message_id, p_now, 'in_doubt', d.attempt - 1, 'the gateway lost sight of this text'
      from doubtful d where d.on_doubt = 'resend' or d.state = 'd')
  select array_agg(d.message_id) into strays from doubtful d;
  if strays is null then return 0; end if;
  perform pg_notify('message_queue', '');
  return cardinality(strays);
end $$;

-- Up to where bodies of texts were erased; those before were looked at.
create table body_erasure (
  one boolean primary key default true check (one),
  erased_until timestamptz not null
);

-- Texts that still waited when their time came: each keeps its body until it is sent or has ended.
create table body_kept (
  message_id uuid primary key
);

-- Erases what texts said that are older than that, an hour of texts at a time. Says until when is erased by now; null where there
-- was nothing to do but with what waited before.
create function erase_bodies(p_gateway text, p_epoch integer, p_before timestamptz) returns timestamptz
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
declare
  from_at timestamptz;
  to_at timestamptz;
begin
  if not holds_lease(p_gateway, p_epoch) then return null; end if;
  with sent as (
    delete from body_kept k where not exists (select 1 from message_queue q where q.message_id = k.message_id) returning k.message_id)
  update message m set body = null where m.id = any(array(select sent.message_id from sent)) and m.body is not null;
  select e.erased_until into from_at from body_erasure e for update;
  if not found then
    -- An id's first 48 bits are its milliseconds.
    select to_timestamp(('x' || lpad(replace(left(m.id::text, 13), '-', ''), 16, '0'))::bit(64)::bigint / 1000.0) into from_at
      from message m order by m.id limit 1;
    if not found then return null; end if;
    from_at := date_trunc('hour', from_at);
    insert into body_erasure (erased_until) values (from_at);
  end if;
  to_at := least(from_at + interval '1 hour', p_before);
  if to_at <= from_at then return null; end if;
  insert into body_kept (message_id)
  select q.message_id from message_queue q where q.message_id >= uuid_v7_floor(from_at) and q.message_id < uuid_v7_floor(to_at)
  on conflict do nothing;
  update message m set body = null
   where m.id >= uuid_v7_floor(from_at) and m.id < uuid_v7_floor(to_at) and m.body is not null
     and not exists (select 1 from body_kept k where k.message_id = m.id);
  update body_erasure set erased_until = to_at;
  return to_at;
end $$;

-- Deletes what only repeats, late receipts and dead letters were kept for. Says how many rows went.
create function forget_texts_past(p_gateway text, p_epoch integer, p_keys_before timestamptz, p_letters_before timestamptz, p_rows_max integer)
returns integer language plpgsql security definer set search_path = public, pg_temp as $$
declare
  gone integer;
  forgotten integer := 0;
begin
  if not holds_lease(p_gateway, p_epoch) then return 0; end if;
  delete from message_key k where k.ctid = any(array(
    select o.ctid from message_key o where o.created_at < p_keys_before order by o.created_at limit p_rows_max for update skip locked));
  get diagnostics gone = row_count; forgotten := forgotten + gone;
  delete from parked_receipt r where r.id = any(array(
    select o.id from parked_receipt o where o.received_at < p_letters_before order by o.received_at limit p_rows_max));
  get diagnostics gone = row_count; forgotten := forgotten + gone;
  delete from customer_delivery d where d.id = any(array(
    select o.id from customer_delivery o where o.dead_at < p_letters_before order by o.dead_at limit p_rows_max));
  get diagnostics gone = row_count; forgotten := forgotten + gone;
  return forgotten;
end $$;
create index parked_receipt_age on parked_receipt (received_at);
create index customer_delivery_dead_age on customer_delivery (dead_at) where dead_at is not null;

revoke execute on function recover_strays, erase_bodies, forget_texts_past from public;
grant execute on function recover_strays, erase_bodies, forget_texts_past to letsdial_gateway;
