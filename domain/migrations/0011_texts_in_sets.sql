-- The same functions, for less of the database's time: a batch is read once and then worked on in sets, where each statement
-- used to read it anew and most were asked once for each text. What they answer and what they write is as it was.
--
-- A plan is made when a function first runs, often while its tables are nearly empty, and is kept while they grow. So no statement
-- here leaves a choice that would be right for an empty table alone: rows are asked for by `= any(array)`, by a subquery or by a
-- lateral one with `offset 0`, all of which can only be answered by an index, and never by a join of a batch with a whole table.

-- Accepting --------------------------------------------------------------------------------------------------------

drop function why_text_is_refused;

-- One way in for every text, of the gateway and of the portal alike. Items of a wallet are decided in their order, each with
-- what those before it left.
create or replace function accept_messages(p_now timestamptz, p_items jsonb) returns setof accept_answer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
declare
  items accept_item[] := array(select q from jsonb_populate_recordset(null::accept_item, p_items) q order by q.wallet_id, q.n);
  -- Of each item, in the same order: whether it is accepted, and the ref of the charge that it is part of.
  accepted boolean[] := array_fill(false, array[cardinality(items)]);
  charge_refs uuid[] := array_fill(null::uuid, array[cardinality(items)]);
  i record;
  w wallet;
  l call_limit;
  free bigint;
  in_hour bigint;
  in_day bigint;
  gross bigint;
  known message_key;
  group_ref uuid;
  group_net bigint := 0;
  group_tax bigint := 0;
  group_texts integer := 0;
  verdict text;
begin
  -- All wallets of the accounts, as a key is the account's; in the order in which everybody takes them.
  perform 1 from wallet where account_id = any(array(select distinct q.account_id from unnest(items) q)) order by id for no key update;
  for i in
    select q.ordinality, q.n, q.id, q.account_id, q.wallet_id, q.net_micros, q.tax_micros, q.idempotency_key, q.content_sha256,
           -- What keeps a text from being accepted besides money. `offset 0` has each looked for by itself: the planner would
           -- rather read all texts and all accounts once, to look there for a few.
           case
             -- A batch whose answer was lost comes again as it was, and what was accepted then may be refused by now.
             when exists (select 1 from message m where m.id = q.id and m.account_id = q.account_id offset 0) then 'replay'
             -- Texts of the operator's own are replies to STOP and HELP, which the law wants sent even to whom everything else is
             -- refused.
             when q.source = 'system' then null
             when not exists (select 1 from account a where a.id = q.account_id and a.state = 'active' offset 0) then 'account_inactive'
             when exists (select 1 from restriction r
                           where r.account_id = q.account_id and r.scope in ('sms', 'all')
                             and r.starts_at <= p_now and (r.ends_at is null or r.ends_at > p_now) offset 0) then 'restricted'
             when not exists (select 1 from did d where d.number = q.sender and d.account_id = q.account_id and d.state = 'active' offset 0)
              and not exists (select 1 from text_sender s where s.account_id = q.account_id and s.sender = q.sender offset 0) then 'sender_not_yours'
             when exists (select 1 from opt_out o
                           where o.account_id = q.account_id and o.recipient = q.recipient and o.sender in (q.sender, '*') offset 0) then 'opted_out'
           end as standing
      from unnest(items) with ordinality q order by q.ordinality
  loop
    if w.id is distinct from i.wallet_id then
      if group_texts > 0 then perform charge_texts(w, group_ref, group_net, group_tax, group_texts, p_now); end if;
      group_ref := null; group_net := 0; group_tax := 0; group_texts := 0;
      select * into w from wallet where id = i.wallet_id and account_id = i.account_id for no key update;
      select * into l from call_limit where account_id = w.account_id;
      free := w.balance_micros + w.credit_limit_micros - w.held_micros
              - case when w.promo_micros = 0 then 0 else expired_promo_micros(w.id, p_now) end;
      -- An account without limits has no leave to spend.
      in_hour := coalesce(l.spend_micros_per_hour_max, 0) - w.held_micros
                 - case when w.spend_hour >= date_trunc('hour', p_now, 'UTC') then w.spend_hour_micros else 0 end;
      in_day := coalesce(l.spend_micros_per_day_max, 0) - w.held_micros
                - case when w.spend_day >= (select (p_now at time zone a.time_zone)::date from account a where a.id = w.account_id)
                       then w.spend_day_micros else 0 end;
    end if;
    gross := i.net_micros + i.tax_micros;
    known := null;
    if i.idempotency_key is not null then
      select * into known from message_key where account_id = i.account_id and idempotency_key = i.idempotency_key;
    end if;
    verdict := case
      when known.message_id is not null then case when known.content_sha256 = i.content_sha256 then 'replay' else 'key_conflict' end
      when w.account_id is distinct from i.account_id then 'no_wallet'
      when i.standing is not null then i.standing
      -- What costs nothing needs no money, and no leave to spend any.
      when gross = 0 then 'accepted'
      when gross > free then 'no_money'
      when gross > in_hour then 'spend_hour'
      when gross > in_day then 'spend_day'
      else 'accepted' end;
    if verdict = 'accepted' then
      accepted[i.ordinality] := true;
      if gross > 0 then
        free := free - gross; in_hour := in_hour - gross; in_day := in_day - gross;
        group_ref := coalesce(group_ref, i.id);
        group_net := group_net + i.net_micros; group_tax := group_tax + i.tax_micros; group_texts := group_texts + 1;
        charge_refs[i.ordinality] := group_ref;
      end if;
      if i.idempotency_key is not null then
        insert into message_key values (i.account_id, i.idempotency_key, i.content_sha256, i.id, p_now);
      end if;
    end if;
    return next (i.n, verdict, coalesce(known.message_id, i.id), case when verdict = 'no_wallet' then 0 else free end)::accept_answer;
  end loop;
  if group_texts > 0 then perform charge_texts(w, group_ref, group_net, group_tax, group_texts, p_now); end if;
  perform store_accepted(items, accepted, charge_refs, p_now);
