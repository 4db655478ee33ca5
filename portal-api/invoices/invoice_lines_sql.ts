import type { Transaction } from '../../domain/db/transaction.ts';
import { centMicros } from '../payments/cents.ts';
import { NUMBER_SQL } from './next_number.ts';

export interface NewInvoice {
  invoice_id: string;
  wallet_id: bigint;
  account_id: string;
  currency: string;
  month: string;
  period_from: Date;
  period_to: Date;
  issued_at: Date;
  buyer_sealed: Buffer;
  slow_ms: number;
}

export interface WrittenInvoice {
  number: string;
  /** What the wallet paid for what is on it, by its postings. */
  gross_micros: bigint;
  /** The same by its lines. */
  lines_micros: bigint;
  /** In whole cents, towards less. */
  total_micros: bigint;
}

/**
 * A line for each call, each text and each other charge. A call says which row of which version of the rate deck its price is from, how
 * many seconds were spoken, billed and paid by a pack; a text its segments and theirs. A call in that was forwarded, which the carrier
 * of its record tells, says the number's own price and that of the way on: the line is their sum. A call that a pack covered whole has
 * no transaction, and its line comes to nothing.
 */
const LINES = `
  select b.tx_id, b.kind, c.started_at as at, c.leg_id as item,
         case c.direction when 'inbound' then 'Call from ' || coalesce(c.caller, 'an unknown number')
           || coalesce(', forwarded to ' || (f.forwarded ->> 'to'), '') else 'Call to ' || c.dialled end
           || coalesce(' (' || c.destination || ')', '') as what,
         c.seconds_billed as quantity, 'second' as unit,
         jsonb_strip_nulls(jsonb_build_object('answered_at', c.answered_at, 'ended_at', c.ended_at, 'seconds_spoken', c.seconds_charged,
           'seconds_billed', c.seconds_billed, 'pack_seconds', nullif(c.pack_seconds, 0), 'pack', p.name, 'rate', c.snapshot #> '{tariff,rate}',
           'tax_ppm', c.snapshot #> '{tariff,tax_ppm}', 'deck', c.snapshot #> '{source,deck}', 'deck_version', c.snapshot #> '{source,version}',
           'deck_id', c.snapshot #> '{source,deck_id}', 'prefix', c.snapshot #> '{source,prefix}', 'forwarded', f.explained)) as explained,
         c.net_micros, c.tax_micros
    from billed b join cdr c on c.leg_id = b.ref and c.wallet_id = $2
    left join minute_pack p on p.id = c.pack_id and c.pack_seconds > 0
    left join lateral (
      select x.forwarded, jsonb_build_object('to', x.forwarded -> 'to', 'rate', x.forwarded -> 'rate', 'deck', x.forwarded #> '{source,deck}',
               'deck_version', x.forwarded #> '{source,version}', 'deck_id', x.forwarded #> '{source,deck_id}',
               'prefix', x.forwarded #> '{source,prefix}') as explained
        from (select c.snapshot #> '{tariff,forwarded}' as forwarded) x
       where c.direction = 'inbound' and c.carrier_id is not null and jsonb_typeof(x.forwarded) = 'object') f on true
   where b.kind = 'call'
  union all
  select b.tx_id, b.kind, m.accepted_at, m.id, 'Text to ' || m.recipient || coalesce(' (' || m.destination || ')', ''), m.segments, 'segment',
         jsonb_strip_nulls(jsonb_build_object('segments', m.segments, 'rate_micros_per_segment', m.rate_micros_per_segment::text,
           'deck_id', m.deck_id, 'deck', d.name, 'deck_version', d.version, 'prefix', m.prefix)),
         m.net_micros, m.tax_micros
    from billed b join message m on m.charge_ref = b.ref and m.wallet_id = $2 left join rate_deck d on d.id = m.deck_id where b.kind = 'text'
  union all
  select b.tx_id, b.kind, b.created_at, b.ref, 'Text that was not delivered' || coalesce(' to ' || m.recipient, ''),
         (b.content ->> 'segments')::integer, 'segment', jsonb_build_object('charge_ref', b.content ->> 'charge_ref'),
         -(b.content ->> 'net_micros')::bigint, -(b.content ->> 'tax_micros')::bigint
    from billed b left join message m on m.id = b.ref where b.kind = 'text_refund'
  union all
  select b.tx_id, b.kind, b.created_at, b.ref,
         case b.kind when 'credit_note' then 'Credit: ' when 'renewal' then 'Renewal: ' when 'adjustment' then 'Correction: ' else '' end
           || coalesce(case b.content ->> 'what'
                         when 'number' then 'Number ' || (b.content ->> 'number')
                         when 'number_renewal' then 'another month of ' || (b.content ->> 'number')
                         when 'number_port_in' then 'Moving ' || (b.content ->> 'number') || ' to us'
                         when 'number_cancelled' then 'unused days of ' || (b.content ->> 'number') end,
                       b.content ->> 'what', b.content ->> 'number', b.kind),
         1, 'piece', b.content - array['net_micros', 'tax_micros', 'wallet_id'],
         (case b.kind when 'credit_note' then -1 else 1 end) * (b.content ->> 'net_micros')::bigint,
         (case b.kind when 'credit_note' then -1 else 1 end) * (b.content ->> 'tax_micros')::bigint
    from billed b where b.kind in ('purchase', 'renewal', 'credit_note', 'adjustment')`;

