import type { Queryable } from '../../../domain/db/transaction.ts';
import type { Micros } from '../../../domain/money/micros.ts';
import type { ChargedPeriod } from '../holdings/holding_rows.ts';
import type { RefundDue } from '../holdings/left_of_charge.ts';
import { daysOf } from '../holdings/period.ts';
import type { Claim } from './claim_rows.ts';

/** A month that was paid for, so many days of which a number did not work that nothing was given back for yet. */
export interface FaultyPeriod extends ChargedPeriod {
  days: number;
  /** What is left of the month's price, without the setup that was charged with the first. */
  left: RefundDue;
}

type PeriodRow = Omit<FaultyPeriod, 'net_micros' | 'tax_micros' | 'left'> & {
  [K in 'net_micros' | 'tax_micros' | 'given_net_micros' | 'given_tax_micros']: string;
};

/**
 * The latest first. A fault is counted while its claimant held the number, to its end, or to `now`; moments that another claim was granted
 * for are not counted again. Days are begun ones, of 24 hours, of all the faults of a month together.
 */
export async function faultyPeriods(db: Queryable, claim: Claim, now: Date): Promise<readonly FaultyPeriod[]> {
  const { rows } = await db.query<PeriodRow>(
    `with fault as (
       select h.id as holding_id, greatest(c.began_at, h.held_from) as since, least(c.ended_at, h.held_to, $2::timestamptz) as until
         from fault_claim c join number_holding h on h.id = c.holding_id where c.id = $1
     ), times as (
       select f.holding_id, tstzmultirange(tstzrange(f.since, greatest(f.since, f.until))) as own,
              coalesce((select range_agg(tstzrange(d.began_at, d.ended_at)) from fault_claim d
                         where d.holding_id = f.holding_id and d.id <> $1 and d.credit_days > 0), '{}') as granted
         from fault f
     )
     select p.period_no, p.starts_at, p.ends_at, p.net_micros, p.tax_micros, p.charge_kind, p.charge_ref,
            coalesce(g.net_micros, 0) as given_net_micros, coalesce(g.tax_micros, 0) as given_tax_micros,
            -- A little more of a fault is no day more, where that day was given back as a begun one.
            greatest(0, least(n.own, n.all_of_it - coalesce(g.days, 0)))::integer as days
       from times t join number_period p on p.holding_id = t.holding_id
       cross join lateral (select tstzmultirange(tstzrange(p.starts_at, p.ends_at)) as month) m
       cross join lateral (
         select (select ceil(sum(extract(epoch from upper(r) - lower(r))) / 86400) from unnest((t.own - t.granted) * m.month) r) as own,
                (select ceil(sum(extract(epoch from upper(r) - lower(r))) / 86400) from unnest((t.own + t.granted) * m.month) r) as all_of_it) n
       left join lateral (select sum((x.content ->> 'net_micros')::bigint)::bigint as net_micros,
                                 sum((x.content ->> 'tax_micros')::bigint)::bigint as tax_micros,
                                 sum((x.content ->> 'days')::integer) filter (where x.content ? 'claim_id') as days
                            from ledger_tx x
                           where x.kind = 'credit_note' and x.content ->> 'charge_ref' = p.charge_ref::text
                             and x.content ->> 'charge_kind' = p.charge_kind) g on true
      where n.own > 0 order by p.period_no desc`,
    [claim.id, now],
  );
  return rows.map(periodOf);
}

function periodOf({ given_net_micros, given_tax_micros, ...row }: PeriodRow): FaultyPeriod {
  const period = { ...row, net_micros: BigInt(row.net_micros), tax_micros: BigInt(row.tax_micros) };
  const left = {
    net_micros: atLeastNothing(period.net_micros - BigInt(given_net_micros)),
    tax_micros: atLeastNothing(period.tax_micros - BigInt(given_tax_micros)),
  };
  return { ...period, days: Math.min(row.days, daysOf(period)), left };
}

const atLeastNothing = (micros: Micros): Micros => (micros > 0n ? micros : 0n);
