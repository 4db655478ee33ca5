import type { Area, PortalContext } from '../context.ts';
import { apiKeyDeskRoutes } from './api_key_desk_routes.ts';
import { apiKeyRoutes } from './api_key_routes.ts';
import { changeDeskRoutes } from './change_desk_routes.ts';
import { contactRoutes } from './contact_routes.ts';
import { sendInvitation } from './invitations.ts';
import { memberRoutes } from './member_routes.ts';
import { profileRoutes } from './profile_routes.ts';

/** What people say about themselves, who may act for an account, and its keys. */
export function profileArea(context: PortalContext): Area {
  return {
    routes: [
      ...profileRoutes(context),
      ...contactRoutes(context),
      ...memberRoutes(context),
      ...apiKeyRoutes(context),
      ...apiKeyDeskRoutes(context),
      ...changeDeskRoutes(context),
    ],
    tasks: [sendInvitation(context)],
  };
}
