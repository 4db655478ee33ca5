import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import type { PortalContext } from '../../context.ts';
import { country } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { WHO_EDITS, WHO_LOOKS } from '../operations_policy.ts';
import { haveHoursInCommon, timeZone } from '../time_of_day.ts';

const params = z.object({ country });

const quarterHour = z.string().regex(/^(?:(?:[01][0-9]|2[0-3]):(?:00|15|30|45)|24:00)$/u);

const ruleBody = z.strictObject({
  /** Whether a name may stand as the sender. */
  alphanumeric_sender: z.boolean(),
  /** When newsletters (class bulk) may arrive: from the first to before the second, in every zone of the country at once. Null: always. */
  bulk_hours: z.strictObject({ from: quarterHour, until: quarterHour }).nullable(),
  time_zones: z.array(timeZone).min(1).max(20),
});

const ruleShape = z
  .object({
    country: z.string(),
    alphanumeric_sender: z.boolean(),
    bulk_hours: z.object({ from: z.string(), until: z.string() }).nullable(),
    time_zones: z.array(z.string()),
    version: z.int(),
  })
  .meta({ id: 'CountryTextRule' });

type Rule = z.input<typeof ruleShape>;

/** What a country asks of every text to it, and of its sender. */
export function countryTextRuleRoutes(context: PortalContext): Route[] {
  return [list(context), put(context), drop(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/country-text-rules',
      operation_id: 'admin_list_country_text_rules',
      summary: 'What countries ask of every text to them. One that is not listed asks for nothing.',
      tag: 'admin texts',
      policy: WHO_LOOKS,
      answers: {
        200: { description: 'In the order of the countries.', json: z.object({ items: z.array(ruleShape) }) },
      },
    },
    async () => ({ status: 200, body: { items: await readRules(pool, null) } }),
  );
}

function put({ pool }: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/country-text-rules/{country}',
      operation_id: 'admin_put_country_text_rule',
      summary: 'Say what a country asks of every text to it. If-Match "0" where it asks for nothing yet.',
      tag: 'admin texts',
      policy: WHO_EDITS,
      params,
      versioned: true,
      body: ruleBody,
      answers: { 200: { description: 'In force for the next text, and its ETag.', json: ruleShape } },
    },
    async ({ params: { country: of }, body, version, identity, now }) => {
      requireHours(body, now);
      const put = await inTransaction(pool, async (tx) => {
        const [before = null] = await readRules(tx, of);
        if (!(await upsertRule(tx, { country: of, ...body, version }))) throw conflict();
        const [after] = await readRules(tx, of);
        if (after === undefined) throw new Error('A rule that was put is gone.');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'country_text_rule.put', account_id: null },
          ...{ subject: `country_text_rule:${of}`, detail: { before, after: body } },
        });
        return after;
      });
      return { status: 200, body: put, version: put.version };
    },
  );
}

/** Hours that no zone shares with all others would be no hours, and the gateway keeps none then. */
function requireHours({ bulk_hours: hours, time_zones }: z.output<typeof ruleBody>, now: Date): void {
  if (hours === null) return;
  if (hours.from >= hours.until) throw new Problem('invalid', 'bulk_hours begin before they end, within one day.');
  if (!haveHoursInCommon(time_zones, hours.from, hours.until, now)) {
    throw new Problem(
      'invalid',
      'At no time of the day are these hours in all time_zones at once. Widen them, or name fewer zones.',
    );
  }
}

function drop({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/admin/country-text-rules/{country}',
      operation_id: 'admin_drop_country_text_rule',
      summary: 'Ask for nothing of texts to this country any more.',
      tag: 'admin texts',
      policy: WHO_EDITS,
      params,
      versioned: true,
      answers: { 204: { description: 'From the next text on.', empty: true } },
    },
    async ({ params: { country: of }, version, identity, now }) => {
      await inTransaction(pool, async (tx) => {
        await tx.query('select 1 from country_text_rule where country = $1 for no key update', [of]);
        const [before] = await readRules(tx, of);
        if (before === undefined) throw new Problem('not_found');
        if (before.version !== version) throw conflict();
        await tx.query('delete from country_text_rule where country = $1', [of]);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'country_text_rule.drop', account_id: null },
          ...{ subject: `country_text_rule:${of}`, detail: { before } },
        });
      });
      return { status: 204 };
    },
  );
}

const conflict = (): Problem => new Problem('version_conflict', 'Somebody else has changed it. Read it again.');

/** @param one country, or null for all. */
async function readRules(db: Queryable, one: string | null): Promise<Rule[]> {
  const { rows } = await db.query<Rule>(
    `select country, alphanumeric_sender, time_zones, version,
            case when bulk_from is not null then
              jsonb_build_object('from', to_char(bulk_from, 'HH24:MI'), 'until', to_char(bulk_until, 'HH24:MI')) end as bulk_hours
       from country_text_rule where $1::text is null or country = $1 order by country`,
    [one],
  );
  return rows;
}

/** False where it is not at that version; version 0 is that of one that is not there. */
async function upsertRule(
  tx: Transaction,
  {
    country: of,
    alphanumeric_sender,
    bulk_hours,
    time_zones,
    version,
  }: z.output<typeof ruleBody> & {
    country: string;
    version: number | null;
  },
): Promise<boolean> {
  const { rows } = await tx.query(
    `insert into country_text_rule as r (country, alphanumeric_sender, bulk_from, bulk_until, time_zones)
     select $1, $2, $3, $4, $5 where $6 = 0 or exists (select 1 from country_text_rule where country = $1)
     on conflict (country) do update
       set alphanumeric_sender = excluded.alphanumeric_sender, bulk_from = excluded.bulk_from, bulk_until = excluded.bulk_until,
           time_zones = excluded.time_zones, version = r.version + 1
     where r.version = $6 returning 1`,
    [of, alphanumeric_sender, bulk_hours?.from ?? null, bulk_hours?.until ?? null, time_zones, version],
  );
  return rows.length > 0;
}
