import type { Logger } from 'pino';
import type { GatewaySettings } from '../../config/gateway_settings.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { AcceptorOptions } from '../accept/acceptor.ts';
import type { JudgeOptions } from '../accept/judge_text.ts';
import type { ReplaceOptions } from '../accept/replace_text.ts';
import { Guesses } from '../http/guesses.ts';
import { sessionOf } from '../session_of_settings.ts';
import { systemClock } from '../smpp/clock.ts';
import { Certificate } from './certificate.ts';
import { CustomerSmsc } from './customer_smsc.ts';
import type { CustomerSmscOptions } from './customer_smsc.ts';

/** What a gateway judges every text by, however it came. */
export type Judging = JudgeOptions & Pick<AcceptorOptions, 'screen'> & Pick<ReplaceOptions, 'giveBack'>;

export interface SmscParts extends Pick<CustomerSmscOptions, 'accept' | 'onDelivery' | 'onOutbind'> {
  settings: GatewaySettings;
  db: Queryable;
  judging: Judging;
  log: Logger;
}

const SYSTEM_ID = 'letsdial';
const CONNECTIONS_MAX = 2_000;
/** Customers may share an address; whoever does not bind is gone after `bind_timeout_ms`. */
const CONNECTIONS_PER_ADDRESS_MAX = 200;
/** A handshake takes two round trips and some milliseconds of CPU (RFC 5246, 7.3). */
const HANDSHAKE_MS = 5_000;
const CERTIFICATE_LOOK_MS = 60_000;
/** The most that a bind's row can allow: its own window is kept by whoever sends. */
const WINDOW_MAX = 1_000;
const REFRESH_MS = 5_000;
const DELIVERY_POLL_MS = 1_000;
/** A delivery waits for a window that is full of others, then for its own answer, and either may time out; and as much again. */
const LEASE_IN_TIMEOUTS = 4;

/** The SMSC for customers of a gateway with these settings. */
export function assembleSmsc({ settings, db, judging, log, accept, onDelivery, onOutbind }: SmscParts): CustomerSmsc {
  return new CustomerSmsc({
    doors: doorsOf(settings),
    certificate_look_ms: CERTIFICATE_LOOK_MS,
    server: {
      connections_max: CONNECTIONS_MAX,
      connections_per_address_max: CONNECTIONS_PER_ADDRESS_MAX,
      handshake_timeout_ms: HANDSHAKE_MS,
      session: { ...sessionOf(settings), window_requests: WINDOW_MAX },
    },
    ...{ system_id: SYSTEM_ID, db, log, accept, onDelivery, onOutbind, judge: judging, screen: judging.screen },
    giveBack: judging.giveBack,
    ...{ clock: systemClock, random: Math.random, guesses: new Guesses(() => performance.now()) },
    ...{ refresh_ms: REFRESH_MS, delivery_poll_ms: DELIVERY_POLL_MS },
    delivery_lease_ms: settings.RESPONSE_TIMEOUT_MS * LEASE_IN_TIMEOUTS,
  });
}

/** Settings that name a port for TLS name both files, or they were refused. */
function doorsOf({
  GATEWAY_HOST: host,
  GATEWAY_SMPP_PORT: port,
  GATEWAY_SMPP_TLS_PORT: tls_port,
  GATEWAY_TLS_CERT_FILE: certificate_file,
  GATEWAY_TLS_KEY_FILE: key_file,
}: GatewaySettings): CustomerSmscOptions['doors'] {
  if (tls_port === undefined || certificate_file === undefined || key_file === undefined) {
    return { host, port, tls: null };
  }
  return { host, port, tls: { port: tls_port, certificate: new Certificate({ certificate_file, key_file }) } };
}
