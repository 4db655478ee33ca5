import type { Area, PortalContext } from '../context.ts';
import { esmeDeskRoutes } from './esme_desk_routes.ts';
import { esmeOwnRoutes } from './esme_own_routes.ts';

/** Customers who bind to our SMSC. */
export function esmesArea(context: PortalContext): Area {
  return { routes: [...esmeDeskRoutes(context), ...esmeOwnRoutes(context)], tasks: [] };
}
