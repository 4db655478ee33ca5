import type { Logger } from 'pino';
import { Listener } from '../domain/db/listener.ts';

export interface HeardOfDatabase {
  rates: () => void;
  /** There are texts to be sent. */
  queue: () => void;
  /** There is something to tell customers. */
  deliveries: () => void;
  /** Keys, accounts, carriers or their binds were changed. */
  changed: () => void;
  /** Where numbers went that changed their network. */
  portings: () => void;
}

const RETRY_MS = 500;

/** Hears what the database notifies a gateway of; all of it may have happened while nobody listened. */
export function gatewayListener(database_url: string, heard: HeardOfDatabase, log: Logger): Listener {
  return new Listener({
    database_url,
    channels: {
      rates: heard.rates,
      message_queue: heard.queue,
      customer_delivery: heard.deliveries,
      gateway: heard.changed,
      ported_number: heard.portings,
    },
    onConnected: () => {
      heard.rates();
      heard.queue();
      heard.deliveries();
      heard.changed();
      heard.portings();
    },
    onLost: (error) => log.warn({ err: error }, 'notifications of the database are not heard; connecting again'),
    retry_ms: RETRY_MS,
  });
}
