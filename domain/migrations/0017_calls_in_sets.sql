-- The same functions, for less of the database's time: what is plain in a batch is worked on in sets, where each item used to be
-- a dozen statements of its own. What they answer and what they write is as it was.
--
-- An item is plain when nothing of its wallet is decided by turns: no promo credit, no minutes of a pack, and enough money for
-- all that the batch asks of that wallet. The items of every other wallet go through the function for one item, in their order,
-- after the plain ones; that is the same as in turn, as nothing of one wallet depends on another. A leg that comes twice sends
-- the whole batch through it, and an item that comes alone takes it because a set of one costs more than the one. Authorisations
-- always do.
--
-- All wallets are locked first, in the order of their ids, and what is read of wallets and holds after that stays as it is. Holds
-- are changed in the order of their legs, so that a batch of answers, which knows no wallets, never waits in a circle.
--
-- A plan is made when a function first runs, often while its tables are nearly empty, and is kept while they grow; hence
-- `= any(array)`, `offset 0` and no choice of a scan, as in 0011_texts_in_sets.sql.

-- Postings ---------------------------------------------------------------------------------------------------------

-- As before, but counted in all and not for each transaction: no transaction has fewer postings than were just written to it.
create or replace function posting_complete() returns trigger language plpgsql as $$
begin
  if (select count(*) from posting p where p.tx_id = any(array(select r.tx_id from new_rows r))) <> (select count(*) from new_rows) then
    raise exception 'a transaction that is written is never added to: reverse it instead';
  end if;
  return null;
end $$;

-- As before, but each account is looked at once, and promo credit only where some was moved.
create or replace function posting_moves_balance() returns trigger language plpgsql as $$
declare
  wallets bigint[];
  amounts bigint[];
  promo_amounts bigint[];
  -- Of each account of promo credit, and of nothing else.
  promos bigint[];
  promo_moves bigint[];
begin
  select array_agg(a.wallet_id), array_agg(n.amount), array_agg(case when a.kind = 'wallet_promo' then n.amount else 0 end),
         array_agg(n.account_id) filter (where a.kind = 'wallet_promo'), array_agg(n.amount) filter (where a.kind = 'wallet_promo')
    into wallets, amounts, promo_amounts, promos, promo_moves
    from (select r.account_id, sum(r.amount_micros)::bigint as amount from new_rows r group by r.account_id) n,
         lateral (select x.kind, x.wallet_id from ledger_account x where x.id = n.account_id offset 0) a
   where a.kind in ('wallet_cash', 'wallet_promo');
  update wallet w set balance_micros = w.balance_micros + m.amount, promo_micros = w.promo_micros + m.promo
    from (select u.wallet_id, sum(u.amount)::bigint as amount, sum(u.promo)::bigint as promo
            from unnest(wallets, amounts, promo_amounts) as u (wallet_id, amount, promo) group by u.wallet_id) m
   where w.id = any(array[m.wallet_id]);
  if promos is not null then
    update promo_credit p set balance_micros = p.balance_micros + m.amount
      from unnest(promos, promo_moves) as m (account_id, amount) where p.ledger_account_id = any(array[m.account_id]);
  end if;
  return null;
end $$;

-- Authorizing ------------------------------------------------------------------------------------------------------

-- As before, in one statement where the money is there.
create or replace function authorize_one(p_switch text, i authorize_item) returns hold_answer language plpgsql as $$
declare
  w record;
  h call_hold;
