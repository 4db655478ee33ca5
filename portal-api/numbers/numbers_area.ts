import type { Area, PortalContext } from '../context.ts';
import { inventoryRoutes } from './admin/inventory_routes.ts';
import { moveRoutes } from './admin/move_routes.ts';
import { providerRoutes } from './admin/provider_routes.ts';
import { queueRoutes } from './admin/queue_routes.ts';
import { cancellationRoutes } from './holdings/cancellation_routes.ts';
import { holdingRoutes } from './holdings/holding_routes.ts';
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
  const { pool, ring, now, log, settings } = context;
  const desk: NumbersDesk = { pool, ring, now, log, settings, ...ports, providers: numberProviders(settings) };
  return {
    routes: [
      ...[...offerRoutes(desk), ...orderRoutes(desk), webhookRoute(desk)],
      ...[...holdingRoutes(desk), ...cancellationRoutes(desk), ...transferRoutes(desk), ...portRoutes(desk)],
      ...[...inventoryRoutes(desk), ...queueRoutes(desk), ...providerRoutes(desk), ...moveRoutes(desk)],
    ],
    tasks: numberTasks(desk),
  };
}
