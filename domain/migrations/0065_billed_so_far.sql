-- An invoice reads what came since the one before it, and not all that its wallet ever paid.

-- Of the invoice of a month: below this transaction nothing of the wallet is left to bill. Empty on those from before it was noted.
alter table invoice add column unbilled_from_tx bigint;

-- As before, from where the last invoice of a month left off.
create or replace function billable(p_wallet bigint, p_before timestamptz)
returns table (tx_id bigint, kind text, ref uuid, created_at timestamptz, content jsonb, moved_micros bigint) language sql stable as $$
  select t.id, t.kind, t.ref, t.created_at, t.content, m.moved
    from (select p.tx_id, sum(p.amount_micros)::bigint as moved
            from ledger_account a join posting p on p.account_id = a.id
           where a.wallet_id = p_wallet and a.kind in ('wallet_cash', 'wallet_promo')
             and p.tx_id >= coalesce((select max(i.unbilled_from_tx) from invoice i where i.wallet_id = p_wallet and i.month is not null), 0)
           group by p.tx_id) m
         join ledger_tx t on t.id = m.tx_id
   where t.kind in ('call', 'text', 'text_refund', 'purchase', 'renewal', 'credit_note', 'adjustment')
     and not t.content ? 'invoice_id' and t.created_at < p_before
     and not exists (select 1 from invoice_line l where l.tx_id = t.id)
$$;

-- When the first of what is billable was posted; null where nothing is. It is the first by its id, so that no more than that one is read:
-- what was written down earlier and posted later than another one of the same moment may be told a little late.
create function billable_since(p_wallet bigint) returns timestamptz language sql stable as $$
  select min(f.created_at)
    from ledger_account a
         cross join lateral (
           select t.created_at from posting p join ledger_tx t on t.id = p.tx_id
            where p.account_id = a.id
              and p.tx_id >= coalesce((select max(i.unbilled_from_tx) from invoice i where i.wallet_id = p_wallet and i.month is not null), 0)
              and t.kind in ('call', 'text', 'text_refund', 'purchase', 'renewal', 'credit_note', 'adjustment')
              and not t.content ? 'invoice_id'
              and not exists (select 1 from invoice_line l where l.tx_id = t.id)
            order by p.tx_id limit 1) f
   where a.wallet_id = p_wallet and a.kind in ('wallet_cash', 'wallet_promo')
$$;

revoke execute on function billable_since from public;
grant execute on function billable_since to letsdial_portal;

-- What was tried too often to be tried again is looked for by what is left to do.
create index refund_sending on refund (requested_at) where state = 'sending';
create index provider_submission_told on provider_submission (order_id) where deletion_asked_at is null;
create index number_order_number on number_order (number, state_since);
