import type { Area, PortalContext } from '../context.ts';
import { adminRoutes } from './admin_routes.ts';
import { legalTasks } from './legal_tasks.ts';
import { publicRoutes } from './public_routes.ts';

/** What is agreed on: its versions, who agreed, and what changes. */
export function legalArea(context: PortalContext): Area {
  return { routes: [...publicRoutes(context), ...adminRoutes(context)], tasks: legalTasks(context) };
}
