import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { Outage } from './runtime/outage.ts';
import type { CertificateFiles } from './runtime/process/certificate.ts';
import { serviceSettings } from './service_settings.ts';
import type { ServiceSettings } from './service_settings.ts';

/** An empty variable is as good as none. */
const unset = (value: unknown): unknown => (value === '' ? undefined : value);

const optional = (shape: z.ZodType<string>): z.ZodType<string | null> =>
  z.preprocess(unset, shape.optional()).transform((value) => value ?? null);

const url = (pattern: RegExp, example: string): z.ZodType<string | null> =>
  optional(z.string().regex(pattern, `is not of the form ${example}`));

const port = z
  .preprocess(unset, z.coerce.number().int().min(1).max(65_535).optional())
  .transform((value) => value ?? null);

const postgresUrl = url(/^postgres(ql)?:\/\/\S+$/, 'postgres://USER:PASSWORD@HOST:PORT/DATABASE');

const shape = z.object({
  /** Everything Letsdial writes: programs, data, logs. */
  LETSDIAL_HOME: optional(z.string()),
  /** Keeps fetched programs for other checkouts of this machine. */
  LETSDIAL_CACHE: optional(z.string()),
  DEBIAN_MIRROR: url(/^https?:\/\/\S+$/, 'http://HOST/debian'),
  /** Of a user that may make tables and roles. */
  DATABASE_URL: postgresUrl,
  /** By which the controller logs in to the same database, where it shall not be by a login that is made for it. */
  CONTROLLER_DATABASE_URL: postgresUrl,
  REDIS_URL: url(/^rediss?:\/\/\S+$/, 'redis://:PASSWORD@HOST:PORT/0'),
  ASTERISK_ARI_URL: url(/^https?:\/\/\S+$/, 'http://HOST:PORT'),
  LETSDIAL_POSTGRES_PORT: port,
  LETSDIAL_REDIS_PORT: port,
  /** Where phones and carriers reach the switch; media is bound to the same address. */
  LETSDIAL_SIP_ADDRESS: optional(
    z.ipv4().refine((address) => address !== '0.0.0.0', {
      error: 'phones have to be told where to send their media, so name one of the addresses of this machine',
    }),
  ),
  LETSDIAL_SIP_PORT: port,
  /** SIP over TLS, on the same address; the port after that of SIP by default. */
  LETSDIAL_SIP_TLS_PORT: port,
  /** The switch's own end of browser phones, on loopback. */
  LETSDIAL_WSS_PORT: port,
  /** PEM files, both or neither; without them a certificate of our own is made, which phones have to be told to trust. */
  LETSDIAL_TLS_CERTIFICATE: optional(z.string()),
  LETSDIAL_TLS_KEY: optional(z.string()),
  /** Health and metrics of the controller. */
  LETSDIAL_CONTROLLER_PORT: port,
  /** By which the gateway of texts logs in, as for the controller. */
  GATEWAY_DATABASE_URL: postgresUrl,
  /** Where customers' programs send texts: HTTP, and SMPP for who binds. */
  LETSDIAL_TEXTS_HTTP_PORT: port,
  LETSDIAL_TEXTS_SMPP_PORT: port,
  /** SMPP over TLS, by the same certificate as SIP; 3550 is its port at IANA (ssmpp). */
  LETSDIAL_TEXTS_SMPP_TLS_PORT: port,
  /** By which the portal's API logs in, as for the controller. */
  PORTAL_DATABASE_URL: postgresUrl,
  /** Where the portal is, for browsers and programs. */
  LETSDIAL_PORTAL_PORT: port,
  /** The first three numbers of the addresses of everybody who is simulated: the carrier, who takes payments, who sells numbers, mail. */
  LETSDIAL_SIMULATED_NETWORK: optional(
    z.string().regex(/^127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){2}$/, 'is no part of loopback such as 127.0.0'),
  ),
  /** `no` keeps the demo operator out: its carrier, its prices, its customer and its numbers. */
  LETSDIAL_DEMO: z.preprocess(unset, z.enum(['yes', 'no'], { error: 'is neither yes nor no' }).default('yes')),
});

