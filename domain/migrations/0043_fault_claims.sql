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
  words text not null check (length(words) between 1 and 4000),
  opened_by uuid not null references portal_user,
  opened_at timestamptz not null,
  state text not null default 'open' check (state in ('open', 'accepted', 'declined', 'withdrawn')),
  closed_by uuid references portal_user,
  closed_at timestamptz,
  -- The customer reads it.
  answer text check (length(answer) between 1 and 4000),
  -- Days of the month that was paid last, and what was given back for them: the ledger's credit note with the claim's id.
  credit_days smallint not null default 0 check (credit_days between 0 and 31),
  credit_net_micros bigint not null default 0 check (credit_net_micros >= 0),
  credit_tax_micros bigint not null default 0 check (credit_tax_micros >= 0),
  version integer not null default 1,
  constraint fault_claim_whose foreign key (holding_id, account_id) references number_holding (id, account_id),
  constraint fault_claim_began check (began_at <= opened_at),
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

grant select, insert, update (words, state, closed_by, closed_at, answer, credit_days, credit_net_micros, credit_tax_micros, version)
  on fault_claim to letsdial_portal;
