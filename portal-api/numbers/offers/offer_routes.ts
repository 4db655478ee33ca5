import { z } from 'zod';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../../http/cursor.ts';
import { country, currency, e164, instantOut, microsIn, microsOut } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import type { Identity } from '../../identity/identity.ts';
import { EVERY_CUSTOMER, WHO_PAYS } from '../../identity/policy.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { refuse } from '../refusals.ts';
import { HOLDS_MAX } from '../terms.ts';
import { accountOf } from '../../identity/whose.ts';
import { dropHold, holdNumber, liveHolds } from './holds.ts';
import { conversionAnswer, conversionShape } from './conversion_answer.ts';
import { NUMBER_TYPES, searchOffers, selectOffer } from './offer_rows.ts';
import type { Offer } from './offer_rows.ts';
import { selectWalletPrices } from './wallet_price.ts';
import type { PriceForWallet } from './wallet_price.ts';

export const numberParams = z.object({ number: e164 });

const offerShape = z
  .object({
    number: e164,
    country,
    number_type: z.enum(NUMBER_TYPES),
    calls: z.boolean(),
    texts: z.boolean(),
    currency,
    /** Net of tax; once. */
    setup_micros: microsOut,
    /** Net of tax; for each month. */
    monthly_micros: microsOut,
    /** What your own wallet pays, net of tax; null where nobody is signed in, or it is not sold to you today. */
    in_wallet: z
      .object({ currency, setup_micros: microsOut, monthly_micros: microsOut, converted: conversionShape.nullable() })
      .nullable(),
    /** Today has no rate of exchange between its currency and your wallet's, so it is not sold to you today. */
    no_rate: z.boolean(),
  })
  .meta({ id: 'NumberOffer' });

function offered(offer: Offer, pays: PriceForWallet): z.input<typeof offerShape> {
  const { number, number_type, calls, texts, setup_micros, monthly_micros } = offer;
  const price = { currency: offer.currency, setup_micros, monthly_micros };
  const paid = pays(offer);
  const in_wallet = paid.price && { ...paid.price, converted: conversionAnswer(paid.price.converted) };
  return { number, country: offer.country, number_type, calls, texts, ...price, in_wallet, no_rate: paid.no_rate };
}

export function offerRoutes(desk: NumbersDesk): Route[] {
  return [searchRoute(desk), readRoute(desk), holdRoute(desk), dropRoute(desk), holdsRoute(desk)];
}

/** Null for whoever acts for no account: a visitor or an admin. */
const accountOrNobody = (identity: Identity): string | null =>
  identity.kind === 'customer' || identity.kind === 'api_key' ? identity.account_id : null;

const searchQuery = pageQuery.extend({
  country: country.optional(),
  number_type: z.enum(NUMBER_TYPES).optional(),
  capability: z.enum(['calls', 'texts', 'both']).optional(),
  /** Digits, `*` for any and `?` for one; without either, digits anywhere within. */
  digits: z
    .string()
    .regex(/^[0-9*?]{1,20}$/u)
    .optional(),
  currency: currency.optional(),
  monthly_micros_max: microsIn.optional(),
});

function searchRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/number-offers',
      operation_id: 'search_number_offers',
      summary: 'Numbers that can be bought, with their prices.',
      tag: 'numbers',
      policy: { anyone: true },
      query: searchQuery,
      answers: { 200: { description: 'In the order of their digits.', json: pageOf(offerShape) } },
    },
    async ({ query, identity, now }) => {
      const { cursor, limit, ...search } = query;
      const after = decodeCursor(cursor, z.tuple([e164]))?.[0] ?? null;
      const account_id = accountOrNobody(identity);
      const found = await searchOffers(pool, { ...search, after, rows_max: limit + 1 }, account_id, now);
      const pays = await selectWalletPrices(pool, account_id, now);
      const item = (offer: Offer): z.input<typeof offerShape> => offered(offer, pays);
      return { status: 200, body: page(found, limit, { key: ({ number }) => [number], item }) };
    },
  );
}

function readRoute({ pool, missingDocuments }: NumbersDesk): Route {
  const shape = offerShape.extend({
    /** What you would have to bring before you can have it; null where nobody is signed in. */
    missing_documents: z.array(z.string()).nullable(),
  });
  return route(
    {
      method: 'get',
      path: '/v1/number-offers/{number}',
      operation_id: 'read_number_offer',
      summary: 'A number that can be bought, and what is needed for it.',
      tag: 'numbers',
      policy: { anyone: true },
      params: numberParams,
      answers: { 200: { description: 'The offer.', json: shape } },
    },
    async ({ params, identity, now }) => {
      const account_id = accountOrNobody(identity);
      const offer = await selectOffer(pool, params.number, account_id, now);
      if (offer === null) throw new Problem('not_found');
      const { country: in_country, number_type } = offer;
      const missing =
        account_id === null
          ? null
          : await missingDocuments(pool, { account_id, country: in_country, number_type, now });
      const body = offered(offer, await selectWalletPrices(pool, account_id, now));
      return { status: 200, body: { ...body, missing_documents: missing === null ? null : [...missing] } };
    },
  );
}

const holdShape = z.object({ number: e164, expires_at: instantOut }).meta({ id: 'NumberHold' });

function holdRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'put',
      path: '/v1/number-offers/{number}/hold',
      operation_id: 'hold_number',
      summary: 'Keep a number from others for ten minutes.',
      tag: 'numbers',
      policy: { customer: WHO_PAYS, api_key: 'numbers:write' },
      idempotent: true,
      params: numberParams,
      answers: { 200: { description: 'It is kept until then.', json: holdShape } },
      problems: ['not_available', 'conflict'],
    },
    async ({ params, identity, now }) => {
      const wish = { number: params.number, account_id: accountOf(identity), now };
      const held = await inTransaction(pool, (tx) => holdNumber(tx, wish));
      if (held.kind === 'not_available') refuse('not_available');
      if (held.kind === 'too_many') {
        throw new Problem('conflict', `At most ${HOLDS_MAX} numbers are kept at once. Let one go first.`);
      }
      return { status: 200, body: held.hold };
    },
  );
}

function dropRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/number-offers/{number}/hold',
      operation_id: 'drop_number_hold',
      summary: 'Let a number go that is kept for you.',
      tag: 'numbers',
      policy: { customer: WHO_PAYS, api_key: 'numbers:write' },
      params: numberParams,
      answers: { 204: { description: 'Others can have it.', empty: true } },
    },
    async ({ params, identity }) => {
      const is_dropped = await inTransaction(pool, (tx) => dropHold(tx, params.number, accountOf(identity)));
      if (!is_dropped) throw new Problem('not_found');
      return { status: 204 };
    },
  );
}

function holdsRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/number-holds',
      operation_id: 'list_number_holds',
      summary: 'Numbers that are kept for you.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER, api_key: 'numbers:read' },
      answers: { 200: { description: 'The first to expire first.', json: z.object({ items: z.array(holdShape) }) } },
    },
    async ({ identity, now }) => ({
      status: 200,
      body: { items: await liveHolds(pool, accountOf(identity), now) },
    }),
  );
}
