-- Customers who bind to our SMSC: what each is still to be told, in its order, and texts that are replaced while they wait.

-- What a bind refused is due later, and is not in the way of what is due now.
drop index customer_delivery_target;
create index customer_delivery_bind on customer_delivery (target, due_at, id) where dead_at is null and channel = 'smpp';

-- What was accepted stays as it was. The body can be erased, and what is replaced by its customer is written over, in the same
-- transaction as the event that says so: what was never sent is kept nowhere, as events could not be erased.
create or replace function message_is_written_once() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    if new.body is null then
      old.body := null;
      if new is not distinct from old then return new; end if;
    elsif exists (select 1 from message_event e
                   where e.message_id = old.id and e.kind = 'replaced' and e.xmin = pg_current_xact_id()::xid) then
      old.body := new.body;
      old.encoding := new.encoding;
      old.due_at := new.due_at;
      old.valid_until := new.valid_until;
      old.wants_receipt := new.wants_receipt;
      if new is not distinct from old then return new; end if;
    end if;
  end if;
  raise exception 'a text is written once: what becomes of it is an event, and only its body can be erased';
end $$;

-- Another text, time or validity for one that waits; null keeps the time or the validity. The price stays as it was charged, so
-- the new text has as many segments.
-- replaced; not_found: the account has no such text; too_late: it is on its way, was sent, is held, or has ended; other_length.
create function replace_message(p_account uuid, p_message uuid, p_body text, p_encoding text, p_segments integer, p_wants_receipt boolean,
                                p_due_at timestamptz, p_valid_until timestamptz, p_now timestamptz) returns text language plpgsql as $$
declare
  m message;
  q message_queue;
begin
  select * into m from message where id = p_message and account_id = p_account and direction = 'mt';
  if not found then return 'not_found'; end if;
  -- One that is held was looked at as it is. One whose row is locked is being claimed. One that was sent before may have arrived.
  select * into q from message_queue where message_id = p_message and state = 'w' and attempt = 1 for update skip locked;
  if not found or m.body is null
     or exists (select 1 from message_event e where e.message_id = p_message and e.kind in ('submitted', 'in_doubt')) then
    return 'too_late';
  end if;
  if p_segments <> m.segments then return 'other_length'; end if;
  insert into message_event (message_id, at, kind, detail)
  values (p_message, p_now, 'replaced',
          concat_ws(', ', 'another text', case when p_due_at is not null then 'another time' end,
                    case when p_valid_until is not null then 'another validity' end));
  update message
     set body = p_body, encoding = p_encoding, wants_receipt = p_wants_receipt, due_at = coalesce(p_due_at, due_at),
         valid_until = coalesce(p_valid_until, valid_until)
   where id = p_message;
  -- A claim that began before this was committed may still read the text as it was; a second later none is left.
  update message_queue
     set due_at = greatest(coalesce(p_due_at, due_at), p_now + interval '1 second'), valid_until = coalesce(p_valid_until, valid_until)
   where message_id = p_message;
  perform pg_notify('message_queue', '');
  return 'replaced';
end $$;

revoke execute on function replace_message from public;
alter function replace_message security definer set search_path = public, pg_temp;
grant execute on function replace_message to letsdial_gateway;
