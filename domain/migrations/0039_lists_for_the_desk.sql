-- What the operator lists, of everybody and by time, and texts that came for a number that nobody held.

-- Lists of all accounts, the latest first.
create index payment_attempt_created on payment_attempt (created_at, id);
create index payment_dispute_opened on payment_dispute (opened_at, id);
create index dunning_opened on dunning (opened_at, id);
create index refund_requested on refund (requested_at, id);
create index invoice_issued on invoice (issued_at, id);
create index kyc_case_submitted on kyc_case (submitted_at, id);
create index kyc_case_closed on kyc_case (closed_at, id);
create index opt_out_latest on opt_out (opted_out_at, account_id, recipient, sender);
create index opt_out_of_account on opt_out (account_id, opted_out_at, recipient, sender);
-- No other texts are of no account, so they are few.
create index message_unheld on message (id) where account_id is null;

-- Texts that nobody held the number of -------------------------------------------------------------------------------

-- What was decided about a text that came for nobody, once. Handed on it is a text of the account from then on, a copy: a text is
-- written once, and the one that came stays what it was.
create table unheld_text (
  message_id uuid primary key,
  decision text not null check (decision in ('handed_on', 'dealt_with')),
  -- Who holds the number now, and the text that he was given.
  account_id uuid references account,
  copy_id uuid unique,
  -- Whether it was his number when the text came, as that of one who had not paid is.
  was_held_then boolean not null default false,
  reason text check (length(reason) between 1 and 500),
  decided_by uuid not null references portal_user,
  decided_at timestamptz not null,
  constraint unheld_text_given check ((decision = 'handed_on') = (account_id is not null) and (account_id is null) = (copy_id is null)),
  -- It may have been meant for whoever had the number before: then somebody says why it is his.
  constraint unheld_text_reason check (was_held_then or reason is not null)
);
create trigger append_only before update or delete or truncate on unheld_text for each statement execute function append_only();

-- Hands a text on to whoever holds its number now, as the text of this id; without one it is dealt with. Says what came of it:
-- `done`; `not_found`; `decided` before; `nobody` holds the number, or it is suspended; `erased`, its words are gone; `reason_needed`,
-- as it came while the number was not his.
create function decide_unheld_text(p_message uuid, p_copy uuid, p_reason text, p_by uuid, p_now timestamptz)
returns table (verdict text, account_id uuid) language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  m message;
  holder uuid;
  was_his boolean := false;
begin
  -- Locked against the erasure of its words: a copy made of them would outlive it.
  select * into m from message t where t.id = p_message and t.account_id is null for share;
  if not found then return query select 'not_found', null::uuid; return; end if;
  if exists (select 1 from unheld_text u where u.message_id = p_message) then
    return query select 'decided', null::uuid; return;
  end if;
  if p_copy is not null then
    if m.body is null then return query select 'erased', null::uuid; return; end if;
    select d.account_id into holder from did d where d.number = m.recipient and d.state = 'active' for share;
    if holder is null then return query select 'nobody', null::uuid; return; end if;
    was_his := exists (select 1 from number_holding h
      where h.number = m.recipient and h.account_id = holder and h.held_from <= m.accepted_at
        and (h.held_to is null or h.held_to > m.accepted_at));
  end if;
  if not was_his and p_reason is null then return query select 'reason_needed', holder; return; end if;
  insert into unheld_text (message_id, decision, account_id, copy_id, was_held_then, reason, decided_by, decided_at)
  values (p_message, case when p_copy is null then 'dealt_with' else 'handed_on' end, holder, p_copy, was_his, p_reason, p_by, p_now)
  on conflict do nothing;
  if not found then return query select 'decided', null::uuid; return; end if;
  if p_copy is not null then
    insert into message (id, account_id, direction, accepted_at, sender, recipient, body, encoding, segments, source, carrier_id, keyword)
    values (p_copy, holder, 'mo', m.accepted_at, m.sender, m.recipient, m.body, m.encoding, m.segments, 'carrier', m.carrier_id, m.keyword);
    -- STOP is obeyed, however late it comes; START undoes what was said before it and nothing that was said since.
    if m.keyword = 'stop' then
      insert into opt_out (account_id, recipient, sender, opted_out_at, message_id)
      values (holder, m.sender, m.recipient, p_now, p_copy) on conflict do nothing;
    elsif m.keyword = 'start' then
      delete from opt_out o where o.account_id = holder and o.recipient = m.sender and o.sender in (m.recipient, '*')
        and o.opted_out_at < m.accepted_at;
    end if;
    perform tell_customers('text', array[p_copy], p_now);
  end if;
  return query select 'done', holder;
end $$;

-- Its words are revealed as what is a customer's is: to one person, for some minutes, with a purpose.
alter table reveal_grant alter column account_id drop not null;
alter table reveal_grant add column message_id uuid;
alter table reveal_grant drop constraint reveal_grant_field_check;
alter table reveal_grant add constraint reveal_grant_field_check check (field in ('email', 'phone', 'name', 'unheld_text'));
alter table reveal_grant add constraint reveal_grant_of check (
  (field = 'unheld_text') = (message_id is not null) and (message_id is null) = (account_id is not null));

-- Roles ----------------------------------------------------------------------------------------------------------------

revoke execute on function decide_unheld_text from public;
-- What is decided about a text, and that it becomes somebody's, goes by the function alone.
grant execute on function decide_unheld_text to letsdial_portal;
grant select on unheld_text, opt_out to letsdial_portal;
