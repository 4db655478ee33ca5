-- Holding, renewing and settling the money of a call. One function does one item; the batch is a loop over it, so that a
-- later item of the same batch sees what an earlier one did. Lock order everywhere: the wallet first, then what hangs on it.

create function ledger_account_id(p_kind text, p_currency char(3), p_wallet bigint, p_carrier integer)
returns bigint language plpgsql as $$
declare found_id bigint;
begin
  select id into found_id from ledger_account
   where kind = p_kind and currency = p_currency and coalesce(wallet_id, 0) = coalesce(p_wallet, 0)
     and coalesce(carrier_id, 0) = coalesce(p_carrier, 0) and kind <> 'wallet_promo';
  if found then return found_id; end if;
  insert into ledger_account (kind, currency, wallet_id, carrier_id) values (p_kind, p_currency, p_wallet, p_carrier)
  on conflict do nothing;
  return ledger_account_id(p_kind, p_currency, p_wallet, p_carrier);
end $$;

-- posted: written now. replay: the same was written before. conflict: the key is taken by other content, nothing is written.
create function post_transaction(p_kind text, p_ref uuid, p_content jsonb, p_accounts bigint[], p_amounts bigint[])
returns text language plpgsql as $$
declare
  new_tx bigint;
  old_content jsonb;
begin
  insert into ledger_tx (kind, ref, content) values (p_kind, p_ref, p_content)
  on conflict (ref, kind) do nothing returning id into new_tx;
  if not found then
    select content into old_content from ledger_tx where ref = p_ref and kind = p_kind;
    return case when old_content = p_content then 'replay' else 'conflict' end;
  end if;
  insert into posting (tx_id, account_id, currency, amount_micros)
  select new_tx, a.id, a.currency, sum(q.amount)
    from unnest(p_accounts, p_amounts) as q(account, amount) join ledger_account a on a.id = q.account
   group by a.id, a.currency having sum(q.amount) <> 0;
  return 'posted';
end $$;

-- Which buckets pay p_amount, in the order that the data says. What promo credit does not cover, cash pays (down to the
-- credit limit; the floor of the wallet is checked on the whole). Promo credit counts that was valid at p_valid_at.
create function wallet_payers(p_wallet bigint, p_currency char(3), p_amount bigint, p_valid_at timestamptz)
returns table (account_id bigint, amount bigint) language plpgsql as $$
declare
  cash_id bigint := ledger_account_id('wallet_cash', p_currency, p_wallet, null);
  cash_left bigint;
  cash_pays bigint := 0;
  left_to_pay bigint := p_amount;
  part bigint;
  b record;
begin
  if exists (select 1 from promo_credit p where p.wallet_id = p_wallet and p.balance_micros > 0) then
    select w.balance_micros - coalesce((select sum(p.balance_micros) from promo_credit p where p.wallet_id = w.id), 0)
      into cash_left from wallet w where w.id = p_wallet;
    for b in
      select p.ledger_account_id as id, p.balance_micros as available, p.spend_order as place, p.expires_at as ends
        from promo_credit p where p.wallet_id = p_wallet and p.balance_micros > 0 and p.expires_at > p_valid_at
      union all
      select null, greatest(cash_left, 0), w.cash_spend_order, 'infinity' from wallet w where w.id = p_wallet
      order by place, ends
    loop
      part := least(b.available, left_to_pay);
      continue when part = 0;
      left_to_pay := left_to_pay - part;
      if b.id is null then cash_pays := part;
      else account_id := b.id; amount := part; return next;
      end if;
    end loop;
  end if;
  account_id := cash_id; amount := cash_pays + left_to_pay;
  if amount > 0 then return next; end if;
end $$;

-- The verdict on a hold. free_micros and open_calls are the wallet's after the decision, so that a refused caller of
-- this function can work out what it still can have.
create type hold_answer as (n integer, verdict text, free_micros bigint, open_calls integer, held_micros bigint, seconds_granted integer);

-- Takes the shared side of the lock whose exclusive side a takeover takes: what this transaction does happens wholly
-- before the takeover, or is refused.
create function holds_lease(p_switch text, p_epoch integer) returns boolean language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(hashtext('switch_lease'), hashtext(p_switch));
  return exists (select 1 from switch_lease where switch_id = p_switch and epoch = p_epoch);
