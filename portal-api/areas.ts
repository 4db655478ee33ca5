import { activityArea } from './activity/activity_area.ts';
import { auditArea } from './audit/audit_area.ts';
import { codesArea } from './codes/codes_area.ts';
import type { Area, PortalContext } from './context.ts';
import { noticesArea } from './notices/notices_area.ts';
import { invoicesArea } from './invoices/invoices_area.ts';
import { paymentsArea } from './payments/payments_area.ts';
import { profileArea } from './profile/profile_area.ts';
import { registrationArea } from './registration/registration_area.ts';
import { chooseVerifier } from './kyc/choose_verifier.ts';
import { kycArea } from './kyc/kyc_area.ts';
import { liveArea } from './live/live_area.ts';
import { requestsArea } from './http/forget_requests.ts';
import { jobsArea } from './jobs/forget_jobs.ts';
import { missingDocuments } from './kyc/missing_documents.ts';
import { devicesArea } from './devices/devices_area.ts';
import { esmesArea } from './esmes/esmes_area.ts';
import { numbersArea } from './numbers/numbers_area.ts';
import { deskArea } from './desk/desk_area.ts';
import { heldTextsArea } from './held_texts/held_texts_area.ts';
import { legalArea } from './legal/legal_area.ts';
import { termsAccepted, termsPort } from './legal/terms_in_force.ts';
import { optOutsArea } from './opt_outs/opt_outs_area.ts';
import { payNumbersSoon } from './numbers/holdings/pay_numbers_soon.ts';
import { resumeOrders } from './numbers/orders/resume_orders.ts';
import { rightsArea } from './rights/rights_area.ts';
import { sessionArea } from './session/session_area.ts';
import { signInArea } from './sign_in/sign_in_area.ts';
import { voicemailArea } from './voicemail/voicemail_area.ts';
import { walletArea } from './wallet/wallet_area.ts';
import { webhooksArea } from './webhooks/webhooks_area.ts';

/** Every area of the portal. */
export function areas(context: PortalContext): readonly Area[] {
  return [
    paymentsArea(context, { payNumbersSoon }),
    invoicesArea(context),
    walletArea(context),
    sessionArea(context),
    legalArea(context),
    deskArea(context),
    heldTextsArea(context),
    optOutsArea(context),
    activityArea(context),
    rightsArea(context),
    registrationArea(context, termsPort(context.now)),
    signInArea(context),
    profileArea(context),
    codesArea(context),
    noticesArea(context),
    requestsArea(context),
    jobsArea(context),
    auditArea(context),
    liveArea(context),
    kycArea(context, { resumeOrders }, chooseVerifier(context)),
    devicesArea(context),
    esmesArea(context),
    numbersArea(context, { missingDocuments, termsAccepted }),
    webhooksArea(context),
    voicemailArea(context),
  ];
}
