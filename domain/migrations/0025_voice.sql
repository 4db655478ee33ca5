-- Codes by voice call: the portal makes a code and asks for a call, and the controller of a switch has it spoken.

-- Who can speak codes. What is sealed for one is opened by the process that showed the key, and by nobody after its end.
create table speaker (
  switch_id text primary key,
  -- X25519 (RFC 7748). Its other half is in the memory of the controller that drives the switch.
  public_key bytea not null check (octet_length(public_key) = 32),
  -- Renewed while that controller lives; one that was silent for longer is asked nothing.
  alive_at timestamptz not null
);

-- asked: waits for the controller; calling: one call after another is made, over one route each; spoken: somebody answered; failed: nobody
-- did, or no call could be made. A row leaves `asked` once, before the first call: whoever calls did not call before.
create table spoken_code (
  -- The code that is spoken; the call is forgotten with it.
  id uuid primary key references verification_code on delete cascade,
  switch_id text not null,
  -- The number and the digits, sealed for the speaker. Emptied as soon as they are taken out, and after two minutes whatever happens.
  box bytea check (octet_length(box) between 61 and 1000),
  target_index bytea not null check (octet_length(target_index) = 32),
  address inet,
  state text not null default 'asked' check (state in ('asked', 'calling', 'spoken', 'failed')),
  failure text check (failure in ('busy', 'no_answer', 'unreachable', 'refused', 'interrupted', 'too_late', 'replaced')),
  -- The newest call: each has a record of its own, which says what it cost.
  call_id uuid,
  asked_at timestamptz not null,
  begun_at timestamptz,
  ended_at timestamptz,
  check ((box is not null) = (state = 'asked')),
  check ((failure is not null) = (state = 'failed')),
  check ((ended_at is not null) = (state in ('spoken', 'failed'))),
  check (state <> 'calling' or begun_at is not null)
);
create index spoken_code_open on spoken_code (switch_id, asked_at) where state in ('asked', 'calling');
create index spoken_code_target on spoken_code (target_index, asked_at);
create index spoken_code_address on spoken_code (address, asked_at) where address is not null;
create index spoken_code_age on spoken_code (asked_at);

create function spoken_code_notify() returns trigger language plpgsql as $$
begin
  perform pg_notify('spoken_code', new.switch_id);
  return null;
end $$;
create trigger spoken_code_notify after insert on spoken_code for each row execute function spoken_code_notify();
revoke execute on function spoken_code_notify from public;

-- A code that is worth nothing any more is spoken to nobody.
create function spoken_code_replaced() returns trigger language plpgsql as $$
begin
  update spoken_code set state = 'failed', failure = 'replaced', box = null, ended_at = new.ended_at
   where id = new.id and state = 'asked';
  return null;
end $$;
create trigger spoken_code_replaced after update of ended_at on verification_code for each row
  when (old.ended_at is null and new.ended_at is not null) execute function spoken_code_replaced();
revoke execute on function spoken_code_replaced from public;

grant select, insert, update on speaker to letsdial_controller;
grant select (id, switch_id, box, state, asked_at) on spoken_code to letsdial_controller;
grant update (box, state, failure, call_id, begun_at, ended_at) on spoken_code to letsdial_controller;
grant select on speaker to letsdial_portal;
grant select, insert, update (box, state, failure, ended_at) on spoken_code to letsdial_portal;

-- Voice mail: a number whose calls nobody answers may take a message.

alter table did
  -- Whose greeting is heard; null: there is no mailbox.
  add column voicemail text check (voicemail in ('standard', 'own')),
  -- The file that the switch plays.
  add column voicemail_greeting uuid,
  add constraint did_voicemail_whole check ((voicemail is not distinct from 'own') = (voicemail_greeting is not null)),
  add constraint did_voicemail_held check (voicemail is null or account_id is not null);

-- A mailbox is its holder's, whichever way the number leaves him: nobody is greeted by who was there before.
create function did_forgets_voicemail() returns trigger language plpgsql as $$
begin
  new.voicemail := null;
  new.voicemail_greeting := null;
  return new;
end $$;
create trigger did_forgets_voicemail before update of account_id on did for each row
  when (new.account_id is distinct from old.account_id) execute function did_forgets_voicemail();
revoke execute on function did_forgets_voicemail from public;

-- What callers said. It stays with whom it was said to, whoever holds the number now.
create table voice_message (
  -- The call's; a recording that is found again is taken once.
  id uuid primary key,
  account_id uuid not null references account,
  number text not null check (number ~ '^\+[1-9][0-9]{5,14}$'),
  -- Null where it was withheld.
  caller text check (length(caller) between 1 and 20),
  recorded_at timestamptz not null,
  seconds integer not null check (seconds > 0),
  -- In the folder of sealed recordings; its key is sealed by the account's.
  file_id uuid not null unique,
  key_sealed bytea not null,
  heard_at timestamptz
);
create index voice_message_newest on voice_message (account_id, recorded_at desc, id desc);
create index voice_message_age on voice_message (recorded_at);

grant update (voicemail, voicemail_greeting) on did to letsdial_portal;
grant select, insert, delete, update (heard_at) on voice_message to letsdial_portal;
