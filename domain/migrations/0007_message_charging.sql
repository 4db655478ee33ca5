-- Accepting, sending and ending texts. A batch is one statement, hence one transaction: all of its items are durable when it
-- returns. A batch that is asked for again, because its answer was lost, changes nothing.

-- Accepting --------------------------------------------------------------------------------------------------------

create type accept_item as (
  n integer, id uuid, account_id uuid, wallet_id bigint, sender text, recipient text, body text, encoding text, segments smallint,
  class text, on_doubt text, net_micros bigint, tax_micros bigint, deck_id integer, prefix text, destination text,
  rate_micros_per_segment bigint, source text, system_id text, client_ref text, wants_receipt boolean,
  idempotency_key text, content_sha256 text, due_at timestamptz, valid_until timestamptz, priority smallint, carrier_id integer,
  -- Of the gateway that will send it at once; null: whoever comes by.
  epoch integer,
  -- Why a person has to look at it first; null: nobody has to.
  hold_reason text,
  -- Filled in by the function.
  charge_ref uuid, currency char(3));

-- accepted; replay: the same request made `id` before; any other verdict is a refusal, and nothing was written.
create type accept_answer as (n integer, verdict text, id uuid, free_micros bigint);

-- What keeps a text from being accepted besides money. Texts of the operator's own (`system`) are replies to STOP and HELP, which
-- the law wants sent even to whom everything else is refused.
create function why_text_is_refused(i accept_item, p_now timestamptz) returns text language sql stable as $$
  select case
    when i.source = 'system' then null
    when not exists (select 1 from account a where a.id = i.account_id and a.state = 'active') then 'account_inactive'
    when exists (select 1 from restriction r
                  where r.account_id = i.account_id and r.scope in ('sms', 'all')
                    and r.starts_at <= p_now and (r.ends_at is null or r.ends_at > p_now)) then 'restricted'
    when not exists (select 1 from did d where d.number = i.sender and d.account_id = i.account_id and d.state = 'active')
     and not exists (select 1 from text_sender s where s.account_id = i.account_id and s.sender = i.sender) then 'sender_not_yours'
    when exists (select 1 from opt_out o
                  where o.account_id = i.account_id and o.recipient = i.recipient and o.sender in (i.sender, '*')) then 'opted_out'
  end
$$;

-- Charges the texts that one batch accepts of one wallet. Called with the wallet's row locked.
create function charge_texts(p_wallet wallet, p_ref uuid, p_net bigint, p_tax bigint, p_texts integer, p_now timestamptz)
returns void language plpgsql as $$
declare
  accounts bigint[];
  amounts bigint[];
  -- The same hours that calls count by, whatever zone the session keeps.
  hour timestamptz := date_trunc('hour', p_now, 'UTC');
  day date;
  verdict text;
begin
  if p_net + p_tax = 0 then return; end if;
  select (p_now at time zone a.time_zone)::date into day from account a where a.id = p_wallet.account_id;
  update wallet
     set spend_hour = greatest(spend_hour, hour), spend_day = greatest(spend_day, day),
         spend_hour_micros = case when spend_hour >= hour then spend_hour_micros else 0 end + p_net + p_tax,
         spend_day_micros = case when spend_day >= day then spend_day_micros else 0 end + p_net + p_tax
   where id = p_wallet.id;
  select array_agg(p.account_id), array_agg(-p.amount) into accounts, amounts
    from wallet_payers(p_wallet.id, p_wallet.currency, p_net + p_tax, p_now) p;
  accounts := accounts || ledger_account_id('revenue', p_wallet.currency, null, null);
  amounts := amounts || p_net;
  if p_tax > 0 then
    accounts := accounts || ledger_account_id('tax_payable', p_wallet.currency, null, null);
    amounts := amounts || p_tax;
  end if;
  verdict := post_transaction('text', p_ref, jsonb_build_object('texts', p_texts, 'net_micros', p_net, 'tax_micros', p_tax), accounts, amounts);
  if verdict <> 'posted' then raise exception 'the texts of % were charged before: %', p_ref, verdict; end if;
end $$;

-- One way in for every text, of the gateway and of the portal alike. Items of a wallet are decided in their order, each with
-- what those before it left.
create function accept_messages(p_now timestamptz, p_items jsonb) returns setof accept_answer language plpgsql as $$
declare
  r record;
  i accept_item;
  w wallet;
  l call_limit;
  free bigint;
  in_hour bigint;
  in_day bigint;
  gross bigint;
  known message_key;
  accepted accept_item[] := '{}';
  group_ref uuid;
  group_net bigint := 0;
  group_tax bigint := 0;
  group_texts integer := 0;
  verdict text;
