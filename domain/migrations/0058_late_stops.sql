-- A text that is handed on by the desk may be a STOP. What it forbids is then not yet in the hands of whoever accepts texts, but may wait in
-- a gateway's memory: gateways hear of it, and look for what is unwanted by now.
create function unheld_text_handed_on() returns trigger language plpgsql as $$
begin
  perform pg_notify('opt_out', '');
  return null;
end $$;
create trigger unheld_text_handed_on after insert on unheld_text
  for each row when (new.decision = 'handed_on') execute function unheld_text_handed_on();
revoke execute on function unheld_text_handed_on from public;
