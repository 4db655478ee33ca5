-- What keeps texts and receipts from being lost: a queue that is known to be full before it is, and receipts that nobody could read.

-- How many texts of each account wait for carriers, and how many for their time. For each text that waits its row of `message` is looked
-- up by its id: joined in any other way, all texts that there ever were would be read. Asked now and then, not for each text.
create function count_queued_texts(p_now timestamptz) returns table (account_id uuid, waiting integer, scheduled integer)
language plpgsql stable set search_path = public, pg_temp set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
begin
  return query
    select m.account_id, count(*) filter (where m.due_at is null or m.due_at <= p_now)::integer,
           count(*) filter (where m.due_at > p_now)::integer
      from message_queue q, lateral (select x.account_id, x.due_at from message x where x.id = q.message_id offset 0) m
     where q.state in ('u', 'w', 'c') group by m.account_id;
end $$;
revoke execute on function count_queued_texts from public;
grant execute on function count_queued_texts to letsdial_gateway;

-- As before, and the event says what was replaced: over HTTP a text may get another time and keep what it says.
create or replace function replace_message(p_account uuid, p_message uuid, p_body text, p_encoding text, p_segments integer,
                                           p_wants_receipt boolean, p_due_at timestamptz, p_valid_until timestamptz, p_now timestamptz)
returns text language plpgsql security definer set search_path = public, pg_temp as $$
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
          coalesce(nullif(concat_ws(', ', case when p_body <> m.body or p_encoding <> m.encoding then 'another text' end,
                           case when p_due_at is not null then 'another time' end,
                           case when p_valid_until is not null then 'another validity' end,
                           case when p_wants_receipt <> m.wants_receipt then 'another wish for a receipt' end), ''), 'nothing new'));
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

-- Receipts that nobody could read: of another form than was agreed, or that name no message or no state. Each is acknowledged once it is
-- here, to the octet as it came, so that whoever finds out what the carrier means has what it said.
create table unreadable_receipt (
  id bigint generated always as identity primary key,
  carrier_id integer not null,
  bind_id text not null,
  -- In words.
  why text not null check (length(why) between 1 and 500),
  -- The deliver_sm or data_sm: its header, its fields, its TLVs.
  pdu bytea not null check (octet_length(pdu) >= 16),
  received_at timestamptz not null
);
create index unreadable_receipt_age on unreadable_receipt (received_at);

-- Keeps some, and of all of them the newest `p_rows_max`: whoever looks at them wants to see what comes now. False: another gateway took over.
create function keep_unreadable_receipts(p_gateway text, p_epoch integer, p_now timestamptz, p_carriers integer[], p_binds text[],
                                         p_whys text[], p_pdus bytea[], p_rows_max integer) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if not holds_lease(p_gateway, p_epoch) then return false; end if;
  insert into unreadable_receipt (carrier_id, bind_id, why, pdu, received_at)
  select i.carrier_id, i.bind_id, left(i.why, 500), i.pdu, p_now
    from unnest(p_carriers, p_binds, p_whys, p_pdus) i (carrier_id, bind_id, why, pdu);
  delete from unreadable_receipt r where r.id <= (select max(n.id) from unreadable_receipt n) - p_rows_max;
  return true;
end $$;

-- Deletes what came before that, so many at a time. Says how many went.
create function forget_unreadable_receipts(p_gateway text, p_epoch integer, p_before timestamptz, p_rows_max integer) returns integer
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  gone integer;
begin
  if not holds_lease(p_gateway, p_epoch) then return 0; end if;
  delete from unreadable_receipt r where r.id = any(array(
    select o.id from unreadable_receipt o where o.received_at < p_before order by o.received_at limit p_rows_max));
  get diagnostics gone = row_count;
  return gone;
end $$;
revoke execute on function keep_unreadable_receipts, forget_unreadable_receipts from public;
grant execute on function keep_unreadable_receipts, forget_unreadable_receipts to letsdial_gateway;
-- The gateway lists them; what stands in them is for a person at the database.
grant select (id, carrier_id, bind_id, why, received_at) on unreadable_receipt to letsdial_gateway;
grant select on unreadable_receipt to letsdial_explain;

-- Whose shift tables (3GPP TS 23.038, A.2 and A.3) a carrier passes on to handsets, as its contract says: many drop the header that names
-- them, and the text arrives as nonsense. A text is counted by them only where all carriers take them.
alter table carrier_bind add column national_languages text[] not null default '{}'
  check (national_languages <@ '{turkish,spanish,portuguese,bengali,gujarati,hindi,kannada,malayalam,oriya,punjabi,tamil,telugu,urdu}'::text[]);
-- Its septets are of no use to a carrier that takes characters instead.
alter table carrier_bind add constraint carrier_bind_national_septets_check
  check (national_languages = '{}' or default_alphabet in ('gsm7', 'gsm7_packed'));
-- Administered at the desk, like the rest of a bind.
grant select (national_languages), insert (national_languages), update (national_languages) on carrier_bind to letsdial_portal;

-- A carrier that connects to us and asks by an outbind to be bound to (SMPP 3.4, 2.2.1): the name and the password that it shows, and the
-- addresses from which it comes. All of them, or none where we connect: whoever is taken for the carrier is told our own password, and is
-- sent what customers write. `host` and `port` are of no use then; `tls` says that it has to come over TLS.
alter table carrier_bind
  add column outbind_system_id text check (length(outbind_system_id) between 1 and 15),
  add column outbind_password text check (length(outbind_password) <= 8),
  add column outbind_address cidr,
  add constraint carrier_bind_outbind_check check (num_nulls(outbind_system_id, outbind_password, outbind_address) in (0, 3));
-- Administered at the desk too, where the password is written and never read.
grant select (outbind_system_id, outbind_address), insert (outbind_system_id, outbind_password, outbind_address),
  update (outbind_system_id, outbind_password, outbind_address) on carrier_bind to letsdial_portal;