/** What decides which programs are installed and where everything is kept. Paths absolute; null: not set. */
export interface DeploySettings {
  home: string;
  cache: string | null;
  mirror: string | null;
  database_url: string | null;
  controller_database_url: string | null;
  redis_url: string | null;
  ari_url: string | null;
  postgres_port: number | null;
  redis_port: number | null;
  sip_address: string;
  sip_port: number;
  sip_tls_port: number;
  wss_port: number | null;
  certificate: CertificateFiles | null;
  controller_port: number | null;
  gateway_database_url: string | null;
  texts_http_port: number;
  texts_smpp_port: number;
  texts_smpp_tls_port: number;
  portal_database_url: string | null;
  portal_port: number;
  /** Whether a database that nobody uses yet gets a demo operator. */
  demo: boolean;
  /** Such as 127.0.0: whoever is simulated has an address in it, and stays on this machine. */
  simulated_network: string;
  services: ServiceSettings;
}

export const checkout = fileURLToPath(new URL('../', import.meta.url));

/** Reads the settings out of an environment; throws an `Outage` that names each that is wrong. */
export function deploySettings(env: NodeJS.ProcessEnv): DeploySettings {
  const parsed = shape.safeParse(env);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ');
    throw new Outage(`The environment holds settings that cannot be used, so nothing was started: ${wrong}.`);
  }
  const given = parsed.data;
  for (const [name, url] of [
    ['CONTROLLER_DATABASE_URL', given.CONTROLLER_DATABASE_URL],
    ['GATEWAY_DATABASE_URL', given.GATEWAY_DATABASE_URL],
    ['PORTAL_DATABASE_URL', given.PORTAL_DATABASE_URL],
  ]) {
    if (url !== null && given.DATABASE_URL === null) {
      throw new Outage(
        `${name} is set and DATABASE_URL is not, so a service would work in another database than the one that is set up, and nothing was started: set both or neither.`,
      );
    }
  }
  const sip_port = given.LETSDIAL_SIP_PORT ?? 5060;
  return {
    home: resolve(checkout, given.LETSDIAL_HOME ?? '.letsdial'),
    cache: given.LETSDIAL_CACHE === null ? null : resolve(checkout, given.LETSDIAL_CACHE),
    mirror: given.DEBIAN_MIRROR,
    database_url: given.DATABASE_URL,
    controller_database_url: given.CONTROLLER_DATABASE_URL,
    redis_url: given.REDIS_URL,
    ari_url: given.ASTERISK_ARI_URL,
    postgres_port: given.LETSDIAL_POSTGRES_PORT,
    redis_port: given.LETSDIAL_REDIS_PORT,
    sip_address: given.LETSDIAL_SIP_ADDRESS ?? '127.0.0.1',
    sip_port,
    sip_tls_port: given.LETSDIAL_SIP_TLS_PORT ?? sip_port + 1,
    wss_port: given.LETSDIAL_WSS_PORT,
    certificate: certificateFiles(given.LETSDIAL_TLS_CERTIFICATE, given.LETSDIAL_TLS_KEY),
    controller_port: given.LETSDIAL_CONTROLLER_PORT,
    gateway_database_url: given.GATEWAY_DATABASE_URL,
    texts_http_port: given.LETSDIAL_TEXTS_HTTP_PORT ?? 8710,
    texts_smpp_port: given.LETSDIAL_TEXTS_SMPP_PORT ?? 2775,
    texts_smpp_tls_port: given.LETSDIAL_TEXTS_SMPP_TLS_PORT ?? 3550,
    portal_database_url: given.PORTAL_DATABASE_URL,
    portal_port: given.LETSDIAL_PORTAL_PORT ?? 8720,
    demo: given.LETSDIAL_DEMO === 'yes',
    simulated_network: given.LETSDIAL_SIMULATED_NETWORK ?? '127.0.0',
    services: serviceSettings(env),
  };
}

function certificateFiles(certificate: string | null, key: string | null): CertificateFiles | null {
  if (certificate === null && key === null) return null;
  if (certificate === null || key === null) {
    throw new Outage(
      'A certificate is of no use without its private key: set LETSDIAL_TLS_CERTIFICATE and LETSDIAL_TLS_KEY, or neither. Nothing was started.',
    );
  }
  return { certificate_file: resolve(checkout, certificate), private_key_file: resolve(checkout, key) };
}

/** The servers that run elsewhere by these settings. */
export function serversElsewhere(settings: DeploySettings): ('postgres' | 'valkey' | 'asterisk')[] {
  const elsewhere: ('postgres' | 'valkey' | 'asterisk')[] = [];
  if (settings.database_url !== null) elsewhere.push('postgres');
  if (settings.redis_url !== null) elsewhere.push('valkey');
  if (settings.ari_url !== null) elsewhere.push('asterisk');
  return elsewhere;
}
