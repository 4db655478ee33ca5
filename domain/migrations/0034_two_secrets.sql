-- A customer who replaces the secret of his webhooks has servers that still check by the old one. Both sign for a day, as Standard
-- Webhooks 1.0.0 has it, so that nothing he is told meanwhile looks forged.
alter table webhook_endpoint
  add column old_secret text,
  add column old_secret_until timestamptz;

-- By the table, as whoever replaces a secret may write and not read it.
create function webhook_secret_stays_a_while() returns trigger language plpgsql as $$
begin
  new.old_secret := old.secret;
  new.old_secret_until := now() + interval '1 day';
  return new;
end $$;
create trigger webhook_secret_stays_a_while before update of secret on webhook_endpoint for each row
  when (new.secret is distinct from old.secret) execute function webhook_secret_stays_a_while();
revoke execute on function webhook_secret_stays_a_while from public;
