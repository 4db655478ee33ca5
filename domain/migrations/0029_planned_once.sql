-- The same functions again, for less of the database's time: what they answer and what they write is as it was.
--
-- A statement of a function is planned with its parameters known for its first five runs, and from then on again at every run for
-- which that looks cheaper than one plan for all. For batches it always looked so, as an array whose length is known has a better
-- estimate than one of which nothing is, and a third of what an acceptance cost was planning. There is nothing to choose for these
-- statements (0011_texts_in_sets.sql says why), so they are planned once.

alter function record_outcomes set plan_cache_mode = force_generic_plan;
alter function receive_receipts set plan_cache_mode = force_generic_plan;
alter function record_screenings set plan_cache_mode = force_generic_plan;
alter function take_ended_texts set plan_cache_mode = force_generic_plan;
alter function authorize_batch set plan_cache_mode = force_generic_plan;
alter function answer_batch set plan_cache_mode = force_generic_plan;
alter function renew_batch set plan_cache_mode = force_generic_plan;
alter function settle_batch set plan_cache_mode = force_generic_plan;

-- Accepting --------------------------------------------------------------------------------------------------------

drop function charge_texts;
-- Charges the texts that one batch accepts of one wallet, whose row is locked. `p_hour` and `p_day` are those that calls count by, too.
create function charge_texts(p_wallet bigint, p_currency char(3), p_has_promo boolean, p_hour timestamptz, p_day date,
                             p_ref uuid, p_net bigint, p_tax bigint, p_texts integer, p_now timestamptz)
returns void language plpgsql as $$
begin
  with spent as (
    update wallet w
       set spend_hour = greatest(w.spend_hour, p_hour), spend_day = greatest(w.spend_day, p_day),
           spend_hour_micros = case when w.spend_hour >= p_hour then w.spend_hour_micros else 0 end + p_net + p_tax,
           spend_day_micros = case when w.spend_day >= p_day then w.spend_day_micros else 0 end + p_net + p_tax
     where w.id = p_wallet
  ), written as materialized (
    -- A second one of this key is refused by the table, and with it the whole batch.
    insert into ledger_tx (kind, ref, content)
    values ('text', p_ref, jsonb_build_object('texts', p_texts, 'net_micros', p_net, 'tax_micros', p_tax)) returning id
  ), moves as (
    select 'wallet_cash' as kind, p_wallet as wallet_id, null::bigint as account_id, -(p_net + p_tax) as amount where not p_has_promo
    union all select null, null, b.account_id, -b.amount from wallet_payers(p_wallet, p_currency, p_net + p_tax, p_now) b where p_has_promo
    union all select 'revenue', null, null, p_net where p_net > 0
    union all select 'tax_payable', null, null, p_tax where p_tax > 0)
  -- ledger_account_id finds them, too, at 11 us each; asked like this they cost 2, and it makes those that are not there yet.
  insert into posting (tx_id, account_id, currency, amount_micros)
  select t.id, coalesce(m.account_id,
                        (select a.id from ledger_account a
                          where a.kind = m.kind and a.currency = p_currency and coalesce(a.wallet_id, 0) = coalesce(m.wallet_id, 0)
                            and coalesce(a.carrier_id, 0) = 0 and a.kind <> 'wallet_promo'),
                        ledger_account_id(m.kind, p_currency, m.wallet_id, null)), p_currency, m.amount
    from written t, moves m;
end $$;

-- One way in for every text, of the gateway and of the portal alike. Items of a wallet are decided in their order, each with
-- what those before it left. They are read once, so as json: jsonb is made to be read often, and costs 3 us more a text to make.
create function accept_texts(p_now timestamptz, p_items json) returns setof accept_answer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  items accept_item[] := array(select q from json_populate_recordset(null::accept_item, p_items) q order by q.wallet_id, q.n);
  -- Of each item, in the same order: whether it is accepted, in which currency, and the ref of the charge that it is part of.
  accepted boolean[] := array_fill(false, array[cardinality(items)]);
  currencies text[] := array_fill(null::text, array[cardinality(items)]);
  charge_refs uuid[] := array_fill(null::uuid, array[cardinality(items)]);
  -- A batch whose answer was lost comes again as it was.
  known_ids uuid[];
  hour timestamptz := date_trunc('hour', p_now, 'UTC');
  i record;
  w record;
  free bigint;
  in_hour bigint;
  in_day bigint;
  gross bigint;
  known message_key;
  group_ref uuid;
  group_net bigint := 0;
  group_tax bigint := 0;
  group_texts integer := 0;
  any_accepted boolean := false;
  any_held boolean := false;
  any_waits boolean := false;
  verdict text;
