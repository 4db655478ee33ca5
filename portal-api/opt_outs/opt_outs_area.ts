import type { Area, PortalContext } from '../context.ts';
import { optOutRoutes } from './opt_out_routes.ts';

/** Who said STOP to whom. */
export function optOutsArea(context: PortalContext): Area {
  return { routes: optOutRoutes(context), tasks: [] };
}
