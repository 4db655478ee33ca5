import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../domain/db/migrate.ts';
import type { Programs } from '../runtime/machine/programs.ts';
import { startPostgres } from '../runtime/postgres.ts';
import type { PostgresOptions, RunningPostgres } from '../runtime/postgres.ts';
import { startValkey } from '../runtime/valkey.ts';
import type { RunningValkey, ValkeyOptions } from '../runtime/valkey.ts';
import { processTree, signals } from './processes.ts';

/**
 * A Postgres that syncs and a Valkey that nobody else uses, so that either may be stopped, killed and started again
 * on the same port with the same data.
 */
export class OwnServers {
  readonly #home: string;
  readonly #programs: Programs;
  #frozen: number[] = [];
  postgres: RunningPostgres;
  valkey: RunningValkey;

  private constructor(home: string, programs: Programs, postgres: RunningPostgres, valkey: RunningValkey) {
    this.#home = home;
    this.#programs = programs;
    this.postgres = postgres;
    this.valkey = valkey;
  }

  /** Migrated. */
  static async begin(programs: Programs): Promise<OwnServers> {
    const home = await mkdtemp(join(tmpdir(), 'letsdial-servers-'));
    const postgres = await startPostgres(postgresOptions(programs, home, null));
    const valkey = await startValkey(valkeyOptions(programs, home, null));
    await migrate(postgres.url);
    return new OwnServers(home, programs, postgres, valkey);
  }

  async startPostgres(): Promise<void> {
    this.postgres = await startPostgres(postgresOptions(this.#programs, this.#home, this.postgres.port));
  }

  /** Connections stay open, and nobody answers on them. */
  async freezePostgres(): Promise<void> {
    // The postmaster first: then no further process of it can begin.
    signals.freeze(this.postgres.pid);
    this.#frozen = await processTree(this.postgres.pid);
    for (const pid of this.#frozen) signals.freeze(pid);
  }

  /** Also where it is not frozen: one that stays so would hold up every end. */
  thawPostgres(): void {
    for (const pid of this.#frozen.splice(0)) signals.thaw(pid);
  }

  async startValkey(): Promise<void> {
    this.valkey = await startValkey(valkeyOptions(this.#programs, this.#home, this.valkey.port));
  }

  async end(): Promise<void> {
    await this.valkey.stop();
    await this.postgres.stop();
    await rm(this.#home, { recursive: true, force: true });
  }
}

function postgresOptions(programs: Programs, home: string, port: number | null): PostgresOptions {
  return { programs: programs.postgres, home, port };
}

function valkeyOptions(programs: Programs, home: string, port: number | null): ValkeyOptions {
  // A snapshot would bring back what a test has lost on purpose.
  return { program: programs.valkey_server, home, port, settings: { save: '' } };
}
