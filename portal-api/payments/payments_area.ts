import type { Area, PortalContext } from '../context.ts';
import { paymentTasks } from './auto_top_up.ts';
import { autoTopUpRoutes } from './auto_top_up_routes.ts';
import { chooseProvider } from './choose_provider.ts';
import { disputeRoutes } from './dispute_routes.ts';
import { dunningRoutes } from './dunning_routes.ts';
import { methodRoutes } from './method_routes.ts';
import { paymentDeskRoutes } from './payment_desk_routes.ts';
import type { PaymentsContext, PaymentsPorts } from './payments_context.ts';
import { reconcileRoutes, reconcileTask } from './reconcile_routes.ts';
import { refundRoutes } from './refund_routes.ts';
import { topUpRoutes } from './top_up_routes.ts';
import { webhookRoute } from './webhook_route.ts';

/** Money in and out: payments, cards, refunds, disputes, and whether all books agree. */
export function paymentsArea(portal: PortalContext, ports: PaymentsPorts): Area {
  const context: PaymentsContext = { ...portal, ...ports };
  const provider = chooseProvider(context);
  return {
    routes: [
      ...topUpRoutes(context, provider),
      ...methodRoutes(context, provider),
      ...autoTopUpRoutes(context, provider),
      ...refundRoutes(context, provider),
      ...reconcileRoutes(context, provider),
      ...paymentDeskRoutes(context),
      ...disputeRoutes(context),
      ...dunningRoutes(context),
      webhookRoute(context, provider),
    ],
    tasks: provider === null ? [] : [...paymentTasks(context, provider), reconcileTask(context, provider)],
  };
}
