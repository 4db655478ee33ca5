-- What carriers want differently from one another, and parts of long texts whose references come again too soon.

alter table carrier_bind
  -- ISO 3166-1, of the numbers that it writes as they are dialled there; null: it writes all of them internationally.
  add column home_country char(2) check (home_country ~ '^[A-Z]{2}$'),
  -- Type of number and numbering plan (SMPP 3.4, 5.2.5 and 5.2.6) of senders that are numbers, short codes and names, and of
  -- recipients; and whether a number is written with its plus.
  add column number_ton smallint not null default 1 check (number_ton between 0 and 7),
  add column number_npi smallint not null default 1 check (number_npi between 0 and 18),
  add column short_code_ton smallint not null default 3 check (short_code_ton between 0 and 7),
  add column short_code_npi smallint not null default 0 check (short_code_npi between 0 and 18),
  add column name_ton smallint not null default 5 check (name_ton between 0 and 7),
  add column name_npi smallint not null default 0 check (name_npi between 0 and 18),
  add column recipient_ton smallint not null default 1 check (recipient_ton between 0 and 7),
  add column recipient_npi smallint not null default 1 check (recipient_npi between 0 and 18),
  add column plus_sign boolean not null default false,
  -- Whether it is told how long a text is worth delivering. Some refuse a text for it.
  add column sends_validity boolean not null default true,
  -- PEM, in place of the machine's authorities, and the name that its certificate has where that is not the host's.
  add column tls_authorities text check (length(tls_authorities) <= 100000),
  add column tls_name text check (length(tls_name) between 1 and 253);

-- A customer's texts over SMPP, where the PDU cannot say it: newsletters keep other hours than the rest, and what may have been sent
-- is sent again or held.
alter table esme
  add column default_class text not null default 'normal' check (default_class in ('normal', 'bulk')),
  add column on_doubt text not null default 'resend' check (on_doubt in ('resend', 'hold'));

-- Long texts that come in ------------------------------------------------------------------------------------------

-- References have 8 bits mostly, so one comes again while an older text of it still waits for a part that never comes. The parts of
-- the older one are set aside under a reference that no carrier gives, and are stored with their gap by whoever sweeps next.
create sequence mo_part_aside;

create or replace function receive_part(p_gateway text, p_epoch integer, p_now timestamptz, p_part mo_part) returns setof mo_part
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if not holds_lease(p_gateway, p_epoch) then raise exception 'another gateway took over'; end if;
  -- Two that bring the last two parts at once would each miss the other's.
  perform pg_advisory_xact_lock(hashtextextended(concat_ws(' ', p_part.carrier_id, p_part.sender, p_part.recipient, p_part.reference), 0));
  -- The same part once more, as its acknowledgement was lost, is no other text.
  if exists (select 1 from mo_part p
              where p.carrier_id = p_part.carrier_id and p.sender = p_part.sender and p.recipient = p_part.recipient
                and p.reference = p_part.reference and p.part_count = p_part.part_count and p.part_no = p_part.part_no
                and (p.payload, p.data_coding) is distinct from (p_part.payload, p_part.data_coding)) then
    update mo_part p set reference = a.reference, received_at = '-infinity'
      from (select -nextval('mo_part_aside')::integer as reference) a
     where p.carrier_id = p_part.carrier_id and p.sender = p_part.sender and p.recipient = p_part.recipient
       and p.reference = p_part.reference and p.part_count = p_part.part_count;
  end if;
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
