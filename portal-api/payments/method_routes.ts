import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { instantOut, line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { WHO_PAYS } from '../identity/policy.ts';
import { payingWallet } from './attempts.ts';
import { keepMethod, listMethods, removeMethod } from './methods.ts';
import type { Method } from './methods.ts';
import type { PaymentProvider } from './payment_provider.ts';
import { lockWallet } from './refunds.ts';
import { customerOf } from './start_payment.ts';
import { accountOf } from '../identity/whose.ts';

const methodShape = z
  .object({
    method_id: uuid,
    brand: z.string(),
    last4: z.string(),
    expires_month: z.int(),
    expires_year: z.int(),
    created_at: instantOut,
  })
  .meta({ id: 'PaymentMethod' });

const shown = ({ id, ...rest }: Method): z.input<typeof methodShape> => ({ method_id: id, ...rest });

/** Cards that are kept: by the provider’s token, never by their number. */
export function methodRoutes(context: PortalContext, provider: PaymentProvider | null): Route[] {
  return [listCards(context, provider), saveCard(context, provider), removeCard(context)];
}

function listCards({ pool }: PortalContext, provider: PaymentProvider | null): Route {
  return route(
    {
      method: 'get',
      path: '/v1/payment-methods',
      operation_id: 'list_payment_methods',
      summary: 'Your saved cards.',
      tag: 'payments',
      policy: { customer: WHO_PAYS },
      answers: { 200: { description: 'The latest first.', json: z.object({ items: z.array(methodShape) }) } },
    },
    async ({ identity }) => {
      const methods = provider === null ? [] : await listMethods(pool, accountOf(identity), provider.name);
      return { status: 200, body: { items: methods.map(shown) } };
    },
  );
}

function saveCard({ pool }: PortalContext, provider: PaymentProvider | null): Route {
  return route(
    {
      method: 'post',
      path: '/v1/payment-methods',
      operation_id: 'save_payment_method',
      summary: 'Save a card that the provider’s form made a token of.',
      tag: 'payments',
      policy: { customer: WHO_PAYS, step_up: true },
      idempotent: true,
      body: z.object({ token: line(200) }),
      answers: { 201: { description: 'The card.', json: methodShape } },
      problems: ['invalid', 'unavailable', 'not_available'],
    },
    async ({ identity, body, now }) => {
      if (provider === null) throw new Problem('not_available', 'No payments are taken here.');
      const account_id = accountOf(identity);
      const customer = await customerOf(pool, provider, account_id);
      if (customer === null) throw new Problem('unavailable', 'The payment provider does not answer. Ask again.');
      const card = await provider.saveCard(body.token, customer);
      const method = card === null ? null : await keepMethod(pool, provider.name, account_id, card, now);
      if (method === null) throw new Problem('invalid', 'The provider knows no card by this token.');
      return { status: 201, body: shown(method) };
    },
  );
}

function removeCard({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/payment-methods/{method_id}',
      operation_id: 'remove_payment_method',
      summary: 'Forget a card. What fills the wallet by it stops.',
      tag: 'payments',
      policy: { customer: WHO_PAYS },
      params: z.object({ method_id: uuid }),
      answers: { 204: { description: 'Forgotten.', empty: true } },
      problems: ['not_found'],
    },
    async ({ identity, params, now }) => {
      const account_id = accountOf(identity);
      const is_removed = await inTransaction(pool, async (tx) => {
        const wallet = await payingWallet(tx, account_id);
        if (wallet !== null) await lockWallet(tx, wallet.wallet_id);
        return removeMethod(tx, account_id, params.method_id, now);
      });
      if (!is_removed) throw new Problem('not_found');
      return { status: 204 };
    },
  );
}
