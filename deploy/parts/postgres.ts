import pg from 'pg';
import { Outage } from '../runtime/outage.ts';
import type { PostgresPrograms } from '../runtime/machine/programs.ts';
import { startPostgres } from '../runtime/postgres.ts';
import { immortal } from '../runtime/running.ts';
import type { Running } from '../runtime/running.ts';
import type { Part } from '../supervise/part.ts';

export interface Database extends Running {
  url: string;
  /** Holds the Unix socket of a Postgres of our own; null where it runs elsewhere. */
  socket_directory: string | null;
}

export interface PostgresPartOptions {
  programs: PostgresPrograms;
  home: string;
  port: number | null;
  /** Of a Postgres that runs elsewhere; null: one of our own. */
  url: string | null;
}

export function postgresPart(options: PostgresPartOptions): Part<Database> {
  const { url } = options;
  return { name: 'Postgres', start: () => (url === null ? startPostgres(options) : elsewhere(url)) };
}

async function elsewhere(url: string): Promise<Database> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  // What goes wrong while connecting is thrown by connect() as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    const reason = error instanceof Error && error.message !== '' ? error.message : String(error);
    throw new Outage(
      `The Postgres of DATABASE_URL does not let us in (${reason}), so nothing was started: check the address and the password, or unset it for a Postgres of Letsdial's own.`,
    );
  } finally {
    await client.end();
  }
  return {
    describe: `Postgres at ${new URL(url).host}`,
    url,
    socket_directory: null,
    stop: () => Promise.resolve(),
    kill: () => undefined,
    died: immortal,
  };
}
