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
  /** A STOP that did not come to a gateway may forbid texts that one has in its hands. */
  optOuts: () => void;
}

const RETRY_MS = 500;

/** Hears what the database notifies a gateway of; all of it may have happened while nobody listened. */
export function gatewayListener(database_url: string, log: Logger, heard: HeardOfDatabase): Listener {
  return new Listener({
    database_url,
    channels: {
      rates: heard.rates,
      message_queue: heard.queue,
      customer_delivery: heard.deliveries,
      gateway: heard.changed,
      ported_number: heard.portings,
      opt_out: heard.optOuts,
    },
    onConnected: () => {
      heard.rates();
      heard.queue();
      heard.deliveries();
      heard.changed();
      heard.portings();
      heard.optOuts();
    },
    onLost: (error) => log.warn({ err: error }, 'notifications of the database are not heard; connecting again'),
    retry_ms: RETRY_MS,
  });
}