end $$;

drop function store_accepted;
-- Of the items those that are accepted, each with the ref of its charge.
create function store_accepted(p_items accept_item[], p_accepted boolean[], p_charge_refs uuid[], p_now timestamptz)
returns void language plpgsql as $$
begin
  insert into message (id, account_id, direction, accepted_at, sender, recipient, body, encoding, segments, class, on_doubt, charge_ref,
                       wallet_id, currency, net_micros, tax_micros, deck_id, prefix, destination, rate_micros_per_segment,
                       source, system_id, client_ref, wants_receipt, due_at, valid_until)
  select a.id, a.account_id, 'mt', p_now, a.sender, a.recipient, a.body, a.encoding, a.segments, a.class, a.on_doubt,
         p_charge_refs[a.ordinality], a.wallet_id, (select w.currency from wallet w where w.id = a.wallet_id), a.net_micros, a.tax_micros, a.deck_id, a.prefix, a.destination,
         a.rate_micros_per_segment, a.source, a.system_id, a.client_ref, a.wants_receipt, a.due_at, a.valid_until
    from unnest(p_items) with ordinality a where p_accepted[a.ordinality];
  insert into message_queue (message_id, state, carrier_id, priority, due_at, valid_until, epoch)
  select a.id, case when a.hold_reason is not null then 'h' when a.epoch is not null then 'c' else 'w' end,
         a.carrier_id, a.priority, coalesce(a.due_at, p_now), a.valid_until, case when a.hold_reason is null then a.epoch end
    from unnest(p_items) with ordinality a where p_accepted[a.ordinality];
  if exists (select 1 from unnest(p_items) a where a.hold_reason is not null) then
    insert into message_event (message_id, at, kind, detail)
    select a.id, p_now, 'held', a.hold_reason
      from unnest(p_items) with ordinality a where p_accepted[a.ordinality] and a.hold_reason is not null;
  end if;
  if exists (select 1 from unnest(p_items) with ordinality a where p_accepted[a.ordinality] and a.epoch is null) then
    perform pg_notify('message_queue', '');
  end if;
