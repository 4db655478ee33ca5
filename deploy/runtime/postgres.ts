import { mkdir } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import type { PostgresPrograms } from './machine/programs.ts';
import { Outage } from './outage.ts';
import { prepareCluster } from './postgres_cluster.ts';
import { startChild } from './process/child.ts';
import type { Child } from './process/child.ts';
import { unprivileged } from './process/identity.ts';
import { claimPort } from './process/free_port.ts';
import { LOOPBACK } from './process/port.ts';
import { untilReady } from './process/ready.ts';
import { runDirectory } from './process/run_directory.ts';
import { keptSecret } from './process/secret.ts';
import type { Running } from './running.ts';

export interface PostgresOptions {
  programs: PostgresPrograms;
  /** Holds the cluster (`postgres/`), the log and the password. */
  home: string;
  /** null: one that is free. */
  port: number | null;
  /** Further settings of postgresql.conf, such as `{ fsync: 'off' }` for tests that lose nothing by it. */
  settings?: Readonly<Record<string, string>>;
}

export interface RunningPostgres extends Running {
  /** Of the superuser, to the database `letsdial`. */
  url: string;
  /** Holds the Unix socket. */
  socket_directory: string;
  port: number;
  /** Of the postmaster. */
  pid: number;
}

export const SUPERUSER = 'letsdial';
export const DATABASE = 'letsdial';

/** Starts a Postgres of our own on the loopback address and resolves once it answers; makes the cluster when there is none. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { programs, home } = options;
  const port = await claimPort(options.port, 'Postgres');
  const password = await keptSecret(join(home, 'secrets/postgres'));
  const data = join(home, 'postgres');
  await mkdir(home, { recursive: true });
  const identity = await unprivileged(join(programs.folder, 'postgres'), dirname(data));
  await prepareCluster({
    programs,
    data,
    password,
    identity,
    superuser: SUPERUSER,
    sync: options.settings?.['fsync'] !== 'off',
  });
  // The user nobody cannot write where our own sockets are; it gets on without one.
  const socket_directory = identity.owner_uid === (process.getuid?.() ?? 0) ? await runDirectory(home) : '';
  const log_file = join(home, 'log/postgres.log');
  const child = await startChild({
    name: 'Postgres',
    command: {
      file: join(programs.folder, 'postgres'),
      args: ['-D', data, ...settingArgs(port, socket_directory, options)],
    },
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'GMT' },
    log_file,
    // SIGINT is Postgres' fast shutdown: sessions are ended, the cluster is closed in good order.
    stop_signal: 'INT',
    stop_timeout_ms: 15_000,
    identity: identity.prefix,
  });
  const url = (database: string): string => `postgres://${SUPERUSER}:${password}@${LOOPBACK}:${port}/${database}`;
  await untilReady(child, { name: 'Postgres', log_file, timeout_ms: 60_000, answers: () => answers(url('postgres')) });
  await ensureDatabase(child, url('postgres'));
  return {
    describe: `Postgres ${programs.major} on ${LOOPBACK}:${port}`,
    url: url(DATABASE),
    socket_directory,
    port,
    pid: child.pid,
    stop: child.stop,
    kill: child.kill,
    died: child.died,
  };
}

/**
 * An eighth of the memory there is, a gigabyte at most. With the default of 128 MB the indexes that texts are written into do not
 * fit after some minutes at full load, and a third of the rate goes into moving pages. It is taken as it is used.
 */
function sharedBuffersMb(): number {
  const limit = process.constrainedMemory();
  // Without a limit of its own the process is told of none, or of one that is beyond all memory.
  const memory_bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return Math.max(32, Math.min(1024, Math.floor(memory_bytes / 8 / 2 ** 20)));
}

function settingArgs(port: number, socket_directory: string, options: PostgresOptions): string[] {
  const settings: Record<string, string> = {
    listen_addresses: LOOPBACK,
    port: String(port),
    unix_socket_directories: socket_directory,
    unix_socket_permissions: '0700',
    max_connections: '200',
    shared_buffers: `${sharedBuffersMb()}MB`,
    max_wal_size: '2GB',
    // Files of its log that were used before are written again; each new one is 16 MB of zeros, for which whoever commits waits some 60 ms.
    min_wal_size: '1GB',
    // A bare container has no zoneinfo for Postgres to read; GMT needs none.
    timezone: 'GMT',
    log_timezone: 'GMT',
    log_line_prefix: '%m [%p] ',
    // What is left out tells values: `Key (number)=(+44…) already exists`. Who asked is told of them, and decides what to log.
    log_error_verbosity: 'terse',
    ...options.settings,
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** SQLSTATE 57P03, cannot_connect_now: the server is up and still recovering. */
const NOT_YET = new Set(['ECONNREFUSED', 'ECONNRESET', '57P03']);

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  // A connection that is reset while it is being opened is told by connect() as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOT_YET.has(String(error.code))) return false;
    if (error instanceof Error && error.message.includes('password authentication failed')) {
      throw new Outage(
        `Postgres does not accept the password kept beside it, so its data cannot be opened: put the file secrets/postgres back that belongs to this folder, or delete both (the data is lost then).`,
      );
    }
    throw error;
  } finally {
    await client.end();
  }
}

async function ensureDatabase(child: Child, url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } catch (error) {
    await child.stop();
    throw error;
  } finally {
    await client.end();
  }
}