begin
  -- All wallets of the accounts, as a key is the account's; in the order in which everybody takes them.
  perform 1 from wallet where account_id in (select q.account_id from jsonb_populate_recordset(null::accept_item, p_items) q)
    order by id for no key update;
  for r in select q as item from jsonb_populate_recordset(null::accept_item, p_items) q order by (q).wallet_id, (q).n loop
    i := r.item;
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
      -- A batch whose answer was lost comes again as it was, and what was accepted then may be refused by now.
      when exists (select 1 from message m where m.id = i.id and m.account_id = i.account_id) then 'replay'
      else coalesce(why_text_is_refused(i, p_now),
                    -- What costs nothing needs no money, and no leave to spend any.
                    case when gross = 0 then 'accepted'
                         when gross > free then 'no_money'
                         when gross > in_hour then 'spend_hour'
                         when gross > in_day then 'spend_day'
                         else 'accepted' end)
      end;
    if verdict = 'accepted' then
      free := free - gross; in_hour := in_hour - gross; in_day := in_day - gross;
      if gross > 0 then
        group_ref := coalesce(group_ref, i.id);
        group_net := group_net + i.net_micros; group_tax := group_tax + i.tax_micros; group_texts := group_texts + 1;
        i.charge_ref := group_ref;
      end if;
      i.currency := w.currency;
      accepted := accepted || i;
      if i.idempotency_key is not null then
        insert into message_key values (i.account_id, i.idempotency_key, i.content_sha256, i.id, p_now);
      end if;
    end if;
    return next (i.n, verdict, coalesce(known.message_id, i.id), case when verdict = 'no_wallet' then 0 else free end)::accept_answer;
  end loop;
  if group_texts > 0 then perform charge_texts(w, group_ref, group_net, group_tax, group_texts, p_now); end if;
  perform store_accepted(accepted, p_now);
end $$;

create function store_accepted(p_accepted accept_item[], p_now timestamptz) returns void language plpgsql as $$
begin
  insert into message (id, account_id, direction, accepted_at, sender, recipient, body, encoding, segments, class, on_doubt, charge_ref,
                       wallet_id, currency, net_micros, tax_micros, deck_id, prefix, destination, rate_micros_per_segment,
                       source, system_id, client_ref, wants_receipt, due_at, valid_until)
  select a.id, a.account_id, 'mt', p_now, a.sender, a.recipient, a.body, a.encoding, a.segments, a.class, a.on_doubt, a.charge_ref,
         a.wallet_id, a.currency, a.net_micros, a.tax_micros, a.deck_id, a.prefix, a.destination, a.rate_micros_per_segment,
         a.source, a.system_id, a.client_ref, a.wants_receipt, a.due_at, a.valid_until
    from unnest(p_accepted) a;
  insert into message_queue (message_id, state, carrier_id, priority, due_at, valid_until, epoch)
  select a.id, case when a.hold_reason is not null then 'h' when a.epoch is not null then 'c' else 'w' end,
         a.carrier_id, a.priority, coalesce(a.due_at, p_now), a.valid_until, case when a.hold_reason is null then a.epoch end
    from unnest(p_accepted) a;
  insert into message_event (message_id, at, kind, detail)
  select a.id, p_now, 'held', a.hold_reason from unnest(p_accepted) a where a.hold_reason is not null;
  if exists (select 1 from unnest(p_accepted) a where a.epoch is null) then perform pg_notify('message_queue', ''); end if;
end $$;

-- Ending -----------------------------------------------------------------------------------------------------------

-- Of how many segments of a text it is not known that a carrier took them, in whichever attempt.
create function segments_not_taken(p_message uuid, p_segments integer) returns integer language sql stable as $$
  select p_segments - count(distinct e.part_no)::integer from message_event e where e.message_id = p_message and e.kind = 'submitted'
$$;

-- Gives back what `p_segments` of a text cost, to the buckets that paid, promo credit first. Once for a text: a second call
-- changes nothing.
create function refund_message(p_message uuid, p_segments integer, p_now timestamptz) returns bigint language plpgsql as $$
declare
  m message;
  net bigint;
  tax bigint;
  to_give bigint;
  part bigint;
  accounts bigint[];
  amounts bigint[];
  b record;
