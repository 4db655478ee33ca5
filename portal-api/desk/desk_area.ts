import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Area, PortalContext } from '../context.ts';
import { task } from '../jobs/task.ts';
import { accountRoutes } from './account_routes.ts';
import { adminUserRoutes } from './admin_user_routes.ts';
import { blockedPrefixRoutes } from './blocked_prefix_routes.ts';
import { bindRoutes } from './carriers/bind_routes.ts';
import { carrierRoutes } from './carriers/carrier_routes.ts';
import { emergencyRoutes } from './carriers/emergency_routes.ts';
import { portedNumberRoutes } from './carriers/ported_number_routes.ts';
import { trunkRoutes } from './carriers/trunk_routes.ts';
import { codeRequestRoutes, forgetCodeRequests } from './code_request_routes.ts';
import { customerRoutes } from './customer_routes.ts';
import { deckRoutes } from './deck_routes.ts';
import { dueDecks, putDeckInForce } from './deck_rows.ts';
import { liveRoutes } from './live_routes.ts';
import { logRoutes } from './log_routes.ts';
import { signUpRoutes } from './sign_up_routes.ts';
import { contentRuleRoutes } from './text_rules/content_rule_routes.ts';
import { countryTextRuleRoutes } from './text_rules/country_text_rule_routes.ts';
import { textSenderRoutes } from './text_rules/text_sender_routes.ts';
import { textTrustRoutes } from './text_rules/text_trust_routes.ts';

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
    ...[...deckRoutes(context), ...liveRoutes(context), ...logRoutes(context)],
    ...[...carrierRoutes(context), ...trunkRoutes(context), ...bindRoutes(context), ...emergencyRoutes(context)],
    ...[...contentRuleRoutes(context), ...countryTextRuleRoutes(context), ...textSenderRoutes(context)],
    ...[...textTrustRoutes(context), ...portedNumberRoutes(context)],
    ...[...signUpRoutes(context), ...codeRequestRoutes(context), ...blockedPrefixRoutes(context)],
  ];
  return { routes, tasks: [putDecksInForce, forgetCodeRequests(context)] };
}
