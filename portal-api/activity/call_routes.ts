import { z } from 'zod';
import { explainLeg } from '../../domain/rating/explain_price.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, encodeCursor, pageOf, pageQuery } from '../http/cursor.ts';
import { instant, instantText, microsOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import { accountOf } from '../identity/whose.ts';
import { callKey, listCalls, readLegs } from './call_rows.ts';
import type { CallRow, LegRow, Priced } from './call_rows.ts';

const policy = { customer: EVERY_CUSTOMER, api_key: 'calls:read' } as const;
const direction = z.enum(['outbound', 'inbound', 'emergency']);
const result = z.enum(['answered', 'no_answer', 'busy', 'cancelled', 'failed', 'refused']);

const call = z
  .object({
    call_id: uuid,
    leg_id: uuid,
    direction,
    device: z.string().nullable(),
    dialled: z.string(),
    caller: z.string().nullable(),
    callee: z.string().nullable(),
    destination: z.string().nullable(),
    started_at: instantText,
    answered_at: instantText.nullable(),
    ended_at: instantText,
    /** As the switch counted them, rounded up. */
    seconds_charged: z.int(),
    /** After minimum and increments. */
    seconds_billed: z.int(),
    net_micros: microsOut,
    tax_micros: microsOut,
    currency: z.string().nullable(),
    result,
    /** Why we did not connect it. */
    refusal: z.string().nullable(),
    /** From the attempt to the first ringing. */
    pdd_ms: z.int().nullable(),
  })
  .meta({ id: 'Call' });

const priceLine = z.object({
  key: z.enum(['spoken', 'grace', 'minimum', 'increment', 'free', 'pack', 'connect_fee', 'per_minute']),
  /** Of a call that was forwarded: whether the line is of your number's own price or of that of the way on. */
  part: z.enum(['own', 'way_on']).nullable(),
  seconds: z.int(),
  micros: microsOut,
});

const rate_row = z.object({
  deck: z.string(),
  version: z.int(),
  prefix: z.string(),
  destination: z.string(),
  currency: z.string(),
});

const rate = z.object({
  rate_micros_per_minute: microsOut,
  connect_fee_micros: microsOut,
  minimum_seconds: z.int(),
  initial_increment_seconds: z.int(),
  subsequent_increment_seconds: z.int(),
  grace_seconds: z.int(),
  free_seconds: z.int(),
});

const explanation = z.object({
  /** By which row of which version of which price list; null where the price is the number's own. */
  rate_row: rate_row.nullable(),
  rate,
  /** The price of the way on, which is charged beside the number's own; null where the call was not forwarded, or a phone answered. */
  forwarded: z.object({ to: z.string(), rate_row, rate }).nullable(),
  tax_ppm: z.int(),
  pack_seconds: z.int(),
  duration_ms: z.int(),
  /** Where the duration is from: the switch's own record, or what was seen of the call where that is missing. */
  duration_source: z.string(),
  /** Their micros are the net price. */
  lines: z.array(priceLine),
});

const explainedCall = z.object({
  call_id: uuid,
  /** One for each side that the account paid for. */
  legs: z.array(call.extend({ explanation: explanation.nullable() })),
});

export function callRoutes(context: PortalContext): Route[] {
  return [list(context), read(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/calls',
      operation_id: 'list_calls',
      summary: 'Calls that are over. With a filter a page may be short though there are more.',
      tag: 'activity',
      policy,
      query: pageQuery.extend({
        direction: direction.optional(),
        result: result.optional(),
        from: instant.optional(),
        until: instant.optional(),
      }),
      answers: { 200: { description: 'The newest first.', json: pageOf(call) } },
    },
    async ({ identity, query }) => {
      const { rows, next } = await listCalls(pool, {
        ...{ account_id: accountOf(identity), direction: query.direction ?? null, result: query.result ?? null },
        from: query.from === undefined ? null : new Date(query.from),
        until: query.until === undefined ? null : new Date(query.until),
        ...{ after: decodeCursor(query.cursor, callKey), limit: query.limit },
      });
      return { status: 200, body: { items: rows.map(callOf), next_cursor: next && encodeCursor(next) } };
    },
  );
}

function read({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/calls/{call_id}',
      operation_id: 'read_call',
      summary: 'One call, with all that its price was made of.',
      tag: 'activity',
      policy,
      params: z.object({ call_id: uuid }),
      answers: { 200: { description: 'The call.', json: explainedCall } },
    },
    async ({ identity, params: { call_id } }) => {
      const legs = await readLegs(pool, accountOf(identity), call_id);
      if (legs.length === 0) throw new Problem('not_found');
      const told = legs.map((leg) => ({
        ...callOf(leg),
        explanation: leg.priced === null ? null : explain(leg, leg.priced),
      }));
      return { status: 200, body: { call_id, legs: told } };
    },
  );
}

function callOf(row: CallRow): z.input<typeof call> {
  const { leg_id, call_id, device, dialled, caller, callee, destination, currency, refusal, pdd_ms } = row;
  return {
    ...{ call_id, leg_id, direction: row.direction, device, dialled, caller, callee, destination },
    ...{ started_at: row.started_at, answered_at: row.answered_at, ended_at: row.ended_at },
    ...{ seconds_charged: row.seconds_charged, seconds_billed: row.seconds_billed },
    ...{ net_micros: BigInt(row.net_micros), tax_micros: BigInt(row.tax_micros), currency },
    ...{ result: row.result, refusal, pdd_ms },
  };
}

function explain(leg: LegRow, { tariff, source }: Priced): z.input<typeof explanation> {
  const went_on = leg.direction === 'inbound' && leg.carrier_id !== null;
  const forwarded = went_on ? (tariff.forwarded ?? null) : null;
  return {
    rate_row: source,
    rate: tariff.rate,
    forwarded: forwarded && { to: forwarded.to, rate_row: forwarded.source, rate: forwarded.rate },
    ...{ tax_ppm: tariff.tax_ppm, pack_seconds: leg.pack_seconds },
    ...{ duration_ms: Number(leg.duration_ms), duration_source: leg.duration_source },
    lines: explainLeg({ ...tariff, forwarded }, leg.seconds_charged, leg.pack_seconds),
  };
}
