import type { Logger } from 'pino';
import type { Queryable } from '../../domain/db/transaction.ts';
import { systemClock } from '../smpp/clock.ts';
import { nameServers } from './endpoint_address.ts';
import { HttpPoster } from './http_poster.ts';
import type { WebhookEvent } from './webhook_event.ts';
import { WebhookSender } from './webhook_sender.ts';

const TIMEOUT_MS = 10_000;

export interface WebhooksOptions {
  db: Queryable;
  /** Whether webhooks may go to addresses of this machine and of private networks. */
  allow_private_addresses: boolean;
  onResult: (result: WebhookEvent['type']) => void;
  log: Logger;
}

export interface Webhooks {
  start: () => void;
  /** Something may be due. */
  wake: () => void;
  /** Resolves when what is under way was answered. */
  stop: () => Promise<void>;
}

/** The sender of webhooks and its connections, with what the product has decided on times and numbers. */
export function assembleWebhooks({ db, allow_private_addresses, onResult, log }: WebhooksOptions): Webhooks {
  const poster = new HttpPoster({
    ...{ clock: systemClock, timeout_ms: TIMEOUT_MS, response_octets_max: 65_536, idle_ms: 30_000 },
    allow_private_addresses,
    resolve: nameServers(TIMEOUT_MS),
  });
  const sender = new WebhookSender({
    ...{ db, clock: systemClock, now: () => new Date(), random: Math.random },
    post: (url, headers, body) => poster.post(url, headers, body),
    ...{ under_way_max: 256, under_way_max_per_endpoint: 8, lease_ms: 60_000, poll_ms: 1_000 },
    retry: { first_ms: 100, most_ms: 2_000 },
    onEvent: (event) => {
      if (event.type !== 'taken') onResult(event.type);
      tell(event, log);
    },
  });
  return {
    start: () => sender.start(),
    wake: () => sender.wake(),
    stop: async () => {
      await sender.stop();
      poster.close();
    },
  };
}

function tell(event: WebhookEvent, log: Logger): void {
  if (event.type === 'dead' || event.type === 'endpoint_closed') log.warn(event, 'a customer is not told any more');
  if (event.type === 'outage' || event.type === 'unwritten') {
    log.warn({ err: event.error }, 'what became of webhooks waits for the database');
  }
}