/**
 * Writes an invoice with all its lines; null where there is nothing to bill. It is one statement, and so of one snapshot: whatever the wallet
 * is charged meanwhile is on the next invoice. The number is taken once all lines are known, as whoever takes one keeps others waiting. A
 * credit note's comes after its wallet's lock, as it does wherever else one is issued.
 *
 * The next invoice begins to read where this one left off: behind the last transaction that is two days old. What is not committed yet began
 * in the last day, as no transaction is open for as long, and so has a higher id than any from the day before that.
 */
export async function insertWithLines(tx: Transaction, invoice: NewInvoice): Promise<WrittenInvoice | null> {
  const { rows } = await tx.query<Record<'gross' | 'total' | 'number' | 'of_lines', string>>({
    text: `with unbilled as materialized (select * from billable($2, 'infinity')),
       billed as materialized (
         select tx_id, kind, ref, created_at, content, moved_micros from unbilled where created_at < $7
         union all
         select null, 'call', c.leg_id, c.ended_at, '{}', 0 from cdr c
          where c.wallet_id = $2 and c.pack_seconds > 0 and c.net_micros = 0 and c.tax_micros = 0 and c.ended_at < $7
            and not exists (select 1 from invoice_line l where l.item = c.leg_id and l.tx_id is null)),
       lines as materialized (${LINES}),
       told as materialized (
         select count(*) as line_count, sum(net_micros) as net_micros, sum(tax_micros) as tax_micros from lines),
       paid as materialized (select (-sum(moved_micros))::bigint as gross from billed having count(tx_id) > 0),
       due as materialized (select gross, gross - ((gross % $9::bigint) + $9::bigint) % $9::bigint as total from paid),
       left_off as materialized (
         select least(coalesce(max(u.tx_id) filter (where u.created_at < e.at) + 1,
                               (select max(i.unbilled_from_tx) from invoice i where i.wallet_id = $2 and i.month is not null), 0),
                      min(u.tx_id) filter (where u.created_at >= e.at)) as tx_id
           from (select least($7, now() - interval '2 days') as at) e left join unbilled u on true),
       kept as materialized (select w.id from wallet w, due where w.id = $2 and due.gross < 0 for no key update of w),
       numbered as (
         insert into invoice_counter as c (series, year, last)
         select case when due.gross < 0 then 'CRN' else 'INV' end, $10, 1 from due cross join told left join kept on true
         on conflict (series, year) do update set last = c.last + 1 returning ${NUMBER_SQL} as number),
       made as (
         insert into invoice (id, account_id, wallet_id, currency, number, kind, month, period_from, period_to, issued_at, line_count,
                              net_micros, tax_micros, rounding_micros, total_micros, buyer_sealed, unbilled_from_tx)
         select $1, $3, $2, $4, numbered.number, case when due.gross < 0 then 'credit_note' else 'invoice' end, $5, $6, $7, $8,
                told.line_count, told.net_micros, told.tax_micros, due.total - due.gross,
                told.net_micros + told.tax_micros + due.total - due.gross, $11, left_off.tx_id
           from due, numbered, told, left_off),
       written as (
         insert into invoice_line (invoice_id, n, tx_id, kind, at, item, what, quantity, unit, explained, net_micros, tax_micros)
         select $1, row_number() over (order by at, tx_id, item), tx_id, kind, at, item, what, quantity, unit, explained, net_micros, tax_micros
           from lines where exists (select from due))
     select due.gross, due.total, numbered.number, (told.net_micros + told.tax_micros)::bigint as of_lines from due, numbered, told`,
    values: [
      ...[invoice.invoice_id, invoice.wallet_id.toString(), invoice.account_id, invoice.currency, invoice.month],
      ...[invoice.period_from, invoice.period_to, invoice.issued_at, centMicros(invoice.currency).toString()],
      ...[invoice.issued_at.getUTCFullYear(), invoice.buyer_sealed],
    ],
    ...{ query_timeout: invoice.slow_ms },
  });
  const [row] = rows;
  if (row === undefined) return null;
  const { number, gross, total, of_lines } = row;
  return { number, gross_micros: BigInt(gross), lines_micros: BigInt(of_lines), total_micros: BigInt(total) };
}
