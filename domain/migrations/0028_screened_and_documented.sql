-- Texts that the portal took in are screened by a gateway before they can be sent; and what corrects an invoice or a payment has a
-- document of its own.

-- Texts that nobody has looked at yet -------------------------------------------------------------------------------

-- The rules by which texts are screened live in the gateway's memory, and the portal takes texts without it. So what it took stands
-- apart, 'u': a claim takes what waits, 'w', and nothing else, and only a gateway that has the lease and screened the text makes
-- it wait. One that dies between the two leaves it where it was, for the next to screen.
alter table message_queue drop constraint message_queue_state_check;
alter table message_queue add constraint message_queue_state_check check (state in ('u', 'w', 'c', 'h', 'd'));
create index message_queue_unscreened on message_queue (message_id) where state = 'u';

-- It ends with its validity like anything else that waits.
drop index message_queue_validity;
create index message_queue_validity on message_queue (valid_until) where state in ('u', 'w', 'h');

create or replace function store_accepted(p_items accept_item[], p_accepted boolean[], p_charge_refs uuid[], p_now timestamptz)
returns void language plpgsql as $$
begin
  insert into message (id, account_id, direction, accepted_at, sender, recipient, body, encoding, segments, class, on_doubt, charge_ref,
                       wallet_id, currency, net_micros, tax_micros, deck_id, prefix, destination, rate_micros_per_segment,
                       source, system_id, client_ref, wants_receipt, due_at, valid_until)
  select a.id, a.account_id, 'mt', p_now, a.sender, a.recipient, a.body, a.encoding, a.segments, a.class, a.on_doubt,
         p_charge_refs[a.ordinality], a.wallet_id, (select w.currency from wallet w where w.id = a.wallet_id), a.net_micros, a.tax_micros, a.deck_id, a.prefix, a.destination,
         a.rate_micros_per_segment, a.source, a.system_id, a.client_ref, a.wants_receipt, a.due_at, a.valid_until
    from unnest(p_items) with ordinality a where p_accepted[a.ordinality];
  -- By where a text comes from and not by what is asked for, so that nobody who takes texts can forget it.
  insert into message_queue (message_id, state, carrier_id, priority, due_at, valid_until, epoch)
  select a.id, case when a.source = 'portal' then 'u' when a.hold_reason is not null then 'h' when a.epoch is not null then 'c' else 'w' end,
         a.carrier_id, a.priority, coalesce(a.due_at, p_now), a.valid_until,
         case when a.hold_reason is null and a.source <> 'portal' then a.epoch end
    from unnest(p_items) with ordinality a where p_accepted[a.ordinality];
  if exists (select 1 from unnest(p_items) a where a.hold_reason is not null) then
    insert into message_event (message_id, at, kind, detail)
    select a.id, p_now, 'held', a.hold_reason
      from unnest(p_items) with ordinality a where p_accepted[a.ordinality] and a.hold_reason is not null;
  end if;
  if exists (select 1 from unnest(p_items) with ordinality a where p_accepted[a.ordinality] and (a.epoch is null or a.source = 'portal')) then
    perform pg_notify('message_queue', '');
  end if;
end $$;

-- What waits from before this was kept was not looked at either, save what a carrier may have by now.
update message_queue q set state = 'u'
 where q.state = 'w' and q.attempt = 1
   and exists (select 1 from message m where m.id = q.message_id and m.source = 'portal' offset 0)
   and not exists (select 1 from message_event e where e.message_id = q.message_id offset 0);

create type screening_item as (message_id uuid, verdict text, words text, due_at timestamptz);

