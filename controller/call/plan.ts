import { z } from 'zod';

/**
 * All that was decided about a call before money was held: who pays, by which rate, over which routes. It is stored with
 * the hold, so that another controller can take the call over, and with the record, so that the charge can be explained.
 * Amounts are text in JSON, as JSON knows no integer that large.
 */
const micros = z.coerce.bigint();

const rateSchema = z.object({
  rate_micros_per_minute: micros,
  connect_fee_micros: micros,
  minimum_seconds: z.number().int(),
  initial_increment_seconds: z.number().int(),
  subsequent_increment_seconds: z.number().int(),
  grace_seconds: z.number().int(),
  free_seconds: z.number().int(),
});

/** Where a rate stands: its deck, the version, and the prefix that was the longest match. */
const rateSourceSchema = z.object({
  deck_id: z.number().int(),
  deck: z.string(),
  version: z.number().int(),
  prefix: z.string(),
  destination: z.string(),
  currency: z.string(),
});

const routeSchema = z.object({
  carrier_id: z.number().int(),
  carrier: z.string(),
  trunk_id: z.string(),
  /** As the carrier wants it dialled. */
  number: z.string(),
  rate: rateSchema,
  source: rateSourceSchema,
});

const targetSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('routes'), routes: z.array(routeSchema).min(1) }),
  z.object({ kind: z.literal('devices'), devices: z.array(z.string()) }),
  /** The switch takes a message; the greeting is the holder's own, or null. */
  z.object({ kind: z.literal('voicemail'), greeting: z.string().nullable() }),
  z.object({ kind: z.literal('emergency'), trunk_id: z.string(), number: z.string() }),
]);

/** What is tried when nobody answered at the target: the next attempts of the same call, charged to the same leg. */
const otherwiseSchema = z.object({ target: targetSchema, ring_timeout_ms: z.number().int() });

export const callPlanSchema = z.object({
  direction: z.enum(['outbound', 'inbound', 'emergency']),
  account_id: z.string(),
  wallet_id: micros,
  currency: z.string(),
  time_zone: z.string(),
  device: z.string().nullable(),
  dialled: z.string(),
  caller: z.string().nullable(),
  /** The phone asked that its number be shown to nobody. It is on record all the same, and a call for help shows it. */
  withheld: z.boolean().optional(),
  callee: z.string(),
  destination: z.string(),
  arrived_at_ms: z.number(),
  ring_timeout_ms: z.number().int(),
  tariff: z.object({
    rate: rateSchema,
    tax_ppm: z.number().int(),
    /** Of a call to a number of ours that may go on to the outside, this covers the way on, and never the number's own price. */
    pack: z.object({ id: micros, seconds_available: z.number().int() }).nullable(),
    /** The way on, which is charged beside the number's own price where it is what answers. A plan of before there was any has none. */
    forwarded: z.object({ to: z.string(), rate: rateSchema, source: rateSourceSchema }).nullable().default(null),
  }),
  /** Null where the price is not from a deck: a DID's own, or the nothing that an emergency costs. */
  source: rateSourceSchema.nullable(),
  /** Why these routes in this order, and why not others, in words. */
  routing: z.array(z.string()),
  target: targetSchema,
  otherwise: otherwiseSchema.nullable().default(null),
  /** What answers in the place of a way on that is not to be had after all: a mailbox. */
  without_way_on: otherwiseSchema.nullable().default(null),
  limits: z.object({
    concurrent_calls_max: z.number().int(),
    spend_hour_max: micros,
    spend_day_max: micros,
  }),
});

export type CallPlan = z.infer<typeof callPlanSchema>;
export type CallTarget = z.infer<typeof targetSchema>;
export type Route = z.infer<typeof routeSchema>;
export type RateSource = z.infer<typeof rateSourceSchema>;
