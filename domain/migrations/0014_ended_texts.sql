-- How texts ended, for figures of countries; and what customers could not be told, which they may ask for again.

-- Ends that nobody has counted yet: whoever counts them takes them off. Not in the log of the server, as figures may be lost with it.
create unlogged table ended_text (
  message_id uuid not null,
  state text not null,
  ended_at timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- How a text ended, once; later ones are ignored. Tells the customer who asked to be told.
create or replace function end_messages(p_ids uuid[], p_states text[], p_errors text[], p_now timestamptz) returns setof uuid
language plpgsql set enable_seqscan = off as $$
declare
  ended uuid[];
begin
  with given as (
    select distinct on (id) id, state, error from unnest(p_ids, p_states, p_errors) as q(id, state, error) order by id
  ), inserted as (
    insert into message_event (message_id, at, kind, state, error)
    select id, p_now, 'final', state, error from given
    on conflict (message_id) where kind = 'final' do nothing
    returning message_id, state
  ), to_be_counted as (
    insert into ended_text (message_id, state, ended_at) select i.message_id, i.state, p_now from inserted i)
  select coalesce(array_agg(message_id), '{}') into ended from inserted;
  delete from message_queue where message_id = any(ended);
  perform tell_customers('receipt', ended, p_now);
  return query select unnest(ended);
end $$;

-- Takes ends off the list: to whom, how, and how long after it was to go. A cancelled text may have ended before that.
create function take_ended_texts(p_gateway text, p_epoch integer, p_rows_max integer)
returns table (account_id uuid, recipient text, state text, waited_ms integer)
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
#variable_conflict use_column
declare
  taken ended_text[];
begin
  if not holds_lease(p_gateway, p_epoch) then return; end if;
  with gone as (
    delete from ended_text e where e.ctid = any(array(select o.ctid from ended_text o limit p_rows_max)) returning e.*)
  select array_agg((g.message_id, g.state, g.ended_at)::ended_text) into taken from gone g;
  if taken is null then return; end if;
  return query
    select m.account_id, m.recipient, t.state,
           least(greatest(extract(epoch from t.ended_at - m.wanted_at) * 1000, 0), 2147483647)::integer
      from unnest(taken) t, lateral (
        select x.account_id, x.recipient, coalesce(x.due_at, x.accepted_at) as wanted_at from message x where x.id = t.message_id offset 0) m;
end $$;

revoke execute on function take_ended_texts from public;
grant execute on function take_ended_texts to letsdial_gateway;

-- A customer asks for his own dead letters, page by page, those of webhooks and of binds alike.
drop index customer_delivery_dead;
create index customer_delivery_dead on customer_delivery (account_id, id) where dead_at is not null;