begin
  select * into m from message where id = p_message;
  if p_segments > m.segments or p_segments < 0 then
    raise exception '% segments of text % cannot be given back, which has %', p_segments, p_message, m.segments;
  end if;
  if m.charge_ref is null or p_segments = 0 then return 0; end if;
  -- Rounded down for the operator in no case: all segments give back all, some of them their share rounded up.
  net := ceil(m.net_micros::numeric * p_segments / m.segments);
  tax := ceil(m.tax_micros::numeric * p_segments / m.segments);
  to_give := net + tax;
  perform 1 from wallet where id = m.wallet_id for no key update;
  if exists (select 1 from ledger_tx t where t.kind = 'text_refund' and t.ref = p_message) then return 0; end if;
  accounts := array[ledger_account_id('revenue', m.currency, null, null)];
  amounts := array[-net];
  if tax > 0 then
    accounts := accounts || ledger_account_id('tax_payable', m.currency, null, null);
    amounts := amounts || -tax;
  end if;
  for b in
    select p.account_id as id,
           -p.amount_micros - coalesce((select sum(back.amount_micros) from ledger_tx t join posting back on back.tx_id = t.id
                                         where t.kind = 'text_refund' and t.content ->> 'charge_ref' = m.charge_ref::text
                                           and back.account_id = p.account_id), 0) as room
      from ledger_tx t join posting p on p.tx_id = t.id join ledger_account a on a.id = p.account_id
     where t.kind = 'text' and t.ref = m.charge_ref and a.wallet_id = m.wallet_id
     order by a.kind = 'wallet_cash', a.id
  loop
    part := least(b.room, to_give);
    continue when part <= 0;
    to_give := to_give - part;
    accounts := accounts || b.id;
    amounts := amounts || part;
  end loop;
  if to_give <> 0 then raise exception 'text % would be given back more than was paid for it', p_message; end if;
  if post_transaction('text_refund', p_message, jsonb_build_object('charge_ref', m.charge_ref, 'segments', p_segments,
       'net_micros', net, 'tax_micros', tax), accounts, amounts) <> 'posted' then
    raise exception 'text % was given back in the same moment', p_message;
  end if;
  insert into message_event (message_id, at, kind, detail) values (p_message, p_now, 'refunded', (net + tax)::text);
  perform pg_notify('wallet', m.wallet_id::text);
  return net + tax;
end $$;

-- How a text ended, once; later ones are ignored. Tells the customer who asked to be told.
create function end_messages(p_ids uuid[], p_states text[], p_errors text[], p_now timestamptz) returns setof uuid language plpgsql as $$
declare
  ended uuid[];
begin
  with given as (
    select distinct on (id) id, state, error from unnest(p_ids, p_states, p_errors) as q(id, state, error) order by id
  ), inserted as (
    insert into message_event (message_id, at, kind, state, error)
    select id, p_now, 'final', state, error from given
    on conflict (message_id) where kind = 'final' do nothing
    returning message_id)
  select coalesce(array_agg(message_id), '{}') into ended from inserted;
  delete from message_queue where message_id = any(ended);
  perform tell_customers('receipt', ended, p_now);
  return query select unnest(ended);
end $$;

-- To every endpoint of the account that wants to hear of it, or to the bind that the text came from.
create function tell_customers(p_kind text, p_messages uuid[], p_now timestamptz) returns void language plpgsql as $$
declare
  told integer;
begin
  insert into customer_delivery (account_id, kind, message_id, channel, target, due_at)
  select m.account_id, p_kind, m.id, 'webhook', e.id::text, p_now
    from message m join webhook_endpoint e on e.account_id = m.account_id and e.enabled and p_kind = any(e.kinds)
   where m.id = any(p_messages) and m.source in ('http', 'portal', 'carrier')
  union all
  select m.account_id, p_kind, m.id, 'smpp', m.system_id, p_now
    from message m where m.id = any(p_messages) and m.source = 'smpp' and m.wants_receipt and p_kind = 'receipt'
  union all
  select m.account_id, p_kind, m.id, 'smpp', (
           -- The bind whose range is the narrowest that holds the number.
           select e.system_id from esme e
            where e.account_id = m.account_id and e.enabled
              and (e.address_range is null or ltrim(m.recipient, '+') like e.address_range || '%')
            order by length(e.address_range) desc nulls last, e.system_id limit 1), p_now
    from message m
   where m.id = any(p_messages) and p_kind = 'text'
     and exists (select 1 from esme e where e.account_id = m.account_id and e.enabled
                    and (e.address_range is null or ltrim(m.recipient, '+') like e.address_range || '%'));
  get diagnostics told = row_count;
  if told > 0 then perform pg_notify('customer_delivery', ''); end if;
end $$;

