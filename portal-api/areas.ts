import { auditArea } from './audit/audit_area.ts';
import type { Area, PortalContext } from './context.ts';
import { sessionArea } from './session/session_area.ts';

/** Every area of the portal. */
export function areas(context: PortalContext): readonly Area[] {
  return [sessionArea(context), auditArea(context)];
}
