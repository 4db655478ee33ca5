-- A customer says that a number does not work; one of us looks into it, answers, and gives back the days on which it did not.

-- Only for the foreign key below, by which nobody claims for what somebody else held. A holding's account never changes.
alter table number_holding add constraint number_holding_whose unique (id, account_id);

create table fault_claim (
  id uuid primary key,
  account_id uuid not null,
  holding_id uuid not null,
  kind text not null check (kind in ('calls_out', 'calls_in', 'texts_out', 'texts_in', 'quality', 'other')),
  -- Since when, as the customer says.
  began_at timestamptz not null,
  -- Until when, where the customer said so; else, once something is given back for it, until when it was looked at.
  ended_at timestamptz,
  words text not null check (length(words) between 1 and 4000),
  opened_by uuid not null references portal_user,
  opened_at timestamptz not null,
  state text not null default 'open' check (state in ('open', 'accepted', 'declined', 'withdrawn')),
  closed_by uuid references portal_user,
  closed_at timestamptz,
  -- The customer reads it.
  answer text check (length(answer) between 1 and 4000),
  -- Days that were paid for, and what was given back for them: credit notes of the ledger that name the claim.
  credit_days smallint not null default 0 check (credit_days between 0 and 1000),
  credit_net_micros bigint not null default 0 check (credit_net_micros >= 0),
  credit_tax_micros bigint not null default 0 check (credit_tax_micros >= 0),
  version integer not null default 1,
  constraint fault_claim_whose foreign key (holding_id, account_id) references number_holding (id, account_id),
  constraint fault_claim_began check (began_at <= opened_at),
  constraint fault_claim_ended check (ended_at >= began_at),
  -- Whose days were given back says which, so that they are not given back again.
  constraint fault_claim_dealt_with check (credit_days = 0 or ended_at is not null),
  constraint fault_claim_closed check ((state = 'open') = (closed_at is null) and (state = 'open') = (closed_by is null)),
  constraint fault_claim_answered check ((state in ('accepted', 'declined')) = (answer is not null)),
  constraint fault_claim_granted check (credit_days = 0 or state = 'accepted'),
  constraint fault_claim_credited check (credit_days > 0 or credit_net_micros + credit_tax_micros = 0)
);
-- One fault of a number is looked into at a time.
create unique index fault_claim_one on fault_claim (holding_id) where state = 'open';
create index fault_claim_account on fault_claim (account_id, opened_at, id);
create index fault_claim_open on fault_claim (opened_at, id) where state = 'open';
create index fault_claim_newest on fault_claim (opened_at, id);
create index fault_claim_holding on fault_claim (holding_id);

-- What was answered stays what it was.
create function fault_claim_is_kept() returns trigger language plpgsql as $$
begin
  if old.state <> 'open' then raise exception 'a claim that is closed stays as it is'; end if;
  return new;
end $$;
create trigger fault_claim_is_kept before update on fault_claim for each row execute function fault_claim_is_kept();
create trigger append_only before delete or truncate on fault_claim for each statement execute function append_only();

grant select, insert, update (state, ended_at, closed_by, closed_at, answer, credit_days, credit_net_micros, credit_tax_micros, version)
  on fault_claim to letsdial_portal;
revoke execute on function fault_claim_is_kept from public;
