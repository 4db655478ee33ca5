import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { currency, e164, microsOut } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import { accountOf } from '../identity/whose.ts';

const source = { deck: z.string(), deck_version: z.int(), prefix: z.string(), destination: z.string(), currency };

const rateShape = z
  .object({
    number: z.string(),
    /** Parts per million that are added to what follows. */
    tax_ppm: z.int(),
    /** Null where no call can be made there. */
    call: z
      .object({
        ...source,
        rate_micros_per_minute: microsOut,
        connect_fee_micros: microsOut,
        minimum_seconds: z.int(),
        initial_increment_seconds: z.int(),
        subsequent_increment_seconds: z.int(),
        grace_seconds: z.int(),
        free_seconds: z.int(),
      })
      .nullable(),
    /** Null where no text can be sent there. */
    text: z.object({ ...source, rate_micros_per_segment: microsOut }).nullable(),
  })
  .meta({ id: 'Rate' });

interface Source {
  deck: string;
  deck_version: number;
  prefix: string;
  destination: string;
  currency: string;
}

interface CallRateRow extends Source {
  rate_micros_per_minute: string;
  connect_fee_micros: string;
  minimum_seconds: number;
  initial_increment_seconds: number;
  subsequent_increment_seconds: number;
  grace_seconds: number;
  free_seconds: number;
}

/** What a call or a text to a number costs this customer now: by the longest prefix of the deck in force, as charging finds it. */
export function rateRoutes({ pool }: PortalContext): Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/v1/rates',
        operation_id: 'look_up_rate',
        summary: 'What a call or a text to a number costs.',
        tag: 'prices',
        policy: { customer: EVERY_CUSTOMER, api_key: 'wallet:read' },
        query: z.object({ number: e164 }),
        answers: { 200: { description: 'The rate rows in force, with their versions.', json: rateShape } },
        problems: ['not_found'],
      },
      async ({ identity, query: { number }, now }) => {
        const { rows } = await pool.query<{ tax_ppm: number; sell_deck: string; text_deck: string }>(
          'select tax_ppm, sell_deck, text_deck from account where id = $1',
          [accountOf(identity)],
        );
        const account = rows[0];
        if (account === undefined) throw new Problem('not_found');
        const [call, text] = [
          await callRate(pool, account.sell_deck, number, now),
          await textRate(pool, account.text_deck, number, now),
        ];
        return { status: 200, body: { number, tax_ppm: account.tax_ppm, call, text } };
      },
    ),
  ];
}

const prefixesOf = (number: string): string[] =>
  Array.from({ length: number.length - 1 }, (_, n) => number.slice(1, n + 2));

const inForce = `r.prefix = any($2) and r.effective_from <= $3 and (r.effective_to is null or r.effective_to > $3)
  order by length(r.prefix) desc limit 1`;
const bySource = `d.name as deck, d.version as deck_version, r.prefix, r.destination, d.currency`;

async function callRate(
  db: Queryable,
  deck: string,
  number: string,
  now: Date,
): Promise<z.input<typeof rateShape>['call']> {
  const { rows } = await db.query<CallRateRow>(
    `select ${bySource}, r.rate_micros_per_minute, r.connect_fee_micros, r.minimum_seconds, r.initial_increment_seconds,
            r.subsequent_increment_seconds, r.grace_seconds, r.free_seconds
       from rate_deck d join rate r on r.deck_id = d.id
      where d.name = $1 and d.state = 'active' and d.side = 'sell' and ${inForce}`,
    [deck, prefixesOf(number), now],
  );
  const [row] = rows;
  if (row === undefined) return null;
  const { rate_micros_per_minute, connect_fee_micros, ...rest } = row;
  return {
    ...rest,
    rate_micros_per_minute: BigInt(rate_micros_per_minute),
    connect_fee_micros: BigInt(connect_fee_micros),
  };
}

async function textRate(
  db: Queryable,
  deck: string,
  number: string,
  now: Date,
): Promise<z.input<typeof rateShape>['text']> {
  const { rows } = await db.query<Source & { rate_micros_per_segment: string }>(
    `select ${bySource}, r.rate_micros_per_segment from rate_deck d join text_rate r on r.deck_id = d.id
      where d.name = $1 and d.state = 'active' and d.side = 'sell' and ${inForce}`,
    [deck, prefixesOf(number), now],
  );
  const [row] = rows;
  if (row === undefined) return null;
  return { ...row, rate_micros_per_segment: BigInt(row.rate_micros_per_segment) };
}
