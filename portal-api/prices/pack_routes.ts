import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { currency, instant, instantOut, line, microsIn, microsOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import type { AdminRole } from '../identity/identity.ts';
import { EVERY_CUSTOMER, WHO_PAYS } from '../identity/policy.ts';
import { termsAccepted } from '../legal/terms_in_force.ts';
import { tellCustomer } from '../live/tell_customer.ts';
import { payingWallet } from '../payments/attempts.ts';
import { accountOf, adminActor } from '../identity/whose.ts';
import { buyPack, endOffer, findOffer, insertOffer, listOffers, mayNotBuy } from './packs.ts';
import type { PackOffer } from './packs.ts';

const PRICING: readonly AdminRole[] = ['finance', 'operations', 'owner'];

const offerShape = z
  .object({
    offer_id: uuid,
    name: z.string(),
    prefixes: z.array(z.string()),
    seconds: z.int(),
    valid_days: z.int(),
    /** Without tax. */
    price_micros: microsOut,
    currency,
    sold_from: instantOut,
    sold_until: instantOut.nullable(),
    version: z.int(),
  })
  .meta({ id: 'PackOffer' });

const shown = ({ id, ...rest }: PackOffer): z.input<typeof offerShape> => ({ offer_id: id, ...rest });
const offers = z.object({ items: z.array(offerShape) });

export function packRoutes(context: PortalContext): Route[] {
  return [listSold(context), buy(context), listAll(context), offerPack(context), endPack(context)];
}

function listSold({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/pack-offers',
      operation_id: 'list_pack_offers',
      summary: 'Minute packs that can be bought now.',
      tag: 'prices',
      policy: { customer: EVERY_CUSTOMER },
      answers: { 200: { description: 'The cheapest first.', json: offers } },
    },
    async ({ identity, now }) => {
      const wallet = await payingWallet(pool, accountOf(identity));
      const items = wallet === null ? [] : await listOffers(pool, now, wallet.currency);
      return { status: 200, body: { items: items.map(shown) } };
    },
  );
}

function buy({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/pack-offers/{offer_id}/buy',
      operation_id: 'buy_pack',
      summary: 'Buy a minute pack out of the wallet.',
      tag: 'prices',
      policy: { customer: WHO_PAYS },
      idempotent: true,
      params: z.object({ offer_id: uuid }),
      answers: { 201: { description: 'Its seconds are in the wallet.', json: z.object({ purchase_id: uuid }) } },
      problems: ['not_found', 'not_available', 'restricted', 'terms_required', 'no_money'],
    },
    async ({ identity, params, operation_id, now }) => {
      const account_id = accountOf(identity);
      const [wallet, offer] = [await payingWallet(pool, account_id), await findOffer(pool, params.offer_id)];
      if (wallet === null || offer === null || offer.currency !== wallet.currency) throw new Problem('not_found');
      if (offer.sold_from > now || (offer.sold_until !== null && offer.sold_until <= now)) {
        throw new Problem('not_available', 'This pack is not sold now.');
      }
      if (await mayNotBuy(pool, account_id, now)) {
        throw new Problem('restricted', 'Nothing can be bought while this restriction is in force.');
      }
      const wish = { purchase_id: operation_id, account_id, wallet_id: wallet.wallet_id, offer };
      await inTransaction(pool, async (tx) => {
        if (!(await termsAccepted(tx, account_id, now))) {
          throw new Problem(
            'terms_required',
            'Read what is new at /v1/legal and agree to it at /v1/legal/acceptances.',
          );
        }
        const verdict = await buyPack(tx, wish, now);
        if (verdict !== 'bought') throw new Problem('no_money', 'Top up and ask again.');
        await tellCustomer(tx, account_id, { type: 'wallet', id: wallet.wallet_id.toString() });
      });
      return { status: 201, body: { purchase_id: operation_id } };
    },
  );
}

function listAll({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/pack-offers',
      operation_id: 'list_all_pack_offers',
      summary: 'Minute packs that are, were and will be sold.',
      tag: 'admin prices',
      policy: { admin: PRICING },
      answers: { 200: { description: 'The cheapest first.', json: offers } },
    },
    async () => ({ status: 200, body: { items: (await listOffers(pool, null, null)).map(shown) } }),
  );
}

const newOffer = z.object({
  name: line(100),
  prefixes: z
    .array(z.string().regex(/^[1-9][0-9]{0,14}$/u))
    .min(1)
    .max(500),
  seconds: z.int().min(60).max(36_000_000),
  valid_days: z.int().min(1).max(730),
  price_micros: microsIn,
  currency,
  sold_from: instant,
  sold_until: instant.nullable().default(null),
});

function offerPack({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/pack-offers',
      operation_id: 'offer_pack',
      summary: 'Sell a minute pack from a moment on. Another price is another offer.',
      tag: 'admin prices',
      policy: { admin: PRICING },
      idempotent: true,
      body: newOffer,
      answers: { 201: { description: 'The offer.', json: offerShape } },
    },
    async ({ identity, body, operation_id, now }) => {
      const sold_from = new Date(body.sold_from);
      const sold_until = body.sold_until === null ? null : new Date(body.sold_until);
      if (sold_until !== null && sold_until <= sold_from)
        throw new Problem('invalid', 'An offer ends after it begins.');
      const offer = { ...body, id: operation_id, sold_from, sold_until };
      await inTransaction(pool, async (tx) => {
        await insertOffer(tx, offer);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'pack_offer.add' },
          ...{ account_id: null, subject: `pack_offer:${operation_id}` },
          detail: { name: body.name, price_micros: body.price_micros.toString(), sold_from: body.sold_from },
        });
      });
      return { status: 201, body: shown({ ...offer, version: 1 }), version: 1 };
    },
  );
}

function endPack({ pool }: PortalContext): Route {
  return route(
    {
      method: 'patch',
      path: '/v1/admin/pack-offers/{offer_id}',
      operation_id: 'end_pack_offer',
      summary: 'Stop selling a minute pack at a moment.',
      tag: 'admin prices',
      policy: { admin: PRICING },
      versioned: true,
      params: z.object({ offer_id: uuid }),
      body: z.object({ sold_until: instant }),
      answers: { 200: { description: 'The offer.', json: offerShape } },
      problems: ['not_found'],
    },
    async ({ identity, params, body, version, now }) => {
      const offer = await inTransaction(pool, async (tx) => {
        if ((await findOffer(tx, params.offer_id)) === null) throw new Problem('not_found');
        const ended = await endOffer(tx, params.offer_id, new Date(body.sold_until), version ?? 0);
        if (!ended) throw new Problem('version_conflict');
        const changed = await findOffer(tx, params.offer_id);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'pack_offer.end' },
          ...{ account_id: null, subject: `pack_offer:${params.offer_id}`, detail: { sold_until: body.sold_until } },
        });
        return changed;
      });
      if (offer === null) throw new Problem('not_found');
      return { status: 200, body: shown(offer), version: offer.version };
    },
  );
}