-- What a gateway made of texts that nobody had looked at: `pass`, and it waits for a carrier, at another time where due_at says so; `hold`, for a
-- person; `refuse`, and it ends with these words, and its price goes back. One that is not there any more, or was screened before, stays
-- as it is, so a batch that comes again changes nothing. Says how many were written; null where another gateway took over.
create function record_screenings(p_gateway text, p_epoch integer, p_now timestamptz, p_items jsonb) returns integer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off as $$
declare
  items screening_item[] := array(select i from jsonb_populate_recordset(null::screening_item, p_items) i);
  ids uuid[];
  refused uuid[];
  ended uuid[];
begin
  if not holds_lease(p_gateway, p_epoch) then return null; end if;
  if exists (select 1 from unnest(items) i where i.verdict is null or i.verdict not in ('pass', 'hold', 'refuse')
                                              or i.verdict <> 'pass' and coalesce(i.words, '') = '') then
    raise exception 'a text passes, or is held or refused in words';
  end if;
  refused := array(select i.message_id from unnest(items) i where i.verdict = 'refuse');
  -- The wallets first, as everywhere, and in the order in which everybody takes them.
  if refused <> '{}' then
    perform 1 from wallet where id in (select m.wallet_id from message m where m.id = any(refused)) order by id for no key update;
  end if;
  ids := array(select q.message_id from message_queue q
                where q.message_id = any(array(select i.message_id from unnest(items) i)) and q.state = 'u'
                order by q.message_id for update);
  if ids = '{}' then return 0; end if;
  insert into message_event (message_id, at, kind, detail)
  select i.message_id, p_now, 'held', i.words from unnest(items) i where i.verdict = 'hold' and i.message_id = any(ids);
  -- As valid, and as long, from the later moment on.
  insert into message_event (message_id, at, kind, detail)
  select i.message_id, p_now, 'replaced', 'another time: the hours of the recipient''s country'
    from unnest(items) i where i.verdict <> 'refuse' and i.due_at is not null and i.message_id = any(ids);
  update message m set due_at = i.due_at, valid_until = m.valid_until + (i.due_at - q.due_at)
    from unnest(items) i, message_queue q
   where m.id = any(ids) and i.message_id = m.id and q.message_id = m.id and i.verdict <> 'refuse' and i.due_at is not null;
  update message_queue q
     set state = case i.verdict when 'pass' then 'w' else 'h' end,
         due_at = coalesce(i.due_at, q.due_at), valid_until = q.valid_until + coalesce(i.due_at - q.due_at, interval '0')
    from unnest(items) i
   where q.message_id = any(ids) and i.message_id = q.message_id and i.verdict <> 'refuse';
  refused := array(select i.message_id from unnest(items) i where i.verdict = 'refuse' and i.message_id = any(ids));
  if refused <> '{}' then
    ended := array(select end_messages(refused, array_fill('rejected'::text, array[cardinality(refused)]),
                     array(select (select i.words from unnest(items) i where i.message_id = r.id limit 1)
                             from unnest(refused) with ordinality r(id, n) order by r.n), p_now));
    perform refund_message(m.id, segments_not_taken(m.id, m.segments), p_now)
       from (select id, segments, wallet_id from message where id = any(ended) order by wallet_id, id) m;
  end if;
  if exists (select 1 from unnest(items) i where i.verdict = 'pass' and i.message_id = any(ids)) then
    perform pg_notify('message_queue', '');
  end if;
  return cardinality(ids);
end $$;
revoke execute on function record_screenings from public;
grant execute on function record_screenings to letsdial_gateway;

create or replace function cancel_message(p_account uuid, p_message uuid, p_now timestamptz) returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  m message;
begin
  select * into m from message where id = p_message and account_id = p_account and direction = 'mt';
  if not found then return 'not_found'; end if;
  -- The wallet first, as everywhere.
  perform 1 from wallet where id = m.wallet_id for no key update;
  delete from message_queue where message_id = p_message and state in ('u', 'w', 'h');
  if not found then return 'too_late'; end if;
  perform end_messages(array[p_message], array['cancelled'], array[null::text], p_now);
  perform refund_message(p_message, segments_not_taken(p_message, m.segments), p_now);
  return 'cancelled';
