import { randomUUID } from 'node:crypto';
import type { Transaction } from '../../domain/db/transaction.ts';
import { countryOf } from '../../domain/numbers/country_of.ts';
import { judgeRoute } from './route_quality.ts';
import type { Breach, RouteFigures, RouteThreshold } from './route_quality.ts';

const HOUR_MS = 3_600_000;

export const floorHour = (at: Date): Date => new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS);

/** So many digits of a number tell its country. */
const TELLING_DIGITS = 8;

/** Calls out, and those in that were forwarded: a carrier of ours was tried; and whom it was to reach. */
const OUTSIDE = `(c.direction = 'outbound' or (c.direction = 'inbound' and c.carrier_id is not null))`;
const REACHED = `case c.direction when 'inbound' then c.snapshot #>> '{tariff,forwarded,to}' else c.callee end`;

/** Counts the calls of these hours anew, from their records: how often this is done makes no difference. */
export async function rollUpQuality(tx: Transaction, from: Date, until: Date): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('quality'))`);
  const countries = await countriesCalled(tx, from, until);
  const values = [from, until, [...countries.keys()], [...countries.values()]];
  await tx.query('delete from account_quality_hour where hour >= $1 and hour < $2', [from, until]);
  await tx.query('delete from route_quality_hour where hour >= $1 and hour < $2', [from, until]);
  await tx.query(
    `insert into account_quality_hour (account_id, hour, country, calls, answered, talk_ms, pdd_calls, pdd_ms_total)
     select c.account_id, date_trunc('hour', c.started_at, 'UTC'), coalesce(k.country, 'ZZ'), count(*),
            count(*) filter (where c.result = 'answered'), coalesce(sum(c.duration_ms) filter (where c.result = 'answered'), 0),
            count(c.pdd_ms), coalesce(sum(c.pdd_ms), 0)
       from cdr c left join unnest($3::text[], $4::text[]) k (digits, country) on k.digits = left(c.callee, ${TELLING_DIGITS})
      where c.started_at >= $1 and c.started_at < $2 and c.direction = 'outbound' and c.result <> 'refused' and c.account_id is not null
      group by 1, 2, 3`,
    values,
  );
  // The last attempt is the one that was answered; a call that was refused has none.
  await tx.query(
    `insert into route_quality_hour (trunk_id, hour, country, attempts, answered, carrier_failures, talk_ms, ringing_attempts, pdd_ms_total)
     select a.trunk_id, date_trunc('hour', c.started_at, 'UTC'), coalesce(k.country, 'ZZ'), count(*), count(*) filter (where a.is_answered),
            count(*) filter (where a.blame = 'carrier'), coalesce(sum(c.duration_ms) filter (where a.is_answered), 0),
            count(a.pdd_ms), coalesce(sum(a.pdd_ms), 0)
       from cdr c
       cross join lateral (
         select e ->> 'trunk_id' as trunk_id, e ->> 'blame' as blame,
                c.result = 'answered' and n = jsonb_array_length(c.attempts) as is_answered,
                greatest(0, round((e ->> 'ringing_at_ms')::numeric - (e ->> 'started_at_ms')::numeric)) as pdd_ms
           from jsonb_array_elements(c.attempts) with ordinality as x (e, n)) a
       join trunk t on t.id = a.trunk_id
       left join unnest($3::text[], $4::text[]) k (digits, country) on k.digits = left(${REACHED}, ${TELLING_DIGITS})
      where c.started_at >= $1 and c.started_at < $2 and ${OUTSIDE} and c.result <> 'refused'
      group by 1, 2, 3`,
    values,
  );
}

/** The country of each beginning of a number that was called. */
async function countriesCalled(tx: Transaction, from: Date, until: Date): Promise<Map<string, string>> {
  const { rows } = await tx.query<{ digits: string; sample: string }>(
    `select left(${REACHED}, ${TELLING_DIGITS}) as digits, min(${REACHED}) as sample from cdr c
      where started_at >= $1 and started_at < $2 and ${OUTSIDE} and ${REACHED} is not null group by 1`,
    [from, until],
  );
  return new Map(rows.map(({ digits, sample }) => [digits, countryOf(sample) ?? 'ZZ']));
}

type Judged = RouteFigures & RouteThreshold & { trunk_id: string; open: Breach['figure'][] };

/** Raises and ends alarms by what routes did since that hour began. */
export async function judgeRoutes(tx: Transaction, since: Date, now: Date): Promise<void> {
  const { rows } = await tx.query<Judged>(
    `select t.trunk_id, t.attempts_min, t.asr_ppm_min, t.acd_seconds_min, t.pdd_ms_max,
            coalesce(sum(q.attempts), 0)::integer as attempts, coalesce(sum(q.answered), 0)::integer as answered,
            coalesce(sum(q.talk_ms), 0)::float8 as talk_ms, coalesce(sum(q.ringing_attempts), 0)::integer as ringing_attempts,
            coalesce(sum(q.pdd_ms_total), 0)::float8 as pdd_ms_total,
            coalesce((select array_agg(a.figure) from route_alarm a where a.trunk_id = t.trunk_id and a.ended_at is null), '{}') as open
       from route_threshold t left join route_quality_hour q on q.trunk_id = t.trunk_id and q.hour >= $1
      group by t.trunk_id`,
    [since],
  );
  for (const { trunk_id, open, ...route } of rows) {
    const breaches = judgeRoute(route, route);
    if (breaches === null) continue;
    for (const { figure, measured, allowed } of breaches) {
      await tx.query(
        `insert into route_alarm (id, trunk_id, figure, measured, allowed, raised_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (trunk_id, figure) where ended_at is null do nothing`,
        [randomUUID(), trunk_id, figure, measured, allowed, now],
      );
    }
    const good = open.filter((figure) => !breaches.some((breach) => breach.figure === figure));
    if (good.length === 0) continue;
    await tx.query(
      'update route_alarm set ended_at = greatest($3, raised_at) where trunk_id = $1 and figure = any($2) and ended_at is null',
      [trunk_id, good, now],
    );
  }
}
