import type pg from 'pg';

/** Ends a connection without a word: one that is silent would not answer a good-bye. */
export function dropConnection(client: pg.Client): void {
  (client as unknown as { connection: { stream: { destroy: () => void } } }).connection.stream.destroy();
}
