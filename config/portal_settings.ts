import { isIPv4 } from 'node:net';
import { z } from 'zod';

/** Every setting of the portal's API, with its unit, default and check. Read once, in its `main.ts`. */
const port = z.coerce.number().int().min(0).max(65535);
const ms = (fallback: number, max = 3_600_000) => z.coerce.number().int().min(1).max(max).default(fallback);
const count = (fallback: number, max: number) => z.coerce.number().int().min(1).max(max).default(fallback);

const micros = (fallback: bigint) =>
  z
    .string()
    .regex(/^[0-9]{1,15}$/u)
    .transform(BigInt)
    .default(fallback);

const DAY_MS = 86_400_000;

/** What is sent there is seen by nobody on the way. */
function isUnseen(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  const is_loopback =
    hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'));
  return protocol === 'https:' || is_loopback;
}

const portalSchema = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/u }),
  REDIS_URL: z.url({ protocol: /^rediss?$/u }),
  PORTAL_HOST: z.string().min(1).default('127.0.0.1'),
  PORTAL_HTTP_PORT: port.default(8720),
  /** Health and metrics; for the operator alone. */
  PORTAL_OBSERVE_PORT: port.default(8721),
  /** Where the portal's pages come from, as a browser writes it: cookies, passkeys and links go by it. */
  PUBLIC_ORIGIN: z.url({ protocol: /^https?$/u }).default('http://localhost:8720'),
  /** Proxies in front of it that are the operator's own. */
  PROXIES: z.coerce.number().int().min(0).max(10).default(0),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** JSON with the secrets that personal data is sealed by; see the README. Never in the database, and not in its backups. */
  KEY_RING_FILE: z.string().min(1),
  /** Where documents that customers upload are kept, sealed. */
  DOCUMENTS_FOLDER: z.string().min(1),
  /** So long before a new version of the terms comes into force it has to be scheduled, and whoever agreed to the last one is told. 0: no wait. */
  TERMS_NOTICE_DAYS_MIN: z.coerce.number().int().min(0).max(365).default(30),
  /** Where the switch leaves voice messages and finds greetings: `voicemail` in its spool. Without it no mailboxes are offered. */
  VOICEMAIL_FOLDER: z.string().min(1).optional(),
  VOICE_MESSAGE_DAYS: count(90, 3_650),
  /** How long a document is kept that was refused, ran out, or was never handed in. */
  REFUSED_DOCUMENTS_DAYS: count(30, 365),
  /**
   * Who compares documents with what is claimed before a person does: nobody, a check of our own that sees blank pages and minors, or a
   * service over HTTP. Its verdict stands beside the document as advice; people decide.
   */
  KYC_VERIFIER: z.enum(['none', 'local', 'http']).default('none'),
  KYC_VERIFIER_URL: z
    .url({ protocol: /^https?$/u })
    .refine(isUnseen, 'pages of passports are sent there, so it has to be https, but for this machine itself')
    .optional(),
  /** What requests to that service, which carry the pages of documents, are signed with. */
  KYC_VERIFIER_SECRET: z.string().min(16).optional(),
  /** To which the signed heads of the audit log are appended; to be kept, or copied, where whoever runs the database cannot write. */
  AUDIT_HEADS_FILE: z.string().min(1),
  /** Where mail is handed over. */
  SMTP_URL: z.url({ protocol: /^smtps?$/u }).default('smtp://127.0.0.1:8725'),
  MAIL_FROM: z.string().min(3).max(200).default('Letsdial <no-reply@letsdial.example>'),
  /** What whoever hands delivery reports on signs them with; without it none are taken, and only what is refused at once is known to come back. */
  MAIL_REPORT_SECRET: z.string().min(16).optional(),
  BRAND: z.string().min(1).max(20).default('Letsdial'),
  /** In which currency new customers keep their money, where nothing else is asked for. */
  CURRENCY: z
    .string()
    .regex(/^[A-Z]{3}$/u)
    .default('EUR'),
  /** Who takes payments: the simulated provider of deploy/payment_provider, or Stripe. */
  PAYMENT_PROVIDER: z.enum(['local', 'stripe']).default('local'),
  /** Where the provider's API is; for Stripe only where it is not Stripe's own. */
  PAYMENT_PROVIDER_URL: z.url({ protocol: /^https?$/u }).optional(),
  /** What the provider signs its webhooks with, and the simulated one knows us by. Without it no payments are taken. */
  PAYMENT_WEBHOOK_SECRET: z.string().min(16).optional(),
  STRIPE_SECRET_KEY: z.string().min(8).optional(),
  /** Refunds, corrections and promo credit above so many units of a currency need a second admin. */
  SECOND_APPROVAL_ABOVE_UNITS: count(100, 1_000_000),
  /** Sign-in with Google by OpenID Connect; without an id it is not offered. */
  GOOGLE_ISSUER: z.url({ protocol: /^https?$/u }).default('https://accounts.google.com'),
  GOOGLE_CLIENT_ID: z.string().min(1).optional(),
  GOOGLE_CLIENT_SECRET: z.string().min(1).optional(),
  /** Codes by mail and SMS, to one address or number and at the wish of one network address. */
  CODES_PER_TARGET_PER_HOUR_MAX: count(5, 1_000),
  CODES_PER_ADDRESS_PER_HOUR_MAX: count(30, 1_000_000),
  /** Codes by voice call, which cost money: to one number and at the wish of one network address within a day, and to all within an hour. */
  SPOKEN_CODES_PER_TARGET_PER_DAY_MAX: count(3, 1_000),
  SPOKEN_CODES_PER_ADDRESS_PER_DAY_MAX: count(6, 1_000_000),
  SPOKEN_CODES_PER_HOUR_MAX: count(200, 1_000_000),
  /** Sign-ins to one account that failed within a quarter of an hour, after which more are refused until it is over. */
  FAILED_SIGN_INS_MAX: count(10, 1_000),
  /** Password hashes that are computed at one moment, and that wait for their turn: with more, requests are refused. */
  PASSWORD_HASHES_AT_ONCE: count(1, 16),
  PASSWORD_HASHES_WAITING_MAX: count(50, 10_000),
  /** After so many days a sign-in's address is cut to its network, and the sign-in is forgotten. */
  LOGIN_ADDRESS_DAYS: count(90, 3_650),
  LOGIN_EVENT_DAYS: count(180, 3_650),
  /** What a new customer may do at most, until somebody decides otherwise; money in micros of the wallet's currency. */
  NEW_ACCOUNT_CALLS_MAX: count(5, 1_000),
  NEW_ACCOUNT_CALLS_PER_SECOND_MAX: count(2, 1_000),
  NEW_ACCOUNT_SPEND_MICROS_PER_HOUR_MAX: micros(20_000_000n),
  NEW_ACCOUNT_SPEND_MICROS_PER_DAY_MAX: micros(50_000_000n),
  NEW_ACCOUNT_RATE_MICROS_PER_MINUTE_MAX: micros(1_000_000n),
  /** The API of the partner that supplies numbers, the key that it knows us by, and what it signs its webhooks with; without them the numbers of our own stock alone are supplied. */
  NUMBER_PROVIDER_URL: z.url({ protocol: /^https?$/u }).optional(),
  NUMBER_PROVIDER_KEY: z.string().min(16).optional(),
  NUMBER_PROVIDER_WEBHOOK_SECRET: z.string().min(16).optional(),
  SESSION_IDLE_MS: ms(2 * 3_600_000, 30 * DAY_MS),
  SESSION_LIFE_MS: ms(30 * DAY_MS, 365 * DAY_MS),
  /** A sensitive change asks who it is anew after this. */
  STEP_UP_MS: ms(5 * 60_000),
  /** Within what time a request’s headers, and all of it, have to be here: a connection that is slower is closed. */
  HEADERS_MS: ms(10_000),
  REQUEST_MS: ms(60_000),
  /** How long a stop waits for what is under way. */
  DRAIN_MS: ms(10_000),
  /** Requests of one address or one person. */
  READS_PER_MINUTE_MAX: count(1_200, 1_000_000),
  WRITES_PER_MINUTE_MAX: count(120, 1_000_000),
  GUESSES_PER_MINUTE_MAX: count(20, 1_000_000),
  COSTLY_PER_MINUTE_MAX: count(30, 1_000_000),
});

/** What one setting asks of others. */
const wholeSchema = portalSchema.superRefine((settings, check) => {
  if (settings.KYC_VERIFIER !== 'http') return;
  for (const name of ['KYC_VERIFIER_URL', 'KYC_VERIFIER_SECRET'] as const) {
    if (settings[name] !== undefined) continue;
    check.addIssue({ code: 'custom', path: [name], message: 'KYC_VERIFIER=http needs it' });
  }
});

export const PORTAL_SETTING_NAMES: readonly string[] = Object.keys(portalSchema.shape);

export type PortalSettings = z.infer<typeof portalSchema>;

/** Throws one sentence that names each wrong setting and what it may be. */
export function readPortalSettings(environment: Readonly<Record<string, string | undefined>>): PortalSettings {
  const parsed = wholeSchema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new Error(
    `The portal cannot start with these settings. ${wrong}. Correct them in its environment and start it again.`,
  );
}
