import { join } from 'node:path';
import { mailCatcherPart } from './parts/mail_catcher.ts';
import { numberProviderPart } from './parts/number_provider.ts';
import { paymentProviderPart } from './parts/payment_provider.ts';
import { portalApiPart } from './parts/portal_api.ts';
import type { PortalApiPart } from './parts/portal_api.ts';
import { claimPort, freePort, LOOPBACK } from './runtime/process/port.ts';
import { keptSecret } from './runtime/process/secret.ts';
import { seedDemoPortal } from './seed/demo_portal.ts';
import type { DemoPortal } from './seed/demo_portal.ts';
import type { DeploySettings } from './settings.ts';
import type { Begin } from './supervise/part.ts';

/** Whom the portal works with, each on an address of its own of the loopback network. */
const MAIL = { host: '127.0.0.6', smtp_port: 8725, http_port: 8726 };
const PAYMENTS = { address: '127.0.0.7', port: 8730 };
const NUMBERS = { address: '127.0.0.8', port: 8731 };

export interface PortalServers {
  /** Of a role that may do everything. */
  owner_url: string;
  database_url: string;
  redis_url: string;
  /** Whether there is a demo operator, whose numbers are for sale. */
  is_demo: boolean;
}

export interface StartedPortal {
  portal: PortalApiPart;
  demo: DemoPortal;
  /** As a browser writes it: passkeys and cookies go by the name, so it is one. */
  origin: string;
  mail_url: string;
}

/** The portal's API with a provider of payments, one of numbers and a mailbox, all simulated. */
export async function beginPortal(
  begin: Begin,
  settings: DeploySettings,
  { owner_url, database_url, redis_url, is_demo }: PortalServers,
): Promise<StartedPortal> {
  const { home } = settings;
  const secret = (name: string): Promise<string> => keptSecret(join(home, 'secrets', name));
  const demo = await seedDemoPortal(home, owner_url, { is_demo });
  const port = await claimPort(settings.portal_port, 'The portal');
  const url = `http://${LOOPBACK}:${port}`;
  const origin = `http://localhost:${port}`;
  const mail = await begin(mailCatcherPart(MAIL));
  const payment_secret = await secret('demo-payments');
  await begin(
    paymentProviderPart({
      ...{ home, ...PAYMENTS, webhook_secret: payment_secret },
      webhook_url: `${url}/v1/payment-events`,
    }),
  );
  const [key, number_secret] = [await secret('demo-numbers-key'), await secret('demo-numbers')];
  const webhook = { url: `${url}/v1/webhooks/number-provider`, secret: number_secret };
  await begin(numberProviderPart({ ...{ home, ...NUMBERS, key, webhook }, provision_ms: 2_000, test_ms: 1_000 }));
  const portal = await begin(
    portalApiPart({
      ...{ home, database_url, redis_url, host: LOOPBACK, ports: { http: port, observe: await freePort() } },
      settings: {
        PUBLIC_ORIGIN: origin,
        SMTP_URL: mail.smtp_url,
        PAYMENT_PROVIDER_URL: `http://${PAYMENTS.address}:${PAYMENTS.port}`,
        PAYMENT_WEBHOOK_SECRET: payment_secret,
        NUMBER_PROVIDER_URL: `http://${NUMBERS.address}:${NUMBERS.port}`,
        NUMBER_PROVIDER_KEY: key,
        NUMBER_PROVIDER_WEBHOOK_SECRET: number_secret,
      },
    }),
  );
  return { portal, demo, origin, mail_url: `http://${MAIL.host}:${MAIL.http_port}` };
}

/** What to do first, for whoever reads it in a terminal. */
export function firstRequest({ origin, demo, mail_url }: StartedPortal): string {
  return `
  The portal's API is on ${origin}. A person reads what it can do on ${origin}/docs, a program in ${origin}/openapi.json.
  Its mail goes nowhere but to ${mail_url}. Payments and numbers are simulated: the card 4242 4242 4242 4242 pays.
  ${firstAdmin(demo)}
  Whether the log of who saw and did what is whole:
      npm run -s audit:verify
`;
}

function firstAdmin({ admin }: DemoPortal): string {
  if (admin === null) return 'Its admins sign in as ever: none was made here.';
  return `The first admin signs in as ${admin.email} with the password ${admin.password}
  and a code of an app that is given the secret ${admin.totp_secret_base32}.`;
}