begin
  with paid as (
    update wallet set held_micros = held_micros + i.hold_micros, open_calls = open_calls + 1
     where id = i.wallet_id
       and (i.hold_micros = 0
            or balance_micros + credit_limit_micros - held_micros
               - case when promo_micros = 0 then 0 else expired_promo_micros(id, i.now_at) end >= i.hold_micros)
       and open_calls < i.concurrent_calls_max
       and case when spend_hour = i.spend_hour then spend_hour_micros else 0 end + held_micros + i.hold_micros <= i.spend_hour_max
       and case when spend_day = i.spend_day then spend_day_micros else 0 end + held_micros + i.hold_micros <= i.spend_day_max
    returning balance_micros + credit_limit_micros - held_micros as free_micros, open_calls
  ), held as (
    insert into call_hold (leg_id, call_id, wallet_id, switch_id, channel_id, held_micros, pack_id, pack_seconds_held,
                           seconds_granted, authorized_at, deadline_at, snapshot)
    select i.leg_id, i.call_id, i.wallet_id, p_switch, i.channel_id, i.hold_micros, i.pack_id, i.pack_seconds,
           i.seconds, i.now_at, i.deadline_at, i.snapshot from paid
    on conflict (leg_id) do nothing
    returning leg_id
  ), granted as (
    insert into call_grant (leg_id, grant_no, seconds, micros, pack_seconds, granted_at)
    select held.leg_id, 1, i.seconds, i.hold_micros, i.pack_seconds, i.now_at from held
  )
  select p.free_micros, p.open_calls, exists (select 1 from held) as is_new into w from paid p;
  if not found then
    select * into h from call_hold where leg_id = i.leg_id;
    if found then return (i.n, 'replay', 0, 0, h.held_micros, h.seconds_granted)::hold_answer; end if;
    return why_not_held(i.wallet_id, i.leg_id, i.hold_micros, i.now_at, i.concurrent_calls_max,
                        i.spend_hour, i.spend_hour_max, i.spend_day, i.spend_day_max);
  end if;
  if not w.is_new then
    update wallet set held_micros = held_micros - i.hold_micros, open_calls = open_calls - 1 where id = i.wallet_id;
    select * into h from call_hold where leg_id = i.leg_id;
    return (i.n, 'replay', 0, 0, h.held_micros, h.seconds_granted)::hold_answer;
  end if;
  if i.pack_seconds > 0 and not hold_pack(i.pack_id, i.wallet_id, i.pack_seconds, i.now_at) then
    -- And with it its grant.
    delete from call_hold where leg_id = i.leg_id;
    update wallet set held_micros = held_micros - i.hold_micros, open_calls = open_calls - 1 where id = i.wallet_id;
    return (i.n, 'pack_short', w.free_micros + i.hold_micros, w.open_calls - 1, 0, 0)::hold_answer;
  end if;
  return (i.n, 'granted', w.free_micros, w.open_calls, i.hold_micros, i.seconds)::hold_answer;
end $$;

-- Callers wait for nobody, so that few come together: each for itself costs less than a set of two or three.
create or replace function authorize_batch(p_switch text, p_epoch integer, p_items jsonb) returns setof hold_answer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
declare i authorize_item; a hold_answer;
begin
  if not holds_lease(p_switch, p_epoch) then
    return query select q.n, 'fenced', 0::bigint, 0, 0::bigint, 0 from jsonb_populate_recordset(null::authorize_item, p_items) q;
    return;
  end if;
  for i in select * from jsonb_populate_recordset(null::authorize_item, p_items) q order by q.wallet_id, q.n loop
    a := authorize_one(p_switch, i); a.n := i.n; return next a;
  end loop;
end $$;

-- Renewing ---------------------------------------------------------------------------------------------------------

create or replace function renew_batch(p_switch text, p_epoch integer, p_items jsonb) returns setof hold_answer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  items renew_item[];
  only_item renew_item;
  wallets bigint[];
  each_once boolean;
  r record;
  a hold_answer;
