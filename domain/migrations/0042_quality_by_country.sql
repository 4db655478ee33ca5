-- How many of the texts that a carrier took to a country arrived, for routes: counts that fade, saved now and then, so that a restart does
-- not make a bad carrier a good one.
create table text_quality (
  carrier_id integer not null references carrier,
  -- ISO 3166-1, of the country that most numbers of the recipient's calling code belong to; ZZ: none.
  country char(2) not null check (country ~ '^[A-Z]{2}$'),
  -- From when on nothing has faded yet.
  faded_at timestamptz not null,
  ended double precision not null,
  delivered double precision not null,
  primary key (carrier_id, country),
  -- In Postgres NaN is above infinity, and neither is a count.
  check (delivered between 0 and ended and ended < 'infinity')
);
grant select, insert, update on text_quality to letsdial_gateway;
grant select on text_quality to letsdial_portal;

-- As before, and which carrier took the text last, of so many at most of those that are given: what they say of carriers, more would not
-- say better. Null for the others, and for a text that no carrier took.
drop function take_ended_texts;
create function take_ended_texts(p_gateway text, p_epoch integer, p_rows_max integer, p_carriers_max integer)
returns table (account_id uuid, recipient text, state text, waited_ms integer, carrier_id integer)
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
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
           least(greatest(extract(epoch from t.ended_at - m.wanted_at) * 1000, 0), 2147483647)::integer, c.carrier_id
      from unnest(taken) with ordinality t (message_id, state, ended_at, n), lateral (
        select x.account_id, x.recipient, coalesce(x.due_at, x.accepted_at) as wanted_at from message x where x.id = t.message_id offset 0) m
        left join lateral (
          select e.carrier_id from message_event e
           where t.n <= p_carriers_max and e.message_id = t.message_id and e.kind = 'submitted' order by e.n desc limit 1) c on true;
end $$;
revoke execute on function take_ended_texts from public;
grant execute on function take_ended_texts to letsdial_gateway;
