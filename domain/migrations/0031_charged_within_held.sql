-- What a call was charged is compared with what was held for it, as its record keeps the grants after the hold is gone: what was not
-- held may be the operator's loss, and never the customer's charge.
create or replace view ledger_invariant as
  select 'wallet below its floor' as name, count(*) as broken from wallet where balance_micros + credit_limit_micros - held_micros < 0
  union all
  select 'held differs from the open holds', count(*) from wallet w
   where held_micros <> (select coalesce(sum(h.held_micros), 0) from call_hold h where h.wallet_id = w.id and h.state = 'o')
  union all
  select 'open calls differ from the open holds', count(*) from wallet w
   where open_calls <> (select count(*) from call_hold h where h.wallet_id = w.id and h.state = 'o')
  union all
  select 'balance differs from the postings', count(*) from wallet w
   where balance_micros <> (select coalesce(sum(p.amount_micros), 0) from posting p join ledger_account a on a.id = p.account_id
                             where a.wallet_id = w.id and a.kind in ('wallet_cash', 'wallet_promo'))
  union all
  select 'promo credit differs from the postings', count(*) from promo_credit c
   where balance_micros <> (select coalesce(sum(p.amount_micros), 0) from posting p where p.account_id = c.ledger_account_id)
  union all
  select 'promo credit of a wallet differs from its parts', count(*) from wallet w
   where promo_micros <> (select coalesce(sum(c.balance_micros), 0) from promo_credit c where c.wallet_id = w.id)
  union all
  select 'transaction that does not sum to zero', count(*) from
    (select 1 from posting group by tx_id, currency having sum(amount_micros) <> 0) x
  union all
  select 'settled hold without a record, or a record of an open hold', count(*) from call_hold h
   where (h.state = 's') <> exists (select 1 from cdr c where c.leg_id = h.leg_id and c.wallet_id is not null)
  union all
  select 'leg settled twice', count(*) from (select 1 from cdr group by leg_id having count(*) > 1) x
  union all
  select 'held differs from the grants', count(*) from call_hold h
   where held_micros <> (select coalesce(sum(g.micros), 0) from call_grant g where g.leg_id = h.leg_id)
  union all
  select 'charge without its posting', count(*) from cdr c
   where c.net_micros + c.tax_micros > 0 and not exists (
     select 1 from ledger_tx t where t.kind = 'call' and t.ref = c.leg_id
        and t.content ->> 'net_micros' = c.net_micros::text and t.content ->> 'tax_micros' = c.tax_micros::text)
  union all
  select 'pack held differs from the open holds', count(*) from minute_pack m
   where seconds_held <> (select coalesce(sum(h.pack_seconds_held), 0) from call_hold h where h.pack_id = m.id and h.state = 'o')
  union all
  select 'call charged with more than was held for it', count(*) from cdr c
   where c.net_micros + c.tax_micros > (select coalesce(sum((g ->> 'micros')::bigint), 0) from jsonb_array_elements(c.grants) g)
      or c.pack_seconds > (select coalesce(sum((g ->> 'pack_seconds')::bigint), 0) from jsonb_array_elements(c.grants) g);
