-- A number that went to another operator was kept from everybody for good, so nobody could ever bring it back here. What keeps it from
-- everybody now ends in the moment in which somebody brings it back, and not before.
alter table number_holding drop constraint number_holding_check3;
alter table number_holding add constraint number_holding_check3
  check (case end_reason when 'transferred' then blocked_until = held_to
                         when 'ported_out' then blocked_until >= held_to
                         else held_to is null or blocked_until >= held_to + interval '2160 hours' end);

-- It ends for a holder and not by itself: else such a number would be sold as one whose quarantine is over.
create function number_comes_back_to_somebody() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if not exists (select 1 from number_holding h where h.number = new.number and h.held_from = new.blocked_until) then
    raise exception 'a number that went to another operator is kept from everybody until somebody brings it back';
  end if;
  return null;
end $$;
create constraint trigger number_comes_back_to_somebody after insert or update on number_holding
  deferrable initially deferred for each row when (new.end_reason = 'ported_out' and new.blocked_until < 'infinity')
  execute function number_comes_back_to_somebody();
revoke execute on function number_comes_back_to_somebody from public;