end $$;

-- A new owner drives the switch; everything said in the name of an older epoch is refused from here on.
create function take_lease(p_switch text, p_owner uuid, p_now timestamptz)
returns table (epoch integer, record_position text) language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext('switch_lease'), hashtext(p_switch));
  return query
    insert into switch_lease as l (switch_id, epoch, owner, taken_at) values (p_switch, 1, p_owner, p_now)
    on conflict (switch_id) do update set epoch = l.epoch + 1, owner = p_owner, taken_at = p_now
    returning l.epoch, l.record_position;
end $$;

create type authorize_item as (
  n integer, leg_id uuid, call_id uuid, wallet_id bigint, channel_id text,
  hold_micros bigint, seconds integer, pack_id bigint, pack_seconds integer,
  deadline_at timestamptz, now_at timestamptz, snapshot jsonb,
  concurrent_calls_max integer, spend_hour timestamptz, spend_hour_max bigint, spend_day date, spend_day_max bigint);

-- Promo credit that had expired at that moment: part of the balance, but nothing that a new hold can be paid from.
create function expired_promo_micros(p_wallet bigint, p_at timestamptz) returns bigint language plpgsql as $$
begin
  return (select coalesce(sum(p.balance_micros), 0) from promo_credit p
           where p.wallet_id = p_wallet and p.balance_micros > 0 and p.expires_at <= p_at);
end $$;

create function why_not_held(p_wallet bigint, p_leg uuid, p_micros bigint, p_valid_at timestamptz, p_calls_max integer,
                             p_hour timestamptz, p_hour_max bigint, p_day date, p_day_max bigint)
returns hold_answer language plpgsql as $$
declare
  w wallet;
  h call_hold;
  money bigint;
  in_hour bigint;
  in_day bigint;
begin
  select * into h from call_hold where leg_id = p_leg;
  select * into w from wallet where id = p_wallet;
  if w.id is null then return (null, 'no_wallet', 0, 0, 0, 0)::hold_answer; end if;
  -- A spend limit is a limit on money like any other: what it leaves free is what can still be held.
  money := w.balance_micros + w.credit_limit_micros - w.held_micros
           - case when w.promo_micros = 0 then 0 else expired_promo_micros(p_wallet, p_valid_at) end;
  in_hour := p_hour_max - w.held_micros - case when w.spend_hour = p_hour then w.spend_hour_micros else 0 end;
  in_day := p_day_max - w.held_micros - case when w.spend_day = p_day then w.spend_day_micros else 0 end;
  return (null,
          case when p_calls_max is not null and w.open_calls >= p_calls_max then 'too_many_calls'
               when p_micros > 0 and money < p_micros then 'short'
               when in_hour < p_micros then 'spend_hour'
               else 'spend_day' end,
          least(money, in_hour, in_day), w.open_calls, coalesce(h.held_micros, 0), coalesce(h.seconds_granted, 0))::hold_answer;
end $$;

create function authorize_one(p_switch text, i authorize_item) returns hold_answer language plpgsql as $$
declare
  w wallet;
  h call_hold;
