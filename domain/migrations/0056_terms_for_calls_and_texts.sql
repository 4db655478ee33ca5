-- No service without agreement to the terms in force: calls and texts over the gateway ask for it as purchases do.

-- Whether anything is in force by then that has to be agreed to.
create function terms_are_asked(p_at timestamptz) returns boolean language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return exists (select from legal_document
                  where kind in ('terms', 'payment_policy') and state <> 'draft' and is_material and in_force_from <= p_at);
end $$;

-- Whether nobody agreed for the account to the newest version of each kind that asked for it, or to a later one. The privacy notice tells
-- what is done with data, and is no agreement. An account that has no owner among those who sign in, as the operator's own and those of
-- customers who bind and signed on paper, is asked nothing: nobody could answer.
create function owes_terms(p_account uuid, p_at timestamptz) returns boolean language plpgsql stable
security definer set search_path = public, pg_temp as $$
begin
  return exists (
      select from (select kind, max(version) as version from legal_document
                    where kind in ('terms', 'payment_policy') and state <> 'draft' and is_material and in_force_from <= p_at
                    group by kind) needed
       where not exists (select from acceptance a join legal_document d on d.id = a.document_id
                          where a.account_id = p_account and d.kind = needed.kind and d.version >= needed.version))
    and exists (select from membership m join portal_user u on u.id = m.user_id
                 where m.account_id = p_account and m.role = 'owner' and u.state <> 'closed');
end $$;

-- One way in for every text, of the gateway and of the portal alike. Items of a wallet are decided in their order, each with
-- what those before it left. They are read once, so as json: jsonb is made to be read often, and costs 3 us more a text to make.
create or replace function accept_texts(p_now timestamptz, p_items json) returns setof accept_answer
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
  -- Asked once for the whole batch: where nothing was ever published nobody owes an agreement.
  asks_terms boolean := terms_are_asked(p_now);
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
  select null::bigint as id, null::uuid as account_id, null::char(3) as currency, null::date as day, false as has_promo, false as owes_terms into w;
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
             asks_terms and owes_terms(x.account_id, p_now) as owes_terms,
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
      when w.owes_terms and i.source <> 'system' then 'terms_required'
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

revoke execute on function terms_are_asked, owes_terms, accept_texts from public;
grant execute on function owes_terms to letsdial_controller, letsdial_portal;