-- Sending ----------------------------------------------------------------------------------------------------------

-- The next texts for a lane, the most urgent first, claimed for the gateway of that epoch. Two statements, few rows
-- promised and no choice left: a planner that goes by what a queue was like some minutes ago would now and then rather read all texts
-- that wait, and all that there ever were.
create function claim_messages(p_gateway text, p_epoch integer, p_carrier integer, p_now timestamptz, p_rows_max integer)
returns setof message_queue language plpgsql rows 20 set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  next uuid[];
begin
  if not holds_lease(p_gateway, p_epoch) then return; end if;
  next := array(
    select q.message_id from message_queue q
     where q.state = 'w' and coalesce(q.carrier_id, 0) = coalesce(p_carrier, 0) and q.due_at <= p_now
     order by q.priority, q.due_at, q.message_id limit p_rows_max for update skip locked);
  return query
    update message_queue q set state = 'c', epoch = p_epoch, sending = false where q.message_id = any(next) returning q.*;
end $$;

-- What waits in the lane of a carrier that is away is looked at now and then, whether another one takes it meanwhile.
create function claim_stranded(p_gateway text, p_epoch integer, p_carrier integer, p_now timestamptz, p_looked_before timestamptz, p_rows_max integer)
returns setof message_queue language plpgsql rows 20 set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  next uuid[];
begin
  if not holds_lease(p_gateway, p_epoch) then return; end if;
  next := array(
    select q.message_id from message_queue q
     where q.state = 'w' and coalesce(q.carrier_id, 0) = coalesce(p_carrier, 0) and q.due_at <= p_now
       and (q.looked_at is null or q.looked_at < p_looked_before)
     order by q.priority, q.due_at, q.message_id limit p_rows_max for update skip locked);
  return query
    update message_queue q set state = 'c', epoch = p_epoch, sending = false, looked_at = p_now
     where q.message_id = any(next) returning q.*;
end $$;

-- Back to waiting: the lane is full, or is to be another one, or the text is to be tried again later.
create function release_messages(p_gateway text, p_epoch integer, p_ids uuid[], p_carriers integer[], p_due timestamptz[], p_attempts smallint[])
returns integer language plpgsql as $$
declare
  released integer;
begin
  if not holds_lease(p_gateway, p_epoch) then return 0; end if;
  update message_queue q
     set state = 'w', epoch = null, sending = false, carrier_id = r.carrier_id, due_at = coalesce(r.due_at, q.due_at), attempt = r.attempt
    from unnest(p_ids, p_carriers, p_due, p_attempts) as r(id, carrier_id, due_at, attempt)
   where q.message_id = r.id and q.state = 'c' and q.epoch = p_epoch;
  get diagnostics released = row_count;
  return released;
end $$;

-- Before a text goes to the wire for which doubt means hold: from here on it may have been sent. Those that were cancelled or
-- ended meanwhile are not among the answer, and are not sent.
create function mark_sending(p_gateway text, p_epoch integer, p_ids uuid[]) returns setof uuid language plpgsql as $$
begin
  if not holds_lease(p_gateway, p_epoch) then return; end if;
  return query
    update message_queue q set sending = true where q.message_id = any(p_ids) and q.state = 'c' and q.epoch = p_epoch returning q.message_id;
end $$;

-- A new gateway finds what an older one had claimed. What cannot have been sent waits again; of the rest it is not known, which
-- is written down before anything is sent again: what may go twice is flagged, what must not is held.
create function recover_messages(p_gateway text, p_epoch integer, p_now timestamptz)
returns table (waiting bigint, resent bigint, held bigint) language plpgsql as $$
begin
  if not holds_lease(p_gateway, p_epoch) then raise exception 'another gateway took over'; end if;
  return query
    with doubtful as (
      update message_queue q
         set state = case when m.on_doubt = 'resend' then 'w' when q.sending then 'd' else 'w' end,
             epoch = null, attempt = q.attempt + 1
        from message m where m.id = q.message_id and q.state = 'c' and q.epoch <> p_epoch
      returning q.message_id, q.state, q.attempt, m.on_doubt
    ), flagged as (
      insert into message_event (message_id, at, kind, attempt, detail)
      select d.message_id, p_now, 'in_doubt', d.attempt - 1, 'the gateway ended while this text was in its hands'
        from doubtful d where d.on_doubt = 'resend' or d.state = 'd' returning message_id)
    select count(*) filter (where d.state = 'w' and d.on_doubt = 'hold'),
           count(*) filter (where d.on_doubt = 'resend'),
           count(*) filter (where d.state = 'd') from doubtful d;
