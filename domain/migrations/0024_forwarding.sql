-- Call forwarding: what a number's holder chose to do with its calls beside letting phones ring, and which attempt at the other side of a
-- call was the one that answered, as a forwarded call is charged by that.

alter table did
  -- As the number is dialled from anywhere; six digits at least, so that no number for help can stand here.
  add column forward_to text check (forward_to ~ '^\+[1-9][0-9]{5,14}$'),
  -- `unanswered`: where no phone is there, none answers in time, or they are busy.
  add column forward_when text check (forward_when in ('always', 'unanswered')),
  add constraint did_forward_whole check ((forward_to is null) = (forward_when is null)),
  -- A call that is forwarded to the number that was called would never end.
  add constraint did_forward_elsewhere check (forward_to <> number),
  -- Its holder pays for it.
  add constraint did_forward_held check (forward_to is null or account_id is not null);

-- Where calls go was the choice of one holder, whichever way the number leaves him. It is made sure of here, as a call of the next one
-- that reaches somebody of the last one's would be heard by him.
create function did_forgets_forward() returns trigger language plpgsql as $$
begin
  new.forward_to := null;
  new.forward_when := null;
  return new;
end $$;
create trigger did_forgets_forward before update of account_id on did for each row
  when (new.account_id is distinct from old.account_id) execute function did_forgets_forward();
revoke execute on function did_forgets_forward from public;

-- The attempt that answered, by its number, so that whoever takes a call over, or looks at one that lives, knows what it is charged by.
-- Null while nobody answered, and of a controller that does not say it yet.
alter table call_hold add column answered_attempt smallint check (answered_attempt > 0);
alter type answer_item add attribute attempt smallint;

-- As before, and with the attempt.
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
         set answered_at = i.answered_at, answered_attempt = i.attempt,
             deadline_at = case when h.grant_no = 1 then i.deadline_at else h.deadline_at end
        from (select distinct on (q.leg_id) q.* from items q order by q.leg_id, q.n desc) i
       where h.leg_id = any(array[i.leg_id]) and h.state <> 's'
      returning h.leg_id
    )
    select q.n, case when q.leg_id in (select x.leg_id from answered x) then 'granted' else 'closed' end, 0::bigint, 0, 0::bigint, 0
      from items q;
end $$;

grant select (answered_attempt) on call_hold to letsdial_controller, letsdial_explain;
grant update (forward_to, forward_when) on did to letsdial_portal;