begin
  if not holds_lease(p_switch, p_epoch) then
    return query select q.n, 'fenced', 0::bigint, 0, 0::bigint, 0 from jsonb_populate_recordset(null::renew_item, p_items) q;
    return;
  end if;
  if jsonb_array_length(p_items) = 1 then
    only_item := jsonb_populate_record(null::renew_item, p_items -> 0);
    a := renew_one(only_item); a.n := only_item.n;
    return next a;
    return;
  end if;
  select array_agg(q order by q.wallet_id, q.n), array_agg(q.wallet_id), count(distinct q.leg_id) = count(*)
    into items, wallets, each_once
    from jsonb_populate_recordset(null::renew_item, p_items) q;
  perform 1 from wallet w where w.id = any(wallets) order by w.id for no key update;
  for r in
    with asked as (
      select i.*, w.open_calls, w.held_micros, w.balance_micros + w.credit_limit_micros - w.held_micros as free_micros,
             case when w.spend_hour = i.spend_hour then w.spend_hour_micros else 0 end as hour_micros,
             case when w.spend_day = i.spend_day then w.spend_day_micros else 0 end as day_micros,
             h.held_micros as known_micros, h.seconds_granted as known_seconds,
             case when h.state is distinct from 'o' then 'closed' when h.grant_no >= i.grant_no then 'replay' else 'granted' end as verdict,
             each_once and w.promo_micros = 0 and i.pack_seconds = 0 and h.grant_no = i.grant_no - 1 as plain
        from unnest(items) with ordinality i
        left join lateral (select * from wallet x where x.id = i.wallet_id offset 0) w on true
        left join lateral (select * from call_hold x where x.leg_id = i.leg_id and x.wallet_id = i.wallet_id offset 0) h on true
    ), summed as (
      select q.*, sum(q.micros) filter (where q.verdict = 'granted') over (partition by q.wallet_id order by q.ordinality) as micros_upto,
             sum(q.micros) filter (where q.verdict = 'granted') over (partition by q.wallet_id) as micros_in_all
        from asked q
    ), judged as materialized (
      select s.*, bool_and(coalesce(
               s.verdict <> 'granted' or s.plain and s.micros_in_all <= s.free_micros
               and s.hour_micros + s.held_micros + s.micros_in_all <= s.spend_hour_max
               and s.day_micros + s.held_micros + s.micros_in_all <= s.spend_day_max, false)) over (partition by s.wallet_id) as in_set
        from summed s
    ), granted as materialized (
      select j.leg_id, j.wallet_id, j.grant_no, j.micros, j.seconds, j.pack_seconds, j.deadline_at, j.now_at
        from judged j where j.in_set and j.verdict = 'granted' order by j.leg_id
    ), paid as (
      update wallet w set held_micros = w.held_micros + g.micros
        from (select x.wallet_id, sum(x.micros)::bigint as micros from granted x group by x.wallet_id) g
       where w.id = any(array[g.wallet_id])
    ), held as (
      update call_hold h
         set held_micros = h.held_micros + g.micros, grant_no = g.grant_no, seconds_granted = h.seconds_granted + g.seconds,
             deadline_at = g.deadline_at
        from granted g where h.leg_id = any(array[g.leg_id])
    ), noted as (
      insert into call_grant (leg_id, grant_no, seconds, micros, pack_seconds, granted_at)
      select g.leg_id, g.grant_no, g.seconds, g.micros, g.pack_seconds, g.now_at from granted g
    )
    select j.ordinality, j.n, j.in_set, j.verdict, j.known_micros, j.known_seconds, j.micros, j.seconds,
           (j.free_micros - j.micros_upto)::bigint as free_micros, j.open_calls
      from judged j order by j.ordinality
  loop
    if not r.in_set then
      a := renew_one(items[r.ordinality]); a.n := r.n;
    elsif r.verdict = 'granted' then
      a := (r.n, 'granted', r.free_micros, r.open_calls, r.known_micros + r.micros, r.known_seconds + r.seconds)::hold_answer;
    elsif r.verdict = 'replay' then
      a := (r.n, 'replay', 0, 0, r.known_micros, r.known_seconds)::hold_answer;
    else
      a := (r.n, 'closed', 0, 0, 0, 0)::hold_answer;
    end if;
    return next a;
  end loop;
