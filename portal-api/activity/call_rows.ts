import { z } from 'zod';
import { isoTypes } from '../../domain/db/timestamps.ts';
import type { Queryable } from '../../domain/db/transaction.ts';

/** What may be asked of a list of calls beside a page of it. */
export interface CallQuery {
  account_id: string;
  direction: 'outbound' | 'inbound' | 'emergency' | null;
  result: string | null;
  from: Date | null;
  until: Date | null;
  after: CallKey | null;
  limit: number;
}

/** Microseconds since 1970, as JSON's numbers do not hold all of them, and the leg. */
export const callKey = z.tuple([z.string().regex(/^\d{1,18}$/u), z.uuid()]);
export type CallKey = z.output<typeof callKey>;

export interface CallRow {
  leg_id: string;
  call_id: string;
  direction: 'outbound' | 'inbound' | 'emergency';
  device: string | null;
  dialled: string;
  caller: string | null;
  callee: string | null;
  destination: string | null;
  /** Moments of rows are text, as JSON has them. */
  started_at: string;
  answered_at: string | null;
  ended_at: string;
  seconds_charged: number;
  seconds_billed: number;
  net_micros: string;
  tax_micros: string;
  currency: string | null;
  result: 'answered' | 'no_answer' | 'busy' | 'cancelled' | 'failed' | 'refused';
  refusal: string | null;
  pdd_ms: number | null;
  at_us: string;
}

/** A filter looks at no more calls than this for one page, which may then be short, or empty, with more behind it. */
const LOOKED_AT_MAX = 2_000;

const columns = `leg_id, call_id, direction, device, dialled, caller, callee, destination, started_at, answered_at, ended_at,
  seconds_charged, seconds_billed, net_micros, tax_micros, currency, result, refusal, pdd_ms,
  (extract(epoch from started_at) * 1000000)::bigint::text as at_us`;

/** The newest first, and where the next page begins. */
export async function listCalls(
  db: Queryable,
  { account_id, direction, result, from, until, after, limit }: CallQuery,
): Promise<{ rows: CallRow[]; next: CallKey | null }> {
  const is_filtered = direction !== null || result !== null;
  const looked_at_max = is_filtered ? LOOKED_AT_MAX : limit + 1;
  const { rows } = await db.query<Partial<CallRow> & { last_us: string; last_leg: string; looked_at: number }>({
    ...{ name: 'list_calls', types: isoTypes },
    // The first condition on the time is for the index and the months, the second for calls of the same moment.
    text: `with looked_at as materialized (
             select ${columns} from cdr
              where account_id = $1 and started_at >= coalesce($2::timestamptz, '-infinity') and started_at < coalesce($3::timestamptz, 'infinity')
                and started_at <= coalesce('epoch'::timestamptz + $4::bigint * interval '1 microsecond', 'infinity')
                and ($4::bigint is null or (started_at, leg_id) < ('epoch'::timestamptz + $4::bigint * interval '1 microsecond', $5::uuid))
              order by started_at desc, leg_id desc limit $6)
           select s.*, l.last_us, l.last_leg, (select count(*)::integer from looked_at) as looked_at
             from (select at_us as last_us, leg_id as last_leg from looked_at order by started_at, leg_id limit 1) l
             left join lateral (
               select * from looked_at where ($7::text is null or direction = $7) and ($8::text is null or result = $8)
                order by started_at desc, leg_id desc limit $9) s on true`,
    values: [account_id, from, until, ...(after ?? [null, null]), looked_at_max, direction, result, limit + 1],
  });
  const found = rows.filter(isCall);
  const shown = found.slice(0, limit);
  const [last, first] = [shown.at(-1), rows[0]];
  if (found.length > limit && last !== undefined) return { rows: shown, next: [last.at_us, last.leg_id] };
  const has_more = is_filtered && first?.looked_at === LOOKED_AT_MAX;
  return { rows: shown, next: has_more ? [first.last_us, first.last_leg] : null };
}

function isCall<T extends Partial<CallRow>>(row: T): row is T & CallRow {
  return typeof row.leg_id === 'string';
}

/** What is kept of how a leg was priced; of calls that were refused before there was a price, nothing. */
const micros = z.coerce.bigint();
const rateSchema = z.object({
  rate_micros_per_minute: micros,
  connect_fee_micros: micros,
  minimum_seconds: z.int(),
  initial_increment_seconds: z.int(),
  subsequent_increment_seconds: z.int(),
  grace_seconds: z.int(),
  free_seconds: z.int(),
});
const sourceSchema = z.object({
  deck: z.string(),
  version: z.int(),
  prefix: z.string(),
  destination: z.string(),
  currency: z.string(),
});
const pricedSchema = z.object({
  tariff: z.object({
    rate: rateSchema,
    tax_ppm: z.int(),
    /** Records of before there was any forwarding say nothing of it. */
    forwarded: z.object({ to: z.string(), rate: rateSchema, source: sourceSchema }).nullish(),
  }),
  source: sourceSchema.nullable(),
});
export type Priced = z.output<typeof pricedSchema>;

export interface LegRow extends CallRow {
  /** Of a call in: that of the way on, where the call was forwarded and not answered by a phone. */
  carrier_id: number | null;
  pack_seconds: number;
  duration_ms: string;
  duration_source: string;
  priced: Priced | null;
}

/** The sides of a call that the account paid for; none where the call is another's or not there. */
export async function readLegs(db: Queryable, account_id: string, call_id: string): Promise<LegRow[]> {
  const { rows } = await db.query<Omit<LegRow, 'priced'> & { snapshot: unknown }>({
    ...{ name: 'read_legs', types: isoTypes },
    text: `select ${columns}, carrier_id, pack_seconds, duration_ms, duration_source, snapshot from cdr
            where call_id = $1 and account_id = $2 order by started_at, leg_id`,
    values: [call_id, account_id],
  });
  return rows.map(({ snapshot, ...row }) => {
    const priced = pricedSchema.safeParse(snapshot);
    return { ...row, priced: priced.success ? priced.data : null };
  });
}
