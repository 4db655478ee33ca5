import { z } from 'zod';

/**
 * Every setting of the controller, with its unit, default and check. Read once, in `main.ts`, from the environment;
 * no other module looks there.
 */
const port = z.coerce.number().int().min(0).max(65535);
const ms = (fallback: number, max = 3_600_000) => z.coerce.number().int().min(1).max(max).default(fallback);
const seconds = (fallback: number, max: number) => z.coerce.number().int().min(1).max(max).default(fallback);

const controllerSchema = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/u }),
  REDIS_URL: z.url({ protocol: /^rediss?$/u }),
  /** Base of ARI, without a path: http://127.0.0.1:8088 */
  ASTERISK_ARI_URL: z.url({ protocol: /^https?$/u }),
  ASTERISK_ARI_USER: z.string().min(1).default('letsdial'),
  ASTERISK_ARI_PASSWORD: z.string().min(1),
  ASTERISK_AMI_HOST: z.string().min(1).default('127.0.0.1'),
  ASTERISK_AMI_PORT: port.default(5038),
  ASTERISK_AMI_USER: z.string().min(1).default('letsdial'),
  ASTERISK_AMI_PASSWORD: z.string().min(1),
  /** The file to which the switch writes its own record of each call. */
  ASTERISK_CDR_FILE: z.string().min(1),
  /** Names the switch in the database; one controller at a time drives it. */
  SWITCH_ID: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/u)
    .default('asterisk-1'),
  CONTROLLER_HOST: z.string().min(1).default('127.0.0.1'),
  CONTROLLER_PORT: port.default(8700),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),

  /** How many seconds of a call are held at a time. Longer grants cost less work, and lock up more of a small wallet. */
  GRANT_SECONDS: seconds(30, 3600),
  /** No call is longer than this, whatever money there is. */
  CALL_SECONDS_MAX: seconds(4 * 3600, 24 * 3600),
  /** The switch hangs up this much before the paid second is over, so that the hang-up itself falls within it. */
  DEADLINE_GUARD_MS: ms(100, 900),
  /** A renewal is asked for this long before the deadline; it bounds how early the warning tone can be. */
  RENEW_LEAD_MS: ms(10_000),
  /** How often a call that has no more money looks for a top-up that nobody told it of. */
  LAST_GRANT_RETRY_MS: ms(2_000),
  OVERRUN_MS: ms(1_000),
  /** How long the switch's record of a call is waited for before it is settled from events. */
  RECORD_WAIT_MS: ms(3_000),
  RING_TIMEOUT_MS: ms(90_000, 180_000),
  RECONCILE_MS: ms(15_000),
  /** A difference between switch and database has to be seen for this long before it is acted upon. */
  RECONCILE_SETTLE_MS: ms(2_000),
  /** How long a stop waits for live calls to end by themselves. */
  DRAIN_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(24 * 3_600_000)
    .default(5_000),
  /** What becomes of calls that are still up then: ended and settled, or left to the switch and the next controller. */
  ON_STOP: z.enum(['hang_up', 'hand_over']).default('hang_up'),
  /** Routes tried for one call at most. */
  ROUTES_MAX: seconds(4, 10),
  /** Of the sell price, what has to be left after the carrier is paid, in parts per million. */
  MARGIN_PPM_MIN: z.coerce.number().int().min(-1_000_000).max(1_000_000).default(0),
  /** The duration for which prices of carriers are compared. */
  ROUTING_SECONDS: seconds(120, 3600),
  /** After this many failed digests within the window an address is blocked, for as long as the block lasts. */
  AUTH_FAILURES_MAX: seconds(10, 100_000),
  /** Requests of nobody, within AUTH_WINDOW_SECONDS, that shut their address out: a scanner makes thousands. */
  AUTH_UNIDENTIFIED_MAX: seconds(100, 1_000_000),
  AUTH_WINDOW_SECONDS: seconds(60, 86_400),
  AUTH_BLOCK_SECONDS: seconds(600, 7 * 86_400),
  /**
   * Addresses, one after the other by a comma, that are never shut out: of a proxy that brings everybody's browser phones. What comes by it
   * the proxy has to throttle.
   */
  AUTH_NEVER_BLOCKED: z
    .string()
    .default('127.0.0.1,::1')
    .transform((text) => text.split(',').filter((address) => address !== ''))
    .pipe(z.array(z.union([z.ipv4(), z.ipv6()])).max(100)),
  /** So long after a success an address is not blocked for failures that anybody could have sent in its name. */
  AUTH_PROVEN_SECONDS: seconds(86_400, 30 * 86_400),
  /** What people see who are called with a code, as +E.164; without it the number is withheld, which some carriers refuse. */
  SPOKEN_CODE_CALLER: z
    .string()
    .regex(/^\+[1-9][0-9]{5,14}$/u)
    .optional(),
  /** How long it rings where a code is to be spoken, and how many such calls are up at one moment. */
  SPOKEN_CODE_RING_MS: ms(30_000, 120_000),
  SPOKEN_CODES_AT_ONCE_MAX: seconds(10, 1_000),
  /** Codes are not spoken where a customer would pay more than this for a call, in micros of the operator's currency: traffic is pumped there. */
  SPOKEN_CODE_RATE_MICROS_PER_MINUTE_MAX: z.coerce.number().int().min(0).max(1_000_000_000).default(500_000),
  /** Settled holds are kept this long, so that a settlement that is repeated is recognised. */
  HOLD_REPLAY_DAYS: seconds(7, 400),
});

export const CONTROLLER_SETTING_NAMES: readonly string[] = Object.keys(controllerSchema.shape);

export type ControllerSettings = z.infer<typeof controllerSchema>;

/** Throws one sentence that names each wrong setting and what it may be. */
export function readControllerSettings(environment: Readonly<Record<string, string | undefined>>): ControllerSettings {
  const parsed = controllerSchema.safeParse(environment);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
  throw new Error(
    `The controller cannot start with these settings. ${wrong}. Correct them in its environment and start it again.`,
  );
}