end $$;

-- Answering --------------------------------------------------------------------------------------------------------

drop function answer_one;
-- Of two answers of one leg the later one counts.
create or replace function answer_batch(p_switch text, p_epoch integer, p_items jsonb) returns setof hold_answer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
begin
  if not holds_lease(p_switch, p_epoch) then
    return query select q.n, 'fenced', 0::bigint, 0, 0::bigint, 0 from jsonb_populate_recordset(null::answer_item, p_items) q;
    return;
  end if;
  return query
    with items as materialized (
      select * from jsonb_populate_recordset(null::answer_item, p_items)
    ), answered as (
      update call_hold h
         -- A renewal that overtook the news of the answer knows the later deadline.
         set answered_at = i.answered_at, deadline_at = case when h.grant_no = 1 then i.deadline_at else h.deadline_at end
        from (select distinct on (q.leg_id) q.* from items q order by q.leg_id, q.n desc) i
       where h.leg_id = any(array[i.leg_id]) and h.state <> 's'
      returning h.leg_id
    )
    select q.n, case when q.leg_id in (select x.leg_id from answered x) then 'granted' else 'closed' end, 0::bigint, 0, 0::bigint, 0
      from items q;
end $$;

-- Settling ---------------------------------------------------------------------------------------------------------

-- The record of a settlement: p_cdr is what the switch says, the rest was decided here.
create function settled_record(p_cdr jsonb, p_leg uuid, p_call uuid, p_wallet bigint, p_account uuid, p_currency char(3), p_snapshot jsonb,
                               p_pack bigint, p_pack_seconds integer, p_net bigint, p_tax bigint, p_loss bigint, p_grants jsonb)
returns cdr language plpgsql as $$
declare
  r cdr := jsonb_populate_record(null::cdr, p_cdr);
begin
  r.leg_id := p_leg; r.call_id := p_call; r.wallet_id := p_wallet; r.account_id := p_account;
  r.currency := p_currency; r.snapshot := p_snapshot; r.pack_id := p_pack; r.pack_seconds := p_pack_seconds;
  r.net_micros := p_net; r.tax_micros := p_tax; r.operator_loss_micros := p_loss;
  r.attempts := coalesce(r.attempts, '[]'); r.grants := p_grants;
  return r;
end $$;

create or replace function settle_batch(p_switch text, p_epoch integer, p_items jsonb) returns setof hold_answer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  items settle_item[];
  only_item settle_item;
  wallets bigint[];
  each_once boolean;
  unrecorded cdr[];
  r record;
  a hold_answer;
