import type { Area, PortalContext } from '../context.ts';
import { heldTextRoutes } from './held_text_routes.ts';
import { unheldTextRoutes } from './unheld_text_routes.ts';

/** Texts that wait for a person's decision. */
export function heldTextsArea(context: PortalContext): Area {
  return { routes: [...heldTextRoutes(context), ...unheldTextRoutes(context)], tasks: [] };
}