end $$;

-- Ending -----------------------------------------------------------------------------------------------------------

-- Tells how texts ended: every endpoint of the account that wants to hear of it, or the bind that the text came from.
create or replace function tell_customers(p_kind text, p_messages uuid[], p_now timestamptz) returns void language plpgsql as $$
declare
  told integer;
begin
  with texts as materialized (
    select m.id, m.account_id, m.source, m.system_id, m.wants_receipt, m.recipient from message m where m.id = any(p_messages)
  )
  insert into customer_delivery (account_id, kind, message_id, channel, target, due_at)
  select t.account_id, p_kind, t.id, 'webhook', e.id::text, p_now
    from texts t join webhook_endpoint e on e.account_id = t.account_id and e.enabled and p_kind = any(e.kinds)
   where t.source in ('http', 'portal', 'carrier')
  union all
  select t.account_id, p_kind, t.id, 'smpp', t.system_id, p_now
    from texts t where t.source = 'smpp' and t.wants_receipt and p_kind = 'receipt'
  union all
  select t.account_id, p_kind, t.id, 'smpp', e.system_id, p_now
    from texts t, lateral (
           -- The bind whose range is the narrowest that holds the number.
           select e.system_id from esme e
            where e.account_id = t.account_id and e.enabled
              and (e.address_range is null or ltrim(t.recipient, '+') like e.address_range || '%')
            order by length(e.address_range) desc nulls last, e.system_id limit 1) e
   where p_kind = 'text';
  get diagnostics told = row_count;
  if told > 0 then perform pg_notify('customer_delivery', ''); end if;
end $$;

alter function end_messages set enable_seqscan = off;

-- Sending ----------------------------------------------------------------------------------------------------------

-- What carriers said to what was sent. Costs are booked for parts that were not known to be taken before, so a batch that comes
-- again books nothing. What is planned while the queue is empty is kept when it is not: hence no choice of a scan.
create or replace function record_outcomes(p_gateway text, p_epoch integer, p_batch uuid, p_now timestamptz, p_items jsonb) returns integer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
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
               select (select m.wallet_id from message m where m.id = o.message_id) as wallet_id, o.message_id, o.refund_segments
                 from unnest(items) o where o.refund_segments > 0) q order by q.wallet_id, q.message_id) i;
  end if;
  perform match_parked(array(select i.carrier_message_id from unnest(items) i where i.kind = 'submitted'), p_now);
  return stored;
end $$;

-- Receipts ---------------------------------------------------------------------------------------------------------

-- Only what a carrier took has its id. Were it looked for by its kind, the unique index of what was submitted would do as well, which
-- is read from one end to the other: of an empty table that costs the same.
drop index message_event_carrier;
create index message_event_carrier on message_event (carrier_message_id, carrier_id) where carrier_message_id is not null;
alter table message_event add constraint message_event_carrier_names_submitted check (carrier_message_id is null or kind = 'submitted');

-- A receipt and the answer to its submit_sm that are stored at the same moment do not see each other, and the receipt is parked
-- though its part is known: this finds it. The newest first, as old ones are nobody's. Says how many were found.
create or replace function sweep_parked(p_gateway text, p_epoch integer, p_now timestamptz, p_rows_max integer) returns integer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
begin
  if not holds_lease(p_gateway, p_epoch) then return 0; end if;
  return count_parked(array(
    select r.id from parked_receipt r
     where exists (select 1 from message_event e
                    where e.carrier_id = r.carrier_id and e.carrier_message_id = any(r.carrier_message_ids) offset 0)
     order by r.id desc limit p_rows_max), p_now);
end $$;

-- Receipts that came before the answer to the submit_sm had been stored find their part now.
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
                    where e.carrier_id = r.carrier_id and e.carrier_message_id = any(r.carrier_message_ids) offset 0)), p_now);