begin
  if not holds_lease(p_switch, p_epoch) then
    return query select q.n, 'fenced', 0::bigint, 0, 0::bigint, 0 from jsonb_populate_recordset(null::settle_item, p_items) q;
    return;
  end if;
  if jsonb_array_length(p_items) = 1 then
    only_item := jsonb_populate_record(null::settle_item, p_items -> 0);
    a := settle_one(only_item); a.n := only_item.n;
    return next a;
    perform pg_notify('outbox', '');
    return;
  end if;
  select array_agg(q order by q.wallet_id, q.n), array_agg(q.wallet_id), count(distinct q.leg_id) = count(*) into items, wallets, each_once
    from jsonb_populate_recordset(null::settle_item, p_items) q;
  perform 1 from wallet w where w.id = any(wallets) order by w.id for no key update;
  for r in
    with asked as (
      select i.*, i.net_micros + i.tax_micros as gross_micros, w.account_id, w.currency, w.open_calls,
             w.balance_micros + w.credit_limit_micros - w.held_micros as free_micros,
             h.call_id, h.pack_id, h.snapshot, h.held_micros, h.seconds_granted,
             case when h.leg_id is null then 'unknown'
                  when h.state = 's' then 'replay'
                  when i.net_micros + i.tax_micros > h.held_micros or i.pack_seconds > h.pack_seconds_held then 'over_held'
                  else 'settled' end as verdict,
             each_once and w.promo_micros = 0 and h.pack_seconds_held = 0 as plain
        from unnest(items) with ordinality i
        left join lateral (select * from wallet x where x.id = i.wallet_id offset 0) w on true
        left join lateral (select * from call_hold x where x.leg_id = i.leg_id and x.wallet_id = i.wallet_id offset 0) h on true
    ), judged as materialized (
      select q.*, bool_and(coalesce(q.verdict <> 'settled' or q.plain, false)) over whole as in_set,
             sum(q.held_micros - q.gross_micros) filter (where q.verdict = 'settled') over upto as freed_upto,
             count(*) filter (where q.verdict = 'settled') over upto as calls_upto,
             max(q.spend_hour) filter (where q.verdict = 'settled') over whole as last_hour,
             max(q.spend_day) filter (where q.verdict = 'settled') over whole as last_day
        from asked q window whole as (partition by q.wallet_id), upto as (partition by q.wallet_id order by q.ordinality)
    ), settled as materialized (
      select j.leg_id, j.call_id, j.wallet_id, j.currency, j.gross_micros, j.net_micros, j.tax_micros, j.loss_micros, j.held_micros,
             j.spend_hour, j.spend_day, j.last_hour, j.last_day, settled_record(
               j.cdr, j.leg_id, j.call_id, j.wallet_id, j.account_id, j.currency, j.snapshot, j.pack_id, j.pack_seconds,
               j.net_micros, j.tax_micros, j.loss_micros,
               -- The grants move into the record, so that the hold can be deleted after its replay window and the call still explained.
               (select coalesce(jsonb_agg(jsonb_build_object('no', g.grant_no, 'at', g.granted_at, 'seconds', g.seconds,
                         'micros', g.micros, 'pack_seconds', g.pack_seconds) order by g.grant_no), '[]')
                  from call_grant g where g.leg_id = j.leg_id)) as record
        from judged j where j.in_set and j.verdict = 'settled'
    ), charged as materialized (
      -- A call that cost nobody anything moves no money and needs no transaction; its hold is the gate against a replay.
      select s.leg_id, s.wallet_id, s.currency, s.gross_micros, s.net_micros, s.tax_micros, s.loss_micros, (s.record).cost_micros,
             (s.record).cost_currency, (s.record).carrier_id, (s.record).seconds_billed, nextval('ledger_tx_id_seq') as tx_id
        from settled s where s.gross_micros + s.loss_micros + (s.record).cost_micros > 0
    ), closed as (
      update call_hold h set state = 's' from (select s.leg_id from settled s order by s.leg_id) s where h.leg_id = any(array[s.leg_id])
    ), released as (
      -- A settlement that comes late, for an hour or a day that is over, must not make the present one begin anew.
      update wallet w
         set held_micros = w.held_micros - g.held, open_calls = w.open_calls - g.calls,
             spend_hour = greatest(w.spend_hour, g.last_hour), spend_day = greatest(w.spend_day, g.last_day),
             spend_hour_micros = case when w.spend_hour > g.last_hour then w.spend_hour_micros
                                      when w.spend_hour = g.last_hour then w.spend_hour_micros + g.in_hour else g.in_hour end,
             spend_day_micros = case when w.spend_day > g.last_day then w.spend_day_micros
                                     when w.spend_day = g.last_day then w.spend_day_micros + g.in_day else g.in_day end
        from (select s.wallet_id, s.last_hour, s.last_day, sum(s.held_micros)::bigint as held, count(*)::integer as calls,
                     coalesce(sum(s.gross_micros) filter (where s.spend_hour = s.last_hour), 0)::bigint as in_hour,
                     coalesce(sum(s.gross_micros) filter (where s.spend_day = s.last_day), 0)::bigint as in_day
                from settled s group by s.wallet_id, s.last_hour, s.last_day) g
       where w.id = any(array[g.wallet_id])
    ), transactions as (
      insert into ledger_tx (id, kind, ref, content) overriding system value
      select c.tx_id, 'call', c.leg_id, jsonb_build_object('net_micros', c.net_micros, 'tax_micros', c.tax_micros, 'loss_micros', c.loss_micros,
                                          'cost_micros', c.cost_micros, 'seconds_billed', c.seconds_billed) from charged c
    ), posted as (
      insert into posting (tx_id, account_id, currency, amount_micros)
      select p.tx_id, g.account_id, g.currency, p.amount from (
        select k.currency, array_agg(c.tx_id) as txs, array_agg(k.amount) as amounts,
               -- Asked once for each account and not for each call.
               coalesce((select x.id from ledger_account x
                          where x.kind = k.kind and x.currency = k.currency and coalesce(x.wallet_id, 0) = coalesce(k.wallet_id, 0)
                            and coalesce(x.carrier_id, 0) = coalesce(k.carrier_id, 0) and x.kind <> 'wallet_promo'),
                        ledger_account_id(k.kind, k.currency, k.wallet_id, k.carrier_id)) as account_id
          from charged c, lateral (values
                 -- Without promo credit cash pays the whole.
                 ('wallet_cash', c.currency, c.wallet_id, null, -c.gross_micros),
                 ('revenue', c.currency, null, null, c.net_micros + c.loss_micros),
                 ('tax_payable', c.currency, null, null, c.tax_micros),
                 ('operator_loss', c.currency, null, null, -c.loss_micros),
                 ('carrier_cost', c.cost_currency, null, c.carrier_id, -c.cost_micros),
                 ('carrier_payable', c.cost_currency, null, c.carrier_id, c.cost_micros)) as k (kind, currency, wallet_id, carrier_id, amount)
         where k.amount <> 0 group by k.kind, k.currency, k.wallet_id, k.carrier_id) g, unnest(g.txs, g.amounts) as p (tx_id, amount)
    ), recorded as (
      insert into cdr select (s.record).* from settled s on conflict (leg_id, started_at) do nothing returning leg_id
    ), told as (
      insert into outbox (kind, payload)
      select 'call.settled', jsonb_build_object('call_id', s.call_id, 'leg_id', s.leg_id) from settled s
    )
    select j.ordinality, j.n, j.in_set, j.verdict, j.held_micros, j.seconds_granted,
           (j.free_micros + j.freed_upto)::bigint as free_micros, (j.open_calls - j.calls_upto)::integer as open_calls,
           array(select s.record from settled s where s.leg_id not in (select c.leg_id from recorded c)) as unrecorded
      from judged j order by j.ordinality
  loop
    unrecorded := r.unrecorded;
    if not r.in_set then
      a := settle_one(items[r.ordinality]); a.n := r.n;
    elsif r.verdict = 'settled' then
      a := (r.n, 'settled', r.free_micros, r.open_calls, 0, 0)::hold_answer;
    elsif r.verdict = 'unknown' then
      a := (r.n, 'unknown', 0, 0, 0, 0)::hold_answer;
    else
      a := (r.n, r.verdict, 0, 0, r.held_micros, r.seconds_granted)::hold_answer;
    end if;
    return next a;
  end loop;
  if unrecorded <> '{}' then
    -- The caller was refused because the answer to the hold was lost, and that stands on record: what was held is the truth.
    -- The record of a settlement always has grants, and is never replaced.
    delete from cdr c using unnest(unrecorded) u
     where c.leg_id = any(array[u.leg_id]) and c.started_at = u.started_at and c.grants = '[]';
    insert into cdr select * from unnest(unrecorded);
  end if;
  perform pg_notify('outbox', '');
end $$;

revoke execute on function settled_record from public;