begin
  update wallet set held_micros = held_micros + i.hold_micros, open_calls = open_calls + 1
   where id = i.wallet_id
     and (i.hold_micros = 0
          or balance_micros + credit_limit_micros - held_micros
             - case when promo_micros = 0 then 0 else expired_promo_micros(id, i.now_at) end >= i.hold_micros)
     and open_calls < i.concurrent_calls_max
     and case when spend_hour = i.spend_hour then spend_hour_micros else 0 end + held_micros + i.hold_micros <= i.spend_hour_max
     and case when spend_day = i.spend_day then spend_day_micros else 0 end + held_micros + i.hold_micros <= i.spend_day_max
  returning * into w;
  if not found then
    select * into h from call_hold where leg_id = i.leg_id;
    if found then return (i.n, 'replay', 0, 0, h.held_micros, h.seconds_granted)::hold_answer; end if;
    return why_not_held(i.wallet_id, i.leg_id, i.hold_micros, i.now_at, i.concurrent_calls_max,
                        i.spend_hour, i.spend_hour_max, i.spend_day, i.spend_day_max);
  end if;
  insert into call_hold (leg_id, call_id, wallet_id, switch_id, channel_id, held_micros, pack_id, pack_seconds_held,
                         seconds_granted, authorized_at, deadline_at, snapshot)
  values (i.leg_id, i.call_id, i.wallet_id, p_switch, i.channel_id, i.hold_micros, i.pack_id, i.pack_seconds,
          i.seconds, i.now_at, i.deadline_at, i.snapshot)
  on conflict (leg_id) do nothing;
  if not found then
    update wallet set held_micros = held_micros - i.hold_micros, open_calls = open_calls - 1 where id = i.wallet_id;
    select * into h from call_hold where leg_id = i.leg_id;
    return (i.n, 'replay', 0, 0, h.held_micros, h.seconds_granted)::hold_answer;
  end if;
  if i.pack_seconds > 0 and not hold_pack(i.pack_id, i.wallet_id, i.pack_seconds, i.now_at) then
    delete from call_hold where leg_id = i.leg_id;
    update wallet set held_micros = held_micros - i.hold_micros, open_calls = open_calls - 1 where id = i.wallet_id;
    return (i.n, 'pack_short', w.balance_micros + w.credit_limit_micros - w.held_micros + i.hold_micros, w.open_calls - 1, 0, 0)::hold_answer;
  end if;
  insert into call_grant (leg_id, grant_no, seconds, micros, pack_seconds, granted_at)
  values (i.leg_id, 1, i.seconds, i.hold_micros, i.pack_seconds, i.now_at);
  return (i.n, 'granted', w.balance_micros + w.credit_limit_micros - w.held_micros, w.open_calls, i.hold_micros, i.seconds)::hold_answer;
end $$;

create function hold_pack(p_pack bigint, p_wallet bigint, p_seconds integer, p_now timestamptz) returns boolean language sql as $$
  with held as (
    update minute_pack set seconds_held = seconds_held + p_seconds
     where id = p_pack and wallet_id = p_wallet and expires_at > p_now and seconds_left - seconds_held >= p_seconds
    returning 1)
  select exists (select 1 from held);
$$;

create type renew_item as (
  n integer, leg_id uuid, wallet_id bigint, grant_no integer, micros bigint, seconds integer, pack_seconds integer,
  deadline_at timestamptz, now_at timestamptz,
  spend_hour timestamptz, spend_hour_max bigint, spend_day date, spend_day_max bigint);

create function renew_one(i renew_item) returns hold_answer language plpgsql as $$
declare
  w wallet;
  h call_hold;
begin
  perform 1 from wallet where id = i.wallet_id for no key update;
  select * into h from call_hold where leg_id = i.leg_id and wallet_id = i.wallet_id;
  if h.state is distinct from 'o' then return (i.n, 'closed', 0, 0, 0, 0)::hold_answer; end if;
  if h.grant_no >= i.grant_no then return (i.n, 'replay', 0, 0, h.held_micros, h.seconds_granted)::hold_answer; end if;
  if h.grant_no <> i.grant_no - 1 then
    raise exception 'leg % renews grant % after grant %', i.leg_id, i.grant_no, h.grant_no;
  end if;
  update wallet set held_micros = held_micros + i.micros
   where id = i.wallet_id
     -- Promo credit pays for a call that was authorised while it was valid, to the call's end.
     and (i.micros = 0
          or balance_micros + credit_limit_micros - held_micros
             - case when promo_micros = 0 then 0 else expired_promo_micros(id, h.authorized_at) end >= i.micros)
     and case when spend_hour = i.spend_hour then spend_hour_micros else 0 end + held_micros + i.micros <= i.spend_hour_max
     and case when spend_day = i.spend_day then spend_day_micros else 0 end + held_micros + i.micros <= i.spend_day_max
  returning * into w;
  if not found then
    return why_not_held(i.wallet_id, i.leg_id, i.micros, h.authorized_at, null,
                        i.spend_hour, i.spend_hour_max, i.spend_day, i.spend_day_max);
  end if;
  if i.pack_seconds > 0 and not hold_pack(h.pack_id, i.wallet_id, i.pack_seconds, i.now_at) then
    update wallet set held_micros = held_micros - i.micros where id = i.wallet_id;
    return (i.n, 'pack_short', w.balance_micros + w.credit_limit_micros - w.held_micros + i.micros, w.open_calls, h.held_micros, h.seconds_granted)::hold_answer;
  end if;
  update call_hold
     set held_micros = held_micros + i.micros, pack_seconds_held = pack_seconds_held + i.pack_seconds, grant_no = i.grant_no,
         seconds_granted = seconds_granted + i.seconds, deadline_at = i.deadline_at
   where leg_id = i.leg_id;
  insert into call_grant (leg_id, grant_no, seconds, micros, pack_seconds, granted_at)
  values (i.leg_id, i.grant_no, i.seconds, i.micros, i.pack_seconds, i.now_at);
  return (i.n, 'granted', w.balance_micros + w.credit_limit_micros - w.held_micros, w.open_calls,
          h.held_micros + i.micros, h.seconds_granted + i.seconds)::hold_answer;
