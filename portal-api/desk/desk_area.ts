import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Area, PortalContext } from '../context.ts';
import { task } from '../jobs/task.ts';
import { accountRoutes } from './account_routes.ts';
import { adminUserRoutes } from './admin_user_routes.ts';
import { blockedPrefixRoutes } from './blocked_prefix_routes.ts';
import { carrierRoutes } from './carrier_routes.ts';
import { codeRequestRoutes, forgetCodeRequests } from './code_request_routes.ts';
import { customerRoutes } from './customer_routes.ts';
import { deckRoutes } from './deck_routes.ts';
import { dueDecks, putDeckInForce } from './deck_rows.ts';
import { liveRoutes } from './live_routes.ts';
import { logRoutes } from './log_routes.ts';
import { signUpRoutes } from './sign_up_routes.ts';

/** The operator's side: customers, limits, prices, carriers, what is live, and the log of all of it. */
export function deskArea(context: PortalContext): Area {
  const { pool, now } = context;
  const putDecksInForce = task(
    'put_decks_in_force',
    z.object({}),
    async () => {
      const at = now();
      for (const deck_id of await dueDecks(pool, at)) {
        await inTransaction(pool, async (tx) => {
          if (!(await putDeckInForce(tx, deck_id, at))) return;
          await appendAudit(tx, {
            ...{ at, actor: { kind: 'system', id: 'put_decks_in_force' }, action: 'rate_deck.in_force' },
            ...{ account_id: null, subject: `rate_deck:${deck_id}` },
          });
        });
      }
    },
    '* * * * *',
  );
  const routes = [
    ...[...customerRoutes(context), ...accountRoutes(context), ...adminUserRoutes(context)],
    ...[...deckRoutes(context), ...carrierRoutes(context), ...liveRoutes(context), ...logRoutes(context)],
    ...[...signUpRoutes(context), ...codeRequestRoutes(context), ...blockedPrefixRoutes(context)],
  ];
  return { routes, tasks: [putDecksInForce, forgetCodeRequests(context)] };
}
