-- Tells how texts ended: every endpoint of the account that wants to hear of it, unless the text was sent over HTTP by who wants no receipt
-- of it; or the bind that the text came from. As before but for that.
create or replace function tell_customers(p_kind text, p_messages uuid[], p_now timestamptz) returns void language plpgsql as $$
declare
  told integer;
begin
  with texts as materialized (
    select m.id, m.account_id, m.source, m.system_id, m.wants_receipt, m.recipient from message m where m.id = any(p_messages)
  )
  insert into customer_delivery (account_id, kind, message_id, channel, target, due_at)
  select t.account_id, p_kind, t.id, 'webhook', e.id::text, p_now
    from texts t join webhook_endpoint e on e.account_id = t.account_id and e.enabled and p_kind = any(e.kinds)
   where t.source in ('portal', 'carrier') or t.source = 'http' and (p_kind <> 'receipt' or t.wants_receipt)
  union all
  select t.account_id, p_kind, t.id, 'smpp', t.system_id, p_now
    from texts t where t.source = 'smpp' and t.wants_receipt and p_kind = 'receipt'
  union all
  select t.account_id, p_kind, t.id, 'smpp', e.system_id, p_now
    from texts t, lateral (
           -- The bind whose range is the narrowest that holds the number.
           select e.system_id from esme e
            where e.account_id = t.account_id and e.enabled
              and (e.address_range is null or ltrim(t.recipient, '+') like e.address_range || '%')
            order by length(e.address_range) desc nulls last, e.system_id limit 1) e
   where p_kind = 'text';
  get diagnostics told = row_count;
  if told > 0 then perform pg_notify('customer_delivery', ''); end if;
end $$;