end $$;

create type answer_item as (n integer, leg_id uuid, answered_at timestamptz, deadline_at timestamptz);

create function answer_one(i answer_item) returns hold_answer language plpgsql as $$
begin
  -- A renewal that overtook the news of the answer knows the later deadline.
  update call_hold
     set answered_at = i.answered_at, deadline_at = case when grant_no = 1 then i.deadline_at else deadline_at end
   where leg_id = i.leg_id and state = 'o';
  return (i.n, case when found then 'granted' else 'closed' end, 0, 0, 0, 0)::hold_answer;
end $$;

create type settle_item as (
  n integer, leg_id uuid, wallet_id bigint,
  -- Together at most what is held; loss is what the call cost beyond it.
  net_micros bigint, tax_micros bigint, loss_micros bigint, pack_seconds integer,
  spend_hour timestamptz, spend_day date, cdr jsonb);

create function settle_one(i settle_item) returns hold_answer language plpgsql as $$
declare
  w wallet;
  h call_hold;
  r cdr;
  accounts bigint[] := '{}';
  amounts bigint[] := '{}';
  verdict text;
begin
  select * into w from wallet where id = i.wallet_id for no key update;
  select * into h from call_hold where leg_id = i.leg_id and wallet_id = i.wallet_id;
  if not found then return (i.n, 'unknown', 0, 0, 0, 0)::hold_answer; end if;
  if h.state = 's' then return (i.n, 'replay', 0, 0, h.held_micros, h.seconds_granted)::hold_answer; end if;
  if i.net_micros + i.tax_micros > h.held_micros or i.pack_seconds > h.pack_seconds_held then
    return (i.n, 'over_held', 0, 0, h.held_micros, h.seconds_granted)::hold_answer;
  end if;
  update call_hold set state = 's' where leg_id = i.leg_id;
  if h.pack_seconds_held > 0 then
    update minute_pack set seconds_left = seconds_left - i.pack_seconds, seconds_held = seconds_held - h.pack_seconds_held
     where id = h.pack_id;
  end if;
  -- A settlement that comes late, for an hour or a day that is over, must not make the present one begin anew.
  update wallet
     set held_micros = held_micros - h.held_micros, open_calls = open_calls - 1,
         spend_hour = greatest(spend_hour, i.spend_hour), spend_day = greatest(spend_day, i.spend_day),
         spend_hour_micros = case when spend_hour > i.spend_hour then spend_hour_micros
                                  when spend_hour = i.spend_hour then spend_hour_micros + i.net_micros + i.tax_micros
                                  else i.net_micros + i.tax_micros end,
         spend_day_micros = case when spend_day > i.spend_day then spend_day_micros
                                 when spend_day = i.spend_day then spend_day_micros + i.net_micros + i.tax_micros
                                 else i.net_micros + i.tax_micros end
   where id = i.wallet_id;

  r := jsonb_populate_record(null::cdr, i.cdr);
  if i.net_micros + i.tax_micros > 0 then
    select array_agg(p.account_id), array_agg(-p.amount) into accounts, amounts
      from wallet_payers(i.wallet_id, w.currency, i.net_micros + i.tax_micros, h.authorized_at) p;
  end if;
  accounts := accounts || ledger_account_id('revenue', w.currency, null, null);
  amounts := amounts || (i.net_micros + i.loss_micros);
  if i.tax_micros > 0 then
    accounts := accounts || ledger_account_id('tax_payable', w.currency, null, null);
    amounts := amounts || i.tax_micros;
  end if;
  if i.loss_micros > 0 then
    accounts := accounts || ledger_account_id('operator_loss', w.currency, null, null);
    amounts := amounts || -i.loss_micros;
  end if;
  if r.cost_micros > 0 then
    accounts := accounts || ledger_account_id('carrier_cost', r.cost_currency, null, r.carrier_id)
                         || ledger_account_id('carrier_payable', r.cost_currency, null, r.carrier_id);
    amounts := amounts || -r.cost_micros || r.cost_micros;
  end if;
  -- A call that cost nobody anything moves no money and needs no transaction; its hold is the gate against a replay.
  if i.net_micros + i.tax_micros + i.loss_micros + r.cost_micros > 0 then
    verdict := post_transaction('call', i.leg_id, jsonb_build_object('net_micros', i.net_micros, 'tax_micros', i.tax_micros,
                 'loss_micros', i.loss_micros, 'cost_micros', r.cost_micros, 'seconds_billed', r.seconds_billed), accounts, amounts);
    if verdict <> 'posted' then raise exception 'leg % was charged before: %', i.leg_id, verdict; end if;
  end if;

  r.leg_id := i.leg_id; r.call_id := h.call_id; r.wallet_id := i.wallet_id; r.account_id := w.account_id;
  r.currency := w.currency; r.snapshot := h.snapshot; r.pack_id := h.pack_id; r.pack_seconds := i.pack_seconds;
  r.net_micros := i.net_micros; r.tax_micros := i.tax_micros; r.operator_loss_micros := i.loss_micros;
  r.attempts := coalesce(r.attempts, '[]');
  -- The grants move into the record, so that the hold can be deleted after its replay window and the call still explained.
  select coalesce(jsonb_agg(jsonb_build_object('no', g.grant_no, 'at', g.granted_at, 'seconds', g.seconds, 'micros', g.micros,
           'pack_seconds', g.pack_seconds) order by g.grant_no), '[]') into r.grants from call_grant g where g.leg_id = i.leg_id;
  insert into cdr select r.* on conflict (leg_id, started_at) do nothing;
  if not found then
    -- The caller was refused because the answer to the hold was lost, and that stands on record: what was held is the truth.
    -- The record of a settlement always has grants, and is never replaced.
    delete from cdr where leg_id = r.leg_id and started_at = r.started_at and grants = '[]';
    insert into cdr select r.*;
  end if;
  insert into outbox (kind, payload) values ('call.settled', jsonb_build_object('call_id', h.call_id, 'leg_id', i.leg_id));
  return (i.n, 'settled', w.balance_micros - i.net_micros - i.tax_micros + w.credit_limit_micros - w.held_micros + h.held_micros,
          w.open_calls - 1, 0, 0)::hold_answer;
