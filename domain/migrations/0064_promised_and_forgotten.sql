-- What is kept no longer than the map of the data says.

-- Registrations that nobody came back to are forgotten by their age.
grant delete on registration_flow to letsdial_portal;
create index registration_flow_abandoned on registration_flow (expires_at) where state = 'abandoned';

-- It tells of the past, so nothing but that may change: an address becomes its network.
create function profile_change_is_history() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and (new.id, new.user_id, new.at, new.field, new.before_sealed, new.after_sealed)
       is not distinct from (old.id, old.user_id, old.at, old.field, old.before_sealed, old.after_sealed)
     and old.address <<= new.address then
    return new;
  end if;
  raise exception 'profile_change is append-only: it tells of the past, which does not change';
end $$;
drop trigger append_only on profile_change;
create trigger profile_change_is_history before update or delete on profile_change for each row execute function profile_change_is_history();
create trigger append_only before truncate on profile_change for each statement execute function append_only();
create index profile_change_age on profile_change (at) where address is not null;
revoke execute on function profile_change_is_history from public;
grant update (address) on profile_change to letsdial_portal;
