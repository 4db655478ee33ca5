import { auditArea } from './audit/audit_area.ts';
import { codesArea } from './codes/codes_area.ts';
import type { Area, PortalContext } from './context.ts';
import { noticesArea } from './notices/notices_area.ts';
import { paymentsArea } from './payments/payments_area.ts';
import { registrationArea } from './registration/registration_area.ts';
import { noDocuments } from './registration/terms_port.ts';
import { kycArea } from './kyc/kyc_area.ts';
import { liveArea } from './live/live_area.ts';
import { sessionArea } from './session/session_area.ts';

/** Every area of the portal. */
export function areas(context: PortalContext): readonly Area[] {
  return [
    paymentsArea(context),
    sessionArea(context),
    registrationArea(context, noDocuments),
    codesArea(context),
    noticesArea(context),
    auditArea(context),
    liveArea(context),
    kycArea(context),
  ];
}
