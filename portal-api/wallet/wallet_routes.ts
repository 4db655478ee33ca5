import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { currency, instantOut, line, microsOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import { payingWallet } from '../payments/attempts.ts';
import { accountOf, adminActor } from '../identity/whose.ts';
import { readEntries, readWallet } from './read_wallet.ts';
import type { Entry, WalletView } from './read_wallet.ts';

const walletShape = z
  .object({
    currency,
    balance_micros: microsOut,
    held_micros: microsOut,
    credit_limit_micros: microsOut,
    free_micros: microsOut,
    owed_micros: microsOut,
    promo: z.array(z.object({ amount_micros: microsOut, expires_at: instantOut })),
    packs: z.array(
      z.object({
        name: z.string(),
        /** Digits without the plus; a call to one of them uses the pack. */
        prefixes: z.array(z.string()),
        seconds_left: z.int(),
        seconds_held: z.int(),
        expires_at: instantOut,
      }),
    ),
  })
  .meta({ id: 'Wallet' });

const entryShape = z
  .object({
    entry_id: z.string(),
    kind: z.string(),
    /** Of the call, the text, the payment or the charge. */
    ref: uuid,
    at: instantOut,
    amount_micros: microsOut,
    promo_micros: microsOut,
    what: z.string(),
  })
  .meta({ id: 'WalletEntry' });

function shownWallet(view: WalletView): z.input<typeof walletShape> {
  const { balance_micros, held_micros, credit_limit_micros, free_micros, owed_micros, promo, packs } = view;
  return {
    ...{ currency: view.currency, balance_micros, held_micros, credit_limit_micros, free_micros, owed_micros },
    ...{ promo, packs },
  };
}
const shownEntry = ({ entry_id, ...entry }: Entry): z.input<typeof entryShape> => ({
  ...entry,
  entry_id: entry_id.toString(),
});

export function walletRoutes(context: PortalContext): Route[] {
  return [readOwnWallet(context), readOwnEntries(context), readWalletAsAdmin(context)];
}

function readOwnWallet({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/wallet',
      operation_id: 'read_wallet',
      summary: 'What is in the wallet, and what of it is free.',
      tag: 'wallet',
      policy: { customer: EVERY_CUSTOMER, api_key: 'wallet:read' },
      answers: { 200: { description: 'The wallet.', json: walletShape } },
      problems: ['not_found'],
    },
    async ({ identity, now }) => {
      const wallet = await readWallet(pool, accountOf(identity), now);
      if (wallet === null) throw new Problem('not_found', 'The account has no wallet.');
      return { status: 200, body: shownWallet(wallet) };
    },
  );
}

function readOwnEntries({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/wallet/entries',
      operation_id: 'list_wallet_entries',
      summary: 'Everything that moved the wallet, the latest first.',
      tag: 'wallet',
      policy: { customer: EVERY_CUSTOMER, api_key: 'wallet:read' },
      query: pageQuery,
      answers: { 200: { description: 'A page of it.', json: pageOf(entryShape) } },
      problems: ['not_found'],
    },
    async ({ identity, query }) => {
      const wallet = await payingWallet(pool, accountOf(identity));
      if (wallet === null) throw new Problem('not_found', 'The account has no wallet.');
      const [before] = decodeCursor(query.cursor, z.tuple([z.string().regex(/^\d{1,18}$/u)])) ?? [null];
      const rows = await readEntries(pool, wallet.wallet_id, before, query.limit + 1);
      const key = ({ entry_id }: Entry) => [entry_id.toString()];
      return { status: 200, body: page(rows, query.limit, { key, item: shownEntry }) };
    },
  );
}

function readWalletAsAdmin({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/accounts/{account_id}/wallet',
      operation_id: 'read_wallet_of_account',
      summary: 'A customer’s wallet with its latest entries; the view is on record with its purpose.',
      tag: 'admin payments',
      policy: { admin: ['finance', 'support', 'owner'] },
      params: z.object({ account_id: uuid }),
      query: z.object({ purpose: line(500) }),
      answers: {
        200: { description: 'The wallet.', json: walletShape.extend({ entries: z.array(entryShape) }) },
      },
      problems: ['not_found'],
    },
    async ({ identity, params, query, now }) => {
      const body = await inTransaction(pool, async (tx) => {
        const wallet = await readWallet(tx, params.account_id, now);
        if (wallet === null) throw new Problem('not_found');
        const entries = await readEntries(tx, wallet.wallet_id, null, 25);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'wallet.view' },
          ...{ account_id: params.account_id, subject: `wallet:${wallet.wallet_id}`, purpose: query.purpose },
        });
        return { ...shownWallet(wallet), entries: entries.map(shownEntry) };
      });
      return { status: 200, body };
    },
  );
}
