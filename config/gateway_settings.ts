import { z } from 'zod';

/** Every setting of the gateway of texts, with its unit, default and check. Read once, in its `main.ts`. */
const port = z.coerce.number().int().min(0).max(65535);
const ms = (fallback: number, max = 3_600_000) => z.coerce.number().int().min(1).max(max).default(fallback);
const count = (fallback: number, max: number) => z.coerce.number().int().min(1).max(max).default(fallback);
const ppm = (fallback: number) => z.coerce.number().int().min(-1_000_000).max(1_000_000).default(fallback);
const yes_or_no = z.enum(['yes', 'no']).default('no');

const gatewayShape = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/u }),
  REDIS_URL: z.url({ protocol: /^rediss?$/u }),
  /** Names the gateway in the database; one process at a time sends under this name. */
  GATEWAY_ID: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/u)
    .default('sms-gateway-1'),
  GATEWAY_HOST: z.string().min(1).default('127.0.0.1'),
  /** HTTP for customers: API keys, single texts and batches. */
  GATEWAY_HTTP_PORT: port.default(8710),
  /** SMPP for customers who bind to us. */
  GATEWAY_SMPP_PORT: port.default(2775),
  /** The same over TLS 1.2 or newer; without it there is none. Needs the two files below. */
  GATEWAY_SMPP_TLS_PORT: port.optional(),
  /** PEM: the certificate with those of its issuers behind it, and its key. Read again each minute, so that a renewed one needs no restart. */
  GATEWAY_TLS_CERT_FILE: z.string().min(1).optional(),
  GATEWAY_TLS_KEY_FILE: z.string().min(1).optional(),
  /** Health, metrics and the state of binds; for the operator alone. */
  GATEWAY_OBSERVE_PORT: port.default(8711),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),

  /** How many segments a text may take. */
  SEGMENTS_MAX: count(10, 255),
  /** How long a text waits for a carrier where its sender does not say. */
  VALIDITY_MS: ms(86_400_000, 7 * 86_400_000),
  /** How far ahead a text may be scheduled, and how long it may be valid. */
  AHEAD_MS_MAX: ms(30 * 86_400_000, 366 * 86_400_000),
  /** Texts that wait to be stored; with more, new ones are refused. */
  ACCEPT_WAITING_MAX: count(5_000, 1_000_000),
  /** Texts that may wait for carriers, in all; with more, new ones are refused until some are on their way. */
  QUEUE_TEXTS_MAX: count(500_000, 100_000_000),
  /** Of one account, with those that it has scheduled for later, so that none fills the queue for all. */
  ACCOUNT_QUEUE_TEXTS_MAX: count(200_000, 100_000_000),
  /** Texts that one carrier's lane has in memory; what is beyond waits in the database. */
  LANE_TEXTS_MAX: count(4_000, 1_000_000),
  /** How often lanes are refilled from the database. */
  REFILL_MS: ms(200),
  /** How often what waits for a carrier that is away is looked at, whether another takes it. */
  STRANDED_LOOK_MS: ms(60_000),
  /** How long a text waits for which no carrier has a price any more, or that none of them carries for now. */
  UNROUTED_RETRY_MS: ms(60_000),
  /** A submit_sm without an answer for so long is in doubt. */
  RESPONSE_TIMEOUT_MS: ms(30_000),
  ENQUIRE_LINK_MS: ms(30_000),
  /** How long parts of a long incoming text are waited for. */
  PARTS_WAIT_MS: ms(3_600_000, 7 * 86_400_000),
  /** Of an account that has no limits of its own. */
  TEXTS_PER_SECOND_MAX: count(100, 100_000),
  TEXTS_PER_DAY_MAX: count(1_000_000, 2_000_000_000),
  /** How long a text waits for the answer where its number was ported to; 0: the first goes by its own digits. */
  PORTABILITY_WAIT_MS: z.coerce.number().int().min(0).max(10_000).default(0),
  ROUTES_MAX: count(4, 20),
  /** Of the sell price, what has to be left after the carrier is paid, in parts per million. */
  MARGIN_PPM_MIN: ppm(0),
  /** How much a carrier's lost texts count against its price: at 1,000,000 one that delivers half costs twice. */
  QUALITY_WEIGHT_PPM: ppm(500_000),
  /** Under which name keywords are answered; short, so that an answer is one segment. */
  BRAND: z.string().min(1).max(20).default('Letsdial'),
  /** For so many days it is kept what texts said; what was charged, and how they ended, stays. */
  MESSAGE_BODY_DAYS: count(90, 3_650),
  /** So long after a text ceased to be valid, one of which nothing was heard ends as unknown. */
  RECEIPT_WAIT_HOURS: count(72, 24 * 366),
  /** For so many days a request under the same idempotency key finds the text that it made. */
  REPLAY_DAYS: count(7, 366),
  /** For so many days receipts of nobody's texts, and what a customer could not be told, are kept. */
  LETTER_DAYS: count(90, 3_650),
  /** Receipts that cannot be read are kept, so many of them, and as long as what texts said or those of nobody's, whichever is shorter. */
  UNREADABLE_RECEIPTS_MAX: count(10_000, 1_000_000),
  /** How long a stop waits for what is under way. */
  DRAIN_MS: z.coerce.number().int().min(0).max(3_600_000).default(5_000),
  /** Whether webhooks may go to addresses of this machine and of private networks. */
  WEBHOOKS_TO_PRIVATE_ADDRESSES: yes_or_no,
});

const TLS_NEEDS_FILES = 'needs GATEWAY_TLS_CERT_FILE and GATEWAY_TLS_KEY_FILE, both PEM, or is to be left out';

const gatewaySchema = gatewayShape.refine(
  ({ GATEWAY_SMPP_TLS_PORT: tls_port, GATEWAY_TLS_CERT_FILE: certificate, GATEWAY_TLS_KEY_FILE: key }) =>
    tls_port === undefined || (certificate !== undefined && key !== undefined),
  { path: ['GATEWAY_SMPP_TLS_PORT'], error: TLS_NEEDS_FILES },
);

export const GATEWAY_SETTING_NAMES: readonly string[] = Object.keys(gatewayShape.shape);

export type GatewaySettings = z.infer<typeof gatewaySchema>;

/** Throws one sentence that names each wrong setting and what it may be. */
export function readGatewaySettings(environment: Readonly<Record<string, string | undefined>>): GatewaySettings {
  const parsed = gatewaySchema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new Error(
    `The gateway cannot start with these settings. ${wrong}. Correct them in its environment and start it again.`,
  );
}