end $$;

drop function record_receipts;
-- matched: counted now; repeated: it was counted before; parked: no part has that id yet.
create function record_receipts(p_now timestamptz, p_items receipt_item[])
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
       order by f.message_id, f.part_no, f.n
      on conflict (message_id, part_no, state) where kind = 'receipt' do nothing
      returning e.message_id, e.part_no, e.state)
    select f.n, case when f.message_id is null then 'parked' when c.message_id is null then 'repeated' else 'matched' end,
           f.message_id, f.state, f.error
      from found f left join counted c on c.message_id = f.message_id and c.part_no = f.part_no and c.state = f.state
     order by f.n;
  return;
end $$;

-- Ends those of the texts of which receipts were just counted, in the order in which they came, that these end. A text of one
-- segment ends with the last word on it; of the others all parts are looked at.
create function conclude_counted(p_ids uuid[], p_states text[], p_errors text[], p_now timestamptz) returns void language plpgsql as $$
declare
  whole uuid[];
  states text[];
  errors text[];
  in_parts uuid[];
begin
  with texts as materialized (
    select m.id, m.segments from message m where m.id = any(p_ids)
  ), last_words as (
    -- Of two that contradict each other the first one counts.
    select distinct on (q.id) q.id, q.state, q.error, t.segments
      from unnest(p_ids, p_states, p_errors) with ordinality as q(id, state, error, n) join texts t on t.id = q.id
     where q.state not in ('enroute', 'accepted') order by q.id, q.n)
  select array_agg(w.id) filter (where w.segments = 1), array_agg(w.state) filter (where w.segments = 1),
         array_agg(w.error) filter (where w.segments = 1), array_agg(w.id) filter (where w.segments > 1)
    into whole, states, errors, in_parts from last_words w;
  if whole is not null then perform end_messages(whole, states, errors, p_now); end if;
  if in_parts is not null then perform conclude_messages(in_parts, p_now); end if;
end $$;

create or replace function receive_receipts(p_gateway text, p_epoch integer, p_now timestamptz, p_items jsonb)
returns table (n integer, verdict text)
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
declare
  ids uuid[] := '{}';
  states text[] := '{}';
  errors text[] := '{}';
  r record;
begin
  if not holds_lease(p_gateway, p_epoch) then return; end if;
  for r in
    select * from record_receipts(p_now, array(select i from jsonb_populate_recordset(null::receipt_item, p_items) i))
  loop
    if r.verdict = 'matched' then
      ids := ids || r.message_id; states := states || r.state; errors := errors || r.error;
    end if;
    n := r.n; verdict := r.verdict;
    return next;
  end loop;
  if ids <> '{}' then perform conclude_counted(ids, states, errors, p_now); end if;
end $$;

-- Counts parked receipts whose part is known by now. What another one is counting is left to it.
create or replace function count_parked(p_receipts bigint[], p_now timestamptz) returns integer language plpgsql as $$
declare
  receipts receipt_item[];
  counted record;
begin
  with mine as (
    select r.id from parked_receipt r where r.id = any(p_receipts) order by r.id for update skip locked
  ), taken as (
    delete from parked_receipt r using mine where r.id = mine.id returning r.*)
  select array_agg((t.n, t.carrier_id, t.carrier_message_ids, t.state, t.error, t.done_at)::receipt_item) into receipts
    from (select taken.*, row_number() over (order by taken.id) as n from taken) t;
  if receipts is null then return 0; end if;
  select array_agg(r.message_id order by r.n) as ids, array_agg(r.state order by r.n) as states, array_agg(r.error order by r.n) as errors
    into counted
    from record_receipts(p_now, receipts) r where r.verdict = 'matched';
  if counted.ids is not null then perform conclude_counted(counted.ids, counted.states, counted.errors, p_now); end if;
  return cardinality(receipts);
end $$;

revoke execute on function store_accepted, record_receipts, conclude_counted from public;
