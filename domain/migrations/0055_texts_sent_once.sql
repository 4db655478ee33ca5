-- A request that repeats an accepted one is answered as that was, by the gateway itself.
grant select (account_id, idempotency_key, content_sha256, message_id) on message_key to letsdial_gateway;

-- What waited when its recipient said STOP is not sent to him either: looked at as it is claimed.
grant select (account_id, recipient, sender) on opt_out to letsdial_gateway;

-- A receipt that comes before the answer to its submit_sm is stored waits for moments. One that has waited for long belongs to a text whose
-- answer was lost, and carriers use their ids again: what is sent today must not end by what somebody said of another text weeks ago.
create function may_match_parked(p_received_at timestamptz, p_now timestamptz) returns boolean language sql immutable as $$
  select p_received_at > p_now - interval '15 minutes'
$$;
revoke execute on function may_match_parked from public;

create or replace function sweep_parked(p_gateway text, p_epoch integer, p_now timestamptz, p_rows_max integer) returns integer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
begin
  if not holds_lease(p_gateway, p_epoch) then return 0; end if;
  return count_parked(array(
    select r.id from parked_receipt r
     where exists (select 1 from message_event e
                    where e.carrier_id = r.carrier_id and e.carrier_message_id = any(r.carrier_message_ids) offset 0)
       and may_match_parked(r.received_at, p_now)
     order by r.id desc limit p_rows_max), p_now);
end $$;

create or replace function match_parked(p_carrier_message_ids text[], p_now timestamptz) returns integer
language plpgsql set enable_seqscan = off as $$
declare
  -- Another carrier's may have the same id.
  found_receipts bigint[] := array(select r.id from parked_receipt r where r.carrier_message_ids && p_carrier_message_ids);
begin
  if found_receipts = '{}' then return 0; end if;
  return count_parked(array(
    select r.id from parked_receipt r
     where r.id = any(found_receipts)
       and exists (select 1 from message_event e
                    where e.carrier_id = r.carrier_id and e.carrier_message_id = any(r.carrier_message_ids) offset 0)
       and may_match_parked(r.received_at, p_now)), p_now);
end $$;

-- As before, but for the last: what a text cost is given back where it ends so, and not where it had ended by its receipt.
create or replace function record_outcomes(p_gateway text, p_epoch integer, p_batch uuid, p_now timestamptz, p_items jsonb) returns integer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  items outcome_item[] := array(select i from jsonb_populate_recordset(null::outcome_item, p_items) i);
  costs record;
  ending record;
  ids uuid[];
  stored integer := 0;
begin
  if not holds_lease(p_gateway, p_epoch) then return null; end if;
  -- Of two that bring the same batch at once, because the first one's connection broke, the second sees all that the first did.
  perform pg_advisory_xact_lock(hashtextextended(p_batch::text, 0));
  ids := array(select i.message_id from unnest(items) i where i.refund_segments > 0);
  -- The wallets first, as everywhere, and in the order in which everybody takes them.
  if ids <> '{}' then
    perform 1 from wallet where id in (select m.wallet_id from message m where m.id = any(ids)) order by id for no key update;
  end if;
  for costs in
    with fresh as (
      select i.* from unnest(items) i
       where i.kind = 'submitted' or i.kind is not null and not exists (
         select 1 from message_event e
          where e.message_id = i.message_id and e.kind = i.kind and e.part_no = i.part_no and e.attempt = i.attempt and e.at = i.at
            and e.bind_id is not distinct from i.bind_id offset 0)
    ), inserted as (
      insert into message_event (message_id, at, kind, part_no, attempt, carrier_id, bind_id, carrier_message_id, status,
                                 cost_micros, cost_currency, detail)
      select message_id, at, kind, part_no, attempt, carrier_id, bind_id, case when kind = 'submitted' then carrier_message_id end, status,
             coalesce(cost_micros, 0), cost_currency, detail from fresh order by message_id, part_no, attempt
      on conflict (message_id, part_no, attempt) where kind = 'submitted' do nothing
      returning carrier_id, cost_micros, cost_currency)
    select carrier_id, cost_currency, sum(cost_micros)::bigint as micros, count(*)::integer as parts
      from inserted group by carrier_id, cost_currency order by carrier_id, cost_currency
  loop
    stored := stored + costs.parts;
    continue when costs.micros = 0;
    -- The batch has one transaction for each carrier; the carrier's number makes its key another one.
    if post_transaction('text_cost', md5(p_batch::text || costs.carrier_id || costs.cost_currency)::uuid,
         jsonb_build_object('batch', p_batch, 'carrier_id', costs.carrier_id, 'parts', costs.parts, 'cost_micros', costs.micros),
         array[ledger_account_id('carrier_cost', costs.cost_currency, null, costs.carrier_id),
               ledger_account_id('carrier_payable', costs.cost_currency, null, costs.carrier_id)],
         array[-costs.micros, costs.micros]) <> 'posted' then
      raise exception 'the cost of batch % was booked before', p_batch;
    end if;
  end loop;
  delete from message_queue q where q.message_id = any(array(select i.message_id from unnest(items) i where i.then_state = 'done'));
  if exists (select 1 from unnest(items) i where i.then_state = 'doubt') then
    update message_queue q set state = 'd', epoch = null from unnest(items) i
     where q.message_id = any(array(select d.message_id from unnest(items) d where d.then_state = 'doubt'))
       and q.message_id = i.message_id and i.then_state = 'doubt' and q.state = 'c' and q.attempt <= i.attempt;
  end if;
  for ending in
    select array_agg(i.message_id) as ids, array_agg(i.then_state) as states, array_agg(i.detail) as errors
      from unnest(items) i where i.then_state not in ('done', 'doubt') having count(*) > 0
  loop
    perform end_messages(ending.ids, ending.states, ending.errors, p_now);
  end loop;
  if ids <> '{}' then
    perform refund_message(i.message_id, i.refund_segments, p_now)
       from (select distinct on (q.wallet_id, q.message_id) q.* from (
               select (select m.wallet_id from message m where m.id = o.message_id) as wallet_id, o.message_id, o.refund_segments, o.then_state
                 from unnest(items) o where o.refund_segments > 0) q order by q.wallet_id, q.message_id) i
       -- One that had ended otherwise by then, as its receipt came, is paid for.
      where exists (select 1 from message_event e where e.message_id = i.message_id and e.kind = 'final' and e.state = i.then_state offset 0);
  end if;
  perform match_parked(array(select i.carrier_message_id from unnest(items) i where i.kind = 'submitted'), p_now);
  return stored;
end $$;
