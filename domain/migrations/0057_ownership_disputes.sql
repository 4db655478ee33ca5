-- Somebody says that a number is his which another customer has. Two of us decide before it changes hands, and while they look at it, it
-- stays where it is.

create table ownership_dispute (
  id uuid primary key,
  -- What is disputed: that this account has the number by this holding.
  holding_id uuid not null,
  holder_account_id uuid not null,
  claimant_account_id uuid not null references account,
  kind text not null check (kind in ('handed_over', 'brought_here', 'sold_anew', 'other')),
  -- What the claimant says; the holder never reads it.
  words text not null check (length(words) between 1 and 4000),
  -- Somebody of the claimant's, or one of us who wrote down what came by letter.
  opened_by uuid not null references portal_user,
  opened_at timestamptz not null,
  -- Until then the number is neither handed on nor ended. What is not decided by then keeps nobody's number any more.
  kept_until timestamptz not null,
  -- What the holder says; the claimant never reads it.
  holder_words text check (length(holder_words) between 1 and 4000),
  holder_answered_at timestamptz,
  state text not null default 'open' check (state in ('open', 'proposed', 'upheld', 'rejected', 'withdrawn', 'lapsed')),
  -- The first of the two who would give the number to the claimant.
  proposed_by uuid references portal_user,
  proposed_at timestamptz,
  closed_by uuid references portal_user,
  closed_at timestamptz,
  -- Both sides read it.
  answer text check (length(answer) between 1 and 4000),
  version integer not null default 1,
  constraint ownership_dispute_whose foreign key (holding_id, holder_account_id) references number_holding (id, account_id),
  constraint ownership_dispute_two_sides check (claimant_account_id <> holder_account_id),
  constraint ownership_dispute_kept check (kept_until >= opened_at),
  constraint ownership_dispute_heard check ((holder_words is null) = (holder_answered_at is null)),
  constraint ownership_dispute_proposed check ((proposed_by is null) = (proposed_at is null)),
  constraint ownership_dispute_first check (state not in ('proposed', 'upheld') or proposed_by is not null),
  -- Nobody alone takes a number from one customer and gives it to another.
  constraint ownership_dispute_second check (state <> 'upheld' or closed_by <> proposed_by),
  constraint ownership_dispute_closed check ((state in ('open', 'proposed')) = (closed_at is null)),
  constraint ownership_dispute_closer check ((state in ('open', 'proposed', 'lapsed')) = (closed_by is null)),
  constraint ownership_dispute_answered check ((state in ('proposed', 'upheld', 'rejected')) = (answer is not null))
);
-- Somebody says so once at a time. Another one may say the same of that number: who says so first is not by that the right one.
create unique index ownership_dispute_one on ownership_dispute (holding_id, claimant_account_id) where state in ('open', 'proposed');
create index ownership_dispute_holding on ownership_dispute (holding_id);
create index ownership_dispute_holder on ownership_dispute (holder_account_id, opened_at, id);
create index ownership_dispute_claimant on ownership_dispute (claimant_account_id, opened_at, id);
create index ownership_dispute_waiting on ownership_dispute (opened_at, id) where state in ('open', 'proposed');
create index ownership_dispute_newest on ownership_dispute (opened_at, id);

-- What was decided stays what it was.
create function ownership_dispute_is_kept() returns trigger language plpgsql as $$
begin
  if old.closed_at is not null then raise exception 'a dispute that is closed stays as it is'; end if;
  return new;
end $$;
create trigger ownership_dispute_is_kept before update on ownership_dispute for each row execute function ownership_dispute_is_kept();
create trigger append_only before delete or truncate on ownership_dispute for each statement execute function append_only();

-- A transfer that we decided on, and not its holder.
alter table number_transfer
  add column dispute_id uuid references ownership_dispute,
  add constraint number_transfer_decided_by_us check (dispute_id is null or state = 'done');
create unique index number_transfer_dispute on number_transfer (dispute_id) where dispute_id is not null;

grant select, insert,
      update (kept_until, holder_words, holder_answered_at, state, proposed_by, proposed_at, closed_by, closed_at, answer, version)
  on ownership_dispute to letsdial_portal;
revoke execute on function ownership_dispute_is_kept from public;