begin
  -- All wallets of the accounts, as a key is the account's; in the order in which everybody takes them.
  perform 1 from wallet where account_id = any(array(select distinct q.account_id from unnest(items) q)) order by id for no key update;
  -- The least and the greatest name the months; an array of ids alone would have all of them looked through.
  known_ids := array(
    select m.id from message m
     where m.id = any(array(select q.id from unnest(items) q))
       and m.id >= (select q.id from unnest(items) q order by q.id limit 1)
       and m.id <= (select q.id from unnest(items) q order by q.id desc limit 1));
  -- A record has no fields before it has a row. Nobody's wallet has nothing that could be read by mistake.
  select null::bigint as id, null::uuid as account_id, null::char(3) as currency, null::date as day, false as has_promo into w;
  for i in
    select q.ordinality, q.n, q.id, q.account_id, q.wallet_id, q.net_micros, q.tax_micros, q.idempotency_key, q.content_sha256,
           q.source, q.hold_reason, q.epoch,
           -- What keeps a text from being accepted besides money. `offset 0` has each looked for by itself: the planner would
           -- rather read all texts and all accounts once, to look there for a few.
           case
             -- What was accepted then may be refused by now.
             when q.id = any(known_ids)
              and exists (select 1 from message m where m.id = q.id and m.account_id = q.account_id offset 0) then 'replay'
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
      if group_texts > 0 then
        perform charge_texts(p_wallet => w.id, p_currency => w.currency, p_has_promo => w.has_promo, p_hour => hour, p_day => w.day,
                             p_ref => group_ref, p_net => group_net, p_tax => group_tax, p_texts => group_texts, p_now => p_now);
      end if;
      group_ref := null; group_net := 0; group_tax := 0; group_texts := 0;
      -- Its row is locked by now, so that nobody changes what is read here.
      select x.id, x.account_id, x.currency, x.promo_micros > 0 as has_promo, a.day,
             x.balance_micros + x.credit_limit_micros - x.held_micros
               - case when x.promo_micros = 0 then 0 else expired_promo_micros(x.id, p_now) end as free,
             -- An account without limits has no leave to spend.
             coalesce(l.spend_micros_per_hour_max, 0) - x.held_micros
               - case when x.spend_hour >= hour then x.spend_hour_micros else 0 end as in_hour,
             coalesce(l.spend_micros_per_day_max, 0) - x.held_micros
               - case when x.spend_day >= a.day then x.spend_day_micros else 0 end as in_day
        into w
        from wallet x,
             lateral (select (p_now at time zone y.time_zone)::date as day from account y where y.id = x.account_id offset 0) a
        left join lateral (select * from call_limit y where y.account_id = i.account_id offset 0) l on true
       where x.id = i.wallet_id and x.account_id = i.account_id;
      free := w.free; in_hour := w.in_hour; in_day := w.in_day;
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
      any_accepted := true;
      any_held := any_held or i.hold_reason is not null;
      any_waits := any_waits or i.epoch is null or i.source = 'portal';
      accepted[i.ordinality] := true;
      currencies[i.ordinality] := w.currency;
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
  if group_texts > 0 then
    perform charge_texts(p_wallet => w.id, p_currency => w.currency, p_has_promo => w.has_promo, p_hour => hour, p_day => w.day,
                         p_ref => group_ref, p_net => group_net, p_tax => group_tax, p_texts => group_texts, p_now => p_now);
  end if;
  if any_accepted then perform store_accepted(items, accepted, currencies, charge_refs, any_held, p_now); end if;
  if any_waits then perform pg_notify('message_queue', ''); end if;
end $$;

drop function store_accepted;
-- Of the items those that are accepted, each with its currency and the ref of its charge.
create function store_accepted(p_items accept_item[], p_accepted boolean[], p_currencies text[], p_charge_refs uuid[],
                               p_any_held boolean, p_now timestamptz)
returns void language plpgsql as $$
begin
  with taken as materialized (
    select a.*, p_currencies[a.ordinality] as paid_in, p_charge_refs[a.ordinality] as charged_by
      from unnest(p_items) with ordinality a where p_accepted[a.ordinality]
  ), stored as (
    insert into message (id, account_id, direction, accepted_at, sender, recipient, body, encoding, segments, class, on_doubt, charge_ref,
                         wallet_id, currency, net_micros, tax_micros, deck_id, prefix, destination, rate_micros_per_segment,
                         source, system_id, client_ref, wants_receipt, due_at, valid_until)
    select a.id, a.account_id, 'mt', p_now, a.sender, a.recipient, a.body, a.encoding, a.segments, a.class, a.on_doubt, a.charged_by,
           a.wallet_id, a.paid_in, a.net_micros, a.tax_micros, a.deck_id, a.prefix, a.destination, a.rate_micros_per_segment,
           a.source, a.system_id, a.client_ref, a.wants_receipt, a.due_at, a.valid_until
      from taken a)
  -- By where a text comes from and not by what is asked for, so that nobody who takes texts can forget it.
  insert into message_queue (message_id, state, carrier_id, priority, due_at, valid_until, epoch)
  select a.id, case when a.source = 'portal' then 'u' when a.hold_reason is not null then 'h' when a.epoch is not null then 'c' else 'w' end,
         a.carrier_id, a.priority, coalesce(a.due_at, p_now), a.valid_until,
         case when a.hold_reason is null and a.source <> 'portal' then a.epoch end
    from taken a;
  if p_any_held then
    insert into message_event (message_id, at, kind, detail)
    select a.id, p_now, 'held', a.hold_reason
      from unnest(p_items) with ordinality a where p_accepted[a.ordinality] and a.hold_reason is not null;
  end if;
end $$;

-- For services of the version before, whose connections have asked for it by this name: a later migration drops it.
create or replace function accept_messages(p_now timestamptz, p_items jsonb) returns setof accept_answer
language sql security definer set search_path = public, pg_temp as $$
  select * from accept_texts(p_now, p_items::json)
$$;

revoke execute on function accept_texts, charge_texts, store_accepted from public;
grant execute on function accept_texts to letsdial_gateway, letsdial_portal;
