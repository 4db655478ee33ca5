import type { Queryable } from '../../../domain/db/transaction.ts';

const broken = `
select name, broken::integer from ledger_invariant where broken > 0
union all
select 'two holders of a number at one moment, or one within its quarantine', count(*)::integer
  from number_holding a join number_holding b on a.number = b.number and a.id < b.id
 where tstzrange(a.held_from, a.blocked_until) && tstzrange(b.held_from, b.blocked_until) having count(*) > 0
union all
select 'more given back of a charge than was charged', count(*)::integer
  from ledger_tx c
  join (select content ->> 'charge_kind' as kind, (content ->> 'charge_ref')::uuid as ref,
               sum((content ->> 'net_micros')::bigint) as net, sum((content ->> 'tax_micros')::bigint) as tax
          from ledger_tx where kind = 'credit_note' group by 1, 2) g on g.kind = c.kind and g.ref = c.ref
 where g.net > (c.content ->> 'net_micros')::bigint or g.tax > (c.content ->> 'tax_micros')::bigint having count(*) > 0
union all
select 'a charge that is not what its postings say', count(*)::integer
  from ledger_tx c join posting p on p.tx_id = c.id join ledger_account a on a.id = p.account_id and a.kind = 'wallet_cash'
 where c.kind in ('purchase', 'renewal')
   and -p.amount_micros <> (c.content ->> 'net_micros')::bigint + (c.content ->> 'tax_micros')::bigint having count(*) > 0
union all
select 'more refunded of a payment than was paid', count(*)::integer
  from payment_attempt a
 where (select coalesce(sum(r.amount_micros), 0) from refund_part r where r.attempt_id = a.id and r.state <> 'failed')
       not in (select least(a.refunded_micros, a.amount_micros)) having count(*) > 0
union all
select 'a payment that is not in the ledger once', count(*)::integer
  from payment_attempt a
 where (a.state in ('succeeded', 'disputed', 'charged_back')) <> exists (select from ledger_tx t where t.kind = 'topup' and t.ref = a.id)
having count(*) > 0
union all
select 'a claim that gave back something else than it says', count(*)::integer
  from fault_claim c
 where c.credit_net_micros + c.credit_tax_micros <> (
   select coalesce(sum((t.content ->> 'net_micros')::bigint + (t.content ->> 'tax_micros')::bigint), 0)
     from ledger_tx t where t.kind = 'credit_note' and t.content ->> 'claim_id' = c.id::text) having count(*) > 0
union all
select 'a wallet below zero', count(*)::integer from wallet where balance_micros < 0 having count(*) > 0
union all
select 'a dispute that took something else than it says', count(*)::integer
  from payment_dispute d
  left join ledger_tx t on t.kind = 'chargeback' and t.ref = d.id
 where d.debited_micros <> coalesce((select -sum(p.amount_micros) from posting p join ledger_account a on a.id = p.account_id
                                      where p.tx_id = t.id and a.kind = 'wallet_cash'), 0)
    or d.owed_micros <> coalesce((select -sum(p.amount_micros) from posting p join ledger_account a on a.id = p.account_id
                                   where p.tx_id = t.id and a.kind = 'receivable'), 0)
    or (t.id is null) <> (d.debited_micros + d.owed_micros = 0) having count(*) > 0
union all
select 'a debt that is not what could not be debited less what was paid of it', count(*)::integer
  from (select w.id,
               coalesce((select -sum(p.amount_micros) from posting p join ledger_account a on a.id = p.account_id
                          where a.kind = 'receivable' and a.wallet_id = w.id), 0) as owed,
               coalesce((select sum(d.owed_micros) from payment_dispute d join payment_attempt t on t.id = d.attempt_id
                          where t.wallet_id = w.id), 0) as taken,
               coalesce((select sum(p.amount_micros) from posting p join ledger_account a on a.id = p.account_id
                                join ledger_tx t on t.id = p.tx_id
                          where a.kind = 'receivable' and a.wallet_id = w.id and t.kind in ('receivable', 'reversal')), 0) as paid,
               exists (select from debt_restriction r where r.account_id = w.account_id) as is_restricted
          from wallet w) x
 where owed <> taken - paid or owed < 0 or (owed > 0) <> is_restricted having count(*) > 0`;

/** Which rules do not hold right now over all that a database has, as SQL alone sees it; empty where it is as it should be. */
export async function brokenRules(db: Queryable): Promise<readonly { name: string; broken: number }[]> {
  const { rows } = await db.query<{ name: string; broken: number }>({ name: 'broken_rules', text: broken });
  return rows;
}

const happened = `
select (select count(*) from ledger_tx where kind = 'purchase') as bought,
       (select count(*) from ledger_tx where kind = 'renewal') as renewed,
       (select count(*) from number_cancellation where done_at is not null) as cancelled,
       (select count(*) from ledger_tx where kind = 'credit_note') as given_back,
       (select count(*) from number_transfer where state = 'done') as transferred,
       (select count(*) from refund where state = 'paid') as refunded,
       (select count(*) from refund where state = 'failed') as not_refunded,
       (select count(*) from refund where state = 'rejected') as rejected,
       (select count(*) from payment_dispute where state = 'open') as disputes_open,
       (select count(*) from payment_dispute where state = 'won') as disputes_won,
       (select count(*) from payment_dispute where state = 'lost') as disputes_lost,
       (select count(*) from payment_dispute where owed_micros > 0) as debts,
       (select count(*) from ledger_tx where kind = 'receivable') as debts_paid,
       (select count(*) from number_notice where kind in ('grace', 'suspended')) as left_unpaid`;

export type Happened = Record<string, number>;

/** How often each thing has happened in a database. */
export async function whatHappened(db: Queryable): Promise<Happened> {
  const { rows } = await db.query<Record<string, string>>(happened);
  return Object.fromEntries(Object.entries(rows[0] ?? {}).map(([name, count]) => [name, Number(count)]));
}