end $$;

create type outcome_item as (
  message_id uuid, part_no smallint, attempt smallint, kind text, carrier_id integer, bind_id text, carrier_message_id text,
  status integer, at timestamptz, cost_micros bigint, cost_currency char(3), detail text,
  -- What becomes of the text: null, it stays claimed; `done`, a carrier has all of it; `doubt`, it is held; else how it ended.
  then_state text, refund_segments smallint);

-- What carriers said to what was sent. Costs are booked for parts that were not known to be taken before, so a batch that comes
-- again books nothing.
create function record_outcomes(p_gateway text, p_epoch integer, p_batch uuid, p_now timestamptz, p_items jsonb) returns integer language plpgsql as $$
declare
  costs record;
  ending record;
  stored integer := 0;
begin
  if not holds_lease(p_gateway, p_epoch) then return null; end if;
  -- Of two that bring the same batch at once, because the first one's connection broke, the second sees all that the first did.
  perform pg_advisory_xact_lock(hashtextextended(p_batch::text, 0));
  -- The wallets first, as everywhere, and in the order in which everybody takes them.
  perform 1 from wallet where id in (
    select m.wallet_id from jsonb_populate_recordset(null::outcome_item, p_items) i join message m on m.id = i.message_id
     where i.refund_segments > 0) order by id for no key update;
  for costs in
    with items as (
      select i.* from jsonb_populate_recordset(null::outcome_item, p_items) i
       where i.kind = 'submitted' or i.kind is not null and not exists (
         select 1 from message_event e
          where e.message_id = i.message_id and e.kind = i.kind and e.part_no = i.part_no and e.attempt = i.attempt and e.at = i.at
            and e.bind_id is not distinct from i.bind_id)
    ), inserted as (
      insert into message_event (message_id, at, kind, part_no, attempt, carrier_id, bind_id, carrier_message_id, status,
                                 cost_micros, cost_currency, detail)
      select message_id, at, kind, part_no, attempt, carrier_id, bind_id, carrier_message_id, status,
             coalesce(cost_micros, 0), cost_currency, detail from items order by message_id, part_no, attempt
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
  delete from message_queue q using jsonb_populate_recordset(null::outcome_item, p_items) i
   where q.message_id = i.message_id and i.then_state = 'done';
  update message_queue q set state = 'd', epoch = null from jsonb_populate_recordset(null::outcome_item, p_items) i
   where q.message_id = i.message_id and i.then_state = 'doubt' and q.state = 'c' and q.attempt <= i.attempt;
  for ending in
    select array_agg(i.message_id) as ids, array_agg(i.then_state) as states, array_agg(i.detail) as errors
      from jsonb_populate_recordset(null::outcome_item, p_items) i
     where i.then_state is not null and i.then_state not in ('done', 'doubt') having count(*) > 0
  loop
    perform end_messages(ending.ids, ending.states, ending.errors, p_now);
  end loop;
  perform refund_message(i.message_id, i.refund_segments, p_now)
     from (select distinct on (q.wallet_id, q.message_id) q.* from (
             select m.wallet_id, o.message_id, o.refund_segments from jsonb_populate_recordset(null::outcome_item, p_items) o
               join message m on m.id = o.message_id where o.refund_segments > 0) q order by q.wallet_id, q.message_id) i;
  perform match_parked(array(select i.carrier_message_id from jsonb_populate_recordset(null::outcome_item, p_items) i
                              where i.kind = 'submitted'), p_now);
  return stored;
end $$;

-- Receipts ---------------------------------------------------------------------------------------------------------

create type receipt_item as (n integer, carrier_id integer, carrier_message_ids text[], state text, error text, done_at timestamptz);

-- matched: counted now; repeated: it was counted before; parked: no part has that id yet.
create function record_receipts(p_now timestamptz, p_items jsonb) returns table (n integer, verdict text, message_id uuid)
-- In a month's first minutes the tables are small, and what is planned then is kept.
language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
begin
  return query
    with items as (
      select * from jsonb_populate_recordset(null::receipt_item, p_items)
    ), found as (
      -- Carriers use their ids again after some time: the newest part is meant. `offset 0` has the parts of the id found before they
      -- are ordered, or the planner goes back through all texts from the newest on until one has that id.
      select i.*, e.message_id, e.part_no, e.attempt from items i left join lateral (
        select x.message_id, x.part_no, x.attempt from (
          select s.message_id, s.part_no, s.attempt from message_event s
           where s.kind = 'submitted' and s.carrier_message_id = any(i.carrier_message_ids) and s.carrier_id = i.carrier_id offset 0) x
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
    select f.n, case when f.message_id is null then 'parked' when c.message_id is null then 'repeated' else 'matched' end, f.message_id
      from found f left join counted c on c.message_id = f.message_id and c.part_no = f.part_no and c.state = f.state;
  return;
end $$;

-- Ends the texts of which every part has a receipt that is its last word. Delivered is what was delivered in whole.
create function conclude_messages(p_ids uuid[], p_now timestamptz) returns void language plpgsql as $$
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
             order by e.message_id, e.part_no, e.n) p
      join message m on m.id = p.message_id
     group by p.message_id, m.segments having count(*) = m.segments) t;
  if ids is not null then perform end_messages(ids, states, errors, p_now); end if;
end $$;

create function receive_receipts(p_gateway text, p_epoch integer, p_now timestamptz, p_items jsonb)
returns table (n integer, verdict text) language plpgsql as $$
declare
  matched uuid[] := '{}';
  r record;
begin
  if not holds_lease(p_gateway, p_epoch) then return; end if;
  for r in select * from record_receipts(p_now, p_items) loop
    if r.verdict = 'matched' then matched := matched || r.message_id; end if;
    n := r.n; verdict := r.verdict;
    return next;
  end loop;
  if matched <> '{}' then perform conclude_messages(matched, p_now); end if;
end $$;

-- Counts parked receipts whose part is known by now. What another one is counting is left to it.
create function count_parked(p_receipts bigint[], p_now timestamptz) returns integer language plpgsql as $$
declare
  found_receipts jsonb;
begin
  with mine as (
    select r.id from parked_receipt r where r.id = any(p_receipts) order by r.id for update skip locked
  ), taken as (
    delete from parked_receipt r using mine where r.id = mine.id returning r.*)
  select jsonb_agg(jsonb_build_object('n', t.n, 'carrier_id', t.carrier_id, 'carrier_message_ids', t.carrier_message_ids,
                                      'state', t.state, 'error', t.error, 'done_at', t.done_at)) into found_receipts
    from (select taken.*, row_number() over (order by taken.id) as n from taken) t;
  if found_receipts is null then return 0; end if;
  perform conclude_messages(array(select r.message_id from record_receipts(p_now, found_receipts) r where r.message_id is not null), p_now);
  return jsonb_array_length(found_receipts);
end $$;

-- Receipts that came before the answer to the submit_sm had been stored find their part now.
create function match_parked(p_carrier_message_ids text[], p_now timestamptz) returns integer language sql as $$
  select count_parked(array(
    select distinct r.id from unnest(p_carrier_message_ids) c (id), lateral (
      select q.id, q.carrier_id, q.carrier_message_ids from parked_receipt q where q.carrier_message_ids @> array[c.id]) r
     where exists (select 1 from message_event e where e.kind = 'submitted' and e.carrier_id = r.carrier_id
                      and e.carrier_message_id = any(r.carrier_message_ids))), p_now)
$$;

-- A receipt and the answer to its submit_sm that are stored at the same moment do not see each other, and the receipt is parked
-- though its part is known: this finds it. The newest first, as old ones are nobody's. Says how many were found.
create function sweep_parked(p_gateway text, p_epoch integer, p_now timestamptz, p_rows_max integer) returns integer language plpgsql as $$
begin
  if not holds_lease(p_gateway, p_epoch) then return 0; end if;
  return count_parked(array(
    select r.id from parked_receipt r
     where exists (select 1 from message_event e where e.kind = 'submitted' and e.carrier_id = r.carrier_id
                      and e.carrier_message_id = any(r.carrier_message_ids))
     order by r.id desc limit p_rows_max), p_now);
end $$;

-- Customers and persons --------------------------------------------------------------------------------------------

-- cancelled; not_found: the account has no such text; too_late: a gateway has it in hand, or it has ended.
create function cancel_message(p_account uuid, p_message uuid, p_now timestamptz) returns text language plpgsql as $$
declare
  m message;
begin
  select * into m from message where id = p_message and account_id = p_account and direction = 'mt';
  if not found then return 'not_found'; end if;
  -- The wallet first, as everywhere.
  perform 1 from wallet where id = m.wallet_id for no key update;
  delete from message_queue where message_id = p_message and state in ('w', 'h');
  if not found then return 'too_late'; end if;
  perform end_messages(array[p_message], array['cancelled'], array[null::text], p_now);
  perform refund_message(p_message, segments_not_taken(p_message, m.segments), p_now);
  return 'cancelled';
end $$;

-- A person's decision on a text that was held.
create function decide_held_message(p_message uuid, p_release boolean, p_by text, p_reason text, p_now timestamptz) returns text language plpgsql as $$
declare
  m message;
begin
  select * into m from message where id = p_message;
  if not found then return 'not_found'; end if;
  perform 1 from wallet where id = m.wallet_id for no key update;
  if not exists (select 1 from message_queue where message_id = p_message and state in ('h', 'd')) then return 'not_held'; end if;
  if p_release then
    -- One that was in doubt goes out once more, and may arrive twice: that is what was decided.
    insert into message_event (message_id, at, kind, detail)
    select p_message, p_now, case when q.state = 'd' then 'resent' else 'released' end, p_by || ': ' || p_reason
      from message_queue q where q.message_id = p_message;
    update message_queue set state = 'w', attempt = attempt + case when state = 'd' then 1 else 0 end where message_id = p_message;
    perform pg_notify('message_queue', '');
    return 'released';
  end if;
  insert into message_event (message_id, at, kind, detail) values (p_message, p_now, 'released', p_by || ' refused it: ' || p_reason);
  perform end_messages(array[p_message], array['rejected'], array[p_reason], p_now);
  perform refund_message(p_message, segments_not_taken(p_message, m.segments), p_now);
  return 'refused';
end $$;

-- What is past its validity and in nobody's hands ends there, and its money comes back.
create function expire_messages(p_gateway text, p_epoch integer, p_now timestamptz, p_rows_max integer) returns integer language plpgsql as $$
declare
  past uuid[];
begin
  if not holds_lease(p_gateway, p_epoch) then return 0; end if;
  select coalesce(array_agg(x.message_id), '{}') into past from (
    select q.message_id from message_queue q where q.state in ('w', 'h') and q.valid_until <= p_now limit p_rows_max) x;
  perform 1 from wallet where id in (select m.wallet_id from message m where m.id = any(past)) order by id for no key update;
  with gone as (
    delete from message_queue q where q.message_id = any(past) and q.state in ('w', 'h') returning q.message_id)
  select coalesce(array_agg(message_id), '{}') into past from gone;
  perform end_messages(past, array_fill('expired'::text, array[cardinality(past)]), array_fill(null::text, array[cardinality(past)]), p_now);
  perform refund_message(m.id, segments_not_taken(m.id, m.segments), p_now) from message m where m.id = any(past);
  return cardinality(past);
end $$;

-- MO ---------------------------------------------------------------------------------------------------------------

create type arrival_item as (
  n integer, id uuid, carrier_id integer, sender text, recipient text, body text, encoding text, segments smallint, keyword text,
  -- Parts that this text was made of, which are no longer needed.
  reference integer, part_count smallint);

-- Stores texts that arrived, each for the holder of its number, and obeys STOP and START. The holder is null where nobody holds
-- the number: kept for the operator, told to nobody.
create function receive_messages(p_gateway text, p_epoch integer, p_now timestamptz, p_items jsonb)
returns table (n integer, account_id uuid) language plpgsql as $$
#variable_conflict use_column
declare
  fresh uuid[];
begin
  if not holds_lease(p_gateway, p_epoch) then return; end if;
  with items as (
    select i.*, d.account_id as holder from jsonb_populate_recordset(null::arrival_item, p_items) i
      left join did d on d.number = i.recipient and d.state = 'active'
  ), parts as (
    delete from mo_part p using items i
     where i.reference is not null and p.carrier_id = i.carrier_id and p.sender = i.sender and p.recipient = i.recipient
       and p.reference = i.reference and p.part_count = i.part_count
    returning i.id
  ), stored as (
    insert into message as s (id, account_id, direction, accepted_at, sender, recipient, body, encoding, segments, source, carrier_id, keyword)
    select i.id, i.holder, 'mo', p_now, i.sender, i.recipient, i.body, i.encoding, i.segments, 'carrier', i.carrier_id, i.keyword
      from items i
     -- Whoever finds the parts gone made a text of them for the second time.
     where i.reference is null or exists (select 1 from parts p where p.id = i.id)
    on conflict (id) do nothing
    returning s.id
  ), last_words as (
    -- Of those who said STOP and START in one batch, what they said last; what was stored before was obeyed before.
    select distinct on (i.holder, i.sender, i.recipient) i.*
      from items i join stored s on s.id = i.id where i.keyword in ('stop', 'start') and i.holder is not null
     order by i.holder, i.sender, i.recipient, i.n desc
  ), stops as (
    insert into opt_out (account_id, recipient, sender, opted_out_at, message_id)
    select l.holder, l.sender, l.recipient, p_now, l.id from last_words l where l.keyword = 'stop'
     order by l.holder, l.sender, l.recipient
    on conflict do nothing
  ), starts as (
    delete from opt_out o using last_words l
     where l.keyword = 'start' and o.account_id = l.holder and o.recipient = l.sender and o.sender in (l.recipient, '*'))
  select coalesce(array_agg(s.id), '{}') into fresh from stored s;
  perform tell_customers('text', fresh, p_now);
  return query
    select i.n, d.account_id from jsonb_populate_recordset(null::arrival_item, p_items) i
      left join did d on d.number = i.recipient and d.state = 'active' order by i.n;
end $$;

-- Keeps a part; returns all parts of its text once they are there, and nothing before.
create function receive_part(p_gateway text, p_epoch integer, p_now timestamptz, p_part mo_part) returns setof mo_part language plpgsql as $$
begin
  if not holds_lease(p_gateway, p_epoch) then raise exception 'another gateway took over'; end if;
  -- Two that bring the last two parts at once would each miss the other's.
  perform pg_advisory_xact_lock(hashtextextended(concat_ws(' ', p_part.carrier_id, p_part.sender, p_part.recipient, p_part.reference), 0));
  insert into mo_part values (p_part.*) on conflict do nothing;
  return query
    select p.* from mo_part p
     where p.carrier_id = p_part.carrier_id and p.sender = p_part.sender and p.recipient = p_part.recipient
       and p.reference = p_part.reference and p.part_count = p_part.part_count
       and (select count(*) from mo_part a
             where a.carrier_id = p.carrier_id and a.sender = p.sender and a.recipient = p.recipient
               and a.reference = p.reference and a.part_count = p.part_count) = p.part_count
     order by p.part_no;
end $$;

-- Views ------------------------------------------------------------------------------------------------------------

-- Where a text stands. A view, so that it cannot differ from what happened.
create view message_state as
  select m.id as message_id, m.account_id,
         case when m.direction = 'mo' then 'received'
              when f.state is not null then f.state
              when q.state = 'h' then 'held'
              when q.state = 'd' then 'in_doubt'
              when q.state is null then 'submitted'
              when m.due_at > m.accepted_at and q.state = 'w' then 'scheduled'
              else 'queued' end as state,
         coalesce(f.at, m.accepted_at) as since, f.error
    from message m
    left join message_event f on f.message_id = m.id and f.kind = 'final'
    left join message_queue q on q.message_id = m.id;

-- Each must be 0 at any moment at which no transaction is half done.
create view message_invariant as
  select 'charge of texts that differs from its texts' as name, count(*) as broken from ledger_tx t
   where t.kind = 'text' and (t.content ->> 'net_micros', t.content ->> 'tax_micros', t.content ->> 'texts') is distinct from (
     select (sum(m.net_micros)::text, sum(m.tax_micros)::text, count(*)::text) from message m where m.charge_ref = t.ref)
  union all
  select 'text that was charged without a charge', count(*) from message m
   where m.net_micros + m.tax_micros > 0 and not exists (select 1 from ledger_tx t where t.kind = 'text' and t.ref = m.charge_ref)
  union all
  select 'text that was refunded more than it cost', count(*) from ledger_tx t join message m on m.id = t.ref
   where t.kind = 'text_refund' and ((t.content ->> 'net_micros')::bigint > m.net_micros or (t.content ->> 'tax_micros')::bigint > m.tax_micros)
  union all
  select 'cost of texts that differs from what carriers took', count(*) from (
    select carrier_id, cost_currency, sum(cost_micros) as micros from message_event where cost_micros > 0 group by 1, 2) e
   full join (select a.carrier_id, a.currency, sum(p.amount_micros) as micros from ledger_tx t join posting p on p.tx_id = t.id
                join ledger_account a on a.id = p.account_id where t.kind = 'text_cost' and a.kind = 'carrier_payable' group by 1, 2) l
     on l.carrier_id = e.carrier_id and l.currency = e.cost_currency
   where e.micros is distinct from l.micros
  union all
  select 'text that has ended and still waits', count(*) from message_queue q
   where exists (select 1 from message_event e where e.message_id = q.message_id and e.kind = 'final')
  union all
  select 'text that is neither sent, ended nor waiting', count(*) from message m
   where m.direction = 'mt' and not exists (select 1 from message_queue q where q.message_id = m.id)
     and not exists (select 1 from message_event e where e.message_id = m.id and e.kind in ('submitted', 'final'));
