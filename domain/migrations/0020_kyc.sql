-- Who a customer is: which documents are asked for and why, what is claimed, what was uploaded and what a reviewer decided.

-- What is asked for --------------------------------------------------------------------------------------------------

-- One version of all rules. A draft is edited; what is published never changes again, and is in force from its moment until the next
-- one's.
create table document_requirement_set (
  id uuid primary key,
  number integer generated always as identity unique,
  state text not null default 'draft' check (state in ('draft', 'published')),
  note text not null check (length(note) between 1 and 500),
  -- Null: shipped with Letsdial.
  made_by uuid references portal_user,
  made_at timestamptz not null,
  in_force_at timestamptz,
  published_by uuid references portal_user,
  published_at timestamptz,
  version integer not null default 1,
  check ((state = 'published') = (in_force_at is not null)),
  check ((state = 'published') = (published_at is not null))
);
-- At each moment exactly one is in force.
create unique index document_requirement_set_in_force on document_requirement_set (in_force_at) where state = 'published';

create table document_requirement (
  set_id uuid not null references document_requirement_set on delete cascade,
  -- An asterisk: wherever no country has a row of its own.
  country text not null check (country ~ '^([A-Z]{2}|\*)$'),
  number_type text not null check (number_type in ('geographic', 'mobile', 'toll_free')),
  party text not null check (party in ('person', 'business')),
  -- [{"any_of": ["passport", …], "why": "…"}]: of each any_of, one is needed.
  documents jsonb not null check (jsonb_typeof(documents) = 'array'),
  -- [{"claim": "full_name", "why": "…"}]
  claims jsonb not null check (jsonb_typeof(claims) = 'array'),
  primary key (set_id, country, number_type, party)
);

create function published_requirements_stay() returns trigger language plpgsql as $$
declare
  touched uuid := case when tg_op = 'INSERT' then new.set_id else old.set_id end;
begin
  if exists (select 1 from document_requirement_set s where s.id = touched and s.state = 'published') then
    raise exception 'requirements that are published never change: make a new version';
  end if;
  return coalesce(new, old);
end $$;
create trigger published_requirements_stay before insert or update or delete on document_requirement
  for each row execute function published_requirements_stay();

create function published_set_stays() returns trigger language plpgsql as $$
begin
  raise exception 'a set of requirements that is published never changes: make a new version';
end $$;
create trigger published_set_stays before update or delete on document_requirement_set
  for each row when (old.state = 'published') execute function published_set_stays();

-- What is asked for until an operator, or his lawyer, publishes something else.
insert into document_requirement_set (id, note, made_at) values ('00000000-0000-4000-8000-0000000000d1', 'As shipped with Letsdial.', now());

with need (name, documents, claims) as (values
  ('nothing', '[]', '[]'),
  ('person', '[{"any_of": ["passport", "country_identification"], "why": "The provider of the number has to know who holds it."}]',
    '[{"claim": "full_name", "why": "It is compared with the document."}, {"claim": "birth_date", "why": "It tells people of one name apart."}]'),
  ('resident', '[{"any_of": ["passport", "country_identification"], "why": "The provider of the number has to know who holds it."},
                 {"any_of": ["proof_of_address"], "why": "A number of a place is for somebody who has an address."}]',
    '[{"claim": "full_name", "why": "It is compared with the document."}, {"claim": "birth_date", "why": "It tells people of one name apart."},
      {"claim": "address", "why": "It is compared with the proof of address."}]'),
  ('business', '[{"any_of": ["company_certificate"], "why": "It shows that the company is there and who speaks for it."},
                 {"any_of": ["representative_identity"], "why": "The provider of the number has to know who acts for the company."}]',
    '[{"claim": "company_name", "why": "It is compared with the certificate."}, {"claim": "registration_number", "why": "It finds the company in its register."},
      {"claim": "full_name", "why": "It is compared with the representative’s document."}]'),
  ('business_here', '[{"any_of": ["company_certificate"], "why": "It shows that the company is there and who speaks for it."},
                      {"any_of": ["representative_identity"], "why": "The provider of the number has to know who acts for the company."},
                      {"any_of": ["proof_of_address"], "why": "A number of a place is for somebody who has an address."}]',
    '[{"claim": "company_name", "why": "It is compared with the certificate."}, {"claim": "registration_number", "why": "It finds the company in its register."},
      {"claim": "full_name", "why": "It is compared with the representative’s document."}, {"claim": "address", "why": "It is compared with the proof of address."}]')
), rule (country, number_type, party, name) as (values
  ('*', 'geographic', 'person', 'resident'), ('*', 'geographic', 'business', 'business_here'),
  ('*', 'mobile', 'person', 'person'), ('*', 'mobile', 'business', 'business'),
  ('*', 'toll_free', 'person', 'person'), ('*', 'toll_free', 'business', 'business'),
  ('US', 'geographic', 'person', 'nothing'), ('US', 'geographic', 'business', 'nothing'),
  ('CA', 'geographic', 'person', 'nothing'), ('CA', 'geographic', 'business', 'nothing'),
  ('GB', 'geographic', 'person', 'person'), ('GB', 'geographic', 'business', 'business'),
  ('DE', 'mobile', 'person', 'resident'), ('DE', 'mobile', 'business', 'business_here')
)
insert into document_requirement (set_id, country, number_type, party, documents, claims)
select '00000000-0000-4000-8000-0000000000d1', r.country, r.number_type, r.party, n.documents::jsonb, n.claims::jsonb
  from rule r join need n on n.name = r.name;