end $$;

create or replace function expire_messages(p_gateway text, p_epoch integer, p_now timestamptz, p_rows_max integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  past uuid[];
begin
  if not holds_lease(p_gateway, p_epoch) then return 0; end if;
  select coalesce(array_agg(x.message_id), '{}') into past from (
    select q.message_id from message_queue q where q.state in ('u', 'w', 'h') and q.valid_until <= p_now limit p_rows_max) x;
  perform 1 from wallet where id in (select m.wallet_id from message m where m.id = any(past)) order by id for no key update;
  with gone as (
    delete from message_queue q where q.message_id = any(past) and q.state in ('u', 'w', 'h') returning q.message_id)
  select coalesce(array_agg(message_id), '{}') into past from gone;
  perform end_messages(past, array_fill('expired'::text, array[cardinality(past)]), array_fill(null::text, array[cardinality(past)]), p_now);
  perform refund_message(m.id, segments_not_taken(m.id, m.segments), p_now) from message m where m.id = any(past);
  return cardinality(past);
end $$;

create or replace view message_state as
  select m.id as message_id, m.account_id,
         case when m.direction = 'mo' then 'received'
              when f.state is not null then f.state
              when q.state = 'h' then 'held'
              when q.state = 'd' then 'in_doubt'
              when q.state is null then 'submitted'
              when m.due_at > m.accepted_at and q.state in ('u', 'w') then 'scheduled'
              else 'queued' end as state,
         coalesce(f.at, m.accepted_at) as since, f.error
    from message m
    left join message_event f on f.message_id = m.id and f.kind = 'final'
    left join message_queue q on q.message_id = m.id;

-- An admin of the portal decides on what was held.
grant execute on function decide_held_message to letsdial_portal;

-- Calls that a pack paid for ----------------------------------------------------------------------------------------

-- A call that a pack covers whole moves no money, so there is no transaction that its line could name; it is told all the same.
alter table invoice_line alter column tx_id drop not null;
alter table invoice_line add constraint invoice_line_costs check (tx_id is not null or kind = 'call' and net_micros = 0 and tax_micros = 0);
create unique index invoice_line_covered on invoice_line (item) where tx_id is null;
create index cdr_covered on cdr (wallet_id, ended_at) where pack_seconds > 0 and net_micros = 0 and tax_micros = 0;

-- Documents that correct --------------------------------------------------------------------------------------------

-- What was given back or asked for besides the months: a credit note or a debit note of its own, each kind with its own numbers.
alter table invoice_counter drop constraint invoice_counter_series_check;
alter table invoice_counter add constraint invoice_counter_series_check check (series in ('INV', 'RCT', 'CRN', 'DBN'));
alter table invoice drop constraint invoice_kind_check;
alter table invoice add constraint invoice_kind_check check (kind in ('invoice', 'receipt', 'credit_note', 'debit_note'));
-- A month that ends with more given back than charged is a credit note, too.
alter table invoice drop constraint invoice_check1;
alter table invoice add constraint invoice_check1 check (
  (kind = 'receipt') = (attempt_id is not null)
  and (kind <> 'invoice' or month is not null) and (kind not in ('receipt', 'debit_note') or month is null));
-- The invoice, or the receipt of the payment, that it corrects; null where it is about the wallet as a whole.
alter table invoice add column corrects_invoice_id uuid references invoice;
alter table invoice add constraint invoice_corrects check (
  corrects_invoice_id is null or kind in ('credit_note', 'debit_note') and month is null and corrects_invoice_id <> id);
-- What is given back is less than nothing, and what is asked for more.
alter table invoice add constraint invoice_note_sign check (
  month is not null or kind = 'receipt' or (kind = 'debit_note') = (total_micros > 0));

-- What an admin said that a correction corrects, kept until it is agreed to.
alter table finance_order add column corrects_invoice_id uuid references invoice;
