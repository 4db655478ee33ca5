import { join } from 'node:path';
import { mailCatcherPart } from './parts/mail_catcher.ts';
import { numberProviderPart } from './parts/number_provider.ts';
import { paymentProviderPart } from './parts/payment_provider.ts';
import { portalApiPart } from './parts/portal_api.ts';
import type { PortalApiPart } from './parts/portal_api.ts';
import { claimPort } from './runtime/process/free_port.ts';
import { LOOPBACK } from './runtime/process/port.ts';
import { keptSecret } from './runtime/process/secret.ts';
import { seedDemoPortal } from './seed/demo_portal.ts';
import type { DemoPortal } from './seed/demo_portal.ts';
import { portIn } from './service_settings.ts';
import type { Settings } from './service_settings.ts';
import type { DeploySettings } from './settings.ts';
import type { Begin } from './supervise/part.ts';

/** Whom the portal works with, each on an address of its own. */
const partnersIn = (network: string) => ({
  mail_at: { host: `${network}.6`, smtp_port: 8725, http_port: 8726 },
  payments_at: { address: `${network}.7`, port: 8730 },
  numbers_at: { address: `${network}.8`, port: 8731 },
});

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
  /** Where mail can be read that goes nowhere else; null where it goes out. */
  mail_url: string | null;
}

/** The portal's API with a provider of payments, one of numbers and a mailbox, all simulated. */
export async function beginPortal(
  begin: Begin,
  settings: DeploySettings,
  { owner_url, database_url, redis_url, is_demo }: PortalServers,
): Promise<StartedPortal> {
  const { home, simulated_network } = settings;
  const { mail_at, payments_at, numbers_at } = partnersIn(simulated_network);
  const secret = (name: string): Promise<string> => keptSecret(join(home, 'secrets', name));
  const demo = await seedDemoPortal(home, owner_url, { is_demo });
  const port = await claimPort(settings.portal_port, 'The portal');
  const own = settings.services.portal;
  const host = own['PORTAL_HOST'] ?? LOOPBACK;
  const url = `http://${isAny(host) ? LOOPBACK : host}:${port}`;
  const observe = await claimPort(portIn(own, 'PORTAL_OBSERVE_PORT'), 'The metrics of the portal');
  const origin = own['PUBLIC_ORIGIN'] ?? `http://localhost:${port}`;
  const mail = await begin(mailCatcherPart(mail_at));
  const payment_secret = await secret('demo-payments');
  await begin(
    paymentProviderPart({
      ...{ home, ...payments_at, webhook_secret: payment_secret },
      webhook_url: `${url}/v1/payment-events`,
    }),
  );
  const [key, number_secret] = [await secret('demo-numbers-key'), await secret('demo-numbers')];
  const webhook = { url: `${url}/v1/webhooks/number-provider`, secret: number_secret };
  await begin(numberProviderPart({ ...{ home, ...numbers_at, key, webhook }, provision_ms: 2_000, test_ms: 1_000 }));
  const portal = await begin(
    portalApiPart({
      ...{ home, database_url, redis_url, host, ports: { http: port, observe } },
      settings: {
        PUBLIC_ORIGIN: origin,
        SMTP_URL: mail.smtp_url,
        ...simulatedPayments(own, { url: `http://${payments_at.address}:${payments_at.port}`, secret: payment_secret }),
        NUMBER_PROVIDER_URL: `http://${numbers_at.address}:${numbers_at.port}`,
        NUMBER_PROVIDER_KEY: key,
        NUMBER_PROVIDER_WEBHOOK_SECRET: number_secret,
        ...own,
      },
    }),
  );
  const mail_url = own['SMTP_URL'] === undefined ? `http://${mail_at.host}:${mail_at.http_port}` : null;
  return { portal, demo, origin, mail_url };
}

const isAny = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** A provider that is real is told nothing of the simulated one, least of all its address. */
function simulatedPayments(own: Settings, { url, secret }: { url: string; secret: string }): Settings {
  const is_simulated = (own['PAYMENT_PROVIDER'] ?? 'local') === 'local';
  return is_simulated ? { PAYMENT_PROVIDER_URL: url, PAYMENT_WEBHOOK_SECRET: secret } : {};
}

/** What to do first, for whoever reads it in a terminal. */
export function firstRequest({ origin, demo, mail_url }: StartedPortal): string {
  return `
  The portal's API is on ${origin}. A person reads what it can do on ${origin}/docs, a program in ${origin}/openapi.json.
  ${mail_url === null ? 'Its mail goes out.' : `Its mail goes nowhere but to ${mail_url}.`} Payments and numbers are simulated: the card 4242 4242 4242 4242 pays.
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
