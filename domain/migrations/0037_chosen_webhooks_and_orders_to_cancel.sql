-- Who hears of a number's texts ----------------------------------------------------------------------------------------

-- The holder of a number may choose which of his endpoints are told of the texts that come to it. Without a choice all are, as before;
-- with one the endpoints of `number_webhook` are and no others, so that none is a choice, too: whoever deletes the last endpoint that he
-- chose has not thereby had his texts sent to all the others.
alter table did add column texts_to_chosen boolean not null default false;

create table number_webhook (
  number text not null references did,
  endpoint_id uuid not null references webhook_endpoint on delete cascade,
  primary key (number, endpoint_id)
);
create index number_webhook_endpoint on number_webhook (endpoint_id);

-- It was the choice of one holder, whichever way the number leaves him. The next one begins with all of his own.
create function did_forgets_text_webhooks() returns trigger language plpgsql as $$
begin
  new.texts_to_chosen := false;
  delete from number_webhook where number = new.number;
  return new;
end $$;
create trigger did_forgets_text_webhooks before update of account_id on did for each row
  when (new.account_id is distinct from old.account_id) execute function did_forgets_text_webhooks();
revoke execute on function did_forgets_text_webhooks from public;

-- As before, and a text that came is told to those endpoints that its number's holder chose. Of what was sent the number is not asked for:
-- who sent a text hears what became of it, and the way of every receipt is not made longer by a look at the sender's number.
create or replace function tell_customers(p_kind text, p_messages uuid[], p_now timestamptz) returns void language plpgsql as $$
declare
  told integer;
begin
  with texts as materialized (
    select m.id, m.account_id, m.source, m.system_id, m.wants_receipt, m.recipient,
           -- `offset 0` has each looked for by itself, as elsewhere: the tables grow.
           case when p_kind = 'text' then exists (
             select 1 from did d where d.number = m.recipient and d.account_id = m.account_id and d.texts_to_chosen offset 0)
           else false end as to_chosen
      from message m where m.id = any(p_messages)
  )
  insert into customer_delivery (account_id, kind, message_id, channel, target, due_at)
  select t.account_id, p_kind, t.id, 'webhook', e.id::text, p_now
    from texts t join webhook_endpoint e on e.account_id = t.account_id and e.enabled and p_kind = any(e.kinds)
   where (t.source in ('portal', 'carrier') or t.source = 'http' and (p_kind <> 'receipt' or t.wants_receipt))
     and (not t.to_chosen
          or exists (select 1 from number_webhook w where w.number = t.recipient and w.endpoint_id = e.id offset 0))
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

-- What an admin cancels ------------------------------------------------------------------------------------------------

-- A customer's number that one of us cancels, and what is given back for it by whose word. Carried out, it is a cancellation of the same
-- id. What gives back more than one of us may waits for another, and nothing happens until then.
create table cancellation_order (
  id uuid primary key,
  holding_id uuid not null references number_holding,
  at_once boolean not null,
  -- `policy`: what the holder would get if he cancelled; `full`: whatever of the last charge was not given back yet, the setup with it
  -- where it paid that as well.
  refund text not null check (refund in ('policy', 'none', 'full')),
  -- With tax, as the preview said it: never more than this is given back.
  refund_micros bigint not null check (refund_micros >= 0),
  -- The customer reads it.
  reason text not null check (length(reason) between 1 and 300),
  state text not null check (state in ('waiting', 'done', 'rejected', 'lapsed')),
  approvals_needed smallint not null check (approvals_needed between 1 and 2),
  requested_by uuid not null references portal_user,
  requested_at timestamptz not null,
  decided_at timestamptz,
  constraint cancellation_order_decided check ((state = 'waiting') = (decided_at is null)),
  constraint cancellation_order_nothing check (refund <> 'none' or refund_micros = 0)
);
-- Two that wait would each give back what the other did.
create unique index cancellation_order_one on cancellation_order (holding_id) where state = 'waiting';
create index cancellation_order_state on cancellation_order (state, requested_at desc, id desc);

-- Roles ----------------------------------------------------------------------------------------------------------------

-- The gateway needs no more than it had: who hears of a text is found by the function that stores it, with the rights of its owner.
grant update (texts_to_chosen) on did to letsdial_portal;
grant select, insert, delete on number_webhook to letsdial_portal;
-- How much, of whom and by whose wish stays what it was.
grant select, insert, update (state, decided_at) on cancellation_order to letsdial_portal;