update document_requirement_set set state = 'published', in_force_at = '2000-01-01 00:00:00+00', published_at = now();

-- Cases --------------------------------------------------------------------------------------------------------------

-- Each account has one; its states and who moves them are in portal-api/kyc/case_state.ts.
create table kyc_case (
  id uuid primary key,
  account_id uuid not null unique references account,
  state text not null default 'open' check (state in ('open', 'submitted', 'in_review', 'needs_more', 'approved', 'rejected')),
  -- For what the documents are, since the last time they were handed in.
  wanted_country char(2) check (wanted_country ~ '^[A-Z]{2}$'),
  wanted_number_type text check (wanted_number_type in ('geographic', 'mobile', 'toll_free')),
  submitted_at timestamptz,
  -- Whoever reviews it, and until when nobody else may.
  reviewer_id uuid references portal_user,
  locked_until timestamptz,
  closed_at timestamptz,
  closed_by uuid references portal_user,
  created_at timestamptz not null,
  version integer not null default 1,
  check ((state = 'in_review') = (reviewer_id is not null)),
  check ((state = 'in_review') = (locked_until is not null)),
  check (state not in ('submitted', 'in_review') or (submitted_at is not null and wanted_country is not null and wanted_number_type is not null))
);
create index kyc_case_queue on kyc_case (submitted_at, id) where state in ('submitted', 'in_review');

-- What the customer says about himself, in versions; sealed by the key of the account.
create table kyc_claims (
  account_id uuid not null references account,
  version integer not null check (version > 0),
  sealed bytea not null,
  -- Which are said, though not what: whether one is missing is known without the key.
  names text[] not null check (names <@ array['full_name', 'birth_date', 'address', 'company_name', 'registration_number']),
  made_by uuid not null references portal_user,
  made_at timestamptz not null,
  primary key (account_id, version)
);
create trigger append_only before update or delete or truncate on kyc_claims for each statement execute function append_only();

create table kyc_document (
  id uuid primary key,
  account_id uuid not null references account,
  type text not null check (type in ('passport', 'country_identification', 'proof_of_address', 'company_certificate', 'representative_identity')),
  state text not null default 'uploaded' check (state in ('uploaded', 'submitted', 'approved', 'rejected', 'asked_again', 'expired', 'replaced')),
  -- Its pages lie one after the other in a file of this name; each try to write one has a name of its own.
  file_id uuid not null unique,
  page_bytes integer[] not null check (cardinality(page_bytes) between 1 and 20),
  -- The key of the file, sealed by the key of the account. Without it the file is noise, in every copy of it.
  key_sealed bytea,
  uploaded_by uuid not null references portal_user,
  uploaded_at timestamptz not null,
  submitted_at timestamptz,
  decided_by uuid references portal_user,
  decided_at timestamptz,
  -- A code of portal-api/kyc/reasons.ts, and the reviewer's own words to the customer.
  reason text check (reason ~ '^[a-z_]{1,40}$'),
  note_sealed bytea,
  -- The last day on which it counts.
  valid_until date,
  -- How many days ahead it was last said that it runs out.
  told_days smallint,
  auto_verdict text check (auto_verdict in ('passed', 'failed', 'unsure')),
  destroyed_at timestamptz,
  check ((key_sealed is null) = (destroyed_at is not null)),
  check (state = 'uploaded' or submitted_at is not null),
  check (state in ('uploaded', 'submitted') or decided_at is not null),
  check (state <> 'approved' or (valid_until is not null and key_sealed is not null)),
  check (state not in ('rejected', 'asked_again') or reason is not null)
);
create index kyc_document_account on kyc_document (account_id, uploaded_at);
create index kyc_document_expiry on kyc_document (valid_until) where state = 'approved';
create index kyc_document_done on kyc_document (decided_at) where key_sealed is not null and state in ('rejected', 'asked_again', 'expired', 'replaced');
create index kyc_document_abandoned on kyc_document (uploaded_at) where submitted_at is null;

grant select, insert, update, delete on document_requirement_set to letsdial_portal;
grant select, insert, delete on document_requirement to letsdial_portal;
grant select, insert, update on kyc_case to letsdial_portal;
grant select, insert on kyc_claims to letsdial_portal;
grant select, insert, update, delete on kyc_document to letsdial_portal;

revoke execute on function published_requirements_stay, published_set_stays from public;