end $$;

-- A call for which no money was ever held (refused, or an emergency) still has a record that says why. held: money is or was
-- held for it after all, so its settlement makes the record.
create type unheld_item as (n integer, cdr jsonb);
create function record_unheld_one(i unheld_item) returns hold_answer language plpgsql as $$
begin
  if exists (select 1 from call_hold where leg_id = (i.cdr ->> 'leg_id')::uuid) then
    return (i.n, 'held', 0, 0, 0, 0)::hold_answer;
  end if;
  insert into cdr select (jsonb_populate_record(null::cdr, i.cdr)).* on conflict do nothing;
  return (i.n, case when found then 'settled' else 'replay' end, 0, 0, 0, 0)::hold_answer;
end $$;

-- The batches. Ordered by wallet, so that two batches that meet take the wallets in the same order.
create function authorize_batch(p_switch text, p_epoch integer, p_items jsonb) returns setof hold_answer language plpgsql as $$
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

create function renew_batch(p_switch text, p_epoch integer, p_items jsonb) returns setof hold_answer language plpgsql as $$
declare i renew_item; a hold_answer;
begin
  if not holds_lease(p_switch, p_epoch) then
    return query select q.n, 'fenced', 0::bigint, 0, 0::bigint, 0 from jsonb_populate_recordset(null::renew_item, p_items) q;
    return;
  end if;
  for i in select * from jsonb_populate_recordset(null::renew_item, p_items) q order by q.wallet_id, q.n loop
    a := renew_one(i); a.n := i.n; return next a;
  end loop;
