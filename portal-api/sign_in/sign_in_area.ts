import type { Area, PortalContext } from '../context.ts';
import { credentialRoutes } from './credential_routes.ts';
import { googleRoutes } from './google_routes.ts';
import { forgetSignIns, loginEventRoutes } from './login_event_routes.ts';
import { passkeyRoutes } from './passkey_routes.ts';
import { PasswordHashing } from './password_hashing.ts';
import { signInByPassword, signInBySecondFactor } from './password_routes.ts';
import { proofRoutes } from './proof_routes.ts';
import { mailResetCode, resetRoutes } from './reset_routes.ts';
import { signInDeskRoutes } from './sign_in_desk_routes.ts';

/** How people come in, and what they come in with. */
export function signInArea(context: PortalContext): Area {
  const { PASSWORD_HASHES_AT_ONCE: at_once, PASSWORD_HASHES_WAITING_MAX: waiting_max } = context.settings;
  // One for all routes: they share the processor.
  const hashing = new PasswordHashing({ at_once, waiting_max });
  return {
    routes: [
      signInByPassword(context, hashing),
      signInBySecondFactor(context),
      ...passkeyRoutes(context),
      ...googleRoutes(context),
      ...resetRoutes(context, hashing),
      ...proofRoutes(context, hashing),
      ...credentialRoutes(context, hashing),
      ...loginEventRoutes(context),
      ...signInDeskRoutes(context),
    ],
    tasks: [mailResetCode(context), forgetSignIns(context)],
  };
}
