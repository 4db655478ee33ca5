import type { Area, PortalContext } from '../context.ts';
import { cancellationOrderRoutes } from './admin/cancellation_order_routes.ts';
import { adminCancellationRoutes } from './admin/cancellation_routes.ts';
import { inventoryRoutes } from './admin/inventory_routes.ts';
import { moveRoutes } from './admin/move_routes.ts';
import { providerRoutes } from './admin/provider_routes.ts';
import { portInDeskRoutes } from './admin/port_in_desk_routes.ts';
import { queueRoutes } from './admin/queue_routes.ts';
import { transferDeskRoutes } from './admin/transfer_desk_routes.ts';
import { claimDecisionRoute } from './claims/claim_decision_route.ts';
import { claimDeskRoutes } from './claims/claim_desk_routes.ts';
import { claimRoutes } from './claims/claim_routes.ts';
import { disputeDecisionRoute } from './disputes/dispute_decision_route.ts';
import { disputeDeskRoutes } from './disputes/dispute_desk_routes.ts';
import { disputeRoutes } from './disputes/dispute_routes.ts';
import { adoptNumbers } from './holdings/adopt_numbers.ts';
import { cancellationRoutes } from './holdings/cancellation_routes.ts';
import { holdingRoutes } from './holdings/holding_routes.ts';
import { textRoutingRoutes } from './holdings/text_routing_routes.ts';
import { portInRoutes } from './moving/port_in_routes.ts';
import { portRoutes } from './moving/port_routes.ts';
import { transferRoutes } from './moving/transfer_routes.ts';
import { numberTasks } from './number_tasks.ts';
import type { NumbersDesk } from './numbers_desk.ts';
import { offerRoutes } from './offers/offer_routes.ts';
import type { BuyerPorts } from './orders/buyer.ts';
import { orderRoutes } from './orders/order_routes.ts';
import { numberProviders } from './provider/number_providers.ts';
import { webhookRoute } from './provider/webhook_route.ts';

/** Numbers: their sale, who holds them and pays for them, and how they move on. */
export function numbersArea(context: PortalContext, ports: BuyerPorts): Area {
  const { pool, keys, ring, now, log, settings } = context;
  const desk: NumbersDesk = { pool, keys, ring, now, log, settings, ...ports, providers: numberProviders(settings) };
  return {
    routes: [
      ...[...offerRoutes(desk), ...orderRoutes(desk), webhookRoute(desk)],
      ...[...holdingRoutes(desk), ...cancellationRoutes(desk), ...transferRoutes(desk), ...portRoutes(desk)],
      ...[...textRoutingRoutes(desk), ...portInRoutes(desk)],
      ...[...inventoryRoutes(desk), ...queueRoutes(desk), ...providerRoutes(desk), ...moveRoutes(desk)],
      ...[...adminCancellationRoutes(desk), ...cancellationOrderRoutes(desk)],
      ...portInDeskRoutes(desk),
      ...transferDeskRoutes(desk),
      ...[...claimRoutes(desk), ...claimDeskRoutes(desk), claimDecisionRoute(desk)],
      ...[...disputeRoutes(desk), ...disputeDeskRoutes(desk), disputeDecisionRoute(desk)],
    ],
    tasks: numberTasks(desk),
    start: async () => {
      // Nobody agreed on a price for them.
      const { adopted, failures } = await adoptNumbers(pool, 0n, now());
      if (adopted.length > 0) log.warn({ adopted }, 'numbers that worked without a holding have one now, at no price');
      for (const { number, error } of failures) {
        log.error(
          { number, error },
          'a number works without a holding and cannot have one: see who held it, and release it',
        );
      }
    },
  };
}