end $$;

create function answer_batch(p_switch text, p_epoch integer, p_items jsonb) returns setof hold_answer language plpgsql as $$
declare i answer_item; a hold_answer;
begin
  if not holds_lease(p_switch, p_epoch) then
    return query select q.n, 'fenced', 0::bigint, 0, 0::bigint, 0 from jsonb_populate_recordset(null::answer_item, p_items) q;
    return;
  end if;
  for i in select * from jsonb_populate_recordset(null::answer_item, p_items) q order by q.leg_id loop
    a := answer_one(i); return next a;
  end loop;
end $$;

create function settle_batch(p_switch text, p_epoch integer, p_items jsonb) returns setof hold_answer language plpgsql as $$
declare i settle_item; a hold_answer;
begin
  if not holds_lease(p_switch, p_epoch) then
    return query select q.n, 'fenced', 0::bigint, 0, 0::bigint, 0 from jsonb_populate_recordset(null::settle_item, p_items) q;
    return;
  end if;
  for i in select * from jsonb_populate_recordset(null::settle_item, p_items) q order by q.wallet_id, q.n loop
    a := settle_one(i); a.n := i.n; return next a;
  end loop;
  perform pg_notify('outbox', '');
end $$;

create function record_unheld_batch(p_switch text, p_epoch integer, p_items jsonb) returns setof hold_answer language plpgsql as $$
declare i unheld_item; a hold_answer;
begin
  for i in select * from jsonb_populate_recordset(null::unheld_item, p_items) q order by q.n loop
    a := record_unheld_one(i); return next a;
  end loop;
end $$;

-- The invariants, each of which must be 0 at any moment at which no transaction is half done.
create view ledger_invariant as
  select 'wallet below its floor' as name, count(*) as broken from wallet where balance_micros + credit_limit_micros - held_micros < 0
  union all
  select 'held differs from the open holds', count(*) from wallet w
   where held_micros <> (select coalesce(sum(h.held_micros), 0) from call_hold h where h.wallet_id = w.id and h.state = 'o')
  union all
  select 'open calls differ from the open holds', count(*) from wallet w
   where open_calls <> (select count(*) from call_hold h where h.wallet_id = w.id and h.state = 'o')
  union all
  select 'balance differs from the postings', count(*) from wallet w
   where balance_micros <> (select coalesce(sum(p.amount_micros), 0) from posting p join ledger_account a on a.id = p.account_id
                             where a.wallet_id = w.id and a.kind in ('wallet_cash', 'wallet_promo'))
  union all
  select 'promo credit differs from the postings', count(*) from promo_credit c
   where balance_micros <> (select coalesce(sum(p.amount_micros), 0) from posting p where p.account_id = c.ledger_account_id)
  union all
  select 'promo credit of a wallet differs from its parts', count(*) from wallet w
   where promo_micros <> (select coalesce(sum(c.balance_micros), 0) from promo_credit c where c.wallet_id = w.id)
  union all
  select 'transaction that does not sum to zero', count(*) from
    (select 1 from posting group by tx_id, currency having sum(amount_micros) <> 0) x
  union all
  select 'settled hold without a record, or a record of an open hold', count(*) from call_hold h
   where (h.state = 's') <> exists (select 1 from cdr c where c.leg_id = h.leg_id and c.wallet_id is not null)
  union all
  select 'leg settled twice', count(*) from (select 1 from cdr group by leg_id having count(*) > 1) x
  union all
  select 'held differs from the grants', count(*) from call_hold h
   where held_micros <> (select coalesce(sum(g.micros), 0) from call_grant g where g.leg_id = h.leg_id)
  union all
  select 'charge without its posting', count(*) from cdr c
   where c.net_micros + c.tax_micros > 0 and not exists (
     select 1 from ledger_tx t where t.kind = 'call' and t.ref = c.leg_id
        and t.content ->> 'net_micros' = c.net_micros::text and t.content ->> 'tax_micros' = c.tax_micros::text)
  union all
  select 'pack held differs from the open holds', count(*) from minute_pack m
   where seconds_held <> (select coalesce(sum(h.pack_seconds_held), 0) from call_hold h where h.pack_id = m.id and h.state = 'o');
